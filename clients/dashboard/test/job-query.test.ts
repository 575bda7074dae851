import { create } from "@bufbuild/protobuf";
import { JobState } from "slotd/web";
import { JobFilterSchema } from "slotd/v1";
import { expect, test } from "vitest";

import {
  ALL_JOBS,
  filterOf,
  isFiltered,
  matches,
  order,
  queryFromSearch,
  searchFromQuery,
} from "../src/data/job-query";
import { job } from "./service";

const mail = job(1, {
  spec: {
    kind: "send",
    queue: "mail",
    group: "june",
    labels: { user: "ada", plan: "pro" },
    dependsOn: [{ jobId: "a" }],
  },
  schedule: "nightly",
  state: JobState.FAILED,
});

test("the address says which jobs, and reads back the same", () => {
  const search =
    "?state=failed&state=running&queue=mail&kind=send&label=user%3Dada&group=june&schedule=nightly&depends_on=a&sort=oldest";
  const query = queryFromSearch(search);
  expect(query).toEqual({
    states: [JobState.FAILED, JobState.RUNNING],
    queues: ["mail"],
    kinds: ["send"],
    labels: { user: "ada" },
    groups: ["june"],
    schedules: ["nightly"],
    dependsOn: ["a"],
    oldestFirst: true,
  });
  expect(searchFromQuery(query)).toBe(search);
  expect(searchFromQuery(ALL_JOBS)).toBe("");
});

test("what makes no sense in an address is left out", () => {
  expect(queryFromSearch("?state=lost&queue=&label=user&label=%3Dx&sort=up&state=failed&state=failed")).toEqual({
    ...ALL_JOBS,
    states: [JobState.FAILED],
  });
});

test("only fields that say something go to the service, where an empty one would match nothing", () => {
  expect(filterOf({ ...ALL_JOBS, queues: ["mail"], oldestFirst: true })).toEqual({ queues: ["mail"] });
  expect(create(JobFilterSchema, filterOf({ ...ALL_JOBS, dependsOn: ["a"], labels: { a: "b" } }))).toMatchObject({
    dependsOn: ["a"],
    labels: { a: "b" },
  });
  expect(isFiltered({ ...ALL_JOBS, oldestFirst: true })).toBe(false);
  expect(isFiltered({ ...ALL_JOBS, labels: { a: "b" } })).toBe(true);
});

test.each([
  [{}, true],
  [{ states: [JobState.RUNNING, JobState.FAILED] }, true],
  [{ states: [JobState.RUNNING] }, false],
  [{ queues: ["mail", "other"] }, true],
  [{ queues: ["other"] }, false],
  [{ kinds: ["send"] }, true],
  [{ kinds: ["sen"] }, false],
  [{ groups: ["june"] }, true],
  [{ groups: ["july"] }, false],
  [{ schedules: ["nightly"] }, true],
  [{ schedules: ["daily"] }, false],
  [{ labels: { user: "ada" } }, true],
  [{ labels: { user: "ada", plan: "free" } }, false],
  [{ labels: { user: "ada", plan: "pro" } }, true],
  [{ dependsOn: ["b", "a"] }, true],
  [{ dependsOn: ["b"] }, false],
  [{ queues: ["mail"], kinds: ["other"] }, false],
])("a job matches as the service would say: %o is %s", (fields, expected) => {
  expect(matches({ ...ALL_JOBS, ...fields }, mail)).toBe(expected);
});

test("jobs of one moment are in the order of their ids", () => {
  const twin = { ...job(2), createTime: mail.createTime };
  expect(order(ALL_JOBS, twin, mail)).toBeLessThan(0);
  expect(order({ ...ALL_JOBS, oldestFirst: true }, twin, mail)).toBeGreaterThan(0);
  expect(order(ALL_JOBS, job(3), twin)).toBeLessThan(0);
});
