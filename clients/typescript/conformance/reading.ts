/** Reads of an event stream with a count and a timeout; what a read does not take is there for the next. */

import { type EventStream, type JobEvent, SlotdError } from "slotd";

/** How much to read. */
export interface Wanted {
  count?: number;
  until?: "synced" | "end";
  timeoutMs: number;
}

/** What a read took. */
export interface Read {
  events: JobEvent[];
  synced: boolean;
  cursor: string;
  ended: boolean;
}

/** One stream that is read in pieces. */
export class Reading {
  readonly #held: { event: JobEvent; cursor: string }[] = [];
  readonly #stream: EventStream;
  #cursor = "";
  #pulling = false;
  #ended = false;
  #error: Error | undefined;
  readonly #waiting = new Set<() => void>();

  /** `open` makes the stream, and has it call back once it is synced. */
  constructor(open: (onSynced: () => void) => EventStream) {
    this.#stream = open(() => {
      this.#wake();
    });
  }

  /** Rejects with DEADLINE_EXCEEDED after the timeout, and with what the stream fails with. */
  async read(wanted: Wanted): Promise<Read> {
    const late = new AbortController();
    const timer = setTimeout(() => {
      late.abort();
      this.#wake();
    }, wanted.timeoutMs);
    try {
      while (!this.#has(wanted)) {
        if (this.#error !== undefined) {
          throw this.#error;
        }
        if (late.signal.aborted) {
          throw new SlotdError(`only ${this.#held.length} events in time`, { code: "DEADLINE_EXCEEDED" });
        }
        await this.#change();
      }
    } finally {
      clearTimeout(timer);
    }
    return this.#take(wanted.count);
  }

  close(): void {
    this.#stream.close();
  }

  #has({ count = Infinity, until }: Wanted): boolean {
    return this.#held.length >= count || this.#ended || (until === "synced" && this.#stream.synced);
  }

  #take(count = Infinity): Read {
    const taken = this.#held.splice(0, Math.min(count, this.#held.length));
    this.#cursor = this.#held.length === 0 ? this.#stream.cursor : (taken.at(-1)?.cursor ?? this.#cursor);
    return {
      events: taken.map(({ event }) => event),
      synced: this.#stream.synced,
      cursor: this.#cursor,
      ended: this.#ended && this.#held.length === 0,
    };
  }

  async #change(): Promise<void> {
    const changed = new Promise<void>((resolve) => {
      this.#waiting.add(resolve);
    });
    if (!this.#pulling) {
      this.#pulling = true;
      void this.#pull();
    }
    await changed;
  }

  async #pull(): Promise<void> {
    try {
      const { value, done } = await this.#stream.next();
      if (done) {
        this.#ended = true;
      } else {
        this.#held.push({ event: value, cursor: this.#stream.cursor });
      }
    } catch (error) {
      this.#error = error as Error;
    }
    this.#pulling = false;
    this.#wake();
  }

  /** Has all reads look again. */
  #wake(): void {
    for (const wake of this.#waiting) {
      wake();
    }
    this.#waiting.clear();
  }
}
