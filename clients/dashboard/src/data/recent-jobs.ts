/** The jobs that came by last, so that a page about one need not begin empty. */

import type { Job } from "slotd/web";

import type { Feed } from "./feed";

const CAPACITY = 500;

export class RecentJobs {
  // A Map keeps the order of insertion: the first key is the one that was used longest ago.
  readonly #jobs = new Map<string, Job>();

  constructor(feed: Pick<Feed, "onChanges">) {
    feed.onChanges(({ changed, deleted }) => {
      for (const job of changed.values()) {
        this.keep(job);
      }
      deleted.forEach((id) => this.#jobs.delete(id));
    });
  }

  /** Remembers a job that somebody may look at next. */
  keep(job: Job): void {
    this.#jobs.delete(job.id);
    this.#jobs.set(job.id, job);
    if (this.#jobs.size > CAPACITY) {
      const [oldest] = this.#jobs.keys();
      this.#jobs.delete(oldest ?? "");
    }
  }

  get(id: string): Job | undefined {
    return this.#jobs.get(id);
  }
}
