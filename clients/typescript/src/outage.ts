/** When a cut call is tried again, and after how long: the part of it that does no input or output. */

import type { SlotdError } from "./errors.js";

// How often a service that has never answered is tried before the caller hears that there is none.
const FIRST_TRIES = 4;

/** How a stream, an output or a wait tries again after a cut. */
export interface Backoff {
  /** Milliseconds before the first new try; 100 by default. */
  initialMs?: number | undefined;
  /** No wait is longer, unless the service asks for more; 10 seconds by default. */
  maximumMs?: number | undefined;
  /** Each wait is the one before times this; 2 by default. */
  multiplier?: number | undefined;
  /** Each wait is changed at random by up to this share of itself, so that many don't come at once; 0.5 by default. */
  jitter?: number | undefined;
  /** Milliseconds without any answer after which the error is thrown; by default it goes on for ever. */
  giveUpMs?: number | undefined;
}

/** Where the time and chance of an outage come from. */
export interface Sources {
  /** Milliseconds that never go back. */
  clock: () => number;
  /** A number from 0 to 1. */
  chance: () => number;
}

/** The machine's own. */
export const SYSTEM: Sources = { clock: () => performance.now(), chance: Math.random };

/** Milliseconds to wait after so many failures in a row (from 1); `chance` is from 0 to 1. */
export function backoffDelay(backoff: Backoff, failures: number, chance: number): number {
  const { initialMs = 100, maximumMs = 10_000, multiplier = 2, jitter = 0.5 } = backoff;
  const plain = Math.min(maximumMs, initialMs * multiplier ** (failures - 1));
  return plain * (1 + jitter * (2 * chance - 1));
}

/** One reader's failures in a row: says how long to wait before the next try, or that there shall be none. */
export class Outage {
  readonly #backoff: Backoff;
  readonly #sources: Sources;
  #failures = 0;
  #since = 0;
  #reached: boolean;

  /** `reached`: the service has answered before, so that its being away is taken for a restart. */
  constructor(backoff: Backoff = {}, reached = false, sources: Sources = SYSTEM) {
    this.#backoff = backoff;
    this.#reached = reached;
    this.#sources = sources;
  }

  /** Milliseconds that never go back. */
  now(): number {
    return this.#sources.clock();
  }

  /** The service answered: the next failure is a first one. */
  answered(): void {
    this.#reached = true;
    this.#failures = 0;
  }

  /**
   * Milliseconds to wait before the next try; undefined when the error is the caller's to know. Not to be asked about a
   * call that this side has ended.
   */
  failed(error: SlotdError): number | undefined {
    if (!this.#passes(error)) {
      return undefined;
    }
    if (this.#failures === 0) {
      this.#since = this.now();
    }
    this.#failures += 1;
    if (error.code !== "DEADLINE_EXCEEDED" && error.connected) {
      // A connection that broke, or a service that says it is going: there was one.
      this.#reached = true;
    }
    if (!this.#reached && this.#failures >= FIRST_TRIES) {
      return undefined;
    }
    const { giveUpMs = Infinity } = this.#backoff;
    if (this.now() - this.#since >= giveUpMs) {
      return undefined;
    }
    return Math.max(backoffDelay(this.#backoff, this.#failures, this.#sources.chance()), error.retryAfterMs ?? 0);
  }

  /** Whether the error is one that passes by itself. */
  #passes(error: SlotdError): boolean {
    if (error.code === "RESOURCE_EXHAUSTED") {
      // The service may still count the stream that was cut, until it notices. A message that is too large has no
      // RetryInfo, and would be too large again.
      return this.#reached && error.retryAfterMs !== undefined;
    }
    // A server that stops cancels the calls that it has accepted but not begun.
    return error.code === "UNAVAILABLE" || error.code === "DEADLINE_EXCEEDED" || error.code === "CANCELLED";
  }
}
