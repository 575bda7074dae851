/** The conditions of a query one by one: as chips, and as somebody types them. */

import { ALL_JOBS, type JobQuery, parseLabel } from "../../data/job-query";
import { stateFromName, stateName } from "../../data/states";

/** One value of one field; of `labels` it is `key=value`, of `states` the state's name. */
export interface Condition {
  readonly field: Exclude<keyof JobQuery, "oldestFirst">;
  readonly value: string;
}

const WORDS: Readonly<Record<string, Condition["field"]>> = {
  state: "states",
  queue: "queues",
  kind: "kinds",
  group: "groups",
  schedule: "schedules",
  depends_on: "dependsOn",
};

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** All that hold, each with its text, as `queue:mail`. */
export function conditions(query: JobQuery): readonly (Condition & { readonly text: string })[] {
  const named = (word: string, field: Condition["field"], values: readonly string[]) =>
    values.map((value) => ({ field, value, text: `${word}:${value}` }));
  return [
    ...named("state", "states", query.states.map(stateName)),
    ...named("queue", "queues", query.queues),
    ...named("kind", "kinds", query.kinds),
    ...named("group", "groups", query.groups),
    ...named("schedule", "schedules", query.schedules),
    ...named("depends_on", "dependsOn", query.dependsOn),
    ...labels(query).map((value) => ({ field: "labels", value, text: value }) as const),
  ];
}

/** What somebody looks for: a job by its id, or a condition; undefined where it is neither. */
export function parseSearch(
  text: string,
  known: { readonly queues: readonly string[]; readonly kinds: readonly string[] },
): { readonly id: string } | Condition | undefined {
  const words = text.trim();
  const [, word = "", value = ""] = /^([a-z_]+):(.+)$/.exec(words) ?? [];
  const field = WORDS[word];
  if (ID.test(words)) {
    return { id: words.toLowerCase() };
  }
  if (field) {
    return field === "states" && !stateFromName(value) ? undefined : { field, value: value.trim() };
  }
  if (parseLabel(words)) {
    return { field: "labels", value: words };
  }
  if (known.kinds.includes(words)) {
    return { field: "kinds", value: words };
  }
  return known.queues.includes(words) ? { field: "queues", value: words } : undefined;
}

/** The query with one condition more. */
export function withCondition(query: JobQuery, { field, value }: Condition): JobQuery {
  if (field === "labels") {
    const [label] = parseLabel(value) ?? [];
    return label ? { ...query, labels: { ...query.labels, [label[0]]: label[1] } } : query;
  }
  if (field === "states") {
    const state = stateFromName(value);
    return state === undefined ? query : { ...query, states: added(query.states, state) };
  }
  return { ...query, [field]: added(query[field], value) };
}

/** The query without a condition, or without any. */
export function without(query: JobQuery, condition?: Condition): JobQuery {
  if (!condition) {
    return ALL_JOBS;
  }
  const { field, value } = condition;
  if (field === "labels") {
    const left = labels(query).filter((label) => label !== value);
    return { ...query, labels: Object.fromEntries(left.flatMap((label) => parseLabel(label) ?? [])) };
  }
  if (field === "states") {
    return { ...query, states: query.states.filter((state) => stateName(state) !== value) };
  }
  return { ...query, [field]: query[field].filter((held) => held !== value) };
}

function labels(query: JobQuery): string[] {
  return Object.entries(query.labels).map(([key, value]) => `${key}=${value}`);
}

function added<Value>(values: readonly Value[], value: Value): readonly Value[] {
  return values.includes(value) ? values : [...values, value];
}
