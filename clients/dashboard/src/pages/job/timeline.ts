/** A job's life as a row of steps, made of the times that the job itself keeps. */

import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import type { Attempt } from "slotd/v1";
import { type Job, JobState } from "slotd/web";

import { errorReason } from "./error-reason";

/** What an attempt came to; `put back` where it neither succeeded nor failed: snoozed, or given back by its server. */
export type Outcome = "running" | "succeeded" | "failed" | "cancelled" | "put back";

/** What the job did; `waited` where it can't be told for what. */
export type Phase = "scheduled" | "blocked" | "queued" | "waited" | "attempt";

/** A stretch of time. Milliseconds since 1970. */
export interface Step {
  readonly phase: Phase;
  readonly from: number;
  /** Undefined while it lasts. */
  readonly to: number | undefined;
  readonly attempt?: Attempt;
  readonly outcome?: Outcome;
}

/** The steps from submission on. `metAt` is when the last of the jobs that it depends on ended, where that is known. */
export function steps(job: Job, metAt?: number): Step[] {
  const made: Step[] = [];
  let from = ms(job.createTime) ?? 0;
  const { attempts } = job;
  attempts.forEach((attempt, index) => {
    const start = ms(attempt.startTime) ?? from;
    made.push(...waits(job, from, start, index === 0, index === attempts.length - 1 ? "last" : "earlier", metAt));
    const to = ms(attempt.endTime);
    made.push({ phase: "attempt", from: start, to, attempt, outcome: outcome(job, attempt) });
    from = to ?? start;
  });
  if (attempts.at(-1)?.endTime !== undefined || attempts.length === 0) {
    const to = ms(job.endTime);
    made.push(...waits(job, from, to, attempts.length === 0, "last", metAt));
  }
  return made;
}

/** How an attempt ended. */
export function outcome(job: Job, attempt: Attempt): Outcome {
  if (!attempt.endTime) {
    return "running";
  }
  if (attempt.error) {
    return errorReason(attempt.error) === "CANCELLED" ? "cancelled" : "failed";
  }
  const isLast = attempt === job.attempts.at(-1);
  return isLast && job.state === JobState.SUCCEEDED ? "succeeded" : "put back";
}

/** The waits between two times; only the last wait's schedule_time is still known. */
function waits(
  job: Job,
  from: number,
  to: number | undefined,
  isFirst: boolean,
  place: "earlier" | "last",
  metAt: number | undefined,
): Step[] {
  const made: Step[] = [];
  let at = from;
  const until = (phase: Phase, end: number | undefined): void => {
    if (end !== undefined && end > at && at < (to ?? Infinity)) {
      const stop = Math.min(end, to ?? Infinity);
      made.push({ phase, from: at, to: stop });
      at = stop;
    }
  };
  if (to === undefined && job.state === JobState.SCHEDULED) {
    return [{ phase: "scheduled", from, to }];
  }
  until("scheduled", isFirst ? ms(job.spec?.scheduleTime) : place === "last" ? ms(job.scheduleTime) : undefined);
  if (to === undefined && job.state === JobState.BLOCKED) {
    return [...made, { phase: "blocked", from: at, to }];
  }
  until("blocked", isFirst ? metAt : undefined);
  if (to === undefined || to > at) {
    made.push({ phase: to === undefined || isPlain(job, isFirst, metAt) ? "queued" : "waited", from: at, to });
  }
  return made;
}

/** Whether a slot is all that the job can have waited for in its first wait, what it depended on aside. */
function isPlain({ spec }: Job, isFirst: boolean, metAt: number | undefined): boolean {
  return (
    isFirst &&
    spec?.resources.length === 0 &&
    spec.concurrencyKey === "" &&
    (spec.dependsOn.length === 0 || metAt !== undefined)
  );
}

function ms(time: Timestamp | undefined): number | undefined {
  return time && timestampMs(time);
}
