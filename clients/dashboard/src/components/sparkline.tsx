/** A small line that shows how a number has gone; the number itself stands beside it. */

import { HEIGHT, linearScale, linePath, places, WIDTH } from "./chart-scale";
import "./chart.css";

interface Properties {
  /** What it is of, for whoever can't see it. */
  label: string;
  /** Milliseconds since 1970, oldest first. */
  times: readonly number[];
  /** Milliseconds that it goes back. */
  spanMs: number;
  values: readonly number[];
}

export function Sparkline({ label, times, spanMs, values }: Properties) {
  const highest = Math.max(0, ...values);
  const text = values.length === 0 ? "nothing yet" : `from ${values[0]} to ${values.at(-1)}, at most ${highest}`;
  return (
    <svg
      className="sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${label}: ${text}`}
    >
      <path d={linePath(places(times, spanMs), values, linearScale(highest).y)} />
    </svg>
  );
}
