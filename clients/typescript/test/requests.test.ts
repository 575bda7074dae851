import assert from "node:assert/strict";
import { test } from "node:test";

import { create } from "@bufbuild/protobuf";
import { JobState, ResourceMode, spec, UniqueConflict } from "slotd";
import { JobFilterSchema, JobSchema, SubmitRequestSchema } from "slotd/v1";

import { jobFilter, jobId, submitBatch, withRequestId } from "#slotd/requests.js";

const UUID = "01a20325-da8a-7fdb-9750-0e1fb10f47f1";

test("a spec has what was said, in the wire's own terms", () => {
  const made = spec(
    "mail",
    { to: "Ada" },
    {
      queue: "slow",
      priority: 0,
      labels: { tenant: "x" },
      resources: ["disk", { name: "net", mode: ResourceMode.SHARED }],
      dependsOn: [UUID, "cut", create(JobSchema, { id: UUID }), { group: "night" }],
      scheduleTime: new Date(1500),
      timeoutMs: 1500.5,
      retry: { maxAttempts: 3, initialBackoffMs: 10, jitter: 0 },
      uniqueKey: "k",
      uniquePeriodMs: 60_000,
      uniqueConflict: UniqueConflict.REFUSE,
    },
  );
  assert.equal(made.kind, "mail");
  assert.equal(Buffer.from(made.payload?.data ?? []).toString(), '{"to":"Ada"}');
  assert.equal(made.priority, 0);
  assert.deepEqual(
    made.resources.map(({ name, mode }) => [name, mode]),
    [
      ["disk", ResourceMode.EXCLUSIVE],
      ["net", ResourceMode.SHARED],
    ],
  );
  assert.deepEqual(
    made.dependsOn.map(({ jobId: id, ref, group }) => [id, ref, group]),
    [
      [UUID, "", ""],
      ["", "cut", ""],
      [UUID, "", ""],
      ["", "", "night"],
    ],
  );
  assert.deepEqual([made.scheduleTime?.seconds, made.scheduleTime?.nanos], [1n, 500_000_000]);
  assert.deepEqual([made.timeout?.seconds, made.timeout?.nanos], [1n, 500_500_000]);
  assert.deepEqual([made.retry?.maxAttempts, made.retry?.jitter, made.retry?.maxBackoff], [3, 0, undefined]);
  assert.equal(made.uniqueConflict, UniqueConflict.REFUSE);
});

test("what is left out is not set", () => {
  const made = spec("mail");
  assert.equal(made.payload, undefined);
  assert.equal(made.priority, undefined);
  assert.equal(made.timeout, undefined);
  assert.equal(made.retry, undefined);
});

test("a length of time that is none is refused", () => {
  assert.throws(() => spec("mail", null, { timeoutMs: NaN }), RangeError);
  assert.throws(() => spec("mail", null, { scheduleTime: new Date(NaN) }), RangeError);
});

test("a filter that names nothing is refused, since it would match everything", () => {
  assert.throws(() => jobFilter({ kinds: [] }), /kinds is empty/);
  assert.deepEqual(jobFilter({ states: [JobState.RUNNING] }), { states: [JobState.RUNNING] });
  const whole = create(JobFilterSchema);
  assert.equal(jobFilter(whole), whole);
});

test("a request without an id gets a new one, and one with an id keeps it", () => {
  const first = withRequestId({ spec: spec("a") });
  const second = withRequestId({ spec: spec("a") });
  assert.match(first.requestId, /^[0-9a-f-]{36}$/);
  assert.notEqual(first.requestId, second.requestId);
  assert.equal(withRequestId({ requestId: "mine" }).requestId, "mine");
});

test("a batch keeps the order of its jobs, and the keys of an object are their refs", () => {
  const row = submitBatch(
    [spec("a"), create(SubmitRequestSchema, { spec: spec("b"), requestId: "r", ref: "x" })],
    true,
  );
  assert.deepEqual(
    row.requests.map((request) => [request.spec?.kind, request.ref, request.validateOnly]),
    [
      ["a", "", true],
      ["b", "x", false],
    ],
  );
  assert.equal(row.requests[1]?.requestId, "r");
  const named = submitBatch({ cut: spec("a"), sew: spec("b") }, false);
  assert.deepEqual(
    named.requests.map(({ ref }) => ref),
    ["cut", "sew"],
  );
});

test("a job without an id is refused", () => {
  assert.throws(() => jobId(""), /id is empty/);
  assert.throws(() => jobId(create(JobSchema)), /id is empty/);
});
