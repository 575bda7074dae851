/** What the driver can be asked for. */

import {
  createRegistry,
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonObject,
  type JsonValue,
  type MessageShape,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import {
  AnySchema,
  BoolValueSchema,
  BytesValueSchema,
  DoubleValueSchema,
  DurationSchema,
  EmptySchema,
  FieldMaskSchema,
  Int64ValueSchema,
  ListValueSchema,
  StringValueSchema,
  StructSchema,
  TimestampSchema,
  ValueSchema,
} from "@bufbuild/protobuf/wkt";
import {
  type CallOptions,
  Client,
  decode,
  type Job,
  JobView,
  SlotdError,
  VERSION,
  Worker,
  type WorkerOptions,
} from "slotd";
import { file_google_rpc_error_details } from "slotd/rpc";
import {
  file_slotd_v1_job,
  file_slotd_v1_job_service,
  file_slotd_v1_queue_service,
  file_slotd_v1_schedule_service,
  file_slotd_v1_worker_service,
  JobEventSchema,
  JobSchema,
  ListRequestSchema,
  ListResponseSchema,
  StreamRequestSchema,
  SubmitBatchResponseSchema,
  SubmitRequestSchema,
  SubmitResponseSchema,
} from "slotd/v1";

import { measureStream, measureSubmits } from "./measure.js";
import { Reading, type Wanted } from "./reading.js";
import { runScript } from "./script.js";

const registry = createRegistry(
  file_google_rpc_error_details,
  file_slotd_v1_job,
  file_slotd_v1_job_service,
  file_slotd_v1_queue_service,
  file_slotd_v1_schedule_service,
  file_slotd_v1_worker_service,
  AnySchema,
  BoolValueSchema,
  BytesValueSchema,
  DoubleValueSchema,
  DurationSchema,
  EmptySchema,
  FieldMaskSchema,
  Int64ValueSchema,
  ListValueSchema,
  StringValueSchema,
  StructSchema,
  TimestampSchema,
  ValueSchema,
);

/** The arguments of one call. */
interface Input {
  [argument: string]: JsonValue | undefined;
  address?: string;
  request?: JsonObject;
  requests?: JsonObject[];
  job_id?: string;
  view?: keyof typeof VIEWS;
  timeout?: number | null;
  force?: boolean;
  stream?: string;
  count?: number | null;
  until?: "synced" | "end" | null;
  offset?: number;
  follow?: boolean;
  type?: string;
  json?: JsonValue;
  seconds?: number | null;
  worker?: string;
  kinds?: string[];
  slots?: number;
  addresses?: string[];
  drain_seconds?: number;
  what?: string;
  calls?: number;
  callers?: number;
  events?: number;
  cursor?: string;
  traceparent?: string;
}

const VIEWS = {
  JOB_VIEW_UNSPECIFIED: JobView.UNSPECIFIED,
  JOB_VIEW_BASIC: JobView.BASIC,
  JOB_VIEW_FULL: JobView.FULL,
};

/** A client, its streams, and the calls that go through them. */
export class Operations {
  readonly #readings = new Map<string, Reading>();
  readonly #workers = new Map<string, Worker>();
  #connected: Client | undefined;
  #callOptions: CallOptions = {};

  readonly #operations: Readonly<Record<string, (input: Input) => JsonValue | Promise<JsonValue>>> = {
    connect: ({ address }) => {
      this.close();
      this.#connected = new Client({ address });
      return { language: "typescript", version: VERSION };
    },
    submit: async ({ request, traceparent }) => {
      const options = { ...this.#callOptions, traceparent };
      return json(SubmitResponseSchema, await this.#client.sendSubmit(message(SubmitRequestSchema, request), options));
    },
    submit_batch: async ({ requests = [] }) => {
      const batch = { requests: requests.map((request) => message(SubmitRequestSchema, request)) };
      return json(SubmitBatchResponseSchema, await this.#client.sendSubmitBatch(batch, this.#callOptions));
    },
    get: async ({ job_id = "", view }) =>
      jobJson(await this.#client.get(job_id, { ...this.#callOptions, view: view && VIEWS[view] })),
    list: async ({ request }) => {
      const { filter, pageSize, view, orderBy } = message(ListRequestSchema, request);
      const pages = this.#client.list(filter, { pageSize, view, orderBy, ...this.#callOptions });
      return { jobs: (await collect(pages)).map(jobJson) };
    },
    list_page: async ({ request }) => {
      const { filter, pageSize, pageToken, view, orderBy } = message(ListRequestSchema, request);
      const options = { pageSize, pageToken, view, orderBy, ...this.#callOptions };
      return json(ListResponseSchema, await this.#client.listPage(filter, options));
    },
    wait: async ({ job_id = "", timeout }) =>
      jobJson(await this.#client.wait(job_id, { timeoutMs: timeout == null ? undefined : timeout * 1000 })),
    cancel: async ({ job_id = "" }) => jobJson(await this.#client.cancel(job_id, this.#callOptions)),
    retry: async ({ job_id = "" }) => jobJson(await this.#client.retry(job_id, this.#callOptions)),
    delete: async ({ job_id = "", force }) => {
      await this.#client.delete(job_id, { force, ...this.#callOptions });
      return {};
    },
    stream_open: ({ stream = "", request }) => {
      const { filter, ...options } = message(StreamRequestSchema, request);
      this.#readings.set(stream, new Reading((onSynced) => this.#client.stream(filter, { ...options, onSynced })));
      return {};
    },
    stream_read: async ({ stream = "", count, until, timeout }) => {
      const wanted: Wanted = { timeoutMs: (timeout ?? 0) * 1000 };
      if (count != null) wanted.count = count;
      if (until != null) wanted.until = until;
      const { events, ...position } = await this.#reading(stream).read(wanted);
      return { events: events.map((event) => json(JobEventSchema, event)), ...position };
    },
    stream_close: ({ stream = "" }) => {
      this.#reading(stream).close();
      this.#readings.delete(stream);
      return {};
    },
    output: async ({ job_id = "", offset, follow, timeout }) => {
      const output = this.#client.readOutput(job_id, { offset, follow, signal: expiry(timeout) });
      const data = Buffer.concat(await collect(output));
      return { data: data.toString("base64"), truncated: output.truncated };
    },
    payload: async ({ job_id = "" }) => {
      const { result } = await this.#client.get(job_id, this.#callOptions);
      return { content_type: result?.contentType ?? "", value: plain(decode(result)) };
    },
    echo_message: ({ type = "", json: value = null }) => {
      const schema = registry.getMessage(type);
      if (schema === undefined) {
        throw new TypeError(`there is no message ${type}`);
      }
      const binary = toBinary(schema, message(schema, value));
      return { json: json(schema, fromBinary(schema, binary)), binary: Buffer.from(binary).toString("base64") };
    },
    measure: ({ what, calls = 1, callers = 1, events = 1, cursor = "" }) => {
      switch (what) {
        case "submit":
          return measureSubmits(this.#client, calls, callers);
        case "stream":
          return measureStream(this.#client, events, cursor);
        default:
          throw new SlotdError(`no way to measure ${String(what)}`, { code: "UNIMPLEMENTED", reason: "DRIVER_CANNOT" });
      }
    },
    worker_start: async ({ worker = "", kinds = [], slots, addresses }) => {
      const address = addresses ?? this.#client.address;
      return { worker_id: await this.#startWorker(worker, kinds, { address, slots }) };
    },
    worker_stop: async ({ worker = "", drain_seconds }) => {
      await this.#workers.get(worker)?.stop(drain_seconds === undefined ? undefined : drain_seconds * 1000);
      this.#workers.delete(worker);
      return {};
    },
    call_timeout: ({ seconds }) => {
      this.#callOptions = seconds == null ? {} : { callTimeoutMs: seconds * 1000 };
      return {};
    },
  };

  /** Resolves to the worker's id once it is connected; rejects where it never will be. */
  #startWorker(name: string, kinds: string[], options: WorkerOptions): Promise<string> {
    return new Promise((resolve, reject) => {
      const worker = new Worker({
        ...options,
        name,
        onConnected: () => {
          resolve(worker.id);
        },
      });
      for (const kind of kinds) {
        worker.handle(kind, runScript);
      }
      this.#workers.set(name, worker);
      worker.run().catch(reject);
    });
  }

  /** Runs one operation. Rejects with SlotdError: UNIMPLEMENTED, reason DRIVER_CANNOT, for one that there is not. */
  async run(op: string, input: JsonObject): Promise<JsonValue> {
    const operation = this.#operations[op];
    if (operation === undefined) {
      throw new SlotdError(`no operation ${op}`, { code: "UNIMPLEMENTED", reason: "DRIVER_CANNOT" });
    }
    return operation(input);
  }

  /** Ends everything. */
  close(): void {
    for (const worker of this.#workers.values()) {
      void worker.stop(0);
    }
    this.#workers.clear();
    this.#connected?.close();
    this.#readings.clear();
    this.#callOptions = {};
  }

  get #client(): Client {
    if (this.#connected === undefined) {
      throw new TypeError("connect comes first");
    }
    return this.#connected;
  }

  #reading(name: string): Reading {
    const reading = this.#readings.get(name);
    if (reading === undefined) {
      throw new TypeError(`there is no stream ${name}`);
    }
    return reading;
  }
}

function message<Desc extends DescMessage>(schema: Desc, value: JsonValue = {}): MessageShape<Desc> {
  return fromJson(schema, value, { registry });
}

function json<Desc extends DescMessage>(schema: Desc, value: MessageShape<Desc>): JsonValue {
  return toJson(schema, value, { registry });
}

function jobJson(job: Job): JsonValue {
  return json(JobSchema, job);
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) {
    collected.push(item);
  }
  return collected;
}

/** A decoded payload in JSON: bytes as base64, nothing as null. */
function plain(value: unknown): JsonValue {
  return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : ((value ?? null) as JsonValue);
}

/** A signal that aborts after so many seconds with what a call that takes too long is refused with. */
function expiry(seconds?: number | null): AbortSignal | undefined {
  if (seconds == null) {
    return undefined;
  }
  const controller = new AbortController();
  setTimeout(() => {
    controller.abort(new SlotdError(`not in ${seconds} s`, { code: "DEADLINE_EXCEEDED" }));
  }, seconds * 1000).unref();
  return controller.signal;
}
