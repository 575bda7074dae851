/** Names that there are, to be chosen from. */

import { usePolled } from "../../data/hooks";

/** Kinds that a server or a worker runs, or that jobs have had. */
export function useKnownKinds(): string[] {
  const { value: servers } = usePolled((data) => data.servers);
  const { value: workers } = usePolled((data) => data.workers);
  const { value: stats } = usePolled((data) => data.stats);
  const runnable = [...(servers ?? []), ...(workers ?? [])].flatMap(({ kinds }) => kinds);
  return [...new Set([...runnable, ...Object.keys(stats?.kinds ?? {})])].sort();
}

/** Queues that are set up or have had jobs. */
export function useKnownQueues(): string[] {
  const { value: queues } = usePolled((data) => data.queues);
  return (queues ?? []).map(({ name }) => name);
}
