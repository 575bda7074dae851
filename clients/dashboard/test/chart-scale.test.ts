import { expect, test } from "vitest";

import { linearScale, linePath, logScale, nearest, places } from "../src/components/chart-scale";

test.each([
  [0, [0, 0.5, 1]],
  [1, [0, 0.5, 1]],
  [4, [0, 1, 2, 3, 4]],
  [13.8, [0, 5, 10, 15]],
  [100_000, [0, 50_000, 100_000]],
])("the scale up to %s has a few round numbers, the highest of which no value is above", (highest, ticks) => {
  expect(linearScale(highest).ticks).toEqual(ticks);
});

test("0 is at the bottom of a linear scale, and its highest number at the top", () => {
  const { y } = linearScale(13.8);
  expect([y(0), y(7.5), y(15)]).toEqual([100, 50, 0]);
});

test("a logarithmic scale goes from the power of ten below all values to the one above them", () => {
  const { ticks, y } = logScale(3, 2_000);
  expect(ticks).toEqual([1, 10, 100, 1_000, 10_000]);
  expect(y(10) - y(100)).toBeCloseTo(25);
  expect([y(1), y(10_000)]).toEqual([100, 0]);
});

test("a logarithmic scale of one value has two numbers all the same", () => {
  expect(logScale(100, 100).ticks).toEqual([100, 1_000]);
});

test("the last time is at the right edge, and one as old as the chart at the left", () => {
  expect(places([1_000, 3_500, 6_000], 5_000)).toEqual([0, 500, 1_000]);
});

test("a line is broken where there is no value, and a value alone is a dot", () => {
  const path = linePath([0, 10, 20, 30, 40], [1, 2, undefined, 3, undefined], (value) => value);
  expect(path).toBe("M0.0 1.0h0L10.0 2.0M30.0 3.0h0");
});

test("what is nearest is found on both sides and beyond the ends", () => {
  const at = [0, 10, 20];
  expect([-5, 4, 6, 16, 99].map((x) => nearest(at, x))).toEqual([0, 0, 1, 2, 2]);
});
