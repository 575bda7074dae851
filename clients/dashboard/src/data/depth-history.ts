/** How many jobs there were in each state, sample by sample, over the last five minutes. */

import type { Counters, Queue } from "slotd/v1";

import { SECONDS } from "./activity";
import type { Answer } from "./polled";
import { Cell, type Store } from "./store";

/** Jobs by the states that they don't stay in, and how many ever failed. */
export interface Depth {
  readonly scheduled: number;
  readonly blocked: number;
  readonly queued: number;
  readonly running: number;
  readonly failures: number;
}

/** What was there at a time. */
export interface DepthSample {
  /** Milliseconds since 1970, by the service's clock. */
  readonly at: number;
  readonly total: Depth;
  /** Jobs that wait or run, by the name of their queue. */
  readonly queues: ReadonlyMap<string, number>;
}

/** Samples for as long as the tab is seen, oldest first: those of the last five minutes are kept. */
export class DepthHistory implements Store<readonly DepthSample[]> {
  readonly #queues: Store<Answer<readonly Queue[]>>;
  readonly #now: () => number;
  readonly #samples = new Cell<readonly DepthSample[]>([]);
  #seen: readonly Queue[] | undefined;

  /** It keeps what `queues` answers from now on, which is asked for that alone, slowly. */
  constructor(queues: Store<Answer<readonly Queue[]>>, now: () => number) {
    this.#queues = queues;
    this.#now = now;
    queues.subscribe(() => this.#take());
  }

  readonly subscribe = this.#samples.subscribe;

  readonly read = this.#samples.read;

  #take(): void {
    const { value } = this.#queues.read();
    if (value !== undefined && value !== this.#seen) {
      this.#seen = value;
      const at = this.#now();
      const kept = this.read().filter((sample) => sample.at >= at - SECONDS * 1000);
      this.#samples.set([...kept, sampleOf(at, value)]);
    }
  }
}

function sampleOf(at: number, queues: readonly Queue[]): DepthSample {
  const total = { scheduled: 0, blocked: 0, queued: 0, running: 0, failures: 0 };
  const byQueue = new Map<string, number>();
  for (const { name, counters } of queues) {
    if (counters) {
      total.scheduled += Number(counters.scheduled);
      total.blocked += Number(counters.blocked);
      total.queued += Number(counters.queued);
      total.running += Number(counters.running);
      total.failures += Number(counters.totalFailed);
      byQueue.set(name, waiting(counters) + Number(counters.running));
    }
  }
  return { at, total, queues: byQueue };
}

/** Jobs that have not been started. */
export function waiting({ scheduled, blocked, queued }: Counters): number {
  return Number(scheduled + blocked + queued);
}
