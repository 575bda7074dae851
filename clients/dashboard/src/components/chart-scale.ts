/** Where values are in a chart: its width is 1,000, its height 100, both from the upper left corner. */

export const WIDTH = 1000;
export const HEIGHT = 100;

/** From values to heights. */
export interface Scale {
  /** The values that have a line and a number of their own, lowest first. */
  readonly ticks: readonly number[];
  readonly y: (value: number) => number;
}

/** From 0 to a round number that no value is above, with two to four steps of 1, 2 or 5 times a power of ten. */
export function linearScale(highest: number): Scale {
  const rough = Math.max(highest, 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const steps = Math.ceil(Math.max(highest, 1) / step);
  const ticks = Array.from({ length: steps + 1 }, (_, index) => index * step);
  return { ticks, y: (value) => HEIGHT * (1 - value / (steps * step)) };
}

/** From the power of ten below all values to the one above them. */
export function logScale(lowest: number, highest: number): Scale {
  const low = Math.floor(Math.log10(lowest));
  const high = Math.max(low + 1, Math.ceil(Math.log10(highest)));
  const ticks = Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index));
  const share = (value: number): number => (Math.log10(Math.max(value, 10 ** low)) - low) / (high - low);
  return { ticks, y: (value) => HEIGHT * (1 - share(value)) };
}

/** From times to places: the last one is at the right edge, `spanMs` before it is the left one. */
export function places(times: readonly number[], spanMs: number): number[] {
  const end = times.at(-1) ?? 0;
  return times.map((time) => WIDTH * (1 - (end - time) / spanMs));
}

/** A line through the values, broken where there is none; a value alone is a dot. */
export function linePath(x: readonly number[], values: readonly (number | undefined)[], y: Scale["y"]): string {
  let path = "";
  let before = false;
  values.forEach((value, index) => {
    if (value !== undefined) {
      const point = `${(x[index] ?? 0).toFixed(1)} ${y(value).toFixed(1)}`;
      path += before ? `L${point}` : `M${point}h0`;
    }
    before = value !== undefined;
  });
  return path;
}

/** The index of what is nearest to `x`. */
export function nearest(places: readonly number[], x: number): number {
  return places.reduce(
    (best, place, index) => (Math.abs(place - x) < Math.abs((places[best] ?? Infinity) - x) ? index : best),
    0,
  );
}
