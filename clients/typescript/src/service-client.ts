/** What every client can do, whatever carries its calls: submits jobs, and tells how they are. */

import { create, type MessageInitShape } from "@bufbuild/protobuf";

import type { Caller, CallOptions } from "./caller.js";
import { SlotdError } from "./errors.js";
import { WaitProgress } from "./progress.js";
import {
  type Filter,
  isIterable,
  jobFilter,
  jobId,
  type JobRef,
  spec,
  type SpecFields,
  submitBatch,
  type ToSubmit,
  withRequestId,
} from "./requests.js";
import { EventStream, JobPages, OutputStream, pauseOnClock } from "./streams.js";
import { createStub, type Stub } from "./stub.js";
import {
  type Delivery,
  type Job,
  JobService,
  type JobView,
  type ListRequestSchema,
  type ListResponse,
  QueueService,
  ReadOutputRequestSchema,
  ScheduleService,
  StreamRequestSchema,
  type SubmitBatchRequestSchema,
  type SubmitBatchResponse,
  type SubmitRequestSchema,
  type SubmitResponse,
  WorkerService,
} from "./v1.js";

/** How to submit a job. */
export interface SubmitOptions extends SpecFields, CallOptions {
  /** Makes the same submit by another call, or after a crash, the same job; a new UUID by default. */
  requestId?: string | undefined;
  /** Only ask whether it would be taken; the job that comes back has no id. */
  validateOnly?: boolean | undefined;
}

/** How to submit a batch. */
export interface SubmitBatchOptions extends CallOptions {
  /** Only ask whether it would be taken; the jobs that come back have no id. */
  validateOnly?: boolean | undefined;
}

/** How to get a job. */
export interface GetOptions extends CallOptions {
  /** FULL by default. */
  view?: JobView | undefined;
}

/** How to list jobs; the call's timeout is for each page. */
export interface ListOptions extends CallOptions {
  /** Jobs in a page; 50 by default, 1,000 at most. */
  pageSize?: number | undefined;
  /** BASIC by default: without the data of payload and result. */
  view?: JobView | undefined;
  /** `create_time desc`, the default, or `create_time`. */
  orderBy?: string | undefined;
}

/** How to list one page. */
export interface ListPageOptions extends ListOptions {
  /** From the page before; the filter and the other options must be as they were then. */
  pageToken?: string | undefined;
}

/** How to wait for a job. */
export interface WaitOptions {
  /** Milliseconds to wait at most; for ever by default. */
  timeoutMs?: number | undefined;
  /** FULL by default. */
  view?: JobView | undefined;
  /** Ends the wait when it aborts; the promise is then rejected with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** How to stream events. */
export interface StreamOptions {
  /** Where to start; without one the matching jobs come first, as they are. */
  cursor?: string | undefined;
  /** EVERY by default; LATEST may skip steps of a job in between. */
  delivery?: Delivery | undefined;
  /** BASIC by default: without the data of payload and result. */
  view?: JobView | undefined;
  /** Tell of progress and output too. */
  includeProgress?: boolean | undefined;
  /** Go on by cursor when the connection or the service goes away; true by default. */
  resume?: boolean | undefined;
  /** Called once, when all that was there at the beginning has been handed out. */
  onSynced?: (() => void) | undefined;
  /** Called after each try that was cut or failed and will be followed by another, in so many milliseconds. */
  onInterrupted?: ((error: SlotdError, retryMs: number) => void) | undefined;
  /** Called when the service answers again after that. */
  onResumed?: (() => void) | undefined;
  /** Ends the stream when it aborts; the iteration then throws the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** How to read output. */
export interface ReadOutputOptions {
  /** From which byte; 0 by default. */
  offset?: number | undefined;
  /** Go on until the job has ended. */
  follow?: boolean | undefined;
  /** Ends the reading when it aborts; the iteration then throws the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** How to retry a job. */
export interface RetryOptions extends CallOptions {
  /** Retry with it those jobs that failed because it did. */
  dependents?: boolean | undefined;
}

/** How to delete a job. */
export interface DeleteOptions extends CallOptions {
  /** Cancel it first if it has not ended. */
  force?: boolean | undefined;
}

/** The methods of a client; `Client` adds how it reaches its service. */
export class ServiceClient {
  /** The queue service's methods as they are: queues, slots, counters, servers. */
  readonly queues: Stub<typeof QueueService>;
  /** The schedule service's methods as they are. */
  readonly schedules: Stub<typeof ScheduleService>;
  /** The worker service's methods as they are: which workers there are, and draining one. */
  readonly workers: Stub<typeof WorkerService>;
  /** The job service's methods as they are, those among them that this class adds nothing to (groups, bulk). */
  readonly jobs: Stub<typeof JobService>;

  readonly #connection: Caller;
  readonly #streams = new Set<{ close(): void }>();
  #closed = false;

  constructor(connection: Caller) {
    this.#connection = connection;
    this.jobs = createStub(this.#connection, JobService);
    this.queues = createStub(this.#connection, QueueService);
    this.schedules = createStub(this.#connection, ScheduleService);
    this.workers = createStub(this.#connection, WorkerService);
  }

  /** The address of the service. */
  get address(): string {
    return this.#connection.address;
  }

  /** Ends open streams, calls under way (which reject with CANCELLED) and the connection. */
  close(): void {
    this.#closed = true;
    for (const stream of this.#streams) {
      stream.close();
    }
    this.#connection.close();
  }

  /** Submits a job, durably once this resolves. The payload is JSON unless it is bytes or a Payload. */
  async submit(kind: string, payload?: unknown, options: SubmitOptions = {}): Promise<Job> {
    const { requestId = "", validateOnly = false, signal, callTimeoutMs, traceparent, ...fields } = options;
    const request = { spec: spec(kind, payload, fields), requestId, validateOnly };
    return present((await this.sendSubmit(request, { signal, callTimeoutMs, traceparent })).job);
  }

  /** Submit as a message, for the cursor in its answer; a request id is added where there is none. */
  async sendSubmit(
    request: MessageInitShape<typeof SubmitRequestSchema>,
    options?: CallOptions,
  ): Promise<SubmitResponse> {
    return this.#connection.unary(JobService.method.submit, withRequestId(request), options);
  }

  /**
   * Submits jobs built by `spec`, in order, all or none, in one call: 1,000 jobs and 16 MiB at most.
   *
   * The keys of an object name the jobs, so that others of the batch can depend on them, in any order:
   *
   *     { cut: spec("cut"), sew: spec("sew", null, { dependsOn: ["cut"] }) }
   *
   * The jobs come back in an array, or in an object with the same keys; without their payloads where these are more than
   * 2 MiB.
   */
  submitBatch(jobs: Iterable<ToSubmit>, options?: SubmitBatchOptions): Promise<Job[]>;
  submitBatch<Ref extends string>(
    jobs: Readonly<Record<Ref, ToSubmit>>,
    options?: SubmitBatchOptions,
  ): Promise<Record<Ref, Job>>;
  async submitBatch(
    jobs: Iterable<ToSubmit> | Readonly<Record<string, ToSubmit>>,
    { validateOnly = false, ...options }: SubmitBatchOptions = {},
  ): Promise<Job[] | Record<string, Job>> {
    const request = submitBatch(jobs, validateOnly);
    const made = (await this.#connection.unary(JobService.method.submitBatch, request, options)).jobs;
    if (isIterable(jobs)) {
      return made;
    }
    return Object.fromEntries(Object.keys(jobs).map((ref, index) => [ref, present(made[index])]));
  }

  /** SubmitBatch as a message, for the cursor in its answer; request ids are added where there are none. */
  async sendSubmitBatch(
    request: MessageInitShape<typeof SubmitBatchRequestSchema>,
    options?: CallOptions,
  ): Promise<SubmitBatchResponse> {
    const identified = { requests: (request.requests ?? []).map(withRequestId) };
    return this.#connection.unary(JobService.method.submitBatch, identified, options);
  }

  /** Tells how a job is. */
  async get(job: JobRef, { view, ...options }: GetOptions = {}): Promise<Job> {
    const request = { id: jobId(job), view };
    return present((await this.#connection.unary(JobService.method.get, request, options)).job);
  }

  /** The jobs that match, newest first, over all pages; `list(…).pages()` for the pages. */
  list(filter: Filter = {}, { pageSize, view, orderBy, signal, callTimeoutMs }: ListOptions = {}): JobPages {
    const first = { filter: jobFilter(filter), pageSize, view, orderBy };
    return new JobPages((request) => this.#list(request, { signal, callTimeoutMs }), first);
  }

  /** One page of `list`, with the token of the next one, and the cursor to stream from. */
  async listPage(
    filter: Filter = {},
    { pageSize, pageToken, view, orderBy, signal, callTimeoutMs }: ListPageOptions = {},
  ): Promise<ListResponse> {
    const request = { filter: jobFilter(filter), pageSize, pageToken, view, orderBy };
    return this.#list(request, { signal, callTimeoutMs });
  }

  /**
   * Waits until a job has ended; resolves to it, or to how it is after `timeoutMs`: look at its state.
   *
   * It goes on over reconnects and restarts of the service. Rejects with NOT_FOUND also when the job is deleted meanwhile.
   */
  async wait(job: JobRef, { timeoutMs, view, signal }: WaitOptions = {}): Promise<Job> {
    const progress = new WaitProgress(jobId(job), view, timeoutMs, this.#connection.outage());
    for (;;) {
      const { request, callTimeoutMs } = progress.request();
      try {
        const answer = await this.#connection.unary(JobService.method.wait, request, { signal, callTimeoutMs });
        const found = present(answer.job);
        if (progress.answered(found)) {
          return found;
        }
      } catch (error) {
        // What this side has ended is CANCELLED too, and over.
        const ended = this.#closed || signal?.aborted;
        const delay = !ended && error instanceof SlotdError ? progress.failed(error) : undefined;
        if (delay === undefined) {
          throw error;
        }
        await pauseOnClock(delay, signal);
      }
    }
  }

  /**
   * Streams what happens to the jobs that match, from this moment on or from a cursor. Close the stream, or leave its
   * `for await` loop, when it is no longer used.
   */
  stream(filter: Filter = {}, options: StreamOptions = {}): EventStream {
    const { cursor, delivery, view, includeProgress, resume = true, signal } = options;
    const wanted = { filter: jobFilter(filter), cursor, delivery, view, includeProgress };
    const request = create(StreamRequestSchema, wanted);
    const stream: EventStream = new EventStream(
      {
        open: (next) => this.#connection.serverStream(JobService.method.stream, next),
        outage: this.#connection.outage(),
        resume,
        signal,
        closed: () => this.#streams.delete(stream),
        interrupted: options.onInterrupted,
        resumed: options.onResumed,
      },
      request,
      options.onSynced,
    );
    this.#streams.add(stream);
    return stream;
  }

  /**
   * Reads what a job wrote, from a byte offset; with `follow` until it has ended. Close it, or leave its `for await`
   * loop, when it is no longer used.
   */
  readOutput(job: JobRef, { offset = 0, follow = false, signal }: ReadOutputOptions = {}): OutputStream {
    const request = create(ReadOutputRequestSchema, { id: jobId(job), offset: BigInt(offset), follow });
    const stream: OutputStream = new OutputStream(
      {
        open: (next) => this.#connection.serverStream(JobService.method.readOutput, next),
        outage: this.#connection.outage(),
        resume: true,
        signal,
        closed: () => this.#streams.delete(stream),
      },
      request,
    );
    this.#streams.add(stream);
    return stream;
  }

  /** Cancels a job: a waiting one is CANCELLED at once, a running one has `cancelRequested` until it stops. */
  async cancel(job: JobRef, options?: CallOptions): Promise<Job> {
    return present((await this.jobs.cancel({ id: jobId(job) }, options)).job);
  }

  /** Puts a FAILED or CANCELLED job back, with fresh attempts. */
  async retry(job: JobRef, { dependents, ...options }: RetryOptions = {}): Promise<Job> {
    return present((await this.jobs.retry({ id: jobId(job), dependents }, options)).job);
  }

  /** Deletes a job that has ended; with `force` any, which is cancelled first. */
  async delete(job: JobRef, { force, ...options }: DeleteOptions = {}): Promise<void> {
    await this.jobs.delete({ id: jobId(job), force }, options);
  }

  async #list(request: MessageInitShape<typeof ListRequestSchema>, options: CallOptions): Promise<ListResponse> {
    return this.#connection.unary(JobService.method.list, request, options);
  }
}

/** What the service always sends, though a message may lack it. */
function present(job: Job | undefined): Job {
  if (job === undefined) {
    throw new SlotdError("the answer has no job", { code: "INTERNAL" });
  }
  return job;
}
