/** Times and lengths of time. */

import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";

import { useNow } from "../data/hooks";
import { ago, length, moment } from "./format";

/** A time of day, or a date where it was not today; the whole of it on hovering. Milliseconds since 1970, or a message. */
export function Time({ at }: { at: number | Timestamp }) {
  const date = new Date(typeof at === "number" ? at : timestampMs(at));
  return (
    <time dateTime={date.toISOString()} title={date.toLocaleString()}>
      {moment(date)}
    </time>
  );
}

/** How long ago something was, or in how long it will be. */
export function Ago({ at }: { at: Timestamp | undefined }) {
  const now = useNow();
  if (!at) {
    return null;
  }
  const date = new Date(timestampMs(at));
  return (
    <time dateTime={date.toISOString()} title={date.toLocaleString()}>
      {ago(timestampMs(at), now)}
    </time>
  );
}

/** How long something took, or has taken so far. */
export function Lasted({ from, to }: { from: Timestamp | undefined; to: Timestamp | undefined }) {
  if (!from) {
    return null;
  }
  return to ? <span>{length(timestampMs(to) - timestampMs(from))}</span> : <LastingSince start={timestampMs(from)} />;
}

function LastingSince({ start }: { start: number }) {
  return <span>{length(useNow() - start, true)}</span>;
}
