import { create } from "@bufbuild/protobuf";
import { CountersSchema, type Queue, QueueSchema } from "slotd/v1";
import { expect, test } from "vitest";

import { DepthHistory, type DepthSample } from "../src/data/depth-history";
import type { Answer } from "../src/data/polled";
import { Cell } from "../src/data/store";
import { chartSeconds, depthSeries, failuresSince } from "../src/pages/overview/depth-series";

const NOW = 1_700_000_000_000;

function queue(name: string, counters: { queued?: bigint; running?: bigint; totalFailed?: bigint }): Queue {
  return create(QueueSchema, { name, counters: create(CountersSchema, counters) });
}

function history() {
  const clock = { now: NOW };
  const answers = new Cell<Answer<readonly Queue[]>>({ value: undefined, error: undefined });
  const depth = new DepthHistory(answers, () => clock.now);
  const answer = (...value: Queue[]): void => answers.set({ value, error: undefined });
  return { clock, answers, depth, answer };
}

function sample(at: number, running: number, failures = 0): DepthSample {
  return { at, total: { scheduled: 0, blocked: 0, queued: 0, running, failures }, queues: new Map() };
}

test("each answer is a sample: of all queues together, and of each what waits or runs", () => {
  const { depth, answer } = history();
  answer(queue("a", { queued: 3n, running: 1n, totalFailed: 4n }), queue("b", { running: 2n }));
  expect(depth.read()).toEqual([
    {
      at: NOW,
      total: { scheduled: 0, blocked: 0, queued: 3, running: 3, failures: 4 },
      queues: new Map([
        ["a", 4],
        ["b", 2],
      ]),
    },
  ]);
});

test("a failed call makes no sample of the answer before it", () => {
  const { clock, depth, answer, answers } = history();
  answer(queue("a", { queued: 3n }));
  clock.now += 5_000;
  answers.set({ ...answers.read(), error: undefined });
  expect(depth.read()).toHaveLength(1);
});

test("samples of the last five minutes are kept, and no others", () => {
  const { clock, depth, answer } = history();
  for (let taken = 0; taken < 200; taken += 1) {
    answer(queue("a", {}));
    clock.now += 5_000;
  }
  expect(depth.read()).toHaveLength(61);
});

test("a series begins where the chart does, without a value, and goes on up to now", () => {
  const { times, values } = depthSeries([sample(NOW - 20_000, 1), sample(NOW - 10_000, 2)], NOW, 60_000);
  expect(times.map((time) => time - NOW)).toEqual([-60_000, -20_000, -10_000, 0]);
  expect(values("running")).toEqual([undefined, 1, 2, 2]);
});

test("while nobody looked there are no values, neither in between nor at the end", () => {
  const samples = [sample(NOW - 200_000, 1), sample(NOW - 100_000, 2)];
  expect(depthSeries(samples, NOW, 300_000).values("running")).toEqual([
    undefined,
    undefined,
    1,
    undefined,
    2,
    undefined,
  ]);
});

test("samples older than the chart are not in it", () => {
  const { values } = depthSeries([sample(NOW - 90_000, 7), sample(NOW - 30_000, 2)], NOW, 60_000);
  expect(values("running")).not.toContain(7);
});

test("failures are counted from the oldest sample of the last five minutes", () => {
  const samples = [sample(NOW - 400_000, 0, 1), sample(NOW - 90_000, 0, 5), sample(NOW - 10_000, 0, 8)];
  expect(failuresSince(samples, 9n, NOW)).toEqual({ count: 4, spanMs: 90_000 });
  expect(failuresSince([], 9n, NOW)).toBeUndefined();
  expect(failuresSince(samples, undefined, NOW)).toBeUndefined();
});

test("a store that counts anew has not failed less than never", () => {
  expect(failuresSince([sample(NOW - 1_000, 0, 5)], 0n, NOW)?.count).toBe(0);
});

test("charts go back a minute more for each that the tab is open, up to five", () => {
  expect([0, 59_000, 61_000, 250_000, 9_000_000].map(chartSeconds)).toEqual([60, 60, 120, 300, 300]);
});
