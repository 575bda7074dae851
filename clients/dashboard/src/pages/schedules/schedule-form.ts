/** The fields of a form about a schedule, and the schedule that they make. */

import type { MessageInitShape } from "@bufbuild/protobuf";
import { OverlapPolicy, type Schedule, type ScheduleSchema } from "slotd/v1";

import {
  EMPTY_FORM,
  type Problems,
  reader,
  readSpec,
  SPEC_FIELDS,
  type SpecField,
  type SpecForm,
  writeSpec,
} from "../submit/spec-form";
import { readLength, readTime, writeLength, writeTime } from "../submit/values";

/** Paths, as the service names them. */
export type ScheduleField =
  "name" | "cron" | "interval" | "time_zone" | "catch_up_window" | "jitter" | "start_time" | "end_time";

/** What is in the fields. */
export interface ScheduleForm {
  readonly fields: Readonly<Partial<Record<ScheduleField, string>>>;
  /** Whether it fires by `cron` or by `interval`. */
  readonly by: "cron" | "interval";
  readonly overlap: OverlapPolicy;
  readonly paused: boolean;
  readonly spec: SpecForm;
}

/** What a schedule's jobs can't have. */
export const NOT_SCHEDULED: readonly SpecField[] = [
  "schedule_time",
  "depends_on",
  "unique_key",
  "unique_period",
  "unique_conflict",
];

/** All fields by their paths in a schedule. */
export const SCHEDULE_FIELDS: readonly string[] = [
  "name",
  "cron",
  "interval",
  "time_zone",
  "overlap",
  "catch_up_window",
  "jitter",
  "start_time",
  "end_time",
  ...SPEC_FIELDS.map((name) => `spec.${name}`),
];

export const OVERLAPS: readonly (readonly [OverlapPolicy, string])[] = [
  [OverlapPolicy.SKIP, "skip this firing"],
  [OverlapPolicy.QUEUE_ONE, "make one that waits for its end"],
  [OverlapPolicy.ALLOW, "make one all the same"],
  [OverlapPolicy.CANCEL_OLD, "cancel it and make one"],
];

/** The policy of a choice. */
export function overlapFrom(text: string): OverlapPolicy {
  return OVERLAPS.find(([policy]) => String(policy) === text)?.[0] ?? OverlapPolicy.SKIP;
}

export const EMPTY_SCHEDULE: ScheduleForm = {
  fields: {},
  by: "cron",
  overlap: OverlapPolicy.SKIP,
  paused: false,
  spec: EMPTY_FORM,
};

/** The schedule of a form, and what in it can't be read. */
export function readSchedule(form: ScheduleForm): {
  schedule: MessageInitShape<typeof ScheduleSchema>;
  problems: Problems;
} {
  const problems = new Map<string, string>();
  const read = reader(form.fields, problems);
  const { spec, problems: within } = readSpec(form.spec);
  within.forEach((text, field) => problems.set(`spec.${field}`, text));
  const text = (name: ScheduleField): string => form.fields[name]?.trim() ?? "";
  for (const name of ["name", form.by] as const) {
    if (text(name) === "") {
      problems.set(name, "is needed");
    }
  }
  const schedule = {
    name: text("name"),
    spec,
    cron: form.by === "cron" ? text("cron") : "",
    interval: form.by === "interval" ? read("interval", readLength) : undefined,
    timeZone: form.by === "cron" ? text("time_zone") : "",
    overlap: form.overlap,
    catchUpWindow: read("catch_up_window", readLength),
    jitter: read("jitter", readLength),
    startTime: read("start_time", readTime),
    endTime: read("end_time", readTime),
    paused: form.paused,
  };
  return { schedule, problems };
}

/** The form that makes a schedule again. */
export function writeSchedule(schedule: Schedule): ScheduleForm {
  return {
    fields: {
      name: schedule.name,
      cron: schedule.cron,
      interval: writeLength(schedule.interval),
      time_zone: schedule.timeZone,
      catch_up_window: writeLength(schedule.catchUpWindow),
      jitter: writeLength(schedule.jitter),
      start_time: writeTime(schedule.startTime),
      end_time: writeTime(schedule.endTime),
    },
    by: schedule.interval ? "interval" : "cron",
    overlap: schedule.overlap || OverlapPolicy.SKIP,
    paused: schedule.paused,
    spec: schedule.spec ? writeSpec(schedule.spec) : EMPTY_FORM,
  };
}
