/** Where queues are shown, and how their limits are put into words. */

import type { Queue } from "slotd/v1";

import { count } from "../../components/format";
import { ALL_JOBS, searchFromQuery } from "../../data/job-query";

const at = (field: string, name: string): string => `/queues?${field}=${encodeURIComponent(name)}`;

export const paths = {
  all: "/queues",
  new: "/queues?new=1",
  show: (name: string): string => at("queue", name),
  edit: (name: string): string => at("edit", name),
  jobs: (name: string): string => "/jobs" + searchFromQuery({ ...ALL_JOBS, queues: [name] }),
};

/** `10/s, 5 at once`; empty where there is no limit. */
export function rateText({ rateLimit }: Queue): string {
  if (!rateLimit) {
    return "";
  }
  const { startsPerSecond, burst } = rateLimit;
  const rate = startsPerSecond < 1 ? `1 in ${count(1 / startsPerSecond)} s` : `${count(startsPerSecond)}/s`;
  return burst > 1 ? `${rate}, ${count(burst)} at once` : rate;
}
