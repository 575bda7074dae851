/** Where schedules are shown, and how they are put into words. */

import type { Schedule } from "slotd/v1";

import { writeLength } from "../submit/values";

const at = (field: string, name: string): string => `/schedules?${field}=${encodeURIComponent(name)}`;

export const paths = {
  all: "/schedules",
  new: "/schedules?new=1",
  show: (name: string): string => at("schedule", name),
  edit: (name: string): string => at("edit", name),
};

/** `0 7 * * 1-5 Europe/Berlin`, or `every 5m`. */
export function firing({ cron, interval, timeZone }: Schedule): string {
  return interval ? `every ${writeLength(interval)}` : `${cron} ${timeZone || "UTC"}`;
}
