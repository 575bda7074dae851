/** A service made for one test: its jobs, and a stream that is fed, cut and refused by hand. */

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type EventStream, EventType, type Filter, type Job, JobState, SlotdError } from "slotd/web";
import { AttemptSchema, type JobEvent, JobEventSchema, JobSchema, JobSpecSchema, ListResponseSchema } from "slotd/v1";

import { Feed, type FeedClient, type Schedule } from "../src/data/feed";

/** What a test says of a job. */
type JobFields = Partial<
  Pick<Job, "state" | "attempt" | "schedule" | "createTime" | "startTime" | "endTime" | "revision">
> & {
  attempts?: MessageInitShape<typeof AttemptSchema>[];
  spec?: Omit<MessageInitShape<typeof JobSpecSchema>, "$typeName">;
};

/** A job of number `n`: higher ones are newer. */
export function job(n: number, { spec, ...fields }: JobFields = {}): Job {
  return create(JobSchema, {
    id: `01900000-0000-7000-8000-${String(n).padStart(12, "0")}`,
    state: JobState.QUEUED,
    createTime: timestampFromMs(1_700_000_000_000 + n),
    revision: BigInt(n),
    ...fields,
    spec: create(JobSpecSchema, { kind: "noop", queue: "default", ...spec }),
  });
}

/** The same job later. */
export function changed(before: Job, state: JobState, revision: number): Job {
  return { ...before, state, revision: BigInt(revision) };
}

/** An event of a job as it is now. */
export function event(of: Job, type = EventType.CHANGED, previousState = JobState.UNSPECIFIED): JobEvent {
  const time = timestampFromMs(Date.now());
  return create(JobEventSchema, { type, job: of, revision: of.revision, previousState, time });
}

type StreamOptions = Parameters<FeedClient["stream"]>[1] & object;

/** One stream that was asked for. */
export class FakeStream {
  readonly options: StreamOptions;
  cursor: string;
  readonly #events: JobEvent[] = [];
  #end: { error?: SlotdError } | undefined;
  #wake: () => void = () => undefined;

  constructor(options: StreamOptions) {
    this.options = options;
    this.cursor = options.cursor ?? "";
    options.signal?.addEventListener("abort", () => this.close());
    if (options.signal?.aborted) {
      this.close();
    }
  }

  /** Sends events, and moves the cursor behind them. */
  async send(...events: JobEvent[]): Promise<void> {
    this.#events.push(...events);
    await this.#settle();
  }

  async fail(reason: string, code: "OUT_OF_RANGE" | "UNAVAILABLE" = "OUT_OF_RANGE"): Promise<void> {
    this.#end = { error: new SlotdError("no", { code, reason }) };
    await this.#settle();
  }

  close(): void {
    this.#end ??= {};
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<JobEvent> {
    for (;;) {
      for (let next = this.#events.shift(); next; next = this.#events.shift()) {
        this.cursor = `after ${next.revision}`;
        yield next;
      }
      if (this.#end) {
        if (this.#end.error) {
          throw this.#end.error;
        }
        return;
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async #settle(): Promise<void> {
    this.#wake();
    await settled();
  }
}

/** Until all that follows from what has happened has happened, as far as it needs no time. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

export class FakeService {
  readonly streams: FakeStream[] = [];
  readonly listed: { filter: Filter; pageToken: string | undefined; orderBy: string | undefined }[] = [];
  /** Newest first. */
  jobs: Job[] = [];
  cursor = "start";
  /** Answers to List are held back until `release`. */
  held: (() => void)[] | undefined;

  readonly client: FeedClient = {
    listPage: async (filter = {}, { pageSize = 50, pageToken = "", orderBy } = {}) => {
      this.listed.push({ filter, pageToken, orderBy });
      const start = Number(pageToken || 0);
      const jobs = this.jobs.slice(start, start + pageSize);
      const nextPageToken = start + pageSize < this.jobs.length ? String(start + pageSize) : "";
      const answer = create(ListResponseSchema, { jobs, nextPageToken, cursor: this.cursor });
      if (this.held && pageSize > 1) {
        await new Promise<void>((resolve) => this.held?.push(resolve));
      }
      return answer;
    },
    stream: (_filter, options = {}) => {
      const stream = new FakeStream(options);
      this.streams.push(stream);
      return stream as unknown as EventStream;
    },
  };

  /** The stream that was asked for last. */
  get stream(): FakeStream {
    const stream = this.streams.at(-1);
    if (!stream) {
      throw new Error("no stream was asked for");
    }
    return stream;
  }

  async release(): Promise<void> {
    const held = this.held ?? [];
    this.held = undefined;
    held.forEach((resolve) => resolve());
    await settled();
  }
}

/** Frames that are drawn when the test says so. */
export class Frames {
  #waiting: (() => void)[] = [];

  readonly schedule: Schedule = (apply) => {
    this.#waiting.push(apply);
  };

  get asked(): number {
    return this.#waiting.length;
  }

  draw(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    waiting.forEach((apply) => apply());
  }
}

/** A feed that runs on a service. */
export async function feedOf(service: FakeService, frames: Frames): Promise<Feed> {
  const feed = new Feed(service.client, frames.schedule);
  void feed.run();
  await settled();
  return feed;
}
