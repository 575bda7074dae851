/** Every slot of the server and of its workers, live. */

import { useMemo, useState } from "react";

import { count } from "../../components/format";
import { AnswerNote } from "../../components/notes";
import { useData, usePolled, useStore } from "../../data/hooks";
import { pick, type PickedSlot } from "./picked-slot";
import { HolderList, SlotFacts } from "./slot-facts";
import { SlotGrid } from "./slot-grid";
import { SlotPicture } from "./slot-picture";
import { SlotsDialog } from "./slots-dialog";

// Pools that are drawn unasked.
const FEW = 24;

export function SlotsCard() {
  const { slots } = useData();
  const answer = usePolled((data) => data.slots);
  const { value } = answer;
  const pools = useStore(useMemo(() => new SlotPicture(slots), [slots]));
  const [picked, setPicked] = useState<PickedSlot>();
  const [resizing, setResizing] = useState(false);
  const [all, setAll] = useState(false);
  const shown = pools?.find(({ size }) => size.worker === picked?.worker);
  return (
    <section className="card" id="slots" aria-labelledby="slots-title">
      <div className="card-head">
        <h2 id="slots-title">Slots</h2>
        <ul className="slots-legend small soft" aria-label="How slots are drawn">
          <li className="slots-key-running">running</li>
          <li className="slots-key-zombie" title="Its attempt is over, but its function has not returned">
            zombie
          </li>
          <li className="slots-key-free">free</li>
        </ul>
        <button type="button" className="button" disabled={!value} onClick={() => setResizing(true)}>
          Resize
        </button>
      </div>
      <div className="card-body slots-body">
        <AnswerNote answer={answer} retry={slots.refresh} />
        {pools?.slice(0, all ? pools.length : FEW).map((pool) => (
          <SlotGrid
            key={pool.size.worker}
            pool={pool}
            place={picked?.worker === pool.size.worker ? picked.place : undefined}
            pick={(place, by) => {
              const slot = place === undefined ? undefined : { worker: pool.size.worker, place };
              setPicked((before) => pick(before, slot, by));
            }}
          />
        ))}
        {pools && pools.length > FEW && !all && (
          <button type="button" className="button" onClick={() => setAll(true)}>
            Show all {count(pools.length)} pools
          </button>
        )}
        {pools && (
          <p className="slots-told row">
            {shown && picked && picked.place < shown.slots.length ? (
              <SlotFacts pool={shown} place={picked.place} />
            ) : (
              <span className="soft">
                Point at a slot, press it or go to it with the arrow keys to see who holds it.
              </span>
            )}
          </p>
        )}
        {pools && value && <HolderList holders={value.holders} pools={pools} />}
      </div>
      {resizing && value && <SlotsDialog slots={value} close={() => setResizing(false)} />}
    </section>
  );
}
