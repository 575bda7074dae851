/** A job's life: a bar whose parts are as long as they took, and the same as a list with all there is to say. */

import { useId } from "react";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { isTerminal, type Job } from "slotd/web";

import { length } from "../../components/format";
import { StateBadge } from "../../components/state-badge";
import { Time } from "../../components/time";
import { useNow } from "../../data/hooks";
import { stateName } from "../../data/states";
import { Link } from "../../shell/router";
import { errorReason } from "./error-reason";
import { type Step, steps } from "./timeline";

const WORDS = {
  scheduled: "Scheduled",
  blocked: "Blocked",
  queued: "Queued",
  waited: "Waited",
  attempt: "Attempt",
} as const;

export function TimelineView({ job, metAt }: { job: Job; metAt: number | undefined }) {
  const heading = useId();
  const all = steps(job, metAt);
  const first = job.attempts[0]?.number ?? 1;
  return (
    <section className="card" aria-labelledby={heading}>
      <div className="card-head">
        <h2 id={heading}>Timeline</h2>
      </div>
      <div className="card-body job-timeline">
        <Bar steps={all} />
        <ol className="job-steps">
          <li>
            <strong>Submitted</strong>
            {job.createTime && <Time at={job.createTime} />}
            {job.schedule && (
              <span>
                by schedule <Link href={`/schedules?schedule=${encodeURIComponent(job.schedule)}`}>{job.schedule}</Link>
                {job.fireTime && (
                  <>
                    {" "}
                    for <Time at={job.fireTime} />
                  </>
                )}
              </span>
            )}
          </li>
          {first > 1 && <li className="soft">Attempts before {first} are no longer kept.</li>}
          {all.map((step, index) => (
            <StepItem key={index} step={step} isLast={step.attempt === job.attempts.at(-1)} />
          ))}
          {isTerminal(job) && job.endTime && (
            <li>
              <StateBadge state={job.state} />
              <Time at={job.endTime} />
              <span className="soft">
                {length(timestampMs(job.endTime) - (job.createTime ? timestampMs(job.createTime) : 0))} after submission
              </span>
            </li>
          )}
          {isTerminal(job) && job.error && job.attempts.at(-1)?.error === undefined && (
            <li className="job-failure">{job.error.message}</li>
          )}
          {isTerminal(job) && job.expireTime && (
            <li className="soft">
              Deleted by itself at <Time at={job.expireTime} />
            </li>
          )}
        </ol>
      </div>
    </section>
  );
}

function Bar({ steps }: { steps: readonly Step[] }) {
  const now = useNow();
  const text = steps.map((step) => `${title(step)} ${length((step.to ?? now) - step.from)}`).join(", ");
  return (
    <div className="job-bar" role="img" aria-label={text || "Nothing has happened yet"}>
      {steps.map((step, index) => (
        <span
          key={index}
          className={`job-phase job-phase-${(step.outcome ?? step.phase).replace(" ", "-")}`}
          style={{ flexGrow: Math.max(1, (step.to ?? now) - step.from) }}
          title={`${title(step)}: ${length((step.to ?? now) - step.from)}`}
        >
          {step.attempt?.number}
        </span>
      ))}
    </div>
  );
}

function title(step: Step): string {
  return step.attempt ? `Attempt ${step.attempt.number} ${step.outcome ?? ""}` : WORDS[step.phase];
}

/** The last attempt can be linked to: earlier ones may have had its number before a retry. */
function StepItem({ step, isLast }: { step: Step; isLast: boolean }) {
  const { attempt, outcome } = step;
  return (
    <li id={attempt && isLast ? `attempt-${attempt.number}` : undefined}>
      <span
        className={`job-phase job-mark job-phase-${(outcome ?? step.phase).replace(" ", "-")}`}
        aria-hidden="true"
      />
      <strong>{title(step)}</strong>
      <Time at={step.from} />
      <StepLength step={step} />
      {attempt?.worker && (
        <Link className="mono truncate" href="/workers">
          worker {attempt.worker}
        </Link>
      )}
      {attempt && !attempt.worker && <span className="soft small mono truncate">server {attempt.server}</span>}
      {attempt?.error && (
        <div className="job-failure">
          {errorReason(attempt.error) && <code>{errorReason(attempt.error)}</code>}
          <pre>{attempt.error.message}</pre>
        </div>
      )}
    </li>
  );
}

function StepLength({ step }: { step: Step }) {
  const now = useNow();
  return (
    <span className="soft">
      {step.to === undefined ? `${length(now - step.from, true)} so far` : length(step.to - step.from)}
    </span>
  );
}

/** What is said of a job to whoever listens to the page: its state as it changes. */
export function SpokenState({ job }: { job: Job }) {
  return (
    <span className="visually-hidden" role="status">
      The job is {job.cancelRequested ? "stopping" : stateName(job.state)}
    </span>
  );
}
