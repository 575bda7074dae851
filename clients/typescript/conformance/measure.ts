/** What the benchmark has the library do, and how long that takes. */

import { performance } from "node:perf_hooks";

import type { Client } from "slotd";

/** So many jobs in all, by so many callers at once, each with its next call when the last is answered. */
export async function measureSubmits(client: Client, calls: number, callers: number): Promise<{ seconds: number }> {
  const callAgainAndAgain = async () => {
    for (let call = 0; call < Math.floor(calls / callers); call++) {
      await client.submit("noop");
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: callers }, callAgainAndAgain));
  return { seconds: (performance.now() - began) / 1000 };
}

/** So many events, or those that there are, from a cursor on. */
export async function measureStream(
  client: Client,
  events: number,
  cursor: string,
): Promise<{ seconds: number; events: number }> {
  const began = performance.now();
  const stream = client.stream({}, { cursor });
  let count = 0;
  while (count < events && !(await stream.next()).done) {
    count++;
  }
  stream.close();
  return { seconds: (performance.now() - began) / 1000, events: count };
}
