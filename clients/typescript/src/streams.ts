/** The client's iterators: events, output and pages, each over as many calls as it takes. */

import { create, type MessageInitShape } from "@bufbuild/protobuf";

import type { Call } from "./caller.js";
import { SlotdError } from "./errors.js";
import type { Outage } from "./outage.js";
import { EventProgress, OutputProgress } from "./progress.js";
import {
  type Job,
  type JobEvent,
  ListRequestSchema,
  type ListResponse,
  type ReadOutputRequest,
  type ReadOutputResponse,
  type StreamRequest,
  type StreamResponse,
} from "./v1.js";

/** Waits for so many milliseconds, or until the signal aborts. */
export type Pause = (milliseconds: number, signal?: AbortSignal) => Promise<void>;

/** Waits on the machine's clock. */
export const pauseOnClock: Pause = (milliseconds, signal) =>
  new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, milliseconds);
    signal?.addEventListener("abort", wake);
    if (signal?.aborted) {
      wake();
    }
  });

/** What a reader needs to call its method, again and again. */
export interface Source<Request, Answer> {
  open(request: Request): Call<Answer>;
  outage: Outage;
  /** Go on after a cut. */
  resume: boolean;
  /** Ends the reader, whose read then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Called once it is closed. */
  closed?: () => void;
  /** Called after each try that was cut or failed and will be followed by another, in so many milliseconds. */
  interrupted?: ((error: SlotdError, retryMs: number) => void) | undefined;
  /** Called when messages come again after that. */
  resumed?: (() => void) | undefined;
  pause?: Pause;
}

/** Reads one server-streaming method and calls it again when it was cut. One reads at a time; anyone may close. */
export class Reader<Request, Answer> {
  readonly #source: Source<Request, Answer>;
  readonly #request: () => Request;
  readonly #closing = new AbortController();
  readonly #abort = (): void => {
    this.close();
  };
  #call: Call<Answer> | undefined;
  #interrupted = false;

  /** Calls at once, so that a stream begins where it is asked for. */
  constructor(source: Source<Request, Answer>, request: () => Request) {
    this.#source = source;
    this.#request = request;
    source.signal?.throwIfAborted();
    this.#call = source.open(request());
    source.signal?.addEventListener("abort", this.#abort);
  }

  /** The next message; undefined at the end, and once closed. Rejects with SlotdError, and is closed then. */
  async read(): Promise<Answer | undefined> {
    while (!this.#closing.signal.aborted) {
      try {
        this.#call ??= this.#source.open(this.#request());
        const message = await this.#call.read();
        if (message === undefined) {
          this.close();
          return undefined;
        }
        this.#answered();
        return message;
      } catch (error) {
        await this.#failed(error);
      }
    }
    this.#source.signal?.throwIfAborted();
    return undefined;
  }

  /** Ends the call; a read that waits answers undefined. */
  close(): void {
    if (this.#closing.signal.aborted) {
      return;
    }
    this.#closing.abort();
    this.#source.signal?.removeEventListener("abort", this.#abort);
    this.#call?.cancel();
    this.#source.closed?.();
  }

  #answered(): void {
    this.#source.outage.answered();
    if (this.#interrupted) {
      this.#interrupted = false;
      this.#source.resumed?.();
    }
  }

  /** Waits until the call is to be made again; throws where it is not. */
  async #failed(error: unknown): Promise<void> {
    if (this.#closing.signal.aborted) {
      return;
    }
    this.#call = undefined;
    const refusal = this.#source.resume && error instanceof SlotdError ? error : undefined;
    const delay = refusal && this.#source.outage.failed(refusal);
    if (refusal === undefined || delay === undefined) {
      this.close();
      throw error;
    }
    this.#interrupted = true;
    this.#source.interrupted?.(refusal, delay);
    const pause = this.#source.pause ?? pauseOnClock;
    await pause(delay, this.#closing.signal);
  }
}

/**
 * What happens to jobs, event by event; it outlives reconnects and restarts of the service. It ends by itself only when
 * it was asked for by job ids and all of those are terminal or deleted, or when it is closed; leaving a `for await` loop
 * closes it.
 *
 * Until the first cursor has come, so within the first snapshot, a cut means that the snapshot is taken again: jobs that
 * did not change since are not handed out twice, and `vanished` names those that are gone since.
 *
 * `next` rejects with SlotdError: OUT_OF_RANGE, reason CURSOR_EXPIRED, when what comes after the cursor is no longer
 * kept, and any other that trying again won't cure.
 */
export class EventStream implements AsyncIterableIterator<JobEvent> {
  readonly #progress: EventProgress;
  readonly #reader: Reader<StreamRequest, StreamResponse>;
  readonly #events: AsyncGenerator<JobEvent, undefined>;

  /** `onSynced` is called once, when `synced` becomes true. */
  constructor(source: Source<StreamRequest, StreamResponse>, request: StreamRequest, onSynced?: () => void) {
    this.#progress = new EventProgress(request);
    this.#reader = new Reader(source, () => this.#progress.request());
    this.#events = this.#read(onSynced);
  }

  /**
   * The position after what has been handed out; empty before there is one. A stream from this cursor goes on there.
   *
   * It moves when the last event of a message has been handed out: to go on from it never skips one.
   */
  get cursor(): string {
    return this.#progress.cursor;
  }

  /** The revision up to which everything that matches has been handed out; 0 before there is one. */
  get revision(): bigint {
    return this.#progress.revision;
  }

  /** The first snapshot, or what had happened since the cursor, has been handed out whole. */
  get synced(): boolean {
    return this.#progress.synced;
  }

  /** Ids of jobs handed out by a snapshot that was cut, and missing from the one that came through. */
  get vanished(): ReadonlySet<string> {
    return this.#progress.vanished;
  }

  /** The next event. A promise that is given up loses its event: keep it for the next look. */
  next(): Promise<IteratorResult<JobEvent, undefined>> {
    return this.#events.next();
  }

  /** Ends the stream. */
  return(): Promise<IteratorResult<JobEvent, undefined>> {
    this.close();
    return this.#events.return(undefined);
  }

  /** Ends the stream, also under somebody who waits for an event, and for whom the iteration then ends. */
  close(): void {
    this.#reader.close();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async *#read(onSynced?: () => void): AsyncGenerator<JobEvent, undefined> {
    for (;;) {
      const message = await this.#reader.read();
      if (message === undefined) {
        return undefined;
      }
      const events = this.#progress.receive(message);
      const last = events.pop();
      yield* events;
      const synced = this.#progress.synced;
      this.#progress.settle(message);
      if (last) {
        yield last;
      }
      if (this.#progress.synced && !synced) {
        onSynced?.();
      }
    }
  }
}

/**
 * What a job wrote, in pieces of bytes that are not empty; a cut stream goes on from the byte where it was cut. Leaving a
 * `for await` loop closes it. `next` rejects with SlotdError.
 */
export class OutputStream implements AsyncIterableIterator<Uint8Array> {
  readonly #progress: OutputProgress;
  readonly #reader: Reader<ReadOutputRequest, ReadOutputResponse>;
  readonly #pieces: AsyncGenerator<Uint8Array, undefined>;

  constructor(source: Source<ReadOutputRequest, ReadOutputResponse>, request: ReadOutputRequest) {
    this.#progress = new OutputProgress(request);
    this.#reader = new Reader(source, () => this.#progress.request());
    this.#pieces = this.#read();
  }

  /** The byte after what has been handed out. */
  get offset(): number {
    return this.#progress.offset;
  }

  /** The job wrote more than is kept; known at the end. */
  get truncated(): boolean {
    return this.#progress.truncated;
  }

  /** The next piece. */
  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    return this.#pieces.next();
  }

  /** Ends the stream. */
  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.close();
    return this.#pieces.return(undefined);
  }

  /** Ends the stream, also under somebody who waits for a piece, and for whom the iteration then ends. */
  close(): void {
    this.#reader.close();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async *#read(): AsyncGenerator<Uint8Array, undefined> {
    while (!this.#progress.ended) {
      const message = await this.#reader.read();
      if (message === undefined) {
        return undefined;
      }
      const data = this.#progress.receive(message);
      if (data.length > 0) {
        yield data;
      }
    }
    this.close();
    return undefined;
  }
}

/** The jobs of a List, over all its pages; each iteration asks anew. Rejects with SlotdError. */
export class JobPages implements AsyncIterable<Job> {
  readonly #fetch: (request: MessageInitShape<typeof ListRequestSchema>) => Promise<ListResponse>;
  readonly #first: MessageInitShape<typeof ListRequestSchema>;

  constructor(
    fetch: (request: MessageInitShape<typeof ListRequestSchema>) => Promise<ListResponse>,
    first: MessageInitShape<typeof ListRequestSchema>,
  ) {
    this.#fetch = fetch;
    this.#first = first;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Job, undefined> {
    for await (const page of this.pages()) {
      yield* page.jobs;
    }
    return undefined;
  }

  /** The pages as they come, with the cursor from which a stream misses nothing since the first page. */
  async *pages(): AsyncGenerator<ListResponse, undefined> {
    let pageToken = "";
    do {
      const page = await this.#fetch(create(ListRequestSchema, { ...this.#first, pageToken }));
      yield page;
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    return undefined;
  }
}
