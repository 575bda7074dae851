/** How long a server is still taken to be there. */

import { durationMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { Server } from "slotd/v1";

/** Milliseconds until its lease ends, below zero after that; undefined where there is none. */
export function leaseLeftMs(
  { renewTime, lease }: Pick<Server, "renewTime" | "lease">,
  now: number,
): number | undefined {
  return renewTime && lease ? timestampMs(renewTime) + durationMs(lease) - now : undefined;
}
