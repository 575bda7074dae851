/** The word by which a failure of a job can be looked up. */

import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { ErrorInfoSchema, type Status } from "slotd/rpc";

/** UPPER_SNAKE, as `HANDLER_ERROR`; empty where none came along. */
export function errorReason(error: Status): string {
  for (const detail of error.details) {
    const info = anyUnpack(detail, ErrorInfoSchema);
    if (info) {
      return info.reason;
    }
  }
  return "";
}
