/** What a worker's handlers are, see of their jobs, and throw. */

import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";

import { optionalDuration, type RetryFields, retryPolicy } from "../requests.js";
import type { WorkerKindSchema } from "../v1.js";

const NAME = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$/;

const LONGEST_SNOOZE_MS = 3.2e12;

/** Thrown by a handler: the job is FAILED, without further attempts. */
export class PermanentError extends Error {
  override readonly name = "PermanentError";
}

/** Thrown by a handler: call me again in so many milliseconds. The attempt does not count. */
export class Snooze extends Error {
  override readonly name = "Snooze";

  /** Throws RangeError for a number that is not from 0 to 100 years. */
  constructor(readonly delayMs: number) {
    super(`snoozed for ${delayMs} ms`);
    if (!(delayMs >= 0 && delayMs < LONGEST_SNOOZE_MS)) {
      throw new RangeError("Snooze takes a number of milliseconds from 0 to 100 years");
    }
  }
}

/** Why the signal of a handler aborts: its job was cancelled, or its attempt is over. */
export class JobCancelled extends Error {
  override readonly name = "JobCancelled";
}

/** One attempt of a job, as its handler sees it. */
export interface JobContext {
  readonly jobId: string;
  /** Which attempt, from 1. */
  readonly attempt: number;
  readonly kind: string;
  readonly queue: string;
  readonly labels: Readonly<Record<string, string>>;
  /** When the attempt times out, by this machine's clock; undefined where it never does. */
  readonly deadline: Date | undefined;
  /** The span that submitted the job, as W3C Trace Context has it; empty where the job is in no trace. */
  readonly traceparent: string;
  /**
   * Aborts, with a {@link JobCancelled}, when the handler should stop: somebody cancelled the job, its attempt is over
   * (its timeout has passed, say), or the worker stops.
   */
  readonly signal: AbortSignal;
  /** Whether the handler should stop. */
  readonly cancelled: boolean;
  /**
   * Says how far the job has come: `done` of `total` units (0: nobody knows), and what it is at.
   *
   * Cheap; call it as often as you like: a few a second reach the service, the last one always does. Throws RangeError
   * for numbers that are not whole, or below 0.
   */
  progress(done: number, total?: number, message?: string): void;
  /**
   * Appends to the job's output, of which the service keeps so much. Wait for it: it resolves at once, but where much has
   * not been taken yet.
   */
  write(output: string | Uint8Array): Promise<void>;
  /**
   * The results of the jobs that this one depended on, a group's jobs among them, decoded as payloads are: by the ref
   * that a job had in its batch, else by its id. One that did not succeed, or returned nothing, has undefined.
   *
   * Rejects with SlotdError where they can't be read, PayloadError where one can't be decoded.
   */
  results(): Promise<ReadonlyMap<string, unknown>>;
}

/**
 * Does the work of one kind of job. `payload` is decoded by its content type: a value for JSON, a string for text, bytes
 * for anything else, undefined where there is none; nothing checks that it is a P. What it returns is the job's result,
 * encoded likewise (a Payload as it is).
 *
 * Throwing {@link PermanentError} or {@link Snooze} says what is to become of the job; any other error is an attempt that
 * failed.
 */
export type Handler<P = unknown> = (context: JobContext, payload: P) => unknown;

/** What holds for the jobs of a kind that say nothing themselves; what is left out comes from the queue or the service. */
export interface HandlerOptions {
  /** The queue of those jobs that name none. */
  queue?: string | undefined;
  /** Higher ones go first; -1,000 to 1,000. */
  priority?: number | undefined;
  /** Milliseconds that one attempt may take. */
  timeoutMs?: number | undefined;
  /** What follows a failed attempt. */
  retry?: RetryFields | undefined;
  /** Milliseconds that a job may wait for its first start. */
  queueTimeoutMs?: number | undefined;
  /** Milliseconds that a job is kept once it has ended. */
  retentionMs?: number | undefined;
}

/** As {@link HandlerOptions}, with the protobuf message that payloads are decoded to. */
export interface MessageHandlerOptions<Desc extends DescMessage> extends HandlerOptions {
  /** Its schema; payloads in its JSON form are taken too. */
  payload: Desc;
}

/** A handler of protobuf messages; see {@link Handler}. */
export type MessageHandler<Desc extends DescMessage> = Handler<MessageShape<Desc> | undefined>;

/** A handler and how its payloads are decoded. */
export interface Registered {
  readonly handler: Handler<never>;
  readonly payload: DescMessage | undefined;
  readonly kind: MessageInitShape<typeof WorkerKindSchema>;
}

/** What a worker tells of a kind. Throws TypeError for a bad name, RangeError for a length of time that is none. */
export function workerKind(kind: string, options: HandlerOptions): MessageInitShape<typeof WorkerKindSchema> {
  for (const [field, name] of [
    ["kind", kind],
    ["queue", options.queue],
  ] as const) {
    if (name !== undefined && !NAME.test(name)) {
      throw new TypeError(
        `${field} "${name}": 1 to 128 of letters, digits, ".", "_", "-" and "/", a letter or digit first`,
      );
    }
  }
  return {
    kind,
    queue: options.queue ?? "",
    defaults: {
      priority: options.priority,
      timeout: optionalDuration(options.timeoutMs),
      retry: options.retry && retryPolicy(options.retry),
      queueTimeout: optionalDuration(options.queueTimeoutMs),
      retention: optionalDuration(options.retentionMs),
    },
  };
}
