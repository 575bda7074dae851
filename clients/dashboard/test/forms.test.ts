import { create } from "@bufbuild/protobuf";
import { durationFromMs, durationMs, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { BadRequestSchema } from "slotd/rpc";
import { DependencyCondition, JobSpecSchema, OverlapPolicy, ScheduleSchema } from "slotd/v1";
import { ResourceMode, SlotdError, UniqueConflict } from "slotd/web";
import { expect, test } from "vitest";

import { fieldsOf, updateRequest } from "../src/pages/job/update-request";
import { EMPTY_SCHEDULE, readSchedule, writeSchedule } from "../src/pages/schedules/schedule-form";
import { problemsOf, readSpec, SPEC_FIELDS, type SpecField, writeSpec } from "../src/pages/submit/spec-form";
import { readLength, readTime, writeLength, writeTime } from "../src/pages/submit/values";
import { job } from "./service";

const read = (fields: Partial<Record<SpecField, string>>) => readSpec({ fields, kept: undefined });

test.each([
  ["90", 90_000],
  ["1.5s", 1_500],
  ["2h 30m", 9_000_000],
  ["1d2ms", 86_400_002],
])("a length of time is read: %s", (text, ms) => {
  expect(durationMs(readLength(text))).toBe(ms);
});

test.each(["", "soon", "5 x", "1h 5", "-3", "3s!"])("what is no length of time is refused: %s", (text) => {
  expect(() => readLength(text)).toThrow("a length of time is like");
});

test.each([0, 1, 1_500, 61_000, 90_061_001])("lengths and times read back as they are written: %i ms", (ms) => {
  expect(durationMs(readLength(writeLength(durationFromMs(ms))))).toBe(ms);
  expect(timestampMs(readTime(writeTime(timestampFromMs(1_700_000_000_000 + ms))))).toBe(1_700_000_000_000 + ms);
});

test("empty fields leave everything to the service", () => {
  const { spec, problems } = read({ kind: " noop " });
  expect(problems.size).toBe(0);
  expect(create(JobSpecSchema, spec)).toEqual(create(JobSpecSchema, { kind: "noop" }));
});

test("a priority and a jitter of 0 are said, not left out", () => {
  const spec = create(JobSpecSchema, read({ kind: "a", priority: "0", "retry.jitter": "0" }).spec);
  expect([spec.priority, spec.retry?.jitter]).toEqual([0, 0]);
});

test("all that can't be read is told at once, each at its field", () => {
  const { problems } = read({
    "payload.content_type": "application/json",
    "payload.data": "{",
    priority: "1.5",
    labels: "a",
    timeout: "soon",
    depends_on: "x maybe",
    schedule_time: "now",
  });
  const names = ["kind", "payload.data", "priority", "labels", "timeout", "depends_on", "schedule_time"];
  expect([...problems.keys()].sort()).toEqual(names.sort());
});

test("a payload goes as it was written, long numbers included, and text need not be JSON", () => {
  const json = read({
    kind: "a",
    "payload.content_type": "application/json",
    "payload.data": '{"n": 12345678901234567890}',
  });
  expect(new TextDecoder().decode(json.spec.payload?.data)).toBe('{"n": 12345678901234567890}');
  const text = read({ kind: "a", "payload.content_type": "text/plain", "payload.data": "{" });
  expect(text.problems.size).toBe(0);
});

const whole = create(JobSpecSchema, {
  kind: "a/b",
  queue: "q",
  payload: { contentType: "application/json", data: new TextEncoder().encode('{"a":1}') },
  priority: 0,
  labels: { a: "1", b: "x=y" },
  resources: [
    { name: "disk/a", mode: ResourceMode.EXCLUSIVE },
    { name: "two words", mode: ResourceMode.SHARED },
  ],
  dependsOn: [
    { jobId: job(1).id, condition: DependencyCondition.SUCCEEDED },
    { group: "g/h", condition: DependencyCondition.ENDED, waitForRetry: true },
  ],
  timeout: durationFromMs(1_500),
  retry: {
    maxAttempts: 3,
    initialBackoff: durationFromMs(10),
    maxBackoff: durationFromMs(60_000),
    multiplier: 1.5,
    jitter: 0.1,
  },
  queueTimeout: durationFromMs(1_000),
  retention: durationFromMs(86_400_000),
  group: "g",
  concurrencyKey: "k",
  uniqueKey: "u",
  uniquePeriod: durationFromMs(3_600_000),
  uniqueConflict: UniqueConflict.REPLACE,
});

test("a job's spec, put into the form, makes the same spec again", () => {
  const { spec, problems } = readSpec(writeSpec(whole));
  expect(problems.size).toBe(0);
  expect(create(JobSpecSchema, spec)).toEqual(whole);
});

test("a payload that is no text goes on as it is", () => {
  const payload = { contentType: "application/protobuf", data: Uint8Array.of(255, 0) };
  const spec = create(JobSpecSchema, { kind: "a", payload });
  expect(create(JobSpecSchema, readSpec(writeSpec(spec)).spec).payload).toEqual(spec.payload);
});

test("what the service finds wrong is told at the field that it is about", () => {
  const details = create(BadRequestSchema, {
    fieldViolations: [
      { field: "spec.kind", description: "is unknown" },
      { field: "spec.resources[1].name", description: "is too long" },
      { field: "spec.retry.max_attempts", description: "must be 1 or more" },
      { field: "request_id", description: "is too long" },
    ],
  });
  const error = new SlotdError("no", { code: "INVALID_ARGUMENT", details: [details] });
  expect(Object.fromEntries(problemsOf(error, "spec.", SPEC_FIELDS))).toEqual({
    kind: "is unknown",
    resources: "[1].name is too long",
    "retry.max_attempts": "must be 1 or more",
    request_id: "is too long",
  });
});

test("a change of a job names what was changed and the revision that it was seen at", () => {
  const before = job(7, { spec: { kind: "a", queue: "q", priority: 2, labels: { a: "b" } } });
  const fields = fieldsOf(before);
  expect(updateRequest(before, fields).request.updateMask?.paths).toEqual([]);
  const { request } = updateRequest(before, { ...fields, priority: "0", labels: "" });
  expect(request.updateMask?.paths).toEqual(["priority", "labels"]);
  expect([request.spec?.priority, request.revision]).toEqual([0, 7n]);
});

test("a change without a queue or a priority is told before it is sent", () => {
  const before = job(7);
  const { problems } = updateRequest(before, { ...fieldsOf(before), queue: " ", priority: "high" });
  expect([...problems.keys()].sort()).toEqual(["priority", "queue"]);
});

test("a schedule, put into the form, makes the same schedule again", () => {
  const schedule = create(ScheduleSchema, {
    name: "nightly",
    spec: { kind: "report", queue: "q" },
    cron: "0 7 * * *",
    timeZone: "Europe/Berlin",
    overlap: OverlapPolicy.CANCEL_OLD,
    catchUpWindow: durationFromMs(60_000),
    jitter: durationFromMs(500),
    startTime: timestampFromMs(1_700_000_000_000),
    endTime: timestampFromMs(1_800_000_000_000),
    paused: true,
  });
  const { schedule: again, problems } = readSchedule(writeSchedule(schedule));
  expect(problems.size).toBe(0);
  expect(create(ScheduleSchema, again)).toEqual(schedule);
});

test("a schedule fires by one of cron and interval, and needs it and its name", () => {
  const spec = { fields: { kind: "a" }, kept: undefined };
  const both = { name: "n", cron: "* * * * *", interval: "5m", time_zone: "UTC" };
  const { schedule } = readSchedule({ ...EMPTY_SCHEDULE, spec, fields: both, by: "interval" });
  expect([schedule.cron, schedule.timeZone, schedule.interval?.seconds]).toEqual(["", "", 300n]);
  const { problems } = readSchedule({ ...EMPTY_SCHEDULE, spec });
  expect([...problems.keys()]).toEqual(["name", "cron"]);
});
