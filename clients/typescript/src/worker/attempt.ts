/** One call of one handler, and how it ended. */

import type { MessageInitShape } from "@bufbuild/protobuf";

import { decode, decodeMessage, encode } from "../payload.js";
import { duration } from "../time.js";
import type { FinishSchema, Payload } from "../v1.js";
import { type AttemptContext, cut } from "./context.js";
import { JobCancelled, PermanentError, type Registered, Snooze } from "./handlers.js";

// How much of a handler's error is kept.
const ERROR_LENGTH = 4096;

/** How an attempt ended. */
export type Outcome = NonNullable<MessageInitShape<typeof FinishSchema>["outcome"]>;

/** Calls the handler. Whatever it throws ends this attempt and nothing else: it never rejects. */
export async function runHandler(
  { handler, payload: schema }: Registered,
  context: AttemptContext,
  payload: Payload | undefined,
): Promise<Outcome> {
  let argument: unknown;
  try {
    argument = schema === undefined ? decode(payload) : decodeMessage(schema, payload);
  } catch (error) {
    return failed("PAYLOAD_INVALID", error, true);
  }
  let value: unknown;
  try {
    value = await handler(context, argument as never);
  } catch (error) {
    return thrown(context, error);
  }
  try {
    return { case: "succeeded", value: { result: encode(value) } };
  } catch (error) {
    return failed("RESULT_INVALID", error, true);
  }
}

/** The outcome where a result may have so many bytes. */
export function withinLimit(outcome: Outcome, limit: number): Outcome {
  const size = outcome.case === "succeeded" ? (outcome.value.result?.data?.length ?? 0) : 0;
  if (size <= limit) {
    return outcome;
  }
  const message = `the result has ${size} bytes; at most ${limit} are kept`;
  return { case: "failed", value: { reason: "RESULT_TOO_LARGE", message, permanent: true } };
}

function thrown(context: AttemptContext, error: unknown): Outcome {
  if (error instanceof Snooze) {
    return { case: "snoozed", value: { delay: duration(error.delayMs) } };
  }
  if (error instanceof PermanentError) {
    return failed("PERMANENT_ERROR", error, true);
  }
  if (error instanceof JobCancelled || (context.cancelled && error instanceof Error && error.name === "AbortError")) {
    return failed("CANCELLED", error);
  }
  return failed("HANDLER_ERROR", error);
}

function failed(reason: string, error: unknown, permanent = false): Outcome {
  return { case: "failed", value: { reason, message: cut(describe(error), ERROR_LENGTH), permanent } };
}

function describe(error: unknown): string {
  try {
    return String(error);
  } catch {
    // What was thrown can't even be looked at; that must not cost the worker its slot.
    return "Error";
  }
}
