/** The table of jobs: of all its rows only those in the window are there. */

import { type ReactNode, useEffect, useRef } from "react";
import type { Job } from "slotd/web";

import { PHONE, useMedia } from "../../components/media";
import { useRowWindow } from "../../components/row-window";
import { JobRow } from "./job-row";
import { useRowKeys } from "./row-keys";

// As in jobs.css.
const ROW = 36;
const CARD = 88;

// So many rows before the end the next page is asked for.
const AHEAD = 30;

interface Properties {
  jobs: readonly Job[];
  /** There are more than these. */
  more: boolean;
  chosen: ReadonlySet<string>;
  toggle: (job: Job) => void;
  toggleAll: () => void;
  clear: () => void;
  /** Tells whether somebody reads further down. */
  setReading: (reading: boolean) => void;
  loadMore: () => void;
}

export function JobTable({ jobs, more, chosen, toggle, toggleAll, clear, setReading, loadMore }: Properties) {
  const body = useRef<HTMLDivElement>(null);
  const rowHeight = useMedia(PHONE) ? CARD : ROW;
  const { start, end, scrolled } = useRowWindow(body, jobs.length, rowHeight);
  const within = useRowKeys({ body, jobs, rowHeight, toggle, clear });

  const reading = scrolled || within;
  useEffect(() => setReading(reading), [setReading, reading]);
  const near = more && end + AHEAD >= jobs.length;
  useEffect(() => {
    if (near) {
      loadMore();
    }
  }, [near, jobs.length, loadMore]);

  const all = jobs.length > 0 && chosen.size >= jobs.length;
  return (
    <div className="card jobs-table" role="table" aria-label="Jobs" aria-rowcount={more ? -1 : jobs.length + 1}>
      <div role="rowgroup" className="jobs-head">
        <div role="row" className="jobs-row" aria-rowindex={1}>
          <div role="columnheader" className="jobs-choose">
            <input
              type="checkbox"
              aria-label="Choose all rows"
              checked={all}
              ref={(box) => {
                if (box) {
                  box.indeterminate = chosen.size > 0 && !all;
                }
              }}
              onChange={toggleAll}
            />
          </div>
          <Heading name="id">Job</Heading>
          <Heading name="kind">Kind</Heading>
          <Heading name="queue">Queue</Heading>
          <Heading name="state">State</Heading>
          <Heading name="progress">Progress</Heading>
          <Heading name="attempts">Attempt</Heading>
          <Heading name="age">Submitted</Heading>
          <Heading name="duration">Ran</Heading>
          <Heading name="labels">Labels</Heading>
        </div>
      </div>
      <div
        ref={body}
        role="rowgroup"
        style={{ paddingTop: start * rowHeight, paddingBottom: (jobs.length - end) * rowHeight }}
      >
        {jobs.slice(start, end).map((job, index) => (
          <JobRow key={job.id} job={job} index={start + index} chosen={chosen.has(job.id)} toggle={toggle} />
        ))}
      </div>
    </div>
  );
}

function Heading({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div role="columnheader" className={`jobs-${name}`}>
      {children}
    </div>
  );
}
