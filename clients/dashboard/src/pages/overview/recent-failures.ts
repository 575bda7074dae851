/** The jobs that failed last: as they were listed, and as the feed tells. */

import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Client, type Job, JobState, type SlotdError } from "slotd/web";

import { asSlotdError } from "../../data/errors";
import type { Changes, Feed } from "../../data/feed";
import { Cell, type Store } from "../../data/store";

// Enough that some are left when those above them have been retried.
const KEPT = 50;

export interface Failures {
  /** Those that failed last come first. */
  readonly jobs: readonly Job[];
  readonly loading: boolean;
  readonly error: SlotdError | undefined;
}

type FailureFeed = Pick<Feed, "ready" | "onChanges" | "onRestart" | "connection">;

export class RecentFailures implements Store<Failures> {
  readonly #client: Pick<Client, "listPage">;
  readonly #feed: FailureFeed;
  readonly #failures = new Cell<Failures>({ jobs: [], loading: true, error: undefined }, () => this.#open());
  #closing = new AbortController();

  constructor(client: Pick<Client, "listPage">, feed: FailureFeed) {
    this.#client = client;
    this.#feed = feed;
  }

  readonly subscribe = this.#failures.subscribe;

  readonly read = this.#failures.read;

  /** Lists them anew. */
  readonly refresh = async (): Promise<void> => {
    const { signal } = this.#closing;
    try {
      await this.#feed.ready();
      const filter = { states: [JobState.FAILED] };
      const { jobs } = await this.#client.listPage(filter, { pageSize: KEPT, signal });
      // What the feed has told meanwhile is newer than what was listed.
      const told = new Map(this.read().jobs.map((job) => [job.id, job]));
      const all = [...told.values(), ...jobs.filter(({ id }) => !told.has(id))];
      this.#failures.set({ jobs: newest(all), loading: false, error: undefined });
    } catch (error) {
      if (!signal.aborted) {
        this.#failures.set({ ...this.read(), loading: false, error: asSlotdError(error) });
      }
    }
  };

  #open(): () => void {
    const closing = new AbortController();
    this.#closing = closing;
    const stops = [
      this.#feed.onChanges((changes) => this.#apply(changes)),
      this.#feed.onRestart(() => {
        this.#failures.set({ jobs: [], loading: true, error: undefined });
        void this.refresh();
      }),
      this.#feed.connection.subscribe(() => {
        if (this.#feed.connection.read().state === "connected" && this.read().error) {
          void this.refresh();
        }
      }),
    ];
    void this.refresh();
    return () => {
      closing.abort();
      stops.forEach((stop) => stop());
    };
  }

  #apply({ changed, deleted }: Changes): void {
    const before = this.read();
    const kept = before.jobs.filter(({ id }) => !changed.has(id) && !deleted.has(id));
    const failed = [...changed.values()].filter(({ state }) => state === JobState.FAILED);
    if (failed.length > 0 || kept.length < before.jobs.length) {
      this.#failures.set({ ...before, jobs: newest([...kept, ...failed]) });
    }
  }
}

function newest(jobs: Job[]): readonly Job[] {
  return jobs.sort((a, b) => endedMs(b) - endedMs(a)).slice(0, KEPT);
}

function endedMs({ endTime }: Job): number {
  return endTime ? timestampMs(endTime) : 0;
}
