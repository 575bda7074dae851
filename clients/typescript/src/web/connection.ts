/** Calls over `fetch`. */

import {
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";

import { type Call, type Caller, type CallOptions, callTimeout, REPEAT, REPEATED_METHODS } from "../caller.js";
import { SlotdError } from "../errors.js";
import { type Backoff, backoffDelay, Outage } from "../outage.js";
import { pauseOnClock } from "../streams.js";
import { JobService } from "../v1.js";
import { Messages } from "./messages.js";
import { envelope, methodUrl, PROTOCOL_HEADERS, refusal, STREAM_TYPE, UNARY_TYPE } from "./protocol.js";
import { renewToken, tokenHeaders } from "./token.js";

// A stream with nothing to say has a heartbeat each 15 s. One that missed three hangs on a connection that has gone.
const SILENCE_MS = 45_000;
const HEARTBEAT_METHODS: ReadonlySet<DescMethod> = new Set([JobService.method.stream]);

/** How a client reaches its service. */
export interface ConnectionOptions {
  /** Where the service answers, as in `http://127.0.0.1:7480`; the page's own origin by default. */
  baseUrl?: string | undefined;
  /** Milliseconds for a unary call; 30 seconds by default, Infinity for no limit. */
  callTimeoutMs?: number | undefined;
  /** Sent with every call. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** How streams and waits try again after a cut. */
  reconnect?: Backoff | undefined;
}

/** The calls of one client on their way to one service. */
export class Connection implements Caller {
  readonly address: string;

  readonly #headers: Readonly<Record<string, string>>;
  readonly #callTimeoutMs: number | undefined;
  readonly #reconnect: Backoff;
  readonly #closing = new AbortController();

  constructor(options: ConnectionOptions) {
    this.address = options.baseUrl ?? (globalThis as { location?: { origin: string } }).location?.origin ?? "";
    this.#headers = options.headers ?? {};
    this.#callTimeoutMs = options.callTimeoutMs;
    this.#reconnect = options.reconnect ?? {};
  }

  close(): void {
    this.#closing.abort(new SlotdError("the client was closed", { code: "CANCELLED" }));
  }

  outage(): Outage {
    // `fetch` does not tell a service that was never there from one that has gone; the page, at least, came from it.
    return new Outage(this.#reconnect, true);
  }

  async unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    { signal, callTimeoutMs }: CallOptions = {},
  ): Promise<MessageShape<O>> {
    const bytes = serialized(method.input, request);
    const end = performance.now() + callTimeout(method, callTimeoutMs, this.#callTimeoutMs);
    let failures = 0;
    let renewed = false;
    for (;;) {
      try {
        return fromBinary(method.output, await this.#unaryOnce(method, bytes, end - performance.now(), signal));
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof SlotdError)) {
          throw error;
        }
        if (error.reason === "TOKEN_REQUIRED" && !renewed) {
          renewed = true;
          await this.#renewToken(error);
          continue;
        }
        failures += 1;
        const delay = backoffDelay(REPEAT, failures, Math.random());
        const repeat = error.code === "UNAVAILABLE" && REPEATED_METHODS.has(method) && failures < REPEAT.tries;
        if (!repeat || performance.now() + delay >= end) {
          throw error;
        }
        await pauseOnClock(delay, signal);
      }
    }
  }

  serverStream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
  ): Call<MessageShape<O>> {
    const cancel = new AbortController();
    return new Messages({
      cancel,
      silenceMs: HEARTBEAT_METHODS.has(method) ? SILENCE_MS : Infinity,
      answer: this.#post(method, STREAM_TYPE, envelope(serialized(method.input, request)), [cancel.signal]),
      decode: (bytes) => fromBinary(method.output, bytes),
      failed: (error) => this.#failed(error),
    });
  }

  async #unaryOnce(
    method: DescMethod,
    bytes: Uint8Array<ArrayBuffer>,
    limitMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    const timeout = Number.isFinite(limitMs) ? [AbortSignal.timeout(Math.max(1, Math.ceil(limitMs)))] : [];
    const answer = await this.#post(method, UNARY_TYPE, bytes, signal ? [signal, ...timeout] : timeout);
    try {
      return new Uint8Array(await answer.arrayBuffer());
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** The answer, whose body has not been read. Rejects with SlotdError, also for an answer that is a refusal. */
  async #post(
    method: DescMethod,
    type: string,
    body: Uint8Array<ArrayBuffer>,
    signals: readonly AbortSignal[],
  ): Promise<Response> {
    try {
      const answer = await fetch(methodUrl(this.address, method), {
        method: "POST",
        headers: { ...this.#headers, ...tokenHeaders(), ...PROTOCOL_HEADERS, "Content-Type": type },
        body,
        signal: AbortSignal.any([...signals, this.#closing.signal]),
        redirect: "error",
      });
      if (answer.ok) {
        return answer;
      }
      throw refusal(await answer.text(), answer.status);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  async #renewToken(refused: SlotdError): Promise<void> {
    await renewToken(this.address).catch(() => {
      throw refused;
    });
  }

  /** What a call was cut off by, as a SlotdError. */
  #failed(error: unknown): SlotdError {
    if (error instanceof SlotdError) {
      return error;
    }
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    switch (name) {
      case "TimeoutError":
        return new SlotdError("the call took too long", { code: "DEADLINE_EXCEEDED", cause: error });
      case "AbortError":
        return new SlotdError("the call was cancelled", { code: "CANCELLED", cause: error });
      case "TypeError":
        return new SlotdError(`no connection to ${this.address}`, { code: "UNAVAILABLE", cause: error });
      default:
        return new SlotdError(message, { code: "INTERNAL", cause: error });
    }
  }
}

function serialized<Desc extends DescMessage>(schema: Desc, message: MessageInitShape<Desc>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(toBinary(schema, create(schema, message)));
}
