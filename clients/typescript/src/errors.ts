/** What the client throws: one class, with the code, the reason and the details that the service sent. */

import { createRegistry, fromBinary, isMessage, type Message } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { type ServiceError, status } from "@grpc/grpc-js";

import {
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
} from "./gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "./gen/google/rpc/status_pb.js";
import { milliseconds } from "./time.js";

const DETAILS_KEY = "grpc-status-details-bin";

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

// How grpc-js begins when no connection could be made at all, as against one that broke.
const NOT_CONNECTED = /^(no connection established|name resolution failed|failed to connect)/i;

// A connection that broke in a way for which grpc-js has no UNAVAILABLE: a failed write, a stream that ended without a
// status, and Node's own reset of the streams of a connection that has gone. (A call that this side cancels says
// "Cancelled on client".)
const BROKEN =
  /^(Received RST_STREAM with code \d+ (triggered by internal client error|\(Call ended without gRPC status)|Call cancelled$)/;

/** The name of a gRPC status code. */
export type Code = Exclude<keyof typeof status, "OK">;

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

/** Translates what grpc-js reported; `address` is what the caller knows the service by. */
export function fromServiceError(error: ServiceError, address: string): SlotdError {
  const details = unpackDetails(error);
  const info = details.find((detail) => isMessage(detail, ErrorInfoSchema));
  const broken = info === undefined && BROKEN.test(error.details);
  const code = broken ? "UNAVAILABLE" : codeName(error.code);
  const connected = !(code === "UNAVAILABLE" && info === undefined && NOT_CONNECTED.test(error.details));
  return new SlotdError(connected ? error.details : `no service at ${address}`, {
    code,
    reason: info?.reason ?? "",
    metadata: info?.metadata ?? {},
    details,
    connected,
    cause: error,
  });
}

function codeName(code: status): Code {
  const name = status[code] as keyof typeof status | undefined;
  return name === undefined || name === "OK" ? "UNKNOWN" : name;
}

/** The messages in the google.rpc.Status of a call's trailing metadata; none where it can't be read. */
function unpackDetails(error: ServiceError): Message[] {
  // A call that ended without trailers has no metadata, whatever grpc-js's types say.
  const raw = (error.metadata as ServiceError["metadata"] | undefined)?.get(DETAILS_KEY)[0];
  if (!(raw instanceof Uint8Array)) {
    return [];
  }
  try {
    return fromBinary(StatusSchema, raw).details.map((packed) => anyUnpack(packed, DETAIL_TYPES) ?? packed);
  } catch {
    // Whatever sits between here and the service may have mangled it; code and message still hold.
    return [];
  }
}
