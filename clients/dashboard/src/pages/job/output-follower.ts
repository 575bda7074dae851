/** Reads what a job writes, as far as it has come, each time that it has come further. */

import type { Client, SlotdError } from "slotd/web";

import { asSlotdError } from "../../data/errors";
import { Cell, type Store } from "../../data/store";
import { OutputLines } from "./output-lines";

/** What there is to show. A new object each time that it changes, around the same lines. */
export interface OutputNow {
  readonly lines: OutputLines;
  /** The byte that the lines begin with. */
  readonly start: number;
  /** Why the last reading failed. */
  readonly error: SlotdError | undefined;
}

// Of what was written before, so many bytes are read at first.
const TAIL = 1 << 20;

export class OutputFollower implements Store<OutputNow> {
  readonly #client: Pick<Client, "readOutput">;
  readonly #id: string;
  readonly #now: Cell<OutputNow>;
  #signal = AbortSignal.abort();
  #offset = 0;
  #size = 0;
  #reading = false;

  constructor(client: Pick<Client, "readOutput">, id: string) {
    this.#client = client;
    this.#id = id;
    const empty = { lines: new OutputLines(false), start: 0, error: undefined };
    this.#now = new Cell<OutputNow>(empty, () => this.#open());
    this.subscribe = this.#now.subscribe;
    this.read = this.#now.read;
  }

  readonly subscribe: Store<OutputNow>["subscribe"];

  readonly read: Store<OutputNow>["read"];

  /** The job has written so many bytes by now. */
  grow(size: number): void {
    this.#size = Math.max(size, this.#size);
    if (this.#offset === 0 && size > TAIL) {
      this.#begin(size - TAIL);
    }
    void this.#catchUp();
  }

  /** Shows it from its first byte on. */
  readAll(): void {
    this.#begin(0);
    void this.#catchUp();
  }

  /** Reads again after a failure. */
  readonly retry = (): void => {
    this.#now.set({ ...this.read(), error: undefined });
    void this.#catchUp();
  };

  #begin(start: number): void {
    this.#offset = start;
    this.#now.set({ lines: new OutputLines(start > 0), start, error: undefined });
  }

  #open(): () => void {
    const closing = new AbortController();
    this.#signal = closing.signal;
    void this.#catchUp();
    return () => closing.abort();
  }

  async #catchUp(): Promise<void> {
    if (this.#reading) {
      return;
    }
    this.#reading = true;
    while (this.#offset < this.#size && !this.#signal.aborted) {
      const signal = this.#signal;
      try {
        await this.#readOn(signal);
      } catch (error) {
        if (!signal.aborted) {
          this.#now.set({ ...this.read(), error: asSlotdError(error) });
          break;
        }
      }
    }
    this.#reading = false;
  }

  /** Reads up to the present end, or until the lines were begun anew under it. */
  async #readOn(signal: AbortSignal): Promise<void> {
    const { lines } = this.read();
    const before = this.#offset;
    for await (const data of this.#client.readOutput(this.#id, { offset: before, signal })) {
      if (this.read().lines !== lines) {
        return;
      }
      lines.add(data);
      this.#offset += data.length;
      this.#now.set({ ...this.read(), error: undefined });
    }
    if (this.#offset === before && this.read().lines === lines) {
      // What was told of is not there any more. It is asked for again when there is more.
      this.#size = this.#offset;
    }
  }
}
