/** What a client needs of whatever carries its calls to a service: gRPC, or HTTP from a browser. */

import type {
  DescMessage,
  DescMethod,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";

import type { Outage } from "./outage.js";
import { JobService, QueueService, ScheduleService, WorkerService } from "./v1.js";

// For a unary call, unless the client or the call says otherwise.
const DEFAULT_CALL_TIMEOUT_MS = 30_000;

// What works on many jobs does so in steps, until all is done: it gets so much at least, unless the call says otherwise.
const BULK_TIMEOUT_MS = 600_000;
const BULK_METHODS: ReadonlySet<DescMethod> = new Set([
  JobService.method.purge,
  JobService.method.bulkCancel,
  JobService.method.bulkRetry,
  JobService.method.bulkDelete,
  JobService.method.cancelGroup,
]);

// Answering a second time does no harm and says the same: reads, requests with an id, settings given as absolute
// values. Left out on purpose: Retry (a job that failed again meanwhile would get fresh attempts twice); Delete, Purge
// and what works in bulk (the repeat would answer NOT_FOUND or a count too low though the first one worked); Update (the
// first moved the revision that the repeat names); Create of a schedule (the repeat would find one of that name). Wait,
// Stream and ReadOutput are not here because the client itself repeats them, from where they were cut.
export const REPEATED_METHODS: ReadonlySet<DescMethod> = new Set([
  JobService.method.submit,
  JobService.method.submitBatch,
  JobService.method.get,
  JobService.method.list,
  JobService.method.cancel,
  JobService.method.getGroup,
  QueueService.method.getQueue,
  QueueService.method.listQueues,
  QueueService.method.updateQueue,
  QueueService.method.listSlots,
  QueueService.method.updateSlots,
  QueueService.method.getStats,
  QueueService.method.listServers,
  ScheduleService.method.get,
  ScheduleService.method.list,
  ScheduleService.method.pause,
  ScheduleService.method.resume,
  ScheduleService.method.trigger,
  WorkerService.method.listWorkers,
]);

/** How often such a method is tried in all, and how far apart. */
export const REPEAT = { tries: 5, initialMs: 100, maximumMs: 2_000, multiplier: 2 };

/** What may be said of one call. */
export interface CallOptions {
  /** Ends the call when it aborts; the promise is then rejected with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Milliseconds for this call, in place of the client's; Infinity for no limit. */
  callTimeoutMs?: number | undefined;
  /** The span that the call belongs to, as W3C Trace Context has it, and with Submit the job; empty for none. */
  traceparent?: string | undefined;
}

/** The messages of a running call, one reader at a time. */
export interface Call<Answer> {
  /** The next message; undefined at the end. Rejects with SlotdError. */
  read(): Promise<Answer | undefined>;
  /** Ends the call. */
  cancel(): void;
}

/** Carries the calls of one client to one service. Every call rejects with SlotdError. */
export interface Caller {
  /** Where the service is, as the user gave it. */
  readonly address: string;
  /** Ends all calls, with CANCELLED, and takes no more. */
  close(): void;
  /** A count of failures for one new reader. */
  outage(): Outage;
  /** Calls a unary method. */
  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    options?: CallOptions,
  ): Promise<MessageShape<O>>;
  /** Calls a method that streams its answer. */
  serverStream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
  ): Call<MessageShape<O>>;
}

/** Milliseconds for a call of this method: what the call says, else what the client says, more for work in bulk. */
export function callTimeout(
  method: DescMethod,
  ofCall: number | undefined,
  ofClient = DEFAULT_CALL_TIMEOUT_MS,
): number {
  return ofCall ?? Math.max(ofClient, BULK_METHODS.has(method) ? BULK_TIMEOUT_MS : 0);
}
