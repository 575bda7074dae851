/** The fields of a form about a queue, the queue that they make, and which of its settings were changed. */

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Queue, QueueSchema } from "slotd/v1";

import { type Problems, reader } from "../submit/spec-form";
import { readInteger, readLength, readNumber, writeLength } from "../submit/values";

/** Paths in a queue, as the service names them when something is wrong with them. */
export const QUEUE_FIELDS = [
  "name",
  "slots",
  "max_queued",
  "slots_per_key",
  "retain_count",
  "rate_limit.starts_per_second",
  "rate_limit.burst",
  "defaults.priority",
  "defaults.timeout",
  "defaults.queue_timeout",
  "defaults.retention",
  "defaults.retry.max_attempts",
  "defaults.retry.initial_backoff",
  "defaults.retry.max_backoff",
  "defaults.retry.multiplier",
  "defaults.retry.jitter",
] as const;

export type QueueField = (typeof QUEUE_FIELDS)[number];

/** What is in the fields. An empty one is no limit, or leaves it to the service. */
export type QueueForm = Readonly<Record<QueueField, string>>;

/** The form with what a queue has now. */
export function writeQueue(queue: Pick<Queue, "name"> & Partial<Queue>): QueueForm {
  const { defaults, rateLimit } = queue;
  const retry = defaults?.retry;
  return {
    name: queue.name,
    slots: number(queue.slots),
    max_queued: number(queue.maxQueued),
    slots_per_key: number(queue.slotsPerKey),
    retain_count: number(queue.retainCount),
    "rate_limit.starts_per_second": number(rateLimit?.startsPerSecond),
    "rate_limit.burst": number(rateLimit?.burst),
    "defaults.priority": number(defaults?.priority),
    "defaults.timeout": writeLength(defaults?.timeout),
    "defaults.queue_timeout": writeLength(defaults?.queueTimeout),
    "defaults.retention": writeLength(defaults?.retention),
    "defaults.retry.max_attempts": numberUnless0(retry?.maxAttempts),
    "defaults.retry.initial_backoff": writeLength(retry?.initialBackoff),
    "defaults.retry.max_backoff": writeLength(retry?.maxBackoff),
    "defaults.retry.multiplier": numberUnless0(retry?.multiplier),
    "defaults.retry.jitter": number(retry?.jitter),
  };
}

/** The queue of a form, and what in it can't be read. */
export function readQueue(form: QueueForm): { queue: MessageInitShape<typeof QueueSchema>; problems: Problems } {
  const problems = new Map<string, string>();
  const read = reader(form, problems);
  const name = form.name.trim();
  if (name === "") {
    problems.set("name", "is needed");
  }
  const retry = {
    maxAttempts: read("defaults.retry.max_attempts", readInteger),
    initialBackoff: read("defaults.retry.initial_backoff", readLength),
    maxBackoff: read("defaults.retry.max_backoff", readLength),
    multiplier: read("defaults.retry.multiplier", readNumber),
    jitter: read("defaults.retry.jitter", readNumber),
  };
  const defaults = {
    priority: read("defaults.priority", readInteger),
    timeout: read("defaults.timeout", readLength),
    queueTimeout: read("defaults.queue_timeout", readLength),
    retention: read("defaults.retention", readLength),
    retry: unlessEmpty(retry),
  };
  const rateLimit = {
    startsPerSecond: read("rate_limit.starts_per_second", readNumber),
    burst: read("rate_limit.burst", readInteger),
  };
  const queue = {
    name,
    slots: read("slots", readInteger),
    maxQueued: read("max_queued", readCount),
    slotsPerKey: read("slots_per_key", readInteger),
    retainCount: read("retain_count", readCount),
    rateLimit: unlessEmpty(rateLimit),
    defaults: unlessEmpty(defaults),
  };
  return { queue, problems };
}

/** For the update mask: the settings in which two forms differ, so that others keep what somebody else has set. */
export function changedSettings(before: QueueForm, after: QueueForm): string[] {
  const changed = QUEUE_FIELDS.filter((field) => field !== "name" && before[field].trim() !== after[field].trim());
  return [...new Set(changed.map((field) => field.replace(/\..*/, "")))];
}

function number(value: number | bigint | undefined): string {
  return value === undefined ? "" : String(value);
}

/** Of what has no way to be unset but 0. */
function numberUnless0(value: number | undefined): string {
  return value === 0 ? "" : number(value);
}

function readCount(text: string): bigint {
  if (!/^-?\d+$/.test(text)) {
    throw new Error("this is no whole number");
  }
  return BigInt(text);
}

function unlessEmpty<Fields extends object>(fields: Fields): Fields | undefined {
  return Object.values(fields).some((value) => value !== undefined) ? fields : undefined;
}
