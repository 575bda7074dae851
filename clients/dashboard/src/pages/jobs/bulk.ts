/** Changing many jobs at once. */

import type { Client, Filter, Job } from "slotd/web";

import { filterOf, type JobQuery } from "../../data/job-query";

export type Verb = "cancel" | "retry" | "delete";

/** Which jobs: some that were chosen, or all that match. */
export type Target = { readonly chosen: readonly Job[] } | { readonly query: JobQuery };

/** How it is to be done. */
export interface BulkOptions {
  /** Only count. */
  readonly validateOnly?: boolean;
  /** Delete also what has not ended, which is cancelled first. */
  readonly force?: boolean;
}

// As many ids as a filter takes.
const MAX_IDS = 1_000;

/** Does it; resolves to how many jobs it was done to, or would be. Rejects with SlotdError. */
export async function bulk(client: Client, verb: Verb, target: Target, options: BulkOptions = {}): Promise<number> {
  let count = 0;
  for (const filter of filters(target)) {
    count += Number(await call(client, verb, filter, options));
  }
  return count;
}

function filters(target: Target): readonly Filter[] {
  if ("query" in target) {
    return [filterOf(target.query)];
  }
  const ids = target.chosen.map(({ id }) => id);
  return Array.from({ length: Math.ceil(ids.length / MAX_IDS) }, (_, index) => ({
    jobIds: ids.slice(index * MAX_IDS, (index + 1) * MAX_IDS),
  }));
}

async function call(client: Client, verb: Verb, filter: Filter, { validateOnly, force }: BulkOptions): Promise<bigint> {
  switch (verb) {
    case "cancel":
      return (await client.jobs.bulkCancel({ filter, validateOnly })).cancelCount;
    case "retry":
      return (await client.jobs.bulkRetry({ filter, validateOnly })).retryCount;
    case "delete":
      return (await client.jobs.bulkDelete({ filter, validateOnly, force })).deleteCount;
  }
}
