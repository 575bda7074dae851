import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { BadRequestSchema } from "slotd/rpc";
import { QueueSchema } from "slotd/v1";
import { SlotdError } from "slotd/web";
import { expect, test } from "vitest";

import { changedSettings, QUEUE_FIELDS, readQueue, writeQueue } from "../src/pages/queues/queue-form";
import { paths, rateText } from "../src/pages/queues/queue-texts";
import { problemsOf } from "../src/pages/submit/spec-form";
import { leaseLeftMs } from "../src/pages/workers/lease";

const WHOLE = create(QueueSchema, {
  name: "mail/out",
  slots: 0,
  maxQueued: 5_000_000_000n,
  slotsPerKey: 2,
  retainCount: 0n,
  rateLimit: { startsPerSecond: 0.5, burst: 3 },
  defaults: {
    priority: -5,
    timeout: durationFromMs(90_000),
    queueTimeout: durationFromMs(3_600_000),
    retention: durationFromMs(86_400_000),
    retry: {
      maxAttempts: 4,
      initialBackoff: durationFromMs(1_500),
      maxBackoff: durationFromMs(60_000),
      multiplier: 2.5,
      jitter: 0,
    },
  },
});

test("what a queue has is written into the fields, and read from them again", () => {
  const { queue, problems } = readQueue(writeQueue(WHOLE));
  expect(problems.size).toBe(0);
  expect(create(QueueSchema, queue)).toEqual(WHOLE);
});

test("every setting of a queue but its pausing has a field", () => {
  const settings = QueueSchema.fields.map(({ name }) => name).filter((name) => !["paused", "counters"].includes(name));
  const shown = new Set(QUEUE_FIELDS.map((field) => field.replace(/\..*/, "")));
  expect([...shown].sort()).toEqual(settings.sort());
});

test("an empty field is no limit, and no default", () => {
  const { queue } = readQueue(writeQueue({ name: "mail" }));
  expect(create(QueueSchema, queue)).toEqual(create(QueueSchema, { name: "mail" }));
});

test("what can't be read is told at its field", () => {
  const { problems } = readQueue({
    ...writeQueue(WHOLE),
    name: " ",
    slots: "1.5",
    max_queued: "many",
    "defaults.timeout": "soon",
  });
  expect([...problems.keys()].sort()).toEqual(["defaults.timeout", "max_queued", "name", "slots"]);
});

test("only the settings that were changed are sent", () => {
  const before = writeQueue(WHOLE);
  expect(changedSettings(before, { ...before, slots: " 0 " })).toEqual([]);
  const after = { ...before, slots: "", "defaults.priority": "1", "defaults.retry.jitter": "0.5" };
  expect(changedSettings(before, after)).toEqual(["slots", "defaults"]);
  expect(changedSettings(before, { ...before, name: "other" })).toEqual([]);
});

test("what the service refuses is told at its field", () => {
  const details = create(BadRequestSchema, {
    fieldViolations: [
      { field: "queue.rate_limit.starts_per_second", description: "must be above 0" },
      { field: "queue.defaults.retry.max_attempts", description: "must be 1 or more" },
    ],
  });
  const error = new SlotdError("no", { code: "INVALID_ARGUMENT", details: [details] });
  expect([...problemsOf(error, "queue.", QUEUE_FIELDS).keys()]).toEqual([
    "rate_limit.starts_per_second",
    "defaults.retry.max_attempts",
  ]);
});

test("a rate below one a second is told by how long lies between two starts", () => {
  const text = (startsPerSecond: number, burst = 1) =>
    rateText(create(QueueSchema, { rateLimit: { startsPerSecond, burst } }));
  expect(text(0.1)).toBe("1 in 10 s");
  expect(text(2_000, 5)).toBe("2,000/s, 5 at once");
  expect(rateText(create(QueueSchema))).toBe("");
});

test("any name of a queue makes an address", () => {
  expect(paths.edit("a/b.c&d")).toBe("/queues?edit=a%2Fb.c%26d");
  expect(paths.jobs("a/b")).toBe("/jobs?queue=a%2Fb");
});

test("a lease ends so long after it was renewed; with none there is no end", () => {
  const server = { renewTime: timestampFromMs(10_000), lease: durationFromMs(15_000) };
  expect(leaseLeftMs(server, 12_000)).toBe(13_000);
  expect(leaseLeftMs(server, 26_000)).toBe(-1_000);
  expect(leaseLeftMs({ renewTime: undefined, lease: undefined }, 0)).toBeUndefined();
});
