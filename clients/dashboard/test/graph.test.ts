import { create } from "@bufbuild/protobuf";
import { type Filter, type Job, JobState } from "slotd/web";
import { ListResponseSchema } from "slotd/v1";
import { expect, test } from "vitest";

import type { Changes } from "../src/data/feed";
import { ALL_JOBS, matches } from "../src/data/job-query";
import { Listeners } from "../src/data/store";
import { layOut } from "../src/pages/job/graph-layout";
import { type Edge, JobGraph } from "../src/pages/job/job-graph";
import { changed, job, settled } from "./service";

const id = (n: number) => job(n).id;

/** Job `n`, which depends on others. */
function after(n: number, ...before: number[]): Job {
  return job(n, { spec: { kind: "noop", dependsOn: before.map((m) => ({ jobId: id(m) })) } });
}

/** A graph among these jobs, and how to tell it of changes. */
async function graphOf(jobs: Job[], root: number, limit = 60) {
  const changes = new Listeners<[Changes]>();
  const feed = {
    ready: () => Promise.resolve(),
    onChanges: (heard: (changes: Changes) => void) => changes.add(heard),
    onRestart: () => () => undefined,
  };
  const client = {
    listPage: ({ jobIds, dependsOn = [] }: Filter = {}, { pageSize = 50 } = {}) => {
      const found = jobIds
        ? jobs.filter((job) => jobIds.includes(job.id))
        : jobs.filter((job) => matches({ ...ALL_JOBS, dependsOn }, job));
      const nextPageToken = found.length > pageSize ? "more" : "";
      return Promise.resolve(create(ListResponseSchema, { jobs: found.slice(0, pageSize), nextPageToken }));
    },
  };
  const graph = new JobGraph(client, feed, id(root), limit);
  graph.subscribe(() => undefined);
  await settled();
  const tell = (jobs: Job[], deleted: string[] = []) =>
    changes.tell({ changed: new Map(jobs.map((job) => [job.id, job])), deleted: new Set(deleted) });
  return { graph, tell, ids: () => [...graph.read().jobs.keys()].sort() };
}

test("a graph holds what a job waits for and what waits for it, over several steps, and no siblings", async () => {
  const jobs = [job(1), after(2, 1), after(3, 2), after(4, 3), after(5, 4), after(6, 1)];
  const { graph, ids } = await graphOf(jobs, 3);
  expect(ids()).toEqual([1, 2, 3, 4, 5].map(id));
  expect(graph.read().edges).toHaveLength(4);
  expect(graph.read().more).toBe(false);
});

test("a graph stops at its limit and says that there is more", async () => {
  const jobs = [job(1), ...Array.from({ length: 30 }, (_, n) => after(n + 2, 1))];
  const { graph } = await graphOf(jobs, 1, 10);
  expect([graph.read().jobs.size, graph.read().more]).toEqual([10, true]);
});

test("what comes before takes half of the room at most", async () => {
  const first = Array.from({ length: 30 }, (_, n) => job(n + 1));
  const jobs = [...first, after(50, ...first.map((_, n) => n + 1)), after(51, 50)];
  const { graph, ids } = await graphOf(jobs, 50, 20);
  expect([graph.read().jobs.size, graph.read().more, ids().includes(id(51))]).toEqual([11, true, true]);
});

test("a job that is gone stays as a place without a job, and a group is a place of its own", async () => {
  const dependsOn = [{ jobId: id(1) }, { group: "june" }];
  const { graph } = await graphOf([job(2, { spec: { kind: "noop", dependsOn } })], 2);
  expect(graph.read().jobs.get(id(1))).toBeUndefined();
  expect(graph.read().groups).toEqual(["june"]);
  expect(graph.read().edges).toEqual([
    [`jobs/${id(1)}`, `jobs/${id(2)}`],
    ["groups/june", `jobs/${id(2)}`],
  ]);
});

test("changes of its jobs show, new ones that wait for them come in, and others do not", async () => {
  const root = job(1);
  const { graph, tell, ids } = await graphOf([root], 1);
  tell([changed(root, JobState.RUNNING, 90), after(2, 1), after(3, 2), job(4)]);
  expect(graph.read().jobs.get(id(1))?.state).toBe(JobState.RUNNING);
  expect(ids()).toEqual([1, 2, 3].map(id));
  tell([], [id(2)]);
  expect(graph.read().jobs.get(id(2))).toBeUndefined();
});

test("a new job that waits for the same as the job itself is no part of it", async () => {
  const { tell, ids } = await graphOf([job(1), after(2, 1)], 2);
  tell([after(3, 1)]);
  expect(ids()).toEqual([1, 2].map(id));
});

test("an older copy does not replace a newer one", async () => {
  const root = changed(job(1), JobState.SUCCEEDED, 9);
  const { graph, tell } = await graphOf([root], 1);
  tell([changed(root, JobState.RUNNING, 8)]);
  expect(graph.read().jobs.get(id(1))?.state).toBe(JobState.SUCCEEDED);
});

const place = (nodes: string, edges: string[]) =>
  layOut(
    Array.from(nodes),
    edges.map((edge) => [edge[0], edge[1]] as unknown as Edge),
  );

test("each node is right of all that it waits for, by its longest way", () => {
  const spots = place("abcd", ["cd", "ac", "bc", "ab"]);
  expect(["a", "b", "c", "d"].map((node) => spots.get(node)?.column)).toEqual([0, 1, 2, 3]);
});

test("what waits for nothing is next to what waits for it", () => {
  expect(place("abcx", ["ab", "bc", "xc"]).get("x")?.column).toBe(1);
});

test("no two nodes share a spot, and those of a column are in the order of what is left of them", () => {
  const spots = place("abcdef", ["ad", "bd", "be", "cf"]);
  const texts = [...spots.values()].map(({ column, row }) => `${column} ${row}`);
  expect(new Set(texts).size).toBe(6);
  for (const nodes of ["abyx", "abxy"]) {
    const rows = place(nodes, ["ax", "by"]);
    expect(["a", "b", "x", "y"].map((node) => rows.get(node)?.row)).toEqual([0, 1, 0, 1]);
  }
});

test("a circle, which there should not be, ends too", () => {
  expect(() => place("ab", ["ab", "ba"])).not.toThrow();
});
