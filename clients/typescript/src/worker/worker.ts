/** The worker: gRPC, clock and handlers around the session. */

import { randomUUID } from "node:crypto";
import { availableParallelism, hostname } from "node:os";

import type { DescMessage } from "@bufbuild/protobuf";
import type { Duration } from "@bufbuild/protobuf/wkt";

import { checkAddress, defaultAddress } from "../channel.js";
import { Connection, type ConnectionOptions, type Duplex } from "../connection.js";
import { SlotdError } from "../errors.js";
import { backoffDelay } from "../outage.js";
import { decode, PayloadError } from "../payload.js";
import { pauseOnClock } from "../streams.js";
import { type Job, type Lease, type Payload, WorkerService, type WorkRequest, type WorkResponse } from "../v1.js";
import { VERSION } from "../version.js";
import { type Outcome, runHandler } from "./attempt.js";
import { AttemptContext, type Told } from "./context.js";
import {
  type Handler,
  type HandlerOptions,
  type JobContext,
  type MessageHandler,
  type MessageHandlerOptions,
  type Registered,
  workerKind,
} from "./handlers.js";
import { type Limits, Session } from "./session.js";

const MOST_SLOTS = 10_000;

const DRAIN_TIMEOUT_MS = 30_000;

const NOTHING: Told = { progress: undefined, output: Buffer.alloc(0) };

const BACKOFF = { initialMs: 100, maximumMs: 2_000 };

// For how long a handler that asks for results waits for a connection. An attempt whose worker is away for longer than a
// lease is lost anyway.
const RESULTS_MS = 60_000;

// Errors of a call that the next connection may not meet.
const PASSING: readonly string[] = ["UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED"];

// Where a worker meets these before it was ever welcome, somebody has to put something right.
const MISCONFIGURED: readonly string[] = ["UNIMPLEMENTED", "UNAUTHENTICATED", "PERMISSION_DENIED"];

/** What a worker is, and how it reaches its services. */
export interface WorkerOptions extends Pick<ConnectionOptions, "metadata" | "credentials" | "channelOptions"> {
  /** One address, or those of several services on the same store; by default as the client's. */
  address?: string | readonly string[] | undefined;
  /** How many jobs may run at once, 0 to 10,000; four for each CPU by default. */
  slots?: number | undefined;
  /** For people to read; the machine's name by default. */
  name?: string | undefined;
  /** Milliseconds that jobs may run on when the worker is to leave and nobody says how long; 30 seconds by default. */
  drainTimeoutMs?: number | undefined;
  /** Called at each connection, with the boot id of the service. */
  onConnected?: ((server: string) => void) | undefined;
  /** Called when there is no connection, or none any more, before the next try; with why, where that is known. */
  onDisconnected?: ((error: SlotdError | undefined) => void) | undefined;
}

/**
 * Runs handlers for slotd services, in this process: takes jobs of their kinds while it has slots free.
 *
 * It keeps its jobs over a cut of the connection, a restart of the service and a failover to another one on the same
 * store; it connects again for ever, to each address in turn. Handlers share Node's one thread: one that computes for
 * longer than the service's worker lease (15 seconds by default) without awaiting anything loses the worker its jobs.
 */
export class Worker {
  /** Who it is, in `ListWorkers` and in `Attempt.worker`; new for each Worker. */
  readonly id = randomUUID();

  readonly #options: WorkerOptions;
  readonly #addresses: readonly string[];
  readonly #drainTimeoutMs: number;
  readonly #registered = new Map<string, Registered>();
  readonly #kinds: Registered["kind"][] = [];
  readonly #session: Session;
  readonly #contexts = new Map<Lease, AttemptContext>();
  // Aborts when the worker has left: nothing is waited for any more.
  readonly #left = new AbortController();
  #running: Promise<void> | undefined;
  #connection: Connection | undefined;
  #call: Duplex<WorkRequest, WorkResponse> | undefined;
  #brokenOff = false;
  #welcomed = false;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #soon: NodeJS.Immediate | undefined;

  /** Throws TypeError for a bad address or none, RangeError for a bad number of slots. */
  constructor(options: WorkerOptions = {}) {
    this.#options = options;
    const { address = defaultAddress(), slots = 4 * availableParallelism() } = options;
    this.#addresses = typeof address === "string" ? [address] : address;
    if (this.#addresses.length === 0) {
      throw new TypeError("no addresses: a worker needs one at least");
    }
    this.#addresses.forEach(checkAddress);
    if (!Number.isInteger(slots) || slots < 0 || slots > MOST_SLOTS) {
      throw new RangeError(`slots is ${slots}; it is from 0 to ${MOST_SLOTS}`);
    }
    this.#drainTimeoutMs = options.drainTimeoutMs ?? DRAIN_TIMEOUT_MS;
    this.#session = new Session(
      {
        workerId: this.id,
        name: options.name ?? hostname(),
        kinds: this.#kinds,
        client: `slotd-typescript/${VERSION}`,
      },
      slots,
      {
        start: (lease, job, timeLeft, limits) => {
          this.#start(lease, job, timeLeft, limits);
        },
        stop: (lease) => this.#contexts.get(lease)?.cancel(),
        take: (lease) => this.#contexts.get(lease)?.take() ?? NOTHING,
      },
      this.#drainTimeoutMs,
    );
  }

  /**
   * Says what runs jobs of a kind; before `run`. Returns the worker. Throws TypeError for a bad name or a kind that has a
   * handler already, RangeError for a length of time that is none.
   */
  handle<P>(kind: string, handler: Handler<P>): this;
  handle<Desc extends DescMessage>(
    kind: string,
    options: MessageHandlerOptions<Desc>,
    handler: MessageHandler<Desc>,
  ): this;
  handle<P>(kind: string, options: HandlerOptions, handler: Handler<P>): this;
  handle(
    kind: string,
    optionsOrHandler: Handler<never> | (HandlerOptions & { payload?: DescMessage }),
    handler?: Handler<never>,
  ): this {
    const [options, run] =
      typeof optionsOrHandler === "function" ? [{}, optionsOrHandler] : [optionsOrHandler, handler];
    if (this.#running !== undefined || this.#registered.has(kind) || run === undefined) {
      throw new TypeError(`kind "${kind}": each has one handler, which is given before the worker runs`);
    }
    const registered = { handler: run, payload: options.payload, kind: workerKind(kind, options) };
    this.#registered.set(kind, registered);
    this.#kinds.push(registered.kind);
    return this;
  }

  /**
   * Takes jobs and runs them, until `stop` is called or the service asks the worker to leave. Once.
   *
   * Rejects with SlotdError where going on makes no sense: ABORTED, reason WORKER_REPLACED, when somebody else has
   * connected under this id; INVALID_ARGUMENT for handlers that the service refuses; UNIMPLEMENTED, UNAUTHENTICATED and
   * PERMISSION_DENIED at the first connection. All handlers have been told to stop then. Rejects with TypeError where
   * there are no handlers, and the second time.
   */
  async run(): Promise<void> {
    if (this.#registered.size === 0 || this.#running !== undefined) {
      throw new TypeError("a worker runs once, and with the handlers that it was given before");
    }
    this.#running = this.#run();
    return this.#running;
  }

  /**
   * Takes nothing more, lets what runs end within so many milliseconds, gives the rest back, and leaves. Once more: sooner.
   *
   * Resolves when `run` has come to its end, whatever that was; at once where it has not begun.
   */
  async stop(drainTimeoutMs = this.#drainTimeoutMs): Promise<void> {
    this.#session.drain(performance.now(), drainTimeoutMs);
    this.#pump();
    // How it ended is for who has called `run`.
    await this.#running?.catch(() => undefined);
  }

  async #run(): Promise<void> {
    try {
      for (let turn = 0; this.#session.phase !== "left"; turn++) {
        const address = this.#addresses[turn % this.#addresses.length];
        const error = await this.#converse(address);
        if (this.#isOver()) {
          return;
        }
        if (error !== undefined && this.#isFatal(error)) {
          throw error;
        }
        this.#options.onDisconnected?.(error);
        this.#failures += 1;
        await pauseOnClock(backoffDelay(BACKOFF, this.#failures, Math.random()), this.#left.signal);
      }
    } finally {
      this.#end();
    }
  }

  /** One connection, from its first word to its last. Resolves to why it broke; undefined where the service ended it. */
  async #converse(address: string | undefined): Promise<SlotdError | undefined> {
    const { metadata, credentials, channelOptions } = this.#options;
    // A channel of its own: it does not begin in the backoff of the last one.
    const connection = new Connection({ address, metadata, credentials, channelOptions });
    const call = connection.duplex(WorkerService.method.work);
    this.#connection = connection;
    this.#call = call;
    this.#session.connected(performance.now());
    this.#pump();
    try {
      for (let message = await call.read(); message !== undefined; message = await call.read()) {
        this.#received(message);
      }
      return undefined;
    } catch (error) {
      if (!(error instanceof SlotdError)) {
        throw error;
      }
      return this.#brokenOff
        ? new SlotdError("nothing was heard of it for a whole lease", { code: "UNAVAILABLE", cause: error })
        : error;
    } finally {
      this.#session.broken();
      this.#brokenOff = false;
      this.#connection = undefined;
      this.#call = undefined;
      connection.close();
    }
  }

  #received(message: WorkResponse): void {
    this.#session.received(message, performance.now());
    if (message.welcome !== undefined) {
      this.#welcomed = true;
      this.#failures = 0;
      // The slots are on their way before anybody hears of it.
      this.#pump();
      this.#options.onConnected?.(message.welcome.server);
    } else {
      this.#pumpSoon();
    }
  }

  /** Once for all that happens until the event loop comes round, so that it travels together. */
  #pumpSoon(): void {
    this.#soon ??= setImmediate(() => {
      this.#pump();
    });
  }

  /** Does what is due by the clock, says what there is to say, and sets the clock anew. */
  #pump(): void {
    clearImmediate(this.#soon);
    clearTimeout(this.#timer);
    this.#soon = undefined;
    const now = performance.now();
    if (this.#session.tick(now)) {
      this.#brokenOff = true;
      this.#call?.cancel();
    }
    for (let request = this.#session.nextRequest(now); request; request = this.#session.nextRequest(now)) {
      this.#call?.send(request);
    }
    if (this.#session.phase === "left") {
      this.#left.abort();
      return;
    }
    // What has arrived while this process was busy, or stopped, is read before the clock is asked.
    this.#timer = setTimeout(() => {
      this.#pumpSoon();
    }, this.#session.idleMs(now));
  }

  #start(lease: Lease, job: Job, timeLeft: Duration | undefined, limits: Limits): void {
    const context = new AttemptContext(job, timeLeft, {
      outputLimit: limits.output,
      announce: () => {
        this.#session.told(lease);
        this.#pumpSoon();
      },
      loadResults: (asking) => this.#loadResults(asking),
    });
    this.#contexts.set(lease, context);
    void this.#execute(lease, context, job.spec?.payload);
  }

  async #execute(lease: Lease, context: AttemptContext, payload: Payload | undefined): Promise<void> {
    const registered = this.#registered.get(context.kind);
    const outcome: Outcome =
      registered === undefined
        ? { case: "failed", value: { message: `this worker has no handler for ${context.kind}` } }
        : await runHandler(registered, context, payload);
    this.#contexts.delete(lease);
    this.#session.finished(lease, outcome, context.take());
    this.#pumpSoon();
  }

  /** What the jobs returned that a job depended on, over whatever connection there is. */
  async #loadResults({ jobId, signal }: JobContext): Promise<ReadonlyMap<string, unknown>> {
    const until = performance.now() + RESULTS_MS;
    for (let failures = 1; ; failures++) {
      try {
        return await this.#readResults(jobId, signal);
      } catch (error) {
        signal.throwIfAborted();
        const passes = error instanceof SlotdError && PASSING.includes(error.code);
        if (!passes || this.#left.signal.aborted || performance.now() >= until) {
          throw error;
        }
        await pauseOnClock(backoffDelay(BACKOFF, failures, Math.random()), signal);
      }
    }
  }

  async #readResults(jobId: string, signal: AbortSignal): Promise<ReadonlyMap<string, unknown>> {
    if (this.#connection === undefined) {
      throw new SlotdError("the worker is not connected", { code: "UNAVAILABLE" });
    }
    const call = this.#connection.serverStream(WorkerService.method.readResults, { jobId });
    const cancel = (): void => {
      call.cancel();
    };
    signal.addEventListener("abort", cancel);
    try {
      const results = new Map<string, unknown>();
      for (let one = await call.read(); one !== undefined; one = await call.read()) {
        results.set(one.name, decodeResult(one.name, one.result));
      }
      return results;
    } finally {
      signal.removeEventListener("abort", cancel);
      cancel();
    }
  }

  #isOver(): boolean {
    return this.#session.phase === "left";
  }

  /** Whether trying again won't cure it. */
  #isFatal({ code, reason }: SlotdError): boolean {
    return (
      (code === "ABORTED" && reason === "WORKER_REPLACED") ||
      code === "INVALID_ARGUMENT" ||
      (MISCONFIGURED.includes(code) && !this.#welcomed)
    );
  }

  #end(): void {
    this.#session.abandon();
    this.#left.abort();
    clearImmediate(this.#soon);
    clearTimeout(this.#timer);
  }
}

function decodeResult(name: string, result: Payload | undefined): unknown {
  try {
    return decode(result);
  } catch (error) {
    throw new PayloadError(`the result of ${name}: ${String(error)}`, { cause: error });
  }
}
