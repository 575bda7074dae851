import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { EventType, JobState } from "slotd/web";
import { expect, test } from "vitest";

import { Activity } from "../src/data/activity";
import { event, job } from "./service";

const START = 1_700_000_000_000;

function activity() {
  const clock = { now: START };
  return { clock, counted: new Activity({ now: () => clock.now, onEvent: () => () => undefined }) };
}

/** A job that was submitted at START and, so many milliseconds later, started and ended. */
function ran(startMs: number, endMs: number, state = JobState.SUCCEEDED) {
  const times = {
    createTime: timestampFromMs(START),
    startTime: timestampFromMs(START + startMs),
    endTime: timestampFromMs(START + endMs),
  };
  return { ...event(job(1, { ...times, state, attempt: 1 })), time: times.endTime, previousState: JobState.QUEUED };
}

test("what happened is counted in the second in which it did, by the service's clock", () => {
  const { clock, counted } = activity();
  counted.count({ ...event(job(1), EventType.CREATED), time: timestampFromMs(START + 500) });
  counted.count(ran(1_000, 2_100));
  counted.count(ran(1_000, 2_200, JobState.FAILED));
  clock.now = START + 4_000;
  const spans = counted.spans(4, 1);
  expect(spans.map(({ at }) => at - START)).toEqual([0, 1_000, 2_000, 3_000]);
  expect(spans.map(({ submitted }) => submitted)).toEqual([1, 0, 0, 0]);
  expect(spans.map(({ succeeded, failed }) => [succeeded, failed])).toEqual([
    [0, 0],
    [0, 0],
    [1, 1],
    [0, 0],
  ]);
});

test("an event that is no change of state is not counted", () => {
  const { clock, counted } = activity();
  counted.count({ ...ran(0, 100), previousState: JobState.SUCCEEDED });
  clock.now = START + 1_000;
  expect(counted.spans(1, 1)[0]).toMatchObject({ succeeded: 0, started: 0 });
});

test("quantiles are right to within a tenth", () => {
  const { clock, counted } = activity();
  for (let ms = 1; ms <= 1_000; ms += 1) {
    counted.count(ran(1_000 - ms, 1_000));
  }
  clock.now = START + 10_000;
  const [span] = counted.spans(10, 10);
  expect(span?.started).toBe(1_000);
  for (const [quantile, expected] of [
    [span?.run?.p50, 500],
    [span?.run?.p95, 950],
    [span?.wait?.p99, 990],
  ] as const) {
    expect(Math.abs((quantile ?? 0) / expected - 1)).toBeLessThan(0.1);
  }
});

test("a span in which nothing ran has no times", () => {
  const { clock, counted } = activity();
  clock.now = START + 1_000;
  expect(counted.spans(1, 1)[0]).toMatchObject({ wait: undefined, run: undefined });
});

test("a ring of seconds forgets what was five minutes ago, and takes no events older than that", () => {
  const { clock, counted } = activity();
  counted.count(ran(0, 0));
  counted.count({ ...event(job(2), EventType.CREATED), time: timestampFromMs(START + 300_000) });
  counted.count({ ...event(job(3), EventType.CREATED), time: timestampFromMs(START) });
  clock.now = START + 301_000;
  expect(counted.spans(300, 1).at(-1)).toMatchObject({ started: 0, wait: undefined, run: undefined });
  expect(counted.spans(300, 1).map(({ submitted }) => submitted)).toEqual([...Array<number>(299).fill(0), 1]);
});
