/** What is told of a call that failed. */

import { SlotdError } from "slotd/web";

/** What a call can be rejected with beside a SlotdError is a mistake of ours, which is to be seen, too. */
export function asSlotdError(error: unknown): SlotdError {
  return error instanceof SlotdError ? error : new SlotdError(String(error), { code: "INTERNAL", cause: error });
}

/** In one line: what went wrong, the fields at fault, and the reason by which it can be looked up. */
export function errorText(error: SlotdError): string {
  const fields = error.fieldViolations.map(({ field, description }) => `${field}: ${description}`);
  const text = [error.message, ...fields.filter((field) => !error.message.includes(field))].join("; ");
  return `${text} (${error.reason || error.code})`;
}
