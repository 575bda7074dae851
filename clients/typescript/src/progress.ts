/**
 * How far a reader has come, over all the calls that it takes: what to ask for next, and what is new of the answer.
 * Nothing here does input or output.
 */

import { clone, type MessageInitShape } from "@bufbuild/protobuf";

import type { SlotdError } from "./errors.js";
import type { Outage } from "./outage.js";
import { duration } from "./time.js";
import {
  EventType,
  type Job,
  type JobEvent,
  JobState,
  JobView,
  type ReadOutputRequest,
  ReadOutputRequestSchema,
  type ReadOutputResponse,
  type StreamRequest,
  StreamRequestSchema,
  type StreamResponse,
  type WaitRequestSchema,
} from "./v1.js";

// One Wait asks for so many milliseconds; its call is given some more to answer.
const WAIT_SLICE_MS = 20_000;
const WAIT_MARGIN_MS = 10_000;

/** Whether a job has ended; only a retry leads out of that. */
export function isTerminal(job: Job): boolean {
  return job.state === JobState.SUCCEEDED || job.state === JobState.FAILED || job.state === JobState.CANCELLED;
}

/**
 * How far a stream of events has come: what to ask for next, what to hand out, and the position after that.
 *
 * Once the service has sent a cursor, a cut stream goes on from the last one, without gap or duplicate. Before that,
 * within the first snapshot, there is nothing to go on from: the snapshot is asked for again, and of it only those jobs
 * are handed out that are new or of a higher revision than before. Jobs that were handed out before the cut and are
 * missing from the snapshot that came through are listed in `vanished`.
 */
export class EventProgress {
  /** The position after what has been handed out. */
  cursor: string;
  /** The revision up to which everything that matches has been handed out. */
  revision = 0n;
  /** The first snapshot, or what had happened since the cursor, has been handed out whole. */
  synced = false;
  /** Ids of jobs handed out by a snapshot that was cut, and missing from the one that came through. */
  vanished: ReadonlySet<string> = new Set();

  readonly #request: StreamRequest;
  #received: string;
  readonly #told = new Map<string, bigint>();
  readonly #present = new Set<string>();

  constructor(request: StreamRequest) {
    this.#request = request;
    this.#received = request.cursor;
    this.cursor = request.cursor;
  }

  /** What the next call asks for. */
  request(): StreamRequest {
    this.#present.clear();
    const request = clone(StreamRequestSchema, this.#request);
    request.cursor = this.#received;
    return request;
  }

  /** Takes in a message; returns those of its events that were not handed out before. */
  receive(message: StreamResponse): JobEvent[] {
    const events = this.#received === "" ? message.events.filter((event) => this.#isNew(event)) : message.events;
    this.#received = message.cursor || this.#received;
    if (message.synced && this.#told.size > 0) {
      this.vanished = new Set([...this.#told.keys()].filter((id) => !this.#present.has(id)));
    }
    if (this.#received !== "") {
      this.#told.clear();
      this.#present.clear();
    }
    return events;
  }

  /** All events of this message have been handed out: the position moves behind it. */
  settle(message: StreamResponse): void {
    this.cursor = message.cursor || this.cursor;
    if (message.revision > this.revision) {
      this.revision = message.revision;
    }
    this.synced ||= message.synced;
  }

  #isNew(event: JobEvent): boolean {
    if (event.type !== EventType.SNAPSHOT || event.job === undefined) {
      return true;
    }
    const { id, revision } = event.job;
    this.#present.add(id);
    const told = this.#told.get(id);
    if (told !== undefined && revision <= told) {
      return false;
    }
    this.#told.set(id, revision);
    return true;
  }
}

/** How far a job's output has been read. */
export class OutputProgress {
  /** The byte after what has been handed out. */
  offset: number;
  /** The job wrote more than is kept; known at the end. */
  truncated = false;
  /** The job has ended, and this was the end of what it wrote. */
  ended = false;

  readonly #request: ReadOutputRequest;

  constructor(request: ReadOutputRequest) {
    this.#request = request;
    this.offset = Number(request.offset);
  }

  /** What the next call asks for. */
  request(): ReadOutputRequest {
    const request = clone(ReadOutputRequestSchema, this.#request);
    request.offset = BigInt(this.offset);
    return request;
  }

  /** Takes in a message; returns its bytes, less those that were handed out before. */
  receive(message: ReadOutputResponse): Uint8Array {
    const start = Number(message.offset);
    const data = message.data.subarray(Math.max(0, this.offset - start));
    this.offset = Math.max(this.offset, start + message.data.length);
    this.truncated ||= message.truncated;
    this.ended ||= message.eof;
    return data;
  }
}

/** A wait of any length as a row of bounded Waits, none of which hangs for ever on a service that has gone. */
export class WaitProgress {
  readonly #id: string;
  readonly #view: JobView;
  readonly #outage: Outage;
  readonly #end: number;

  constructor(id: string, view: JobView | undefined, timeoutMs: number | undefined, outage: Outage) {
    this.#id = id;
    this.#view = view ?? JobView.UNSPECIFIED;
    this.#outage = outage;
    this.#end = outage.now() + (timeoutMs ?? Infinity);
  }

  /** The next Wait, and the timeout of its call. */
  request(): { request: MessageInitShape<typeof WaitRequestSchema>; callTimeoutMs: number } {
    const slice = Math.min(WAIT_SLICE_MS, this.#left());
    return {
      request: { id: this.#id, view: this.#view, timeout: duration(slice) },
      callTimeoutMs: slice + WAIT_MARGIN_MS,
    };
  }

  /** Whether this is the answer: the job is terminal, or the time is over. */
  answered(job: Job): boolean {
    this.#outage.answered();
    return isTerminal(job) || this.#left() === 0;
  }

  /** Milliseconds to wait before the next Wait; undefined when the error is the caller's to know. */
  failed(error: SlotdError): number | undefined {
    const left = this.#left();
    const delay = this.#outage.failed(error);
    return delay === undefined || left === 0 ? undefined : Math.min(delay, left);
  }

  #left(): number {
    return Math.max(0, this.#end - this.#outage.now());
  }
}
