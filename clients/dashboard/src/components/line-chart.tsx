/** Values over time: a line for each, which can be read by eye, pointer, arrow keys or as a table. */

import { type PointerEvent, type ReactNode, useId, useState } from "react";

import { HEIGHT, linearScale, linePath, logScale, nearest, places, WIDTH } from "./chart-scale";
import { length, moment } from "./format";
import "./chart.css";

/** One line. */
export interface Series {
  readonly name: string;
  /** A colour of tokens.css, like `--failed`. */
  readonly tone: string;
  /** How it is dashed, so that it can be told apart without its colour. */
  readonly dash?: string;
  /** One for each time; undefined where there is none. */
  readonly values: readonly (number | undefined)[];
}

interface Properties {
  title: string;
  /** Milliseconds since 1970, oldest first; the last one is at the right edge. */
  times: readonly number[];
  /** Milliseconds that the chart goes back. */
  spanMs: number;
  series: readonly Series[];
  format: (value: number) => string;
  /** Higher by the same step for each power of ten. */
  logarithmic?: boolean;
  /** What is said where there is no value at all. */
  empty: string;
}

export function LineChart({ title, times, spanMs, series, format, logarithmic = false, empty }: Properties) {
  const [picked, setPicked] = useState<number>();
  const heading = useId();
  const index = picked === undefined ? times.length - 1 : nearest(times, picked);
  const x = places(times, spanMs);
  const all = series.flatMap(({ values }) => values).filter((value) => value !== undefined);
  const lowest = all.reduce((low, value) => Math.min(low, value), Infinity);
  const highest = all.reduce((high, value) => Math.max(high, value), 0);
  const scale = logarithmic && all.length > 0 ? logScale(lowest, highest) : linearScale(highest);
  const reading = series.map(({ name, values }) => `${name} ${shown(values[index], format)}`).join(", ");
  const pointed = ({ currentTarget, clientX }: PointerEvent): void => {
    const box = currentTarget.getBoundingClientRect();
    setPicked(times[nearest(x, ((clientX - box.left) / box.width) * WIDTH)]);
  };
  return (
    <figure className="card chart" aria-labelledby={heading}>
      <figcaption className="card-head">
        <h2 id={heading}>{title}</h2>
        <span className="soft small">{picked !== undefined && moment(new Date(times[index] ?? 0))}</span>
      </figcaption>
      <div className="card-body">
        <Legend series={series} index={index} format={format} />
        {all.length === 0 ? (
          <p className="chart-empty soft">{empty}</p>
        ) : (
          <div className="chart-plot">
            <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
              {scale.ticks.map((tick) => (
                <path key={tick} className="chart-grid" d={`M0 ${scale.y(tick)}H${WIDTH}`} />
              ))}
              {series.map(({ name, tone, dash, values }) => (
                <path key={name} stroke={`var(${tone})`} strokeDasharray={dash} d={linePath(x, values, scale.y)} />
              ))}
              {picked !== undefined && <path className="chart-cursor" d={`M${x[index] ?? 0} 0V${HEIGHT}`} />}
            </svg>
            {scale.ticks.map((tick) => (
              <span key={tick} className="chart-tick" style={{ top: `${scale.y(tick)}%` }} aria-hidden="true">
                {format(tick)}
              </span>
            ))}
            <input
              type="range"
              className="chart-range"
              min={0}
              max={times.length - 1}
              value={index}
              aria-label={`${title}: time`}
              aria-valuetext={`${moment(new Date(times[index] ?? 0))}: ${reading}`}
              onChange={(event) => setPicked(times[Number(event.target.value)])}
              onPointerMove={pointed}
              onPointerLeave={() => setPicked(undefined)}
              onBlur={() => setPicked(undefined)}
            />
          </div>
        )}
        <div className="chart-ends soft small" aria-hidden="true">
          <span>{length(spanMs)} ago</span>
          <span>now</span>
        </div>
        <p className="visually-hidden">
          Latest: {series.map(({ name, values }) => `${name} ${shown(values.at(-1), format)}`).join(", ")}. Highest:{" "}
          {all.length > 0 ? format(highest) : "none"}.
        </p>
        <Table title={title} times={times} series={series} format={format} />
      </div>
    </figure>
  );
}

function Legend({ series, index, format }: Pick<Properties, "series" | "format"> & { index: number }) {
  return (
    <ul className="chart-legend">
      {series.map(({ name, tone, dash, values }) => (
        <li key={name}>
          <svg viewBox="0 0 24 4" width="24" height="4" aria-hidden="true">
            <path d="M1 2h22" stroke={`var(${tone})`} strokeDasharray={dash} />
          </svg>
          <span className="soft">{name}</span> <strong>{shown(values[index], format)}</strong>
        </li>
      ))}
    </ul>
  );
}

function Table({ title, times, series, format }: Pick<Properties, "title" | "times" | "series" | "format">) {
  const [open, setOpen] = useState(false);
  return (
    <details className="small" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>As a table</summary>
      {open && (
        <div className="table-scroll chart-table" role="region" aria-label={`${title}, as a table`} tabIndex={0}>
          <table className="table">
            <thead>
              <tr>
                <th scope="col">Time</th>
                {series.map(({ name }) => (
                  <th key={name} scope="col" className="number">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>{times.map((time, index) => row(time, index, series, format)).reverse()}</tbody>
          </table>
        </div>
      )}
    </details>
  );
}

function row(time: number, index: number, series: readonly Series[], format: Properties["format"]): ReactNode {
  return (
    <tr key={time}>
      <th scope="row">{moment(new Date(time))}</th>
      {series.map(({ name, values }) => (
        <td key={name} className="number">
          {shown(values[index], format)}
        </td>
      ))}
    </tr>
  );
}

function shown(value: number | undefined, format: Properties["format"]): string {
  return value === undefined ? "–" : format(value);
}
