/** The messages of a stream, read off the body of its answer. */

import type { Call } from "../caller.js";
import { SlotdError } from "../errors.js";
import { Parts } from "./protocol.js";

/** A stream that has been asked for. */
export interface Source<Answer> {
  /** Ends the call. */
  cancel: AbortController;
  /** Milliseconds without anything after which the connection is taken for gone; Infinity for never. */
  silenceMs: number;
  /** Rejects with SlotdError. */
  answer: Promise<Response>;
  decode: (bytes: Uint8Array) => Answer;
  /** What the connection makes of a failed read. */
  failed: (error: unknown) => SlotdError;
}

/** The messages in the order of their arrival, then the end. The network is held up while nobody reads. */
export class Messages<Answer> implements Call<Answer> {
  readonly #source: Source<Answer>;
  readonly #messages: AsyncGenerator<Answer, undefined>;

  constructor(source: Source<Answer>) {
    this.#source = source;
    this.#messages = this.#receive();
    // Whoever reads hears of a call that failed at once; maybe nobody ever reads.
    source.answer.catch(() => undefined);
  }

  async read(): Promise<Answer | undefined> {
    return (await this.#messages.next()).value;
  }

  cancel(): void {
    this.#source.cancel.abort();
  }

  async *#receive(): AsyncGenerator<Answer, undefined> {
    const answer = await this.#heard(this.#source.answer);
    const body = (answer.body as ReadableStream<Uint8Array> | null)?.getReader();
    const parts = new Parts();
    for (;;) {
      const piece = body && (await this.#heard(body.read()));
      if (piece?.value === undefined) {
        throw new SlotdError("the stream broke off", { code: "UNAVAILABLE" });
      }
      for (const part of parts.take(piece.value)) {
        if ("end" in part) {
          if (part.error) {
            throw part.error;
          }
          return undefined;
        }
        yield this.#source.decode(part.message);
      }
    }
  }

  /** Waits, but not for ever. */
  async #heard<Value>(waited: Promise<Value>): Promise<Value> {
    const { cancel, silenceMs, failed } = this.#source;
    const silence = new SlotdError(`nothing heard for ${silenceMs / 1000} s`, { code: "UNAVAILABLE" });
    const watch = Number.isFinite(silenceMs)
      ? setTimeout(() => {
          cancel.abort(silence);
        }, silenceMs)
      : undefined;
    try {
      return await waited;
    } catch (error) {
      throw cancel.signal.reason === silence ? silence : failed(error);
    } finally {
      clearTimeout(watch);
    }
  }
}
