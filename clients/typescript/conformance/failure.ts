/** Errors as the answers tell of them. */

import type { JsonObject } from "@bufbuild/protobuf";
import { SlotdError } from "slotd";

/** The `error` of an answer. What is no SlotdError was refused by the library itself, before any call. */
export function failure(error: unknown): JsonObject {
  if (!(error instanceof SlotdError)) {
    console.error(error);
    return fields(new SlotdError(String(error), { code: "INVALID_ARGUMENT" }));
  }
  return fields(error);
}

function fields(error: SlotdError): JsonObject {
  return {
    code: error.code,
    reason: error.reason,
    message: error.message,
    metadata: { ...error.metadata },
    violations: error.fieldViolations,
    preconditions: error.preconditions,
    quotas: error.quotas,
    resource: error.resource ?? null,
    retry_seconds: error.retryAfterMs === undefined ? null : error.retryAfterMs / 1000,
  };
}
