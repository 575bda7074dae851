/** Which jobs somebody wants to see, in which order: as the page's address has it, as the service takes it, and in effect. */

import type { Filter, Job, JobState } from "slotd/web";

import { stateFromName, stateName } from "./states";

/** What a table of jobs shows: the parts of a JobFilter, each empty where it does not matter. */
export interface JobQuery {
  readonly states: readonly JobState[];
  readonly queues: readonly string[];
  readonly kinds: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly groups: readonly string[];
  readonly schedules: readonly string[];
  /** Ids of jobs that the jobs depend on directly. */
  readonly dependsOn: readonly string[];
  readonly oldestFirst: boolean;
}

/** All jobs, newest first. */
export const ALL_JOBS: JobQuery = {
  states: [],
  queues: [],
  kinds: [],
  labels: {},
  groups: [],
  schedules: [],
  dependsOn: [],
  oldestFirst: false,
};

/** Reads `?state=failed&queue=mail&label=user=ada&sort=oldest`; what makes no sense is left out. */
export function queryFromSearch(search: string): JobQuery {
  const fields = new URLSearchParams(search);
  const all = (name: string): string[] => [...new Set(fields.getAll(name))].filter((value) => value !== "");
  return {
    states: all("state")
      .map(stateFromName)
      .filter((state) => state !== undefined),
    queues: all("queue"),
    kinds: all("kind"),
    labels: Object.fromEntries(all("label").flatMap((text) => parseLabel(text) ?? [])),
    groups: all("group"),
    schedules: all("schedule"),
    dependsOn: all("depends_on"),
    oldestFirst: fields.get("sort") === "oldest",
  };
}

/** The other way; empty for all jobs, newest first. */
export function searchFromQuery(query: JobQuery): string {
  const fields = new URLSearchParams();
  const add = (name: string, values: readonly string[]): void => {
    values.forEach((value) => fields.append(name, value));
  };
  add("state", query.states.map(stateName));
  add("queue", query.queues);
  add("kind", query.kinds);
  add(
    "label",
    Object.entries(query.labels).map(([key, value]) => `${key}=${value}`),
  );
  add("group", query.groups);
  add("schedule", query.schedules);
  add("depends_on", query.dependsOn);
  add("sort", query.oldestFirst ? ["oldest"] : []);
  const text = fields.toString();
  return text === "" ? "" : `?${text}`;
}

/** A label as `key=value`, as one pair; undefined for text that is none. */
export function parseLabel(text: string): [[string, string]] | undefined {
  const split = text.indexOf("=");
  return split > 0 ? [[text.slice(0, split).trim(), text.slice(split + 1).trim()]] : undefined;
}

/** For the service. */
export function filterOf(query: JobQuery): Filter {
  const { states, queues, kinds, labels, groups, schedules, dependsOn } = query;
  const fields = Object.entries({ states, queues, kinds, labels, groups, schedules, dependsOn });
  // A list that is given but empty would mean: none.
  return Object.fromEntries(fields.filter(([, value]) => Object.keys(value).length > 0));
}

/** Whether it names any condition at all. */
export function isFiltered(query: JobQuery): boolean {
  return Object.keys(filterOf(query)).length > 0;
}

/** Whether a job matches, as the service would say: any value of a field will do, but of labels all count. */
export function matches(query: JobQuery, job: Job): boolean {
  const { spec } = job;
  const any = <Value>(wanted: readonly Value[], value: Value | undefined): boolean =>
    wanted.length === 0 || (value !== undefined && wanted.includes(value));
  return (
    any(query.states, job.state) &&
    any(query.queues, spec?.queue) &&
    any(query.kinds, spec?.kind) &&
    any(query.groups, spec?.group) &&
    any(query.schedules, job.schedule) &&
    Object.entries(query.labels).every(([key, value]) => spec?.labels[key] === value) &&
    (query.dependsOn.length === 0 ||
      (spec?.dependsOn ?? []).some((dependency) => query.dependsOn.includes(dependency.jobId)))
  );
}

/** Below zero where `a` comes before `b`. */
export function order(query: JobQuery, a: Job, b: Job): number {
  return query.oldestFirst ? byAge(a, b) : byAge(b, a);
}

/** Jobs have ids in the order of their submission, but several clocks may have made them. */
function byAge(a: Job, b: Job): number {
  const seconds = Number((a.createTime?.seconds ?? 0n) - (b.createTime?.seconds ?? 0n));
  return seconds || (a.createTime?.nanos ?? 0) - (b.createTime?.nanos ?? 0) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}
