/** One attempt from both sides: what its handler sees and says, and what the worker takes of it. */

import type { Duration } from "@bufbuild/protobuf/wkt";

import { milliseconds } from "../time.js";
import type { Job } from "../v1.js";
import { JobCancelled, type JobContext } from "./handlers.js";

// Bytes of output that may wait to be taken before `write` waits.
const OUTPUT_WAITING = 1 << 20;

const MESSAGE_LENGTH = 1024;

/** How far a handler says that it has come. */
export interface ToldProgress {
  done: bigint;
  total: bigint;
  message: string;
}

/** What an attempt has told since it was last asked. */
export interface Told {
  progress: ToldProgress | undefined;
  output: Buffer;
}

/** What a context needs of the worker. */
export interface ContextOptions {
  /** Bytes of output that the service keeps. */
  outputLimit: number;
  /** Called when there is something to take, and again only after `take`. */
  announce: () => void;
  /** Called once, when the handler first asks. */
  loadResults: (context: JobContext) => Promise<ReadonlyMap<string, unknown>>;
}

/** One attempt, as its handler sees it, and with what is for the worker alone. */
export class AttemptContext implements JobContext {
  readonly jobId: string;
  readonly attempt: number;
  readonly kind: string;
  readonly queue: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly deadline: Date | undefined;
  readonly traceparent: string;

  readonly #stopping = new AbortController();
  readonly #options: ContextOptions;
  #announced = false;
  #progress: ToldProgress | undefined;
  #output: Buffer[] = [];
  #outputBytes = 0;
  #outputLeft: number;
  #writers: (() => void)[] = [];
  #results: Promise<ReadonlyMap<string, unknown>> | undefined;

  constructor(job: Job, timeLeft: Duration | undefined, options: ContextOptions) {
    this.jobId = job.id;
    this.attempt = job.attempt;
    this.kind = job.spec?.kind ?? "";
    this.queue = job.spec?.queue ?? "";
    this.labels = { ...job.spec?.labels };
    this.deadline = timeLeft && new Date(Date.now() + milliseconds(timeLeft));
    this.traceparent = job.traceparent;
    this.#options = options;
    // One byte more than is kept says that there was more; the rest is not even carried.
    this.#outputLeft = options.outputLimit + 1;
  }

  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  get cancelled(): boolean {
    return this.signal.aborted;
  }

  progress(done: number, total = 0, message = ""): void {
    for (const units of [done, total]) {
      if (!Number.isInteger(units) || units < 0) {
        throw new RangeError(`progress: done and total are whole numbers from 0 on, not ${units}`);
      }
    }
    this.#progress = { done: BigInt(done), total: BigInt(total), message: cut(message, MESSAGE_LENGTH) };
    this.#announce();
  }

  async write(output: string | Uint8Array): Promise<void> {
    // A copy, so that the caller may go on using its bytes.
    const data = Buffer.from(output).subarray(0, this.#outputLeft);
    if (data.length === 0) {
      return;
    }
    this.#outputLeft -= data.length;
    this.#output.push(data);
    this.#outputBytes += data.length;
    this.#announce();
    // A cancelled handler must come to its end: nothing makes it wait any more.
    if (this.#outputBytes >= OUTPUT_WAITING && !this.cancelled) {
      await new Promise<void>((resolve) => this.#writers.push(resolve));
    }
  }

  results(): Promise<ReadonlyMap<string, unknown>> {
    this.#results ??= this.#options.loadResults(this);
    return this.#results;
  }

  /** Asks the handler to stop. */
  cancel(): void {
    this.#stopping.abort(new JobCancelled(`job ${this.jobId} was cancelled, or its attempt is over`));
    this.#release();
  }

  /** What was told since the last call. */
  take(): Told {
    const told = { progress: this.#progress, output: Buffer.concat(this.#output) };
    this.#progress = undefined;
    this.#output = [];
    this.#outputBytes = 0;
    this.#announced = false;
    this.#release();
    return told;
  }

  #announce(): void {
    if (!this.#announced) {
      this.#announced = true;
      this.#options.announce();
    }
  }

  #release(): void {
    const writers = this.#writers;
    this.#writers = [];
    for (const resume of writers) {
      resume();
    }
  }
}

/** The first so many characters; half of one is shown as U+FFFD, which can be sent. */
export function cut(text: string, length: number): string {
  return Buffer.from(text.slice(0, length)).toString();
}
