/** Building the services' requests from JavaScript's own values. */

import { create, isMessage, type MessageInitShape } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";

import { encode } from "./payload.js";
import { duration, timestamp } from "./time.js";
import { randomUUID } from "./uuid.js";
import {
  type DependencySchema,
  type Job,
  type JobFilterSchema,
  type JobSpec,
  JobSpecSchema,
  ResourceMode,
  type ResourceClaimSchema,
  RetryPolicySchema,
  type SubmitBatchRequest,
  SubmitBatchRequestSchema,
  type SubmitRequest,
  SubmitRequestSchema,
  type UniqueConflict,
} from "./v1.js";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A job: its id, or the message. */
export type JobRef = string | Job;

/** Which jobs: those that match every field given; within a field any one value will do, but of labels all count. */
export type Filter = MessageInitShape<typeof JobFilterSchema>;

/** A claim: the resource's name alone is an exclusive one; a final `/*` claims all below it, `*` everything. */
export type Resource = string | MessageInitShape<typeof ResourceClaimSchema>;

/** What has to end first: a job, its id, its ref in the same batch (any text that is no UUID), or the whole message. */
export type DependsOn = JobRef | MessageInitShape<typeof DependencySchema>;

/** A job to submit: its spec, or a request with an id or a ref of its own. */
export type ToSubmit = JobSpec | SubmitRequest;

/** When and how often a failed attempt is followed by another; what is left out comes from handler, queue or service. */
export interface RetryFields {
  /** Attempts in all, the first one included: 1 never retries. */
  maxAttempts?: number | undefined;
  /** Milliseconds before the second attempt. */
  initialBackoffMs?: number | undefined;
  /** No wait is longer than so many milliseconds. */
  maxBackoffMs?: number | undefined;
  /** Each wait is the one before times this; 1 or more. */
  multiplier?: number | undefined;
  /** Each wait is changed at random by up to this share of itself; 0 to 1. */
  jitter?: number | undefined;
}

/** What may be said of a job beside its kind and payload; what is left out comes from handler, queue or service. */
export interface SpecFields {
  /** The queue it waits in. */
  queue?: string | undefined;
  /** Higher ones go first; -1,000 to 1,000. */
  priority?: number | undefined;
  /** Free words for filters. */
  labels?: Record<string, string> | undefined;
  /** What it holds while it runs. */
  resources?: readonly Resource[] | undefined;
  /** What has to succeed first. */
  dependsOn?: readonly DependsOn[] | undefined;
  /** Not before this time. */
  scheduleTime?: Date | Timestamp | undefined;
  /** Milliseconds that one attempt may take. */
  timeoutMs?: number | undefined;
  /** What follows a failed attempt. */
  retry?: RetryFields | undefined;
  /** Milliseconds that it may wait for its first start. */
  queueTimeoutMs?: number | undefined;
  /** Milliseconds that it is kept once it has ended. */
  retentionMs?: number | undefined;
  /** The group that it belongs to. */
  group?: string | undefined;
  /** Whose job it is: of one key so many run at once as the queue's slots per key say. */
  concurrencyKey?: string | undefined;
  /** Only one job that has not ended has it. */
  uniqueKey?: string | undefined;
  /** Milliseconds from the job's submission for which the unique key stays taken, even if the job ends before. */
  uniquePeriodMs?: number | undefined;
  /** What to do when the unique key is taken. */
  uniqueConflict?: UniqueConflict | undefined;
  /** What the payload is to be written as; see `encode`. */
  contentType?: string | undefined;
}

/**
 * Builds a job's spec: what is to be done, with what, and how.
 *
 * `payload` is a Payload, or a value for `encode`. Throws PayloadError for a payload that can't be encoded, RangeError
 * for a length of time that is none; whether the service takes the spec is the service's to say.
 */
export function spec(kind: string, payload?: unknown, fields: SpecFields = {}): JobSpec {
  return create(JobSpecSchema, {
    kind,
    payload: encode(payload, fields.contentType),
    queue: fields.queue ?? "",
    priority: fields.priority,
    labels: fields.labels ?? {},
    resources: (fields.resources ?? []).map(claim),
    dependsOn: (fields.dependsOn ?? []).map(dependency),
    scheduleTime: fields.scheduleTime && timestamp(fields.scheduleTime),
    timeout: optionalDuration(fields.timeoutMs),
    retry: fields.retry && retryPolicy(fields.retry),
    queueTimeout: optionalDuration(fields.queueTimeoutMs),
    retention: optionalDuration(fields.retentionMs),
    group: fields.group ?? "",
    concurrencyKey: fields.concurrencyKey ?? "",
    uniqueKey: fields.uniqueKey ?? "",
    uniquePeriod: optionalDuration(fields.uniquePeriodMs),
    uniqueConflict: fields.uniqueConflict,
  });
}

/** A retry policy for the wire. */
export function retryPolicy(fields: RetryFields): MessageInitShape<typeof RetryPolicySchema> {
  return {
    maxAttempts: fields.maxAttempts ?? 0,
    initialBackoff: optionalDuration(fields.initialBackoffMs),
    maxBackoff: optionalDuration(fields.maxBackoffMs),
    multiplier: fields.multiplier ?? 0,
    jitter: fields.jitter,
  };
}

/** A length of time for the wire, where there is one. */
export function optionalDuration(milliseconds: number | undefined): ReturnType<typeof duration> | undefined {
  return milliseconds === undefined ? undefined : duration(milliseconds);
}

/** The id of a job. Throws TypeError for an empty one. */
export function jobId(job: JobRef): string {
  const id = typeof job === "string" ? job : job.id;
  if (id === "") {
    throw new TypeError("a job's id is empty");
  }
  return id;
}

/**
 * A filter for the wire.
 *
 * Throws TypeError for a field that is given but empty: on the wire it would match all jobs instead of none. (In a whole
 * message all fields are there, so that an empty one says nothing.)
 */
export function jobFilter(filter: Filter): Filter {
  if (!isMessage(filter)) {
    for (const [field, values] of Object.entries(filter)) {
      if (Array.isArray(values) && values.length === 0) {
        throw new TypeError(`${field} is empty: leave it out to match all jobs`);
      }
    }
  }
  return filter;
}

/** The request with an id, a new one where it has none: without, repeating it could make a second job. */
export function withRequestId(request: MessageInitShape<typeof SubmitRequestSchema>): SubmitRequest {
  const { requestId = "" } = request;
  return create(SubmitRequestSchema, { ...request, requestId: requestId === "" ? randomUUID() : requestId });
}

/** A SubmitBatch of specs, or of requests with ids of their own; the keys of an object are the refs. */
export function submitBatch(
  jobs: Iterable<ToSubmit> | Readonly<Record<string, ToSubmit>>,
  validateOnly: boolean,
): SubmitBatchRequest {
  const named: Iterable<[string, ToSubmit]> = isIterable(jobs)
    ? Array.from(jobs, (job) => ["", job])
    : Object.entries(jobs);
  return create(SubmitBatchRequestSchema, {
    requests: Array.from(named, ([ref, job]) =>
      isMessage(job, JobSpecSchema)
        ? withRequestId({ spec: job, ref, validateOnly })
        : withRequestId({ ...job, ref: ref === "" ? job.ref : ref }),
    ),
  });
}

/** Whether the jobs of a batch come in a row, and not by name. */
export function isIterable(jobs: Iterable<ToSubmit> | Readonly<Record<string, ToSubmit>>): jobs is Iterable<ToSubmit> {
  return Symbol.iterator in jobs;
}

function claim(resource: Resource): MessageInitShape<typeof ResourceClaimSchema> {
  return typeof resource === "string" ? { name: resource, mode: ResourceMode.EXCLUSIVE } : resource;
}

function dependency(target: DependsOn): MessageInitShape<typeof DependencySchema> {
  if (typeof target === "string") {
    return UUID.test(target) ? { jobId: target } : { ref: target };
  }
  return isJob(target) ? { jobId: jobId(target) } : target;
}

function isJob(target: Exclude<DependsOn, string>): target is Job {
  return target.$typeName === "slotd.v1.Job";
}
