/** What the client throws: one class, with the code, the reason and the details that the service sent. */

import { createRegistry, isMessage, type Message } from "@bufbuild/protobuf";
import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";

import {
  BadRequestSchema,
  DebugInfoSchema,
  type ErrorInfo,
  ErrorInfoSchema,
  HelpSchema,
  LocalizedMessageSchema,
  PreconditionFailureSchema,
  QuotaFailureSchema,
  RequestInfoSchema,
  ResourceInfoSchema,
  RetryInfoSchema,
} from "./gen/google/rpc/error_details_pb.js";
import { milliseconds } from "./time.js";

const DETAIL_TYPES = createRegistry(
  BadRequestSchema,
  DebugInfoSchema,
  ErrorInfoSchema,
  HelpSchema,
  LocalizedMessageSchema,
  PreconditionFailureSchema,
  QuotaFailureSchema,
  RequestInfoSchema,
  ResourceInfoSchema,
  RetryInfoSchema,
);

// By their numbers, from 1, which are the same in gRPC and in Connect.
const CODES = [
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

/** The name of a gRPC status code. */
export type Code = (typeof CODES)[number];

/** What makes up a {@link SlotdError} beside its message. */
export interface ErrorFields {
  code: Code;
  reason?: string;
  metadata?: Record<string, string>;
  details?: Message[];
  connected?: boolean;
  cause?: unknown;
}

/** A call that the service refused, or that did not reach it. */
export class SlotdError extends Error {
  override readonly name = "SlotdError";
  /** The gRPC status code, by name. */
  readonly code: Code;
  /** UPPER_SNAKE, from google.rpc.ErrorInfo; empty where none was sent. */
  readonly reason: string;
  /** What ErrorInfo has beside the reason. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The google.rpc messages that came along, unpacked; an Any where the type is not known. */
  readonly details: readonly Message[];
  /** False when no connection could be made: nothing was asked, nothing was done. */
  readonly connected: boolean;

  constructor(message: string, fields: ErrorFields) {
    super(message, { cause: fields.cause });
    this.code = fields.code;
    this.reason = fields.reason ?? "";
    this.metadata = fields.metadata ?? {};
    this.details = fields.details ?? [];
    this.connected = fields.connected ?? true;
  }

  /** What is wrong with the request, field by field (`spec.kind`). */
  get fieldViolations(): { field: string; description: string }[] {
    return this.details
      .filter((detail) => isMessage(detail, BadRequestSchema))
      .flatMap((detail) => detail.fieldViolations)
      .map(({ field, description }) => ({ field, description }));
  }

  /** What stands in the way of a FAILED_PRECONDITION. */
  get preconditions(): { type: string; subject: string; description: string }[] {
    return this.details
      .filter((detail) => isMessage(detail, PreconditionFailureSchema))
      .flatMap((detail) => detail.violations)
      .map(({ type, subject, description }) => ({ type, subject, description }));
  }

  /** Which limits a RESOURCE_EXHAUSTED is about. */
  get quotas(): { subject: string; description: string }[] {
    return this.details
      .filter((detail) => isMessage(detail, QuotaFailureSchema))
      .flatMap((detail) => detail.violations)
      .map(({ subject, description }) => ({ subject, description }));
  }

  /** What a NOT_FOUND or ALREADY_EXISTS is about. */
  get resource(): { type: string; name: string } | undefined {
    const info = this.details.find((detail) => isMessage(detail, ResourceInfoSchema));
    return info && { type: info.resourceType, name: info.resourceName };
  }

  /** Milliseconds after which the service says that another try makes sense; undefined where it does not say. */
  get retryAfterMs(): number | undefined {
    const delay = this.details.find((detail) => isMessage(detail, RetryInfoSchema))?.retryDelay;
    return delay && Math.max(0, milliseconds(delay));
  }
}

/** The name of a status code; UNKNOWN for a number that is none. */
export function codeName(code: number): Code {
  return CODES[code - 1] ?? "UNKNOWN";
}

/** Whether it is the name of a status code. */
export function isCode(name: string): name is Code {
  return (CODES as readonly string[]).includes(name);
}

/** What the service sent along with a refusal, unpacked; an Any where the type is not known. */
export function unpackDetails(packed: readonly Any[]): Message[] {
  return packed.map((detail) => anyUnpack(detail, DETAIL_TYPES) ?? detail);
}

/** The detail that says why, if the service itself said so. */
export function errorInfo(details: readonly Message[]): ErrorInfo | undefined {
  return details.find((detail) => isMessage(detail, ErrorInfoSchema));
}
