import { create } from "@bufbuild/protobuf";
import { ListSlotsResponseSchema, type ListSlotsResponse, PoolSlotsSchema, SlotHolderSchema } from "slotd/v1";
import { expect, test } from "vitest";

import type { Answer } from "../src/data/polled";
import { Cell } from "../src/data/store";
import { pick } from "../src/pages/overview/picked-slot";
import {
  arrangePools,
  columnsFor,
  pathOf,
  placeAfterKey,
  placeAt,
  type Pool,
  stateOf,
} from "../src/pages/overview/slot-layout";
import { SlotPicture } from "../src/pages/overview/slot-picture";

/** Jobs by name, each running attempt 1; `a!` is a zombie. */
function answer(slots: number, jobs: string, worker = ""): ListSlotsResponse {
  const names = jobs.split("").filter((letter) => letter !== "!");
  return create(ListSlotsResponseSchema, {
    pools: [create(PoolSlotsSchema, { worker, slots, free: slots - names.length, running: names.length })],
    holders: names.map((jobId) =>
      create(SlotHolderSchema, { jobId, attempt: 1, worker, zombie: jobs.includes(`${jobId}!`) }),
    ),
  });
}

function pool(slots: number, jobs: string, before: readonly Pool[] = []): Pool {
  const [first] = arrangePools(answer(slots, jobs), before);
  if (!first) {
    throw new Error("no pool");
  }
  return first;
}

function seen({ slots }: Pool): string {
  return slots.map((slot) => slot?.jobId ?? ".").join("");
}

test("a job keeps its place while others come and go", () => {
  const before = pool(5, "abc");
  expect(seen(before)).toBe("abc..");
  expect(seen(pool(5, "cd", [before]))).toBe("d.c..");
});

test("a pool that was made smaller has all that still run in it", () => {
  expect(seen(pool(2, "be", [pool(5, "abcde")]))).toBe("eb");
});

test("the next attempt of a job is another holder", () => {
  const first = pool(2, "a");
  const next = answer(2, "ba");
  next.holders.forEach((holder) => (holder.attempt = holder.jobId === "a" ? 2 : 1));
  expect(arrangePools(next, [first]).map(seen)).toEqual(["ba"]);
});

test("holders stand in the pools of their workers", () => {
  const both = answer(2, "a");
  const other = answer(2, "b", "w1");
  both.pools.push(...other.pools);
  both.holders.unshift(...other.holders);
  expect(arrangePools(both, []).map(seen)).toEqual(["a.", "b."]);
});

test("a slot runs a job, is held by a zombie, is free, or is nobody's while its worker is away", () => {
  const some = pool(3, "ab!");
  expect([0, 1, 2].map((place) => stateOf(some, place))).toEqual(["running", "zombie", "free"]);
  const away = { ...some, size: { ...some.size, free: 0 } };
  expect(stateOf(away, 2)).toBe("away");
});

test("neighbours in one state are one stroke, up to the end of their row", () => {
  const some = pool(8, "abcde");
  expect(pathOf(some, 4, "running")).toBe("M0 0.5h4M0 1.5h1");
  expect(pathOf(some, 4, "free")).toBe("M1 1.5h3");
  expect(pathOf(some, 4, "zombie")).toBe("");
});

test("a thousand slots stand in a rectangle that a phone can show, a few in one row", () => {
  expect([0, 4, 20, 100, 1_000].map(columnsFor)).toEqual([1, 4, 20, 20, 50]);
});

test("a point of the picture is the slot that is drawn there, or none beside the last one", () => {
  const some = pool(7, "a");
  expect(placeAt(some, 4, 0.3, 0.1)).toBe(1);
  expect(placeAt(some, 4, 0.6, 0.9)).toBe(6);
  expect(placeAt(some, 4, 0.9, 0.9)).toBeUndefined();
  expect(placeAt(some, 4, 1, 0.1)).toBe(3);
  expect(placeAt(some, 4, 0.5, 1)).toBeUndefined();
  expect(placeAt(some, 4, -0.1, 0.9)).toBeUndefined();
});

test("arrow keys go to the neighbours and stay at the edges; other keys lead nowhere", () => {
  const from = (place: number) =>
    ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Enter"].map((key) => placeAfterKey(key, place, 4, 7));
  expect(from(1)).toEqual([0, 2, 1, 5, undefined]);
  expect(from(6)).toEqual([5, 6, 2, 6, undefined]);
});

test("the slot under the pointer is told about, until one is pressed: that one stays", () => {
  const [first, second] = [
    { worker: "", place: 0 },
    { worker: "", place: 1 },
  ];
  expect(pick(first, second, "pointer")).toEqual(second);
  expect(pick(first, undefined, "pointer")).toBeUndefined();
  const kept = pick(first, first, "press");
  expect(pick(kept, second, "pointer")).toBe(kept);
  expect(pick(kept, undefined, "pointer")).toBe(kept);
  expect(pick(kept, second, "press")).toEqual({ ...second, kept: true });
});

test("pressing a slot again lets go of it, and so does Escape; going to it by keys does not", () => {
  const kept = { worker: "w1", place: 3, kept: true };
  const same = { worker: "w1", place: 3 };
  expect(pick(kept, same, "press")).toBeUndefined();
  expect(pick(kept, undefined, "keys")).toBeUndefined();
  expect(pick(kept, same, "keys")).toEqual(kept);
});

test("the picture is the same until there is another answer, and keeps places from one to the next", () => {
  const answers = new Cell<Answer<ListSlotsResponse>>({ value: undefined, error: undefined });
  const picture = new SlotPicture(answers);
  expect(picture.read()).toBeUndefined();
  answers.set({ value: answer(3, "ab"), error: undefined });
  const first = picture.read();
  answers.set({ ...answers.read(), error: undefined });
  expect(picture.read()).toBe(first);
  answers.set({ value: answer(3, "b"), error: undefined });
  expect(picture.read()?.map(seen)).toEqual([".b."]);
});
