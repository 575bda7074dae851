/** A pool's slots: full squares run, striped ones are zombies, dots are free. Pointer and arrow keys go through them. */

import { type KeyboardEvent, memo, type MouseEvent, useId } from "react";

import { count, length, plural } from "../../components/format";
import { useNow } from "../../data/hooks";
import { jobPath, navigate } from "../../shell/router";
import type { PickedBy } from "./picked-slot";
import { columnsFor, pathOf, placeAfterKey, placeAt, type Pool, type SlotState, stateOf } from "./slot-layout";
import { poolName, startedMs } from "./slot-facts";

const STATES: readonly SlotState[] = ["running", "zombie", "free", "away"];

interface Properties {
  pool: Pool;
  /** The slot that is told about. */
  place: number | undefined;
  /** Has a slot told about, or none. */
  pick: (place: number | undefined, by: PickedBy) => void;
}

export function SlotGrid({ pool, place, pick }: Properties) {
  const heading = useId();
  const now = useNow();
  const { slots } = pool;
  const columns = columnsFor(slots.length);
  const rows = Math.ceil(slots.length / columns);
  const under = ({ currentTarget, clientX, clientY }: MouseEvent): number | undefined => {
    const { left, top, width, height } = currentTarget.getBoundingClientRect();
    return placeAt(pool, columns, (clientX - left) / width, (clientY - top) / height);
  };
  const pressed = (event: KeyboardEvent): void => {
    const to = placeAfterKey(event.key, place ?? 0, columns, slots.length);
    const holder = slots[place ?? -1];
    if (to !== undefined) {
      event.preventDefault();
      pick(to, "keys");
    } else if (event.key === "Enter" && holder) {
      navigate(jobPath(holder.jobId));
    } else if (event.key === "Escape") {
      pick(undefined, "keys");
    }
  };
  return (
    <div className="slots-pool" role="group" aria-labelledby={heading}>
      <h3 id={heading}>
        {poolName(pool)} <span className="soft">{sizeText(pool)}</span>
      </h3>
      {slots.length > 0 && (
        <div className="slots-picture" style={{ maxWidth: columns * 20 }}>
          <svg
            viewBox={`0 0 ${columns} ${rows}`}
            aria-hidden="true"
            onMouseMove={(event) => pick(under(event), "pointer")}
            onMouseLeave={() => pick(undefined, "pointer")}
            onClick={(event) => pick(under(event), "press")}
          >
            {/* Also what is between the slots is of the picture. */}
            <rect width={columns} height={rows} fill="transparent" />
            <SlotPaths pool={pool} columns={columns} />
            {place !== undefined && place < slots.length && (
              <rect
                className="slots-picked"
                x={place % columns}
                y={Math.floor(place / columns)}
                width={1}
                height={1}
                rx={0.15}
              />
            )}
          </svg>
          <input
            type="range"
            className="slots-range"
            min={1}
            max={slots.length}
            value={Math.min(place ?? 0, slots.length - 1) + 1}
            aria-label="Slot"
            aria-valuetext={slotText(pool, place ?? 0, now)}
            onChange={(event) => pick(Number(event.target.value) - 1, "keys")}
            onFocus={() => place === undefined && pick(0, "keys")}
            onKeyDown={pressed}
          />
        </div>
      )}
    </div>
  );
}

/** Drawn anew only for another answer, not for each move of the pointer. */
const SlotPaths = memo(function SlotPaths({ pool, columns }: { pool: Pool; columns: number }) {
  return STATES.map((state) => <path key={state} className={`slots-${state}`} d={pathOf(pool, columns, state)} />);
});

function sizeText({ size: { slots, free, running, zombie, limit } }: Pool): string {
  const zombies = zombie > 0 ? `, ${plural(zombie, "zombie")}` : "";
  const shrinks = slots > limit ? `, shrinking to ${count(limit)}` : "";
  return `${count(running)} running${zombies}, ${count(free)} free of ${count(slots)}${shrinks}`;
}

function slotText(pool: Pool, place: number, now: number): string {
  const slot = pool.slots[place];
  const text = `${place + 1} of ${pool.slots.length}: ${stateOf(pool, place)}`;
  return slot ? `${text}, ${slot.kind}, attempt ${slot.attempt}, for ${length(now - startedMs(slot), true)}` : text;
}
