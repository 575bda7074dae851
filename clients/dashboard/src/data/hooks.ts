/** How components get at the data: each hook draws its component anew when what it answers has changed. */

import { createContext, use, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import type { SlotdError } from "slotd/web";

import type { Span } from "./activity";
import type { Data } from "./data";
import { asSlotdError } from "./errors";
import type { Changes, Connection } from "./feed";
import { JobDetail, type JobNow } from "./job-detail";
import { JobList, type JobRows } from "./job-list";
import type { JobQuery } from "./job-query";
import type { Answer, Polled } from "./polled";
import { clock } from "./clock";
import type { Store } from "./store";

const DataContext = createContext<Data | undefined>(undefined);

/** Hands the data to all components below. */
export const DataProvider = DataContext.Provider;

export function useData(): Data {
  const data = use(DataContext);
  if (data === undefined) {
    throw new Error("outside of a DataProvider");
  }
  return data;
}

/** The value of a store. */
export function useStore<Value>(store: Store<Value>): Value {
  return useSyncExternalStore(store.subscribe, store.read);
}

/** Whether the tab is connected. */
export function useConnection(): Connection {
  return useStore(useData().feed.connection);
}

/** A polled answer: `usePolled((data) => data.queues)`. */
export function usePolled<Value>(choose: (data: Data) => Polled<Value>): Answer<Value> {
  return useStore(choose(useData()));
}

/** Milliseconds since 1970 by the service's clock, each second anew. */
export function useNow(): number {
  const { feed } = useData();
  useStore(clock);
  return feed.now();
}

/** The last `seconds`, at most 300, in spans of `width` seconds, each second anew. */
export function useActivity(seconds: number, width: number): readonly Span[] {
  const { activity } = useData();
  useStore(clock);
  return activity.spans(seconds, width);
}

/** A live table of jobs, which begins anew when the query is another. */
export function useJobList(query: JobQuery): { list: JobList; rows: JobRows } {
  const { client, feed } = useData();
  const key = JSON.stringify(query);
  const list = useMemo(() => new JobList(client, feed, JSON.parse(key) as JobQuery), [client, feed, key]);
  return { list, rows: useStore(list) };
}

/** One job, whole and live. */
export function useJob(id: string): JobNow {
  const { client, feed, recent } = useData();
  const detail = useMemo(() => new JobDetail(client, feed, id, recent.get(id)), [client, feed, recent, id]);
  return useStore(detail);
}

/** Hears of changes, once per frame, while the component is there. `heard` should be the same function each time. */
export function useChanges(heard: (changes: Changes) => void): void {
  const { feed } = useData();
  useEffect(() => feed.onChanges(heard), [feed, heard]);
}

/** The answer to one call, made anew when `key` changes; undefined while it is under way. */
export function useCall<Value>(
  key: string,
  call: (data: Data, signal: AbortSignal) => Promise<Value>,
): { value?: Value; error?: SlotdError } {
  const data = useData();
  const [answer, setAnswer] = useState<{ key: string; value?: Value; error?: SlotdError }>({ key });
  useEffect(() => {
    const ending = new AbortController();
    call(data, ending.signal).then(
      (value) => ending.signal.aborted || setAnswer({ key, value }),
      (error: unknown) => ending.signal.aborted || setAnswer({ key, error: asSlotdError(error) }),
    );
    return () => ending.abort();
    // What `call` closes over is what `key` says.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [data, key]);
  return answer.key === key ? answer : {};
}
