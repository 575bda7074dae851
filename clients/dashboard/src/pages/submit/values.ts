/** Values as people write them into fields, and back. What can't be read throws an Error that says what is expected. */

import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type Duration,
  durationFromMs,
  durationMs,
  type Timestamp,
  timestampFromMs,
  timestampMs,
} from "@bufbuild/protobuf/wkt";
import { type Dependency, DependencyCondition, type DependencySchema, type ResourceClaim } from "slotd/v1";
import { ResourceMode } from "slotd/web";

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
] as const;

/** `90`, `1.5s`, `2h 30m`; a number alone counts seconds. */
export function readLength(text: string): Duration {
  const pieces = [...text.matchAll(/\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*/gy)];
  const end = pieces.reduce((sum, [all]) => sum + all.length, 0);
  let ms = 0;
  for (const [, amount, name] of pieces) {
    const unit = UNITS.find(([unit]) => unit === (name === "" && pieces.length === 1 ? "s" : name));
    ms += unit ? Number(amount) * unit[1] : NaN;
  }
  if (pieces.length === 0 || end < text.length || Number.isNaN(ms)) {
    throw new Error("a length of time is like 90, 1.5s or 2h 30m");
  }
  return durationFromMs(ms);
}

/** `2h 30m`; empty where there is none. */
export function writeLength(span: Duration | undefined): string {
  const pieces: string[] = [];
  let left = span ? durationMs(span) : 0;
  for (const [name, size] of UNITS) {
    const amount = name === "ms" ? left : Math.floor(left / size);
    if (amount > 0) {
      pieces.push(`${amount}${name}`);
      left -= amount * size;
    }
  }
  return pieces.join(" ") || (span ? "0s" : "");
}

export function readNumber(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value)) {
    throw new Error("this is no number");
  }
  return value;
}

export function readInteger(text: string): number {
  const value = readNumber(text);
  if (!Number.isInteger(value) || Math.abs(value) > 0x7fffffff) {
    throw new Error("this is no whole number");
  }
  return value;
}

/** The local time of a `datetime-local` field. */
export function readTime(text: string): Timestamp {
  const ms = new Date(text).getTime();
  if (Number.isNaN(ms)) {
    throw new Error("this is no time");
  }
  return timestampFromMs(ms);
}

export function writeTime(time: Timestamp | undefined): string {
  if (!time) {
    return "";
  }
  const date = new Date(timestampMs(time));
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local
    .toISOString()
    .slice(0, 23)
    .replace(/\.000$/, "");
}

/** A line `key=value` for each. */
export function readLabels(text: string): Record<string, string> {
  const pairs = lines(text).map((line) => {
    const split = line.indexOf("=");
    if (split < 1) {
      throw new Error(`“${line}” is not of the form key=value`);
    }
    return [line.slice(0, split).trim(), line.slice(split + 1).trim()] as const;
  });
  return Object.fromEntries(pairs);
}

export function writeLabels(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join("\n");
}

/** A line for each: its name, and ` shared` where it is not to be had alone. */
export function readClaims(text: string): Pick<ResourceClaim, "name" | "mode">[] {
  return lines(text).map((line) => {
    const shared = /\s+shared$/.exec(line);
    return shared
      ? { name: line.slice(0, shared.index), mode: ResourceMode.SHARED }
      : { name: line, mode: ResourceMode.EXCLUSIVE };
  });
}

export function writeClaims(claims: readonly ResourceClaim[]): string {
  return claims.map(({ name, mode }) => name + (mode === ResourceMode.SHARED ? " shared" : "")).join("\n");
}

/** A line for each: a job's id or `groups/NAME`, then ` ended` where it need not succeed, ` retry` where it may yet. */
export function readDependencies(text: string): MessageInitShape<typeof DependencySchema>[] {
  return lines(text).map((line) => {
    const [target = "", ...words] = line.split(/\s+/);
    const strange = words.find((word) => word !== "ended" && word !== "retry");
    if (strange !== undefined) {
      throw new Error(`“${strange}” is neither “ended” nor “retry”`);
    }
    const group = target.startsWith("groups/") ? target.slice("groups/".length) : "";
    return {
      ...(group === "" ? { jobId: target.replace(/^jobs\//, "") } : { group }),
      condition: words.includes("ended") ? DependencyCondition.ENDED : DependencyCondition.SUCCEEDED,
      waitForRetry: words.includes("retry"),
    };
  });
}

export function writeDependencies(dependencies: readonly Dependency[]): string {
  return dependencies
    .map(({ jobId, group, condition, waitForRetry }) =>
      [
        group === "" ? jobId : `groups/${group}`,
        ...(condition === DependencyCondition.ENDED ? ["ended"] : []),
        ...(waitForRetry ? ["retry"] : []),
      ].join(" "),
    )
    .join("\n");
}

function lines(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
