/** Milliseconds, as JavaScript counts time, to protobuf's durations and times and back. */

import { create } from "@bufbuild/protobuf";
import { type Duration, DurationSchema, type Timestamp, timestampFromDate } from "@bufbuild/protobuf/wkt";

/** A length of time for the wire, to the nanosecond. Throws RangeError for NaN and infinity. */
export function duration(milliseconds: number): Duration {
  if (!Number.isFinite(milliseconds)) {
    throw new RangeError(`a length of time is a number of milliseconds, not ${milliseconds}`);
  }
  const seconds = Math.trunc(milliseconds / 1000);
  const nanos = Math.round((milliseconds - seconds * 1000) * 1e6);
  const carry = Math.trunc(nanos / 1e9);
  return create(DurationSchema, { seconds: BigInt(seconds + carry), nanos: nanos - carry * 1e9 });
}

/** A length of time in milliseconds. */
export function milliseconds(span: Duration): number {
  return Number(span.seconds) * 1000 + span.nanos / 1e6;
}

/** A time for the wire. Throws RangeError for an invalid Date. */
export function timestamp(time: Date | Timestamp): Timestamp {
  if (!(time instanceof Date)) {
    return time;
  }
  if (Number.isNaN(time.getTime())) {
    throw new RangeError("an invalid Date");
  }
  return timestampFromDate(time);
}
