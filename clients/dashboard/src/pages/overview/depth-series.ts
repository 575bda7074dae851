/** What charts and numbers make of the samples of how many jobs there are. */

import { SECONDS } from "../../data/activity";
import type { Depth, DepthSample } from "../../data/depth-history";

// While nothing changes a sample is taken each 15 s; where there was none for longer, nobody looked.
const GAP_MS = 40_000;

/** Times, and the values at them. */
export interface DepthSeries {
  readonly times: readonly number[];
  readonly values: (of: keyof Depth) => (number | undefined)[];
}

/** How far back charts go: a minute more for each since the tab was opened, up to five. */
export function chartSeconds(openMs: number): number {
  return Math.min(SECONDS, 60 * Math.max(1, Math.ceil(openMs / 60_000)));
}

/** The samples of the last `spanMs` up to now; what was not looked at has no value. */
export function depthSeries(samples: readonly DepthSample[], now: number, spanMs: number): DepthSeries {
  const start = now - spanMs;
  const points: { at: number; total: Depth | undefined }[] = [{ at: start, total: undefined }];
  let before = start;
  for (const { at, total } of samples.filter(({ at }) => at > start && at <= now)) {
    if (at - before > GAP_MS) {
      points.push({ at: at - 1, total: undefined });
    }
    points.push({ at, total });
    before = at;
  }
  const last = points.at(-1);
  points.push({ at: now, total: now - before <= GAP_MS ? last?.total : undefined });
  return { times: points.map(({ at }) => at), values: (of) => points.map(({ total }) => total?.[of]) };
}

/** How many jobs have failed since the oldest sample, and how long ago that was; undefined before there is one. */
export function failuresSince(
  samples: readonly DepthSample[],
  totalFailed: bigint | undefined,
  now: number,
): { count: number; spanMs: number } | undefined {
  const oldest = samples.find(({ at }) => at >= now - SECONDS * 1000);
  if (!oldest || totalFailed === undefined) {
    return undefined;
  }
  return { count: Math.max(0, Number(totalFailed) - oldest.total.failures), spanMs: Math.max(0, now - oldest.at) };
}
