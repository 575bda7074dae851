/** What grpc-js reports of a call that failed, as the error that the client throws. */

import { fromBinary, type Message } from "@bufbuild/protobuf";
import type { ServiceError } from "@grpc/grpc-js";

import { codeName, errorInfo, SlotdError, unpackDetails } from "./errors.js";
import { StatusSchema } from "./gen/google/rpc/status_pb.js";

const DETAILS_KEY = "grpc-status-details-bin";

// How grpc-js begins when no connection could be made at all, as against one that broke.
const NOT_CONNECTED = /^(no connection established|name resolution failed|failed to connect)/i;

// A connection that broke in a way for which grpc-js has no UNAVAILABLE: a failed write, a stream that ended without a
// status, and Node's own reset of the streams of a connection that has gone. (A call that this side cancels says
// "Cancelled on client".)
const BROKEN =
  /^(Received RST_STREAM with code \d+ (triggered by internal client error|\(Call ended without gRPC status)|Call cancelled$)/;

/** Translates what grpc-js reported; `address` is what the caller knows the service by. */
export function fromServiceError(error: ServiceError, address: string): SlotdError {
  const details = trailingDetails(error);
  const info = errorInfo(details);
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

/** The messages in the google.rpc.Status of a call's trailing metadata; none where it can't be read. */
function trailingDetails(error: ServiceError): Message[] {
  // A call that ended without trailers has no metadata, whatever grpc-js's types say.
  const raw = (error.metadata as ServiceError["metadata"] | undefined)?.get(DETAILS_KEY)[0];
  if (!(raw instanceof Uint8Array)) {
    return [];
  }
  try {
    return unpackDetails(fromBinary(StatusSchema, raw).details);
  } catch {
    // Whatever sits between here and the service may have mangled it; code and message still hold.
    return [];
  }
}
