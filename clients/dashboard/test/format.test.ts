import { expect, test } from "vitest";

import { ago, bytes, length, plural, shortId } from "../src/components/format";
import { rowsShown } from "../src/components/row-window";

test.each([
  [-5, "0 ms"],
  [12.4, "12 ms"],
  [3_450, "3.5 s"],
  [59_999, "59 s"],
  [60_000, "1 m"],
  [306_000, "5 m 6 s"],
  [7_380_000, "2 h 3 m"],
  [363_600_000, "4 d 5 h"],
])("%d milliseconds read %s", (milliseconds, text) => {
  expect(length(milliseconds)).toBe(text);
});

test.each([
  [0, "0 s ago"],
  [65_000, "1 m 5 s ago"],
  [725_000, "12 m ago"],
  [-7_200_000, "in 2 h"],
])("what was %d milliseconds ago reads %s", (past, text) => {
  expect(ago(1_000_000_000, 1_000_000_000 + past)).toBe(text);
});

test("numbers carry their noun, sizes their unit, ids their end", () => {
  expect(plural(1, "job")).toBe("1 job");
  expect(plural(12_345n, "job")).toBe("12,345 jobs");
  expect(bytes(1_500_000)).toBe("1.5 MB");
  expect(shortId("01900000-0000-7000-8000-0000000000ab")).toBe("…0000000000ab");
});

test.each([
  [-4, 20, 5, { start: 0, end: 5, scrolled: false }],
  [0, 20, 1000, { start: 0, end: 30, scrolled: false }],
  [500, 20, 1000, { start: 490, end: 530, scrolled: true }],
  [990, 20, 1000, { start: 970, end: 1000, scrolled: true }],
  [5000, 20, 1000, { start: 970, end: 1000, scrolled: true }],
])("from row %d, with room for %d of %d, the rows %o are drawn", (first, shown, count, expected) => {
  expect(rowsShown(first, shown, count)).toEqual(expected);
});
