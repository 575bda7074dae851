import { JobState } from "slotd/web";
import { expect, test } from "vitest";

import { ALL_JOBS } from "../src/data/job-query";
import { conditions, parseSearch, withCondition, without } from "../src/pages/jobs/conditions";

const KNOWN = { queues: ["mail", "both"], kinds: ["send", "both"] };
const ID = "01900000-0000-7000-8000-00000000000A";

test.each([
  [` ${ID} `, { id: ID.toLowerCase() }],
  ["queue:a:b", { field: "queues", value: "a:b" }],
  ["depends_on:x", { field: "dependsOn", value: "x" }],
  ["state:failed", { field: "states", value: "failed" }],
  ["state:lost", undefined],
  ["user=ada", { field: "labels", value: "user=ada" }],
  ["mail", { field: "queues", value: "mail" }],
  ["both", { field: "kinds", value: "both" }],
  ["nothing", undefined],
  ["", undefined],
])("%j in the search field means %o", (text, expected) => {
  expect(parseSearch(text, KNOWN)).toEqual(expected);
});

test("conditions are added once, shown, and taken away one by one", () => {
  const added = [
    { field: "queues", value: "mail" },
    { field: "queues", value: "mail" },
    { field: "states", value: "failed" },
    { field: "labels", value: "user=ada" },
    { field: "labels", value: "plan=a=b" },
  ] as const;
  const query = added.reduce(withCondition, ALL_JOBS);
  expect(query).toEqual({
    ...ALL_JOBS,
    queues: ["mail"],
    states: [JobState.FAILED],
    labels: { user: "ada", plan: "a=b" },
  });
  expect(conditions(query).map(({ text }) => text)).toEqual(["state:failed", "queue:mail", "user=ada", "plan=a=b"]);
  expect(conditions(query).reduce(without, query)).toEqual(ALL_JOBS);
  expect(without(query)).toEqual(ALL_JOBS);
});
