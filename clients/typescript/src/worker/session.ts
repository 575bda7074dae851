/**
 * The protocol of `WorkerService.Work` as a worker speaks it: a state machine without clock, input or output.
 *
 * Whoever drives it says what has happened and what time it is (monotonic, in milliseconds), and asks what there is to
 * send. What is started, what is told again after a cut, and what never, is decided here.
 */

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Duration } from "@bufbuild/protobuf/wkt";

import { milliseconds } from "../time.js";
import {
  type Assignment,
  type Finish,
  FinishSchema,
  type HelloSchema,
  type Job,
  type Lease,
  ProgressSchema,
  type Report,
  ReportSchema,
  StopReason,
  type Welcome,
  type WorkRequest,
  WorkRequestSchema,
  type WorkResponse,
} from "../v1.js";
import { type Outcome, withinLimit } from "./attempt.js";
import type { Told, ToldProgress } from "./context.js";

// What a server has for its welcome, which says how long the lease really is.
const FIRST_LEASE_MS = 15_000;

// How long one who leaves waits for the server to keep what it was told, and then for the end of the call.
const SETTLE_MS = 5_000;

const LONGEST_SILENCE_MS = 4_000;

// The most output in one Report or Finish.
const PIECE_BYTES = 1 << 20;

// No attempt adds to a request that has as much. What one adds is a piece of output and a result at most, so that all
// stay within the 20 MiB that servers take: their results have 12 MiB at most.
const REQUEST_BYTES = 4 << 20;

/** What a server keeps, in bytes: of a result, and of a job's output. */
export interface Limits {
  result: number;
  output: number;
}

/** What runs the handlers. No method waits; of the session they may call `told` and `finished`, and from `start` alone. */
export interface Functions {
  /** Calls the job's handler. `Session.finished` is called exactly once, when it has returned. */
  start(lease: Lease, job: Job, timeLeft: Duration | undefined, limits: Limits): void;
  /** Asks a function to end; nothing where it has returned. */
  stop(lease: Lease): void;
  /** What a function has told since the last call; nothing where it has returned. */
  take(lease: Lease): Told;
}

/**
 * How a worker stands with its server: not connected, waiting for the welcome, welcome, waiting for the end of the call
 * after it has said that it leaves, and gone for good.
 */
export type Phase = "away" | "greeting" | "working" | "leaving" | "left";

/** One that the worker holds: its function runs, or its Finish is not settled. */
class Attempt {
  /** Its function has something to take. */
  announced = false;

  // What was taken of it and is in no message yet.
  #progress: ToldProgress | undefined;
  #output = Buffer.alloc(0);
  // Where in the job's output that begins, so that what is said twice is kept once.
  #offset: bigint;
  // The Report that has not come back as taken. It is due until it is sent, and again after a cut.
  #report: Report | undefined;
  #reportDue = false;
  // Likewise, until it comes back as settled.
  #finish: Finish | undefined;
  #finishDue = false;

  constructor(
    readonly lease: Lease,
    offset: bigint,
  ) {
    this.#offset = offset;
  }

  get finished(): boolean {
    return this.#finish !== undefined;
  }

  get reporting(): boolean {
    return this.#report !== undefined;
  }

  /** Whether its Finish can go, and take along all that is left to say. */
  get canFinish(): boolean {
    return this.#finishDue && this.#output.length <= PIECE_BYTES;
  }

  /** Puts what was told with what was taken before; of progress the newest wins. */
  keep(told: Told): void {
    this.#progress = told.progress ?? this.#progress;
    this.#output = Buffer.concat([this.#output, told.output]);
  }

  /** Its function has returned, or nobody waits for that. */
  end(outcome: Outcome): void {
    this.announced = false;
    this.#finish = create(FinishSchema, { lease: this.lease, outcome });
    this.#finishDue = true;
  }

  /** Its Report has been taken. */
  taken(): void {
    if (!this.#reportDue) {
      this.#report = undefined;
    }
  }

  /** After a cut nobody knows what has arrived. */
  repeat(): void {
    this.#reportDue = this.#report !== undefined;
    this.#finishDue = this.#finish !== undefined;
  }

  /** Adds what there is to say now. Returns how many bytes that is, roughly. */
  speak(request: WorkRequest): number {
    if (this.#report === undefined && !this.canFinish && (this.#progress !== undefined || this.#output.length > 0)) {
      this.#report = create(ReportSchema, { lease: this.lease });
      this.#tell(this.#report);
      this.#reportDue = true;
    }
    if (this.#reportDue && this.#report !== undefined) {
      this.#reportDue = false;
      request.reports.push(this.#report);
      return size(this.#report);
    }
    if (!this.canFinish || this.#finish === undefined) {
      return 0;
    }
    this.#tell(this.#finish);
    this.#finishDue = false;
    request.finishes.push(this.#finish);
    return size(this.#finish);
  }

  #tell(message: Report | Finish): void {
    if (this.#progress !== undefined) {
      message.progress = create(ProgressSchema, this.#progress);
      this.#progress = undefined;
    }
    if (this.#output.length > 0) {
      message.output = this.#output.subarray(0, PIECE_BYTES);
      message.outputOffset = this.#offset;
      this.#offset += BigInt(message.output.length);
      this.#output = this.#output.subarray(PIECE_BYTES);
    }
  }
}

/** One worker, from its first connection to its last. */
export class Session {
  /** Takes nothing more, and leaves. */
  draining = false;

  readonly #hello: MessageInitShape<typeof HelloSchema>;
  readonly #slots: number;
  readonly #functions: Functions;
  readonly #drainTimeoutMs: number;
  readonly #attempts = new Map<string, Attempt>();
  // Those of them that may have something to say, in the order in which they began to.
  #speakers = new Set<string>();
  readonly #running = new Set<string>();
  // Those that run though their attempt is not the worker's any more.
  readonly #lost = new Set<string>();
  #phase: Phase = "away";
  #limits: Limits = { result: 1 << 20, output: 16 << 20 };
  #leaseMs = FIRST_LEASE_MS;
  #helloDue = false;
  #leaveDue = false;
  // How many slots the server knows of.
  #offered: number | undefined;
  #heardAt = 0;
  #spokeAt = 0;
  // When the functions have had their time, and when the call has.
  #drainUntil = 0;
  #endUntil = 0;

  /**
   * `hello` says who it is, and what it runs; `slots` is how many functions may run at once; `drainTimeoutMs` is for how
   * long they may run on when the server asks the worker to leave.
   */
  constructor(
    hello: MessageInitShape<typeof HelloSchema>,
    slots: number,
    functions: Functions,
    drainTimeoutMs: number,
  ) {
    this.#hello = hello;
    this.#slots = slots;
    this.#functions = functions;
    this.#drainTimeoutMs = drainTimeoutMs;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** A stream has been opened. */
  connected(now: number): void {
    this.#phase = "greeting";
    this.#helloDue = true;
    this.#offered = undefined;
    this.#leaseMs = FIRST_LEASE_MS;
    this.#heardAt = now;
  }

  /** The server has said something. */
  received(message: WorkResponse, now: number): void {
    this.#heardAt = now;
    if (message.welcome !== undefined) {
      this.#welcomed(message.welcome);
    }
    // A stop may come along with the assignment that it is for.
    for (const assignment of message.assignments) {
      this.#assigned(assignment);
    }
    for (const { lease, reason } of message.stops) {
      this.#stopped(key(lease), reason);
    }
    for (const lease of message.taken) {
      this.#attempts.get(key(lease))?.taken();
      this.#speakers.add(key(lease));
    }
    for (const lease of message.settled) {
      this.#settled(key(lease));
    }
    if (message.drain) {
      this.drain(now, this.#drainTimeoutMs);
    } else if (this.draining) {
      this.#windUp(now);
    }
  }

  /** The call is over. What it may have swallowed is said again after the next welcome. */
  broken(): void {
    this.#leaveDue = false;
    this.#phase = this.#phase === "leaving" ? "left" : "away";
  }

  /** Nobody drives it any more: all functions are to stop, and what they do is nobody's business. */
  abandon(): void {
    this.#phase = "left";
    for (const [id, { lease }] of this.#attempts) {
      if (this.#running.has(id)) {
        this.#functions.stop(lease);
      }
    }
  }

  /** A function has something to take. */
  told(lease: Lease): void {
    const id = key(lease);
    const attempt = this.#attempts.get(id);
    if (attempt !== undefined && !attempt.finished) {
      attempt.announced = true;
      this.#speakers.add(id);
    }
  }

  /** A function has returned; `told` is what was not taken of it. */
  finished(lease: Lease, outcome: Outcome, told: Told): void {
    const id = key(lease);
    this.#running.delete(id);
    this.#lost.delete(id);
    const attempt = this.#attempts.get(id);
    if (attempt === undefined || attempt.finished) {
      // It was lost, or given back.
      return;
    }
    attempt.keep(told);
    attempt.end(withinLimit(outcome, this.#limits.result));
    this.#speakers.add(id);
  }

  /** Takes nothing more, lets what runs end within so many milliseconds, gives the rest back, and leaves. Again: sooner. */
  drain(now: number, timeoutMs: number): void {
    this.#drainUntil = this.draining ? Math.min(this.#drainUntil, now + timeoutMs) : now + timeoutMs;
    this.draining = true;
    this.#windUp(now);
  }

  /** What comes by the clock alone. Whether the call must be broken off. */
  tick(now: number): boolean {
    if (this.draining) {
      this.#windUp(now);
    }
    switch (this.#phase) {
      case "greeting":
        return now >= this.#heardAt + (this.draining ? SETTLE_MS : this.#leaseMs);
      case "working":
        return now >= this.#heardAt + this.#leaseMs;
      case "leaving":
        return now >= this.#endUntil;
      default:
        return false;
    }
  }

  /** Milliseconds after which `tick` or `nextRequest` is due, if nothing happens before. */
  idleMs(now: number): number {
    const times = [this.#heardAt + this.#leaseMs];
    if (this.#phase === "working") {
      times.push(now + this.#silenceMs(now));
    }
    if (this.draining) {
      times.push(this.#heardAt + SETTLE_MS, this.#drainUntil, this.#drainUntil + SETTLE_MS, this.#endUntil);
    }
    return Math.min(SETTLE_MS, ...times.map((time) => time - now).filter((time) => time > 0));
  }

  /** What there is to send, all in one; undefined for nothing now: ask again later, or when something has happened. */
  nextRequest(now: number): WorkRequest | undefined {
    const request = this.#compose(now);
    if (request !== undefined) {
      this.#spokeAt = now;
    }
    return request;
  }

  #compose(now: number): WorkRequest | undefined {
    if (this.#helloDue) {
      this.#helloDue = false;
      return this.#greeting();
    }
    if (this.#leaveDue) {
      this.#leaveDue = false;
      return create(WorkRequestSchema, { leave: true });
    }
    if (this.#phase !== "working") {
      return undefined;
    }
    const request = create(WorkRequestSchema);
    const offer = this.#offer();
    if (offer !== this.#offered) {
      request.slots = this.#offered = offer;
    }
    this.#speak(request);
    const empty = request.slots === undefined && request.reports.length === 0 && request.finishes.length === 0;
    return empty && this.#silenceMs(now) > 0 ? undefined : request;
  }

  /** For how many milliseconds there may be nothing to send. */
  #silenceMs(now: number): number {
    return this.#spokeAt + Math.min(this.#leaseMs / 4, LONGEST_SILENCE_MS) - now;
  }

  #greeting(): WorkRequest {
    const held = [...this.#attempts.values()].map(({ lease }) => lease);
    const request = create(WorkRequestSchema, { hello: { ...this.#hello, held } });
    if (held.length === 0) {
      // Else the server would give new jobs the slots of those that it does not know as ours any more.
      request.slots = this.#offered = this.#offer();
    }
    return request;
  }

  #offer(): number {
    return this.draining ? 0 : Math.max(0, this.#slots - this.#lost.size);
  }

  #speak(request: WorkRequest): void {
    const speakers = this.#speakers;
    this.#speakers = new Set();
    let size = 0;
    for (const id of speakers) {
      const attempt = this.#attempts.get(id);
      if (attempt === undefined) {
        continue;
      }
      if (size >= REQUEST_BYTES) {
        this.#speakers.add(id);
        continue;
      }
      if (attempt.announced && !attempt.reporting) {
        // Not before the last report is taken: until then the function keeps it, and waits where it is much.
        attempt.announced = false;
        attempt.keep(this.#functions.take(attempt.lease));
      }
      size += attempt.speak(request);
      if (attempt.canFinish) {
        // In the next request, so that nobody reads it before the report.
        this.#speakers.add(id);
      }
    }
  }

  #welcomed(welcome: Welcome): void {
    this.#phase = "working";
    const leaseMs = welcome.lease === undefined ? 0 : milliseconds(welcome.lease);
    this.#leaseMs = leaseMs > 0 ? leaseMs : FIRST_LEASE_MS;
    this.#limits = { result: Number(welcome.maxResultBytes), output: Number(welcome.maxOutputBytes) };
    const kept = new Set(welcome.held.map(key));
    for (const [id, attempt] of this.#attempts) {
      if (kept.has(id)) {
        attempt.repeat();
        this.#speakers.add(id);
      } else {
        this.#lose(id);
      }
    }
  }

  #assigned({ lease, job, timeLeft }: Assignment): void {
    if (lease === undefined || job === undefined) {
      return;
    }
    const id = key(lease);
    const attempt = new Attempt(lease, job.outputSize);
    this.#attempts.set(id, attempt);
    if (this.draining || this.#running.size >= this.#slots) {
      // It was sent before the server knew better: there is no slot for it any more.
      this.#give(id, attempt);
      return;
    }
    this.#running.add(id);
    this.#functions.start(lease, job, timeLeft, this.#limits);
  }

  #stopped(id: string, reason: StopReason): void {
    if (reason === StopReason.LOST) {
      this.#lose(id);
      return;
    }
    const attempt = this.#attempts.get(id);
    if (attempt !== undefined && this.#running.has(id)) {
      this.#functions.stop(attempt.lease);
    }
  }

  #settled(id: string): void {
    if (this.#attempts.get(id)?.finished) {
      this.#attempts.delete(id);
    }
  }

  /** Nothing that is said of it counts any more; while its function runs it takes up a slot all the same. */
  #lose(id: string): void {
    const attempt = this.#attempts.get(id);
    if (attempt === undefined) {
      return;
    }
    this.#attempts.delete(id);
    if (this.#running.has(id)) {
      this.#lost.add(id);
      this.#functions.stop(attempt.lease);
    }
  }

  /** One step after the other, towards the end. */
  #windUp(now: number): void {
    if (now >= this.#drainUntil) {
      this.#release();
    }
    if (this.#attempts.size > 0 && now < this.#drainUntil + SETTLE_MS) {
      return;
    }
    if (this.#phase === "working") {
      this.#phase = "leaving";
      this.#leaveDue = true;
      this.#endUntil = now + SETTLE_MS;
    } else if (this.#phase === "away") {
      this.#phase = "left";
    }
  }

  /** Gives back what has not ended by now. */
  #release(): void {
    for (const [id, attempt] of this.#attempts) {
      if (!attempt.finished) {
        attempt.keep(this.#functions.take(attempt.lease));
        this.#give(id, attempt);
        this.#functions.stop(attempt.lease);
      }
    }
  }

  #give(id: string, attempt: Attempt): void {
    attempt.end({ case: "released", value: {} });
    this.#speakers.add(id);
  }
}

/** All that may be much in a message: where thousands fail at once, their error messages alone are more than servers take. */
function size(message: Report | Finish): number {
  const bytes = message.output.length + Buffer.byteLength(message.progress?.message ?? "");
  const outcome = "outcome" in message ? message.outcome : undefined;
  switch (outcome?.case) {
    case "succeeded":
      return bytes + (outcome.value.result?.data.length ?? 0);
    case "failed":
      return bytes + Buffer.byteLength(outcome.value.message);
    default:
      return bytes;
  }
}

function key(lease: Lease | undefined): string {
  return `${lease?.jobId ?? ""}/${lease?.fence ?? 0n}`;
}
