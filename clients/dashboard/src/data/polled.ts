/** Answers that change with what happens to jobs, but come from calls of their own: counters, slots, workers. */

import type { SlotdError } from "slotd/web";

import { asSlotdError } from "./errors";
import type { Feed } from "./feed";
import { Cell, type Store } from "./store";

/** What is known of an answer. */
export interface Answer<Value> {
  /** The last one that came; undefined before the first. */
  readonly value: Value | undefined;
  /** Why the last call failed. */
  readonly error: SlotdError | undefined;
}

/** When an answer is asked for again; milliseconds. */
export interface Pace {
  /** At most so often while jobs change. */
  readonly gapMs: number;
  /** Also without any change. */
  readonly idleMs: number;
}

const PACE: Pace = { gapMs: 500, idleMs: 15_000 };

/** Asks while somebody subscribes and the tab is seen, soon after something changed, and now and then. */
export class Polled<Value> implements Store<Answer<Value>> {
  readonly #fetch: (signal: AbortSignal) => Promise<Value>;
  readonly #feed: Feed;
  readonly #pace: Pace;
  readonly #answer = new Cell<Answer<Value>>({ value: undefined, error: undefined }, () => this.#open());
  #signal = AbortSignal.abort();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #due = Infinity;
  #asked = -Infinity;
  #asking = false;
  // So long after the call under way another is wanted.
  #again = Infinity;

  constructor(fetch: (signal: AbortSignal) => Promise<Value>, feed: Feed, pace: Partial<Pace> = {}) {
    this.#fetch = fetch;
    this.#feed = feed;
    this.#pace = { ...PACE, ...pace };
  }

  readonly subscribe = this.#answer.subscribe;

  readonly read = this.#answer.read;

  /** Asks as soon as may be, as after a change that the page itself made. */
  readonly refresh = (): void => this.#askIn(Math.min(PACE.gapMs, this.#pace.gapMs));

  readonly #changed = (): void => this.#askIn(this.#pace.gapMs);

  #open(): () => void {
    const closing = new AbortController();
    this.#signal = closing.signal;
    const stops = [
      this.#feed.onChanges(this.#changed),
      this.#feed.onRestart(this.#changed),
      this.#feed.connection.subscribe(this.#changed),
    ];
    document.addEventListener("visibilitychange", this.#changed, { signal: closing.signal });
    this.#changed();
    return () => {
      closing.abort();
      stops.forEach((stop) => stop());
      clearTimeout(this.#timer);
      this.#timer = undefined;
    };
  }

  /** Has it asked so long after it was asked last, unless that is to be sooner already. */
  #askIn(gapMs: number): void {
    if (this.#signal.aborted) {
      return;
    }
    if (this.#asking) {
      this.#again = Math.min(this.#again, gapMs);
      return;
    }
    const due = Math.max(performance.now(), this.#asked + gapMs);
    if (this.#timer === undefined || due < this.#due) {
      clearTimeout(this.#timer);
      this.#due = due;
      this.#timer = setTimeout(() => void this.#ask(), due - performance.now());
    }
  }

  async #ask(): Promise<void> {
    this.#timer = undefined;
    if (document.visibilityState === "hidden") {
      // It is asked for as soon as the tab is seen again.
      return;
    }
    const signal = this.#signal;
    this.#asked = performance.now();
    this.#asking = true;
    try {
      this.#answer.set({ value: await this.#fetch(signal), error: undefined });
    } catch (error) {
      if (!signal.aborted) {
        this.#answer.set({ ...this.read(), error: asSlotdError(error) });
      }
    }
    this.#asking = false;
    this.#askAgain();
  }

  #askAgain(): void {
    const gapMs = Math.min(this.#again, this.#pace.idleMs);
    this.#again = Infinity;
    this.#askIn(gapMs);
  }
}
