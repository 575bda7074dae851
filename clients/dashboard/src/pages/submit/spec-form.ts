/** The fields of a form about a job's spec, and the spec that they make. */

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Duration } from "@bufbuild/protobuf/wkt";
import type { JobSpecSchema } from "slotd/v1";
import { type JobSpec, type Payload, type SlotdError, UniqueConflict } from "slotd/web";

import {
  readClaims,
  readDependencies,
  readInteger,
  readLabels,
  readLength,
  readNumber,
  readTime,
  writeClaims,
  writeDependencies,
  writeLabels,
  writeLength,
} from "./values";

/** What is in the fields, each by its path in the spec. An empty one leaves it to handler, queue and service. */
export interface SpecForm {
  readonly fields: Readonly<Partial<Record<SpecField, string>>>;
  /** A payload that is no text, and goes on as it is. */
  readonly kept: Payload | undefined;
}

/** Paths, as the service names them when something is wrong with them. */
export const SPEC_FIELDS = [
  "kind",
  "queue",
  "payload.content_type",
  "payload.data",
  "priority",
  "labels",
  "resources",
  "depends_on",
  "schedule_time",
  "timeout",
  "retry.max_attempts",
  "retry.initial_backoff",
  "retry.max_backoff",
  "retry.multiplier",
  "retry.jitter",
  "queue_timeout",
  "retention",
  "group",
  "concurrency_key",
  "unique_key",
  "unique_period",
  "unique_conflict",
] as const;

export type SpecField = (typeof SPEC_FIELDS)[number];

/** What is wrong, by the path of the field. */
export type Problems = ReadonlyMap<string, string>;

export const JSON_TYPE = "application/json";

export const EMPTY_FORM: SpecForm = { fields: { "payload.content_type": JSON_TYPE }, kept: undefined };

/** The spec of a form, and what in it can't be read. */
export function readSpec({ fields, kept }: SpecForm): {
  spec: MessageInitShape<typeof JobSpecSchema>;
  problems: Problems;
} {
  const problems = new Map<string, string>();
  const read = reader(fields, problems);
  const length = (name: SpecField): Duration | undefined => read(name, readLength);
  const text = (name: SpecField): string => fields[name]?.trim() ?? "";
  const contentType = text("payload.content_type");
  const data = fields["payload.data"] ?? "";
  const wrong = jsonProblem(contentType, data);
  if (wrong && !kept) {
    problems.set("payload.data", wrong);
  }
  if (text("kind") === "") {
    problems.set("kind", "say which handler is to run it");
  }
  const retry = {
    maxAttempts: read("retry.max_attempts", readInteger),
    initialBackoff: length("retry.initial_backoff"),
    maxBackoff: length("retry.max_backoff"),
    multiplier: read("retry.multiplier", readNumber),
    jitter: read("retry.jitter", readNumber),
  };
  const spec = {
    kind: text("kind"),
    queue: text("queue"),
    payload: kept ?? (data.trim() === "" ? undefined : { contentType, data: new TextEncoder().encode(data) }),
    priority: read("priority", readInteger),
    labels: read("labels", readLabels),
    resources: read("resources", readClaims),
    dependsOn: read("depends_on", readDependencies),
    scheduleTime: read("schedule_time", readTime),
    timeout: length("timeout"),
    retry: Object.values(retry).some((value) => value !== undefined) ? retry : undefined,
    queueTimeout: length("queue_timeout"),
    retention: length("retention"),
    group: text("group"),
    concurrencyKey: text("concurrency_key"),
    uniqueKey: text("unique_key"),
    uniquePeriod: length("unique_period"),
    uniqueConflict: read("unique_conflict", conflictFrom),
  };
  return { spec, problems };
}

/** Reads one field after the other, and keeps what is wrong with them under their names. */
export function reader<Name extends string>(
  fields: Readonly<Partial<Record<Name, string>>>,
  problems: Map<string, string>,
): <Value>(name: Name, parse: (text: string) => Value) => Value | undefined {
  return (name, parse) => {
    const text = fields[name]?.trim() ?? "";
    if (text === "") {
      return undefined;
    }
    try {
      return parse(text);
    } catch (error) {
      problems.set(name, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  };
}

/** The form that makes a spec again. Its schedule_time, which is over, is left out. */
export function writeSpec(spec: JobSpec): SpecForm {
  const { payload, retry } = spec;
  const text = payload && decoded(payload.data);
  const number = (value: number | undefined): string => (value === undefined ? "" : String(value));
  // Of these fields 0 means that nothing is said.
  const positive = (value: number | undefined): string => (value ? String(value) : "");
  return {
    kept: text === undefined ? payload : undefined,
    fields: {
      kind: spec.kind,
      queue: spec.queue,
      "payload.content_type": payload?.contentType ?? JSON_TYPE,
      "payload.data": text ?? "",
      priority: number(spec.priority),
      labels: writeLabels(spec.labels),
      resources: writeClaims(spec.resources),
      depends_on: writeDependencies(spec.dependsOn),
      timeout: writeLength(spec.timeout),
      "retry.max_attempts": positive(retry?.maxAttempts),
      "retry.initial_backoff": writeLength(retry?.initialBackoff),
      "retry.max_backoff": writeLength(retry?.maxBackoff),
      "retry.multiplier": positive(retry?.multiplier),
      "retry.jitter": number(retry?.jitter),
      queue_timeout: writeLength(spec.queueTimeout),
      retention: writeLength(spec.retention),
      group: spec.group,
      concurrency_key: spec.concurrencyKey,
      unique_key: spec.uniqueKey,
      unique_period: writeLength(spec.uniquePeriod),
      unique_conflict: positive(spec.uniqueConflict),
    },
  };
}

/** Why a text that is to be JSON is none; undefined where it is, or is not to be. */
export function jsonProblem(contentType: string, text: string): string | undefined {
  if (!/json/i.test(contentType) || text.trim() === "") {
    return undefined;
  }
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return `this is no JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** What the service finds wrong, by field: of `spec.resources[2].name`, with `spec.` for its start, `resources`. */
export function problemsOf(error: SlotdError, start: string, names: readonly string[]): Problems {
  const problems = new Map<string, string>();
  for (const { field, description } of error.fieldViolations) {
    const path = field.startsWith(start) ? field.slice(start.length) : field;
    const known = names.find((name) => path === name || path.startsWith(`${name}[`) || path.startsWith(`${name}.`));
    const rest = known === undefined ? "" : path.slice(known.length);
    const text = rest === "" ? description : `${rest.replace(/^\./, "")} ${description}`;
    const before = problems.get(known ?? field);
    problems.set(known ?? field, before === undefined ? text : `${before}; ${text}`);
  }
  return problems;
}

function conflictFrom(text: string): UniqueConflict | undefined {
  return [UniqueConflict.REFUSE, UniqueConflict.REPLACE].find((conflict) => String(conflict) === text);
}

function decoded(data: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    return undefined;
  }
}
