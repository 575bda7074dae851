/** Who holds a slot. */

import { timestampMs } from "@bufbuild/protobuf/wkt";
import { useState } from "react";
import type { SlotHolder } from "slotd/v1";

import { Heads, numbers } from "../../components/heads";
import { count, shortId } from "../../components/format";
import { Lasted } from "../../components/time";
import { jobPath, Link } from "../../shell/router";
import { type Pool, stateOf } from "./slot-layout";

const COLUMNS = ["Job", "Kind", "Queue", numbers("Attempt"), "Where", "State", numbers("For")];

// A longer list is read by nobody.
const MOST = 100;

/** Since when it is held, in milliseconds since 1970. */
export function startedMs({ startTime }: SlotHolder): number {
  return startTime ? timestampMs(startTime) : 0;
}

/** Whose slots they are. */
export function poolName({ size: { worker, name } }: Pool): string {
  return worker === "" ? "this server" : `worker ${name || worker}`;
}

/** One slot in a line. */
export function SlotFacts({ pool, place }: { pool: Pool; place: number }) {
  const holder = pool.slots[place];
  const state = stateOf(pool, place);
  return (
    <>
      <strong>
        Slot {count(place + 1)} of {poolName(pool)}
      </strong>
      <span>{state === "away" ? "its worker is not connected" : state}</span>
      {holder && (
        <>
          <Link className="mono" href={jobPath(holder.jobId)}>
            {shortId(holder.jobId)}
          </Link>
          <span>{holder.kind}</span>
          <span className="soft">attempt {holder.attempt}</span>
          <span className="soft">queue {holder.queue}</span>
          <span>
            for <Lasted from={holder.startTime} to={undefined} />
          </span>
        </>
      )}
    </>
  );
}

/** All that are held, longest first. */
export function HolderList({ holders, pools }: { holders: readonly SlotHolder[]; pools: readonly Pool[] }) {
  const [open, setOpen] = useState(false);
  const names = new Map(pools.map((pool) => [pool.size.worker, poolName(pool)]));
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Who holds them, as a list</summary>
      {open && (
        <div className="table-scroll" role="region" aria-label="Who holds slots" tabIndex={0}>
          <table className="table">
            <Heads of={COLUMNS} />
            <tbody>
              {holders.slice(0, MOST).map((holder) => (
                <tr key={`${holder.jobId}/${holder.attempt}`}>
                  <th scope="row">
                    <Link className="mono" href={jobPath(holder.jobId)}>
                      {shortId(holder.jobId)}
                    </Link>
                  </th>
                  <td>{holder.kind}</td>
                  <td>{holder.queue}</td>
                  <td className="number">{holder.attempt}</td>
                  <td>{names.get(holder.worker) ?? holder.worker}</td>
                  <td>{holder.zombie ? "zombie" : "running"}</td>
                  <td className="number">
                    <Lasted from={holder.startTime} to={undefined} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          {holders.length > MOST && <p className="soft">and {count(holders.length - MOST)} more, held for less</p>}
          {holders.length === 0 && <p className="soft">Nobody holds one</p>}
        </div>
      )}
    </details>
  );
}
