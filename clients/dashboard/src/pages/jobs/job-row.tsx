/** One job in the table. */

import { memo } from "react";
import { isTerminal, type Job } from "slotd/web";

import { shortId } from "../../components/format";
import { ProgressBar } from "../../components/progress";
import { StateBadge } from "../../components/state-badge";
import { Ago, Lasted } from "../../components/time";
import { jobPath, Link } from "../../shell/router";

interface Properties {
  job: Job;
  /** Among all rows, from 0. */
  index: number;
  chosen: boolean;
  toggle: (job: Job) => void;
}

// A job that did not change is the same object: of a thousand events a second most rows hear nothing.
export const JobRow = memo(function JobRow({ job, index, chosen, toggle }: Properties) {
  const { spec } = job;
  const stopping = job.cancelRequested && !isTerminal(job);
  return (
    <div
      role="row"
      className={chosen ? "jobs-row jobs-row-chosen" : "jobs-row"}
      aria-rowindex={index + 2}
      data-row={index}
    >
      <div role="cell" className="jobs-choose">
        <input type="checkbox" aria-label={`Choose ${job.id}`} checked={chosen} onChange={() => toggle(job)} />
      </div>
      <div role="cell" className="jobs-id">
        <Link className="mono" href={jobPath(job.id)} title={job.id}>
          {shortId(job.id)}
        </Link>
      </div>
      <div role="cell" className="jobs-kind truncate" title={spec?.kind}>
        {spec?.kind}
      </div>
      <div role="cell" className="jobs-queue truncate soft" title={spec?.queue}>
        {spec?.queue}
      </div>
      <div role="cell" className="jobs-state">
        <StateBadge state={job.state} stopping={stopping} />
      </div>
      <div role="cell" className="jobs-progress">
        {!isTerminal(job) && <ProgressBar progress={job.progress} />}
      </div>
      <div role="cell" className="jobs-attempts soft">
        {job.attempt > 0 && `${job.attempt} of ${spec?.retry?.maxAttempts ?? 1}`}
      </div>
      <div role="cell" className="jobs-age soft">
        <Ago at={job.createTime} />
      </div>
      <div role="cell" className="jobs-duration soft">
        <Lasted from={job.startTime} to={job.endTime ?? job.attempts.at(-1)?.endTime} />
      </div>
      <div role="cell" className="jobs-labels truncate soft small">
        {Object.entries(spec?.labels ?? {})
          .map(([key, value]) => `${key}=${value}`)
          .join(", ")}
      </div>
    </div>
  );
});
