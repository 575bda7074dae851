/** What a job waits for and what waits for it, over several steps, kept as it is now. */

import type { Client, Job, SlotdError } from "slotd/web";

import { asSlotdError } from "../../data/errors";
import type { Changes, Feed } from "../../data/feed";
import { Cell, type Store } from "../../data/store";

/** Where one thing waits for another. Both are `jobs/ID` or `groups/NAME`, as in Job.blocked_by. */
export type Edge = readonly [before: string, after: string];

/** What is known of a graph. */
export interface GraphNow {
  /** The jobs by id; undefined for one that is no longer there. */
  readonly jobs: ReadonlyMap<string, Job | undefined>;
  /** Groups that some of them wait for. */
  readonly groups: readonly string[];
  readonly edges: readonly Edge[];
  /** There are more jobs than were asked for. */
  readonly more: boolean;
  readonly loading: boolean;
  readonly error: SlotdError | undefined;
}

// The service takes so many ids at once in a filter on dependencies.
const IDS = 100;

const EMPTY: GraphNow = { jobs: new Map(), groups: [], edges: [], more: false, loading: true, error: undefined };

export class JobGraph implements Store<GraphNow> {
  readonly #client: Pick<Client, "listPage">;
  readonly #feed: Pick<Feed, "ready" | "onChanges" | "onRestart">;
  readonly #id: string;
  readonly #limit: number;
  readonly #now: Cell<GraphNow>;
  #signal = AbortSignal.abort();
  #jobs = new Map<string, Job | undefined>();
  // The job and those after it: what comes to depend on one of these belongs to the graph.
  #after = new Set<string>();
  #more = false;

  /** It asks with its first subscriber, for `limit` jobs at most. */
  constructor(
    client: Pick<Client, "listPage">,
    feed: Pick<Feed, "ready" | "onChanges" | "onRestart">,
    id: string,
    limit: number,
  ) {
    this.#client = client;
    this.#feed = feed;
    this.#id = id;
    this.#limit = limit;
    this.#now = new Cell<GraphNow>(EMPTY, () => this.#open());
    this.subscribe = this.#now.subscribe;
    this.read = this.#now.read;
  }

  readonly subscribe: Store<GraphNow>["subscribe"];

  readonly read: Store<GraphNow>["read"];

  /** Asks again after a failure. */
  readonly retry = (): void => void this.#load();

  #open(): () => void {
    const closing = new AbortController();
    this.#signal = closing.signal;
    const stops = [this.#feed.onChanges((changes) => this.#apply(changes)), this.#feed.onRestart(this.retry)];
    void this.#load();
    return () => {
      closing.abort();
      stops.forEach((stop) => stop());
    };
  }

  async #load(): Promise<void> {
    const signal = this.#signal;
    try {
      await this.#feed.ready();
      const { jobs } = await this.#client.listPage({ jobIds: [this.#id] }, { signal });
      this.#jobs = new Map(jobs.map((job) => [job.id, job]));
      this.#after = new Set([this.#id]);
      this.#more = false;
      await this.#loadBefore(jobs, signal);
      await this.#loadAfter(signal);
      this.#tell(undefined);
    } catch (error) {
      if (!signal.aborted) {
        this.#tell(asSlotdError(error));
      }
    }
  }

  /** Step by step, until half of the room is taken. */
  async #loadBefore(jobs: readonly Job[], signal: AbortSignal): Promise<void> {
    for (let step = jobs; step.length > 0;) {
      const all = [...new Set(step.flatMap(dependencies))].filter((id) => !this.#jobs.has(id));
      const ids = all.slice(0, Math.max(0, this.#limit / 2 - this.#jobs.size));
      this.#more ||= ids.length < all.length;
      const found: Job[] = [];
      for (const jobIds of chunks(ids)) {
        found.push(...(await this.#client.listPage({ jobIds }, { pageSize: IDS, signal })).jobs);
      }
      ids.forEach((id) => this.#jobs.set(id, undefined));
      found.forEach((job) => this.#jobs.set(job.id, job));
      step = found;
    }
  }

  /** Step by step, as far as there is room. */
  async #loadAfter(signal: AbortSignal): Promise<void> {
    for (let step = [this.#id]; step.length > 0;) {
      const next: string[] = [];
      for (const dependsOn of chunks(step)) {
        const room = Math.max(0, this.#limit - this.#jobs.size);
        const options = { pageSize: room + 1, orderBy: "create_time", signal };
        const page = await this.#client.listPage({ dependsOn }, options);
        const found = page.jobs.filter(({ id }) => !this.#jobs.has(id));
        const taken = found.slice(0, room);
        this.#more ||= page.nextPageToken !== "" || taken.length < found.length;
        taken.forEach((job) => this.#add(job));
        next.push(...taken.map(({ id }) => id));
      }
      step = next;
    }
  }

  #add(job: Job): void {
    this.#jobs.set(job.id, job);
    this.#after.add(job.id);
  }

  #apply({ changed, deleted }: Changes): void {
    let touched = false;
    for (const job of changed.values()) {
      const before = this.#jobs.get(job.id);
      if (before) {
        if (before.revision < job.revision) {
          this.#jobs.set(job.id, job);
          touched = true;
        }
      } else if (!this.#jobs.has(job.id) && dependencies(job).some((id) => this.#after.has(id))) {
        touched = true;
        if (this.#jobs.size < this.#limit) {
          this.#add(job);
        } else {
          this.#more = true;
        }
      }
    }
    for (const id of deleted) {
      if (this.#jobs.has(id)) {
        this.#jobs.set(id, undefined);
        touched = true;
      }
    }
    if (touched && !this.read().loading) {
      this.#tell(this.read().error);
    }
  }

  #tell(error: SlotdError | undefined): void {
    const jobs = new Map(this.#jobs);
    this.#now.set({ jobs, ...edgesOf(jobs), more: this.#more, loading: false, error });
  }
}

/** Who waits for whom, among these jobs and the groups that they wait for. */
export function edgesOf(jobs: ReadonlyMap<string, Job | undefined>): Pick<GraphNow, "groups" | "edges"> {
  const edges: Edge[] = [];
  const groups = new Set<string>();
  for (const job of jobs.values()) {
    for (const { jobId, group } of job?.spec?.dependsOn ?? []) {
      if (group !== "") {
        groups.add(group);
      }
      if (group !== "" || jobs.has(jobId)) {
        edges.push([group === "" ? `jobs/${jobId}` : `groups/${group}`, `jobs/${job?.id ?? ""}`]);
      }
    }
  }
  return { groups: [...groups], edges };
}

function dependencies(job: Job): string[] {
  return (job.spec?.dependsOn ?? []).map(({ jobId }) => jobId).filter((id) => id !== "");
}

function chunks(ids: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(ids.length / IDS) }, (_, index) => ids.slice(index * IDS, (index + 1) * IDS));
}
