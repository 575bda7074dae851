/** One job with everything in it, kept as it is now. */

import type { Client, Job, SlotdError } from "slotd/web";

import { asSlotdError } from "./errors";
import type { Changes, Feed } from "./feed";
import { Cell, type Store } from "./store";

/** What is known of a job. */
export interface JobNow {
  /** The job with its payload and, once there is one, its result; undefined before it has come. */
  readonly job: Job | undefined;
  /** It is gone; `job` is the last copy. */
  readonly deleted: boolean;
  /** Why it could not be had: NOT_FOUND, say. */
  readonly error: SlotdError | undefined;
}

export class JobDetail implements Store<JobNow> {
  readonly #client: Pick<Client, "get">;
  readonly #feed: Feed;
  readonly #id: string;
  readonly #now: Cell<JobNow>;
  #signal = AbortSignal.abort();
  #getting = false;
  #stale = false;

  /** It asks with its first subscriber; `known` is shown until the answer comes. */
  constructor(client: Pick<Client, "get">, feed: Feed, id: string, known?: Job) {
    this.#client = client;
    this.#feed = feed;
    this.#id = id;
    this.#now = new Cell<JobNow>({ job: known, deleted: false, error: undefined }, () => this.#open());
    this.subscribe = this.#now.subscribe;
    this.read = this.#now.read;
  }

  readonly subscribe: Store<JobNow>["subscribe"];

  readonly read: Store<JobNow>["read"];

  #open(): () => void {
    const closing = new AbortController();
    this.#signal = closing.signal;
    const stops = [
      this.#feed.onChanges((changes) => this.#apply(changes)),
      this.#feed.onRestart(() => void this.#get()),
      this.#feed.connection.subscribe(() => this.#recover()),
    ];
    void this.#get();
    return () => {
      closing.abort();
      stops.forEach((stop) => stop());
    };
  }

  async #get(): Promise<void> {
    if (this.#getting) {
      this.#stale = true;
      return;
    }
    const signal = this.#signal;
    this.#getting = true;
    try {
      await this.#feed.ready();
      const job = await this.#client.get(this.#id, { signal });
      if (!this.read().deleted) {
        this.#now.set({ job: this.#newer(job), deleted: false, error: undefined });
      }
    } catch (error) {
      if (!signal.aborted) {
        this.#now.set({ ...this.read(), error: asSlotdError(error) });
      }
    }
    this.#getting = false;
    if (this.#stale) {
      this.#stale = false;
      await this.#get();
    }
  }

  /** The whole job, or what the feed has told of it meanwhile together with the whole job's data. */
  #newer(whole: Job): Job {
    const { job } = this.read();
    return job && job.revision > whole.revision ? withData(job, whole) : whole;
  }

  #apply(changes: Changes): void {
    const { job } = this.read();
    if (changes.deleted.has(this.#id)) {
      this.#now.set({ ...this.read(), deleted: true });
      return;
    }
    const changed = changes.changed.get(this.#id);
    if (!changed || (job?.revision ?? -1n) >= changed.revision) {
      return;
    }
    this.#now.set({ job: job ? withData(changed, job) : changed, deleted: false, error: undefined });
    if (changed.result?.data.length === 0) {
      // The feed leaves its data out.
      void this.#get();
    }
  }

  #recover(): void {
    if (this.#feed.connection.read().state === "connected" && this.read().error?.code === "UNAVAILABLE") {
      void this.#get();
    }
  }
}

/** The newer copy with the payload, which never changes, and the result, where it is still the same, of the older. */
function withData(newer: Job, older: Job): Job {
  const spec = newer.spec && { ...newer.spec, payload: older.spec?.payload ?? newer.spec.payload };
  const sameRun = newer.endTime?.seconds === older.endTime?.seconds && newer.endTime?.nanos === older.endTime?.nanos;
  return { ...newer, spec, result: newer.result && sameRun ? older.result : newer.result };
}
