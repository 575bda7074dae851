/** The states of a job, by name and in the order of its life. */

import { JobState } from "slotd/web";

/** A state that a job can be in. */
export type State = Exclude<JobState, JobState.UNSPECIFIED>;

const NAMES: Readonly<Record<State, string>> = {
  [JobState.SCHEDULED]: "scheduled",
  [JobState.BLOCKED]: "blocked",
  [JobState.QUEUED]: "queued",
  [JobState.RUNNING]: "running",
  [JobState.SUCCEEDED]: "succeeded",
  [JobState.FAILED]: "failed",
  [JobState.CANCELLED]: "cancelled",
};

/** All of them. */
export const STATES: readonly State[] = [
  JobState.SCHEDULED,
  JobState.BLOCKED,
  JobState.QUEUED,
  JobState.RUNNING,
  JobState.SUCCEEDED,
  JobState.FAILED,
  JobState.CANCELLED,
];

/** In small letters, as the page's address and its texts have it. */
export function stateName(state: JobState): string {
  return state === JobState.UNSPECIFIED ? "unknown" : NAMES[state];
}

/** The other way; undefined for what is no state. */
export function stateFromName(name: string): State | undefined {
  return STATES.find((state) => NAMES[state] === name);
}
