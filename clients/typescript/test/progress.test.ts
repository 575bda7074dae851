import assert from "node:assert/strict";
import { test } from "node:test";

import { create } from "@bufbuild/protobuf";
import { EventType, JobState, SlotdError } from "slotd";
import {
  JobSchema,
  ReadOutputRequestSchema,
  ReadOutputResponseSchema,
  StreamRequestSchema,
  type StreamResponse,
  StreamResponseSchema,
} from "slotd/v1";

import { Outage } from "#slotd/outage.js";
import { EventProgress, OutputProgress, WaitProgress } from "#slotd/progress.js";

function snapshot(jobs: Record<string, bigint>, rest: { cursor?: string; synced?: boolean } = {}): StreamResponse {
  const events = Object.entries(jobs).map(([id, revision]) => ({
    type: EventType.SNAPSHOT,
    revision,
    job: { id, revision },
  }));
  return create(StreamResponseSchema, { events, ...rest });
}

test("a snapshot that was cut is told again without what was told, and names what has vanished", () => {
  const progress = new EventProgress(create(StreamRequestSchema));
  assert.equal(progress.receive(snapshot({ a: 1n, b: 2n })).length, 2);
  assert.equal(progress.request().cursor, "");
  const again = progress.receive(snapshot({ b: 5n, c: 3n }, { cursor: "after", synced: true }));
  assert.deepEqual(
    again.map((event) => [event.job?.id, event.job?.revision]),
    [
      ["b", 5n],
      ["c", 3n],
    ],
  );
  assert.deepEqual([...progress.vanished], ["a"]);
  assert.equal(progress.request().cursor, "after");
});

test("a snapshot that is the same again has nothing new", () => {
  const progress = new EventProgress(create(StreamRequestSchema));
  progress.receive(snapshot({ a: 1n }));
  progress.request();
  assert.deepEqual(progress.receive(snapshot({ a: 1n }, { synced: true, cursor: "c" })), []);
  assert.equal(progress.vanished.size, 0);
});

test("the next call goes on after what was received, the position after what was handed out", () => {
  const progress = new EventProgress(create(StreamRequestSchema, { cursor: "one" }));
  const message = create(StreamResponseSchema, { cursor: "two", revision: 7n, synced: true });
  progress.receive(message);
  assert.equal(progress.request().cursor, "two");
  assert.deepEqual([progress.cursor, progress.revision, progress.synced], ["one", 0n, false]);
  progress.settle(message);
  assert.deepEqual([progress.cursor, progress.revision, progress.synced], ["two", 7n, true]);
});

test("output goes on at the byte where it was cut, and none comes twice", () => {
  const progress = new OutputProgress(create(ReadOutputRequestSchema, { offset: 2n }));
  const piece = (offset: bigint, text: string, rest = {}) =>
    Buffer.from(
      progress.receive(create(ReadOutputResponseSchema, { offset, data: Buffer.from(text), ...rest })),
    ).toString();
  assert.equal(piece(2n, "cde"), "cde");
  assert.equal(progress.request().offset, 5n);
  assert.equal(piece(4n, "efg"), "fg");
  assert.equal(piece(0n, "ab"), "");
  assert.deepEqual([progress.offset, progress.ended], [7, false]);
  assert.equal(piece(7n, "", { eof: true, truncated: true }), "");
  assert.deepEqual([progress.ended, progress.truncated], [true, true]);
});

test("a wait is a row of short ones, the last of which ends with its time", () => {
  const now = { ms: 0 };
  const outage = new Outage({}, true, { clock: () => now.ms, chance: () => 0.5 });
  const progress = new WaitProgress("a", undefined, 30_000, outage);
  const running = create(JobSchema, { state: JobState.RUNNING });
  assert.equal(progress.request().callTimeoutMs, 30_000);
  now.ms = 20_000;
  assert.equal(progress.answered(running), false);
  assert.equal(progress.request().callTimeoutMs, 20_000);
  assert.equal(progress.failed(new SlotdError("", { code: "UNAVAILABLE" })), 100);
  now.ms = 30_000;
  assert.equal(progress.answered(running), true);
  assert.equal(progress.failed(new SlotdError("", { code: "UNAVAILABLE" })), undefined);
});

test("a wait ends with the job", () => {
  const progress = new WaitProgress("a", undefined, undefined, new Outage());
  for (const state of [JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED]) {
    assert.equal(progress.answered(create(JobSchema, { state })), true);
  }
  assert.equal(progress.answered(create(JobSchema, { state: JobState.QUEUED })), false);
});
