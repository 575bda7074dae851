/** The rows of one table of jobs: pages as they were listed, kept right by what the feed tells. */

import type { Client, Job, SlotdError } from "slotd/web";

import { asSlotdError } from "./errors";
import type { Changes, Feed } from "./feed";
import { filterOf, type JobQuery, matches, order } from "./job-query";
import { Cell, type Store } from "./store";

const PAGE_SIZE = 100;

/** Rows that a table holds at most; who wants to see more narrows the filter. */
export const MAX_ROWS = 10_000;

// New jobs are counted so far while they are held back.
const MAX_FRESH = 1_000;

/** What a table of jobs shows. */
export interface JobRows {
  readonly jobs: readonly Job[];
  /** The first page is on its way, and there is nothing older to show. */
  readonly loading: boolean;
  /** There are more, which `loadMore` gets. */
  readonly more: boolean;
  /** So many rows as a table may have. */
  readonly full: boolean;
  /** New jobs that are held back so that the rows don't move; 1,000 means: or more. */
  readonly fresh: number;
  /** Why the last page could not be had. */
  readonly error: SlotdError | undefined;
}

/** What happened while a page was on its way, in which it may not be yet. */
interface Meanwhile {
  readonly changed: Map<string, Job>;
  readonly deleted: Set<string>;
}

export class JobList implements Store<JobRows> {
  readonly #client: Pick<Client, "listPage">;
  readonly #feed: Feed;
  readonly #query: JobQuery;
  readonly #rows = new Cell<JobRows>(
    { jobs: [], loading: true, more: false, full: false, fresh: 0, error: undefined },
    () => this.#open(),
  );
  readonly #byId = new Map<string, Job>();
  readonly #fresh = new Set<string>();
  #closing = new AbortController();
  #listed = false;
  #pageToken = "";
  #meanwhile: Meanwhile | undefined;
  #held = false;
  #stale = false;

  /** It begins to load with its first subscriber. */
  constructor(client: Pick<Client, "listPage">, feed: Feed, query: JobQuery) {
    this.#client = client;
    this.#feed = feed;
    this.#query = query;
  }

  readonly subscribe = this.#rows.subscribe;

  readonly read = this.#rows.read;

  /** Lists the first page anew. */
  async refresh(): Promise<void> {
    if (this.#meanwhile) {
      this.#stale = true;
      return;
    }
    await this.#load("", () => {
      this.#byId.clear();
      this.#fresh.clear();
    });
  }

  /** Lists the next page. */
  async loadMore(): Promise<void> {
    const { more, full } = this.read();
    if (more && !full && !this.#meanwhile) {
      await this.#load(this.#pageToken);
    }
  }

  /** While somebody reads or has chosen rows, new jobs are only counted; they come in afterwards. */
  hold(held: boolean): void {
    this.#held = held;
    if (!held && this.#fresh.size > 0) {
      void this.refresh();
    }
  }

  #open(): () => void {
    const closing = new AbortController();
    this.#closing = closing;
    const stops = [
      this.#feed.onChanges((changes) => this.#apply(changes)),
      this.#feed.onRestart(() => void this.refresh()),
      this.#feed.connection.subscribe(() => this.#recover()),
    ];
    void this.refresh();
    return () => {
      closing.abort();
      stops.forEach((stop) => stop());
    };
  }

  async #load(pageToken: string, clear: () => void = () => undefined): Promise<void> {
    const { signal } = this.#closing;
    const meanwhile: Meanwhile = { changed: new Map(), deleted: new Set() };
    this.#meanwhile = meanwhile;
    try {
      await this.#feed.ready();
      const page = await this.#client.listPage(filterOf(this.#query), {
        pageSize: PAGE_SIZE,
        pageToken,
        orderBy: this.#query.oldestFirst ? "create_time" : "create_time desc",
        signal,
      });
      this.#pageToken = page.nextPageToken;
      clear();
      this.#add(page.jobs);
      this.#listed = true;
      this.#publish({ error: undefined });
      this.#meanwhile = undefined;
      this.#apply(meanwhile);
    } catch (error) {
      this.#meanwhile = undefined;
      if (!signal.aborted) {
        this.#rows.set({ ...this.read(), loading: false, error: asSlotdError(error) });
      }
    }
    if (this.#stale) {
      this.#stale = false;
      await this.refresh();
    }
  }

  /** What could not be had for want of a service is had once it is there again. */
  #recover(): void {
    if (this.#feed.connection.read().state === "connected" && this.read().error?.code === "UNAVAILABLE") {
      void (this.read().jobs.length === 0 ? this.refresh() : this.loadMore());
    }
  }

  #add(page: readonly Job[]): void {
    for (const job of page) {
      if ((this.#byId.get(job.id)?.revision ?? -1n) < job.revision) {
        this.#byId.set(job.id, job);
      }
    }
  }

  #apply(changes: Changes): void {
    if (this.#meanwhile) {
      remember(this.#meanwhile, changes);
    }
    let touched = false;
    for (const id of changes.deleted) {
      touched = this.#remove(id) || touched;
    }
    for (const job of changes.changed.values()) {
      touched = this.#update(job) || touched;
    }
    if (touched) {
      this.#publish({});
    }
    if (!this.#held && this.#byId.size > MAX_ROWS) {
      void this.refresh();
    }
  }

  #remove(id: string): boolean {
    const wasFresh = this.#fresh.delete(id);
    return this.#byId.delete(id) || wasFresh;
  }

  /** Whether that changes what is shown. */
  #update(job: Job): boolean {
    const known = this.#byId.get(job.id);
    if (known && known.revision >= job.revision) {
      return false;
    }
    if (!matches(this.#query, job)) {
      return this.#remove(job.id);
    }
    if (!known && !(this.#listed && this.#isInView(job))) {
      return false;
    }
    if (!known && this.#held && this.#comesFirst(job)) {
      if (this.#fresh.size < MAX_FRESH) {
        this.#fresh.add(job.id);
      }
      return true;
    }
    this.#byId.set(job.id, job);
    return true;
  }

  /** Whether a job belongs among what has been listed so far, and not below it. */
  #isInView(job: Job): boolean {
    const last = this.read().jobs.at(-1);
    return this.#pageToken === "" || (last !== undefined && order(this.#query, job, last) < 0);
  }

  #comesFirst(job: Job): boolean {
    const first = this.read().jobs[0];
    return first !== undefined && order(this.#query, job, first) < 0;
  }

  #publish(changed: Partial<JobRows>): void {
    const jobs = sorted(this.#query, this.read().jobs, this.#byId);
    this.#rows.set({
      jobs,
      loading: false,
      more: this.#pageToken !== "",
      full: jobs.length >= MAX_ROWS,
      fresh: this.#fresh.size,
      error: this.read().error,
      ...changed,
    });
  }
}

/** The jobs in order. What was in order before stays so: a job's time of creation does not change. */
function sorted(query: JobQuery, before: readonly Job[], byId: ReadonlyMap<string, Job>): readonly Job[] {
  const kept: Job[] = [];
  const seen = new Set<string>();
  for (const { id } of before) {
    const job = byId.get(id);
    if (job) {
      kept.push(job);
      seen.add(id);
    }
  }
  const added = [...byId.values()].filter((job) => !seen.has(job.id)).sort((a, b) => order(query, a, b));
  return added.length === 0 ? kept : merged(query, added, kept);
}

function merged(query: JobQuery, some: readonly Job[], others: readonly Job[]): Job[] {
  const all: Job[] = [];
  let next = 0;
  for (const job of some) {
    for (let other = others[next]; other && order(query, other, job) < 0; other = others[next]) {
      all.push(other);
      next += 1;
    }
    all.push(job);
  }
  return all.concat(others.slice(next));
}

function remember(meanwhile: Meanwhile, changes: Changes): void {
  for (const job of changes.changed.values()) {
    meanwhile.changed.set(job.id, job);
  }
  for (const id of changes.deleted) {
    meanwhile.changed.delete(id);
    meanwhile.deleted.add(id);
  }
}
