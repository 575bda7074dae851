/** What happened lately, second by second, counted from the events that this tab has seen. */

import { timestampMs } from "@bufbuild/protobuf/wkt";
import { EventType, type Job, type JobEvent, JobState } from "slotd/web";

import type { Feed } from "./feed";

/** How far back it goes. */
export const SECONDS = 300;

// Times in milliseconds are counted in steps of a quarter of a power of two, so to within a tenth: 1 ms to 12 days.
const STEPS = 4;
const BUCKETS = 30 * STEPS;

/** One second. */
interface Second {
  /** Which: seconds since 1970, by the service's clock. */
  at: number;
  submitted: number;
  started: number;
  succeeded: number;
  failed: number;
  cancelled: number;
  readonly wait: Uint16Array;
  readonly run: Uint16Array;
}

/** Counts of a span of time. */
export interface Span {
  /** When it begins: milliseconds since 1970, by the service's clock. */
  readonly at: number;
  readonly submitted: number;
  readonly started: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Milliseconds from when a job could start to its start, by quantile; undefined where none started. */
  readonly wait: Quantiles | undefined;
  /** Milliseconds from a job's last start to its end. */
  readonly run: Quantiles | undefined;
}

/** The time within which so many of a hundred were done, in milliseconds. */
export interface Quantiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** A ring of seconds: its memory does not grow. */
export class Activity {
  readonly #ring: Second[] = Array.from({ length: SECONDS }, emptySecond);
  readonly #feed: Pick<Feed, "now">;

  /** From when on it has counted: milliseconds since 1970. */
  readonly since: number;

  /** It counts from now on. */
  constructor(feed: Pick<Feed, "now" | "onEvent">) {
    this.#feed = feed;
    this.since = feed.now();
    feed.onEvent((event) => this.count(event));
  }

  /** Counts an event. */
  count(event: JobEvent): void {
    const { job, previousState, time, type } = event;
    if (!job || !time || type === EventType.DELETED) {
      return;
    }
    const second = this.#second(Math.floor(timestampMs(time) / 1000));
    if (!second) {
      return;
    }
    if (type === EventType.CREATED) {
      second.submitted += 1;
    }
    // A stream of newest states may leave out that it ran.
    if (job.state !== previousState || type === EventType.CREATED) {
      countState(second, job, previousState);
    }
  }

  /** The last `seconds`, oldest first, in spans of `width` seconds; the present, unfinished span is left out. */
  spans(seconds: number, width: number): readonly Span[] {
    const end = Math.floor(this.#feed.now() / 1000 / width) * width;
    const spans: Span[] = [];
    for (let at = end - seconds; at < end; at += width) {
      const within = Array.from({ length: width }, (_, index) => at + index)
        .map((second) => this.#ring[second % SECONDS])
        .filter((second, index) => second?.at === at + index)
        .filter((second) => second !== undefined);
      spans.push(sum(at, within));
    }
    return spans;
  }

  /** The place of a second, emptied where it held an older one; undefined for one that is too old. */
  #second(at: number): Second | undefined {
    const second = this.#ring[at % SECONDS];
    if (!second || second.at > at) {
      return undefined;
    }
    if (second.at < at) {
      Object.assign(second, { at, submitted: 0, started: 0, succeeded: 0, failed: 0, cancelled: 0 });
      second.wait.fill(0);
      second.run.fill(0);
    }
    return second;
  }
}

function emptySecond(): Second {
  return {
    at: 0,
    submitted: 0,
    started: 0,
    succeeded: 0,
    failed: 0,
    cancelled: 0,
    wait: new Uint16Array(BUCKETS),
    run: new Uint16Array(BUCKETS),
  };
}

function countState(second: Second, job: Job, before: JobState): void {
  const started = job.startTime && timestampMs(job.startTime);
  const ended = job.endTime && timestampMs(job.endTime);
  if (started !== undefined && before !== JobState.RUNNING && (job.state === JobState.RUNNING || ended !== undefined)) {
    second.started += 1;
    const due = Math.max(...[job.createTime, job.scheduleTime].map((time) => (time ? timestampMs(time) : 0)));
    // Only of a first attempt is it known here since when it could have started.
    if (job.attempt === 1) {
      add(second.wait, started - due);
    }
  }
  if (ended === undefined) {
    return;
  }
  if (started !== undefined) {
    add(second.run, ended - started);
  }
  if (job.state === JobState.SUCCEEDED) {
    second.succeeded += 1;
  } else if (job.state === JobState.FAILED) {
    second.failed += 1;
  } else if (job.state === JobState.CANCELLED) {
    second.cancelled += 1;
  }
}

function add(counts: Uint16Array, milliseconds: number): void {
  const bucket = Math.min(BUCKETS - 1, Math.floor(STEPS * Math.log2(Math.max(1, milliseconds))));
  counts[bucket] = (counts[bucket] ?? 0) + 1;
}

function sum(at: number, seconds: readonly Second[]): Span {
  const total = (count: (second: Second) => number): number => seconds.reduce((all, second) => all + count(second), 0);
  return {
    at: at * 1000,
    submitted: total((second) => second.submitted),
    started: total((second) => second.started),
    succeeded: total((second) => second.succeeded),
    failed: total((second) => second.failed),
    cancelled: total((second) => second.cancelled),
    wait: quantiles(seconds.map((second) => second.wait)),
    run: quantiles(seconds.map((second) => second.run)),
  };
}

function quantiles(counts: readonly Uint16Array[]): Quantiles | undefined {
  const sums = Array.from({ length: BUCKETS }, (_, bucket) =>
    counts.reduce((all, second) => all + (second[bucket] ?? 0), 0),
  );
  const all = sums.reduce((total, count) => total + count, 0);
  const at = (share: number): number => {
    let seen = 0;
    const bucket = sums.findIndex((count) => (seen += count) >= share * all);
    // The middle of the step.
    return 2 ** ((bucket + 0.5) / STEPS);
  };
  return all === 0 ? undefined : { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}
