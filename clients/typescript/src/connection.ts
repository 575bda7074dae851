/** One channel to one service: protobuf-es messages over grpc-js, and what is known of the peer. */

import {
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodBiDiStreaming,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import {
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  type ClientReadableStream,
  credentials as grpcCredentials,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";

import { type Call, type Caller, type CallOptions, callTimeout } from "./caller.js";
import { channelOptions, checkAddress, defaultAddress } from "./channel.js";
import { SlotdError } from "./errors.js";
import { type Backoff, Outage } from "./outage.js";
import { fromServiceError } from "./service-error.js";

// Messages of a stream that wait to be read before the service is held up.
const READ_AHEAD = 16;

/** How a client reaches its service. */
export interface ConnectionOptions {
  /** HOST:PORT or unix:PATH; by default the environment's SLOTD_ADDRESS, else 127.0.0.1:7433. */
  address?: string | undefined;
  /** Milliseconds for a unary call; 30 seconds by default, Infinity for no limit. */
  callTimeoutMs?: number | undefined;
  /** Sent with every call. */
  metadata?: Readonly<Record<string, string | Uint8Array>> | undefined;
  /** Plain text by default. */
  credentials?: ChannelCredentials | undefined;
  /** Options of grpc-js, over the client's own. */
  channelOptions?: ChannelOptions | undefined;
  /** How streams and waits try again after a cut. */
  reconnect?: Backoff | undefined;
}

/** A running call of a method that streams both ways. */
export interface Duplex<Request, Answer> extends Call<Answer> {
  /** Sends a message, or keeps it until it can be sent; nothing where the call is over. */
  send(message: Request): void;
}

/** The calls of one client on their way to one service. */
export class Connection implements Caller {
  readonly address: string;

  readonly #client: Client;
  readonly #metadata: Metadata;
  readonly #callTimeoutMs: number | undefined;
  readonly #reconnect: Backoff;
  readonly #running = new Set<{ cancel(): void }>();
  #reached = false;
  #closed = false;

  /** It connects with the first call. Throws TypeError for a bad address. */
  constructor(options: ConnectionOptions) {
    this.address = options.address ?? defaultAddress();
    checkAddress(this.address);
    const credentials = options.credentials ?? grpcCredentials.createInsecure();
    this.#client = new Client(this.address, credentials, channelOptions(this.address, options.channelOptions));
    this.#metadata = new Metadata();
    for (const [key, value] of Object.entries(options.metadata ?? {})) {
      this.#metadata.add(key, typeof value === "string" ? value : Buffer.from(value));
    }
    this.#callTimeoutMs = options.callTimeoutMs;
    this.#reconnect = options.reconnect ?? {};
  }

  /** Ends all calls, with CANCELLED, and the connection. */
  close(): void {
    this.#closed = true;
    for (const call of this.#running) {
      call.cancel();
    }
    this.#client.close();
  }

  /** A count of failures for one new reader. */
  outage(): Outage {
    return new Outage(this.#reconnect, this.#reached);
  }

  /** Calls a unary method. */
  async unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    { signal, callTimeoutMs, traceparent }: CallOptions = {},
  ): Promise<MessageShape<O>> {
    signal?.throwIfAborted();
    this.#checkOpen();
    const limit = callTimeout(method, callTimeoutMs, this.#callTimeoutMs);
    // Written here, not by grpc-js, which would report a value that does not fit its field as INTERNAL.
    const bytes = serialized(method.input, request);
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(
        path(method),
        asIs,
        (answer) => fromBinary(method.output, answer),
        bytes,
        this.#metadataIn(traceparent),
        Number.isFinite(limit) ? { deadline: Date.now() + limit } : {},
        (error, answer) => {
          this.#running.delete(call);
          signal?.removeEventListener("abort", cancel);
          if (error) {
            // The signal's reason is the caller's own, an Error by default.
            // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
            reject(signal?.aborted ? signal.reason : this.#refused(error));
          } else {
            this.#reached = true;
            resolve(answer as MessageShape<O>);
          }
        },
      );
      const cancel = (): void => {
        call.cancel();
      };
      this.#running.add(call);
      signal?.addEventListener("abort", cancel);
    });
  }

  #metadataIn(traceparent = ""): Metadata {
    if (traceparent === "") {
      return this.#metadata;
    }
    const metadata = this.#metadata.clone();
    metadata.set("traceparent", traceparent);
    return metadata;
  }

  /** Calls a method that streams its answer. */
  serverStream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
  ): Call<MessageShape<O>> {
    this.#checkOpen();
    const call = this.#client.makeServerStreamRequest(
      path(method),
      asIs,
      (answer) => fromBinary(method.output, answer),
      serialized(method.input, request),
      this.#metadata,
    );
    return this.#messages(call);
  }

  /** Calls a method that streams both ways. */
  duplex<I extends DescMessage, O extends DescMessage>(
    method: DescMethodBiDiStreaming<I, O>,
  ): Duplex<MessageInitShape<I>, MessageShape<O>> {
    this.#checkOpen();
    const call = this.#client.makeBidiStreamRequest(
      path(method),
      asIs,
      (answer) => fromBinary(method.output, answer),
      this.#metadata,
    );
    const messages = this.#messages(call);
    return {
      read: () => messages.read(),
      cancel: () => {
        messages.cancel();
      },
      send: (message) => {
        call.write(serialized(method.input, message));
      },
    };
  }

  #messages<Answer>(call: ClientReadableStream<Answer>): Messages<Answer> {
    const messages = new Messages(call, {
      answered: () => {
        this.#reached = true;
      },
      refused: (error) => this.#refused(error),
      over: () => this.#running.delete(messages),
    });
    this.#running.add(messages);
    return messages;
  }

  #refused(error: ServiceError): SlotdError {
    const refused = fromServiceError(error, this.address);
    if (refused.connected) {
      this.#reached = true;
    }
    return refused;
  }

  #checkOpen(): void {
    if (this.#closed) {
      throw new SlotdError("the client was closed", { code: "CANCELLED" });
    }
  }
}

/** What a stream of messages tells its connection. */
interface Observer {
  answered(): void;
  refused(error: ServiceError): SlotdError;
  over(): void;
}

/**
 * The messages of a call in the order of their arrival, then its end.
 *
 * Node's own iterator over a stream would do, but for two things: it listens only from the first read on, so that an
 * error before that would end the process; and it can't be told to stop while a read waits.
 */
class Messages<Answer> implements Call<Answer> {
  readonly #call: ClientReadableStream<Answer>;
  readonly #waiting: Answer[] = [];
  #end: { error?: SlotdError } | undefined;
  #wake: () => void = () => undefined;

  constructor(call: ClientReadableStream<Answer>, observer: Observer) {
    this.#call = call;
    const over = (end: { error?: SlotdError }): void => {
      this.#end ??= end;
      observer.over();
      this.#wake();
    };
    call.on("data", (message: Answer) => {
      observer.answered();
      this.#waiting.push(message);
      if (this.#waiting.length >= READ_AHEAD) {
        call.pause();
      }
      this.#wake();
    });
    call.on("error", (error: ServiceError) => {
      over({ error: observer.refused(error) });
    });
    call.on("end", () => {
      over({});
    });
  }

  async read(): Promise<Answer | undefined> {
    for (;;) {
      const message = this.#waiting.shift();
      if (message !== undefined) {
        return message;
      }
      if (this.#end) {
        if (this.#end.error) {
          throw this.#end.error;
        }
        return undefined;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#call.resume();
      });
    }
  }

  cancel(): void {
    this.#call.cancel();
  }
}

function path(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function serialized<Desc extends DescMessage>(schema: Desc, message: MessageInitShape<Desc>): Buffer {
  const bytes = toBinary(schema, create(schema, message));
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}
