import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { ErrorInfoSchema, type Status, StatusSchema } from "slotd/rpc";
import { JobSchema } from "slotd/v1";
import { JobState } from "slotd/web";
import { expect, test } from "vitest";

import { steps } from "../src/pages/job/timeline";

type Fields = Omit<MessageInitShape<typeof JobSchema>, "$typeName">;

const job = (fields: Fields) => create(JobSchema, { state: JobState.QUEUED, spec: { kind: "noop" }, ...fields });

const at = (seconds: number) => timestampFromMs(seconds * 1000);

function failure(reason: string): Status {
  const info = anyPack(ErrorInfoSchema, create(ErrorInfoSchema, { reason, domain: "slotd" }));
  return create(StatusSchema, { message: "no", details: [info] });
}

const told = (...of: Parameters<typeof steps>) =>
  steps(...of).map(({ phase, from, to, outcome }) => [phase, from / 1000, to && to / 1000, outcome]);

test("a job that waits for a slot was queued from its submission on", () => {
  expect(told(job({ createTime: at(10) }))).toEqual([["queued", 10, undefined, undefined]]);
});

test("what a job waits for now is its last step", () => {
  const dependsOn = [{ jobId: "a" }];
  const fields = { createTime: at(10), spec: { scheduleTime: at(20), dependsOn } };
  expect(told(job({ ...fields, state: JobState.SCHEDULED }))).toEqual([["scheduled", 10, undefined, undefined]]);
  expect(told(job({ ...fields, state: JobState.BLOCKED }))).toEqual([
    ["scheduled", 10, 20, undefined],
    ["blocked", 20, undefined, undefined],
  ]);
});

test("the first wait is split where its time came and where the last dependency ended", () => {
  const done = job({
    state: JobState.SUCCEEDED,
    createTime: at(10),
    endTime: at(60),
    spec: { scheduleTime: at(20), dependsOn: [{ jobId: "a" }] },
    attempts: [{ number: 1, startTime: at(50), endTime: at(60) }],
  });
  expect(told(done, 30_000)).toEqual([
    ["scheduled", 10, 20, undefined],
    ["blocked", 20, 30, undefined],
    ["queued", 30, 50, undefined],
    ["attempt", 50, 60, "succeeded"],
  ]);
  // A dependency of which nothing is known may have taken all of it.
  expect(told(done)[1]).toEqual(["waited", 20, 50, undefined]);
});

test("attempts end as failed, cancelled or put back, and only a job that succeeded has one that did", () => {
  const attempts = [
    { number: 1, startTime: at(10), endTime: at(11), error: failure("HANDLER_ERROR") },
    { number: 2, startTime: at(20), endTime: at(21) },
    { number: 2, startTime: at(30), endTime: at(31), error: failure("CANCELLED") },
  ];
  const cancelled = job({ state: JobState.CANCELLED, createTime: at(10), endTime: at(31), attempts });
  expect(
    steps(cancelled)
      .filter(({ attempt }) => attempt)
      .map(({ outcome }) => outcome),
  ).toEqual(["failed", "put back", "cancelled"]);
});

test("an attempt that was put back is not the one that succeeded, and neither is the last of a job that waits", () => {
  const attempts = [
    { number: 1, startTime: at(10), endTime: at(11) },
    { number: 1, startTime: at(20), endTime: at(21) },
  ];
  const outcomes = (state: JobState) =>
    steps(job({ state, createTime: at(10), attempts })).flatMap(({ outcome }) => outcome ?? []);
  expect(outcomes(JobState.SUCCEEDED)).toEqual(["put back", "succeeded"]);
  expect(outcomes(JobState.QUEUED)).toEqual(["put back", "put back"]);
});

test("the backoff that goes on is shown as scheduled, the one before the last attempt up to its time", () => {
  const failed = { number: 1, startTime: at(10), endTime: at(11), error: failure("HANDLER_ERROR") };
  const fields = { createTime: at(10), scheduleTime: at(15) };
  expect(told(job({ ...fields, state: JobState.SCHEDULED, attempts: [failed] })).at(-1)).toEqual([
    "scheduled",
    11,
    undefined,
    undefined,
  ]);
  const running = { number: 2, startTime: at(16) };
  expect(told(job({ ...fields, state: JobState.RUNNING, attempts: [failed, running] }))).toEqual([
    ["attempt", 10, 11, "failed"],
    ["scheduled", 11, 15, undefined],
    ["waited", 15, 16, undefined],
    ["attempt", 16, undefined, "running"],
  ]);
});

test("a job that ended without an attempt waited until its end", () => {
  const fields = { createTime: at(10), endTime: at(20), state: JobState.CANCELLED };
  expect(told(job(fields))).toEqual([["queued", 10, 20, undefined]]);
});
