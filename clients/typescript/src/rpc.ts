/**
 * The messages of `google.rpc` that the details of an error, and `Job.error`, are made of.
 *
 * @module
 */

export * from "./gen/google/rpc/error_details_pb.js";
export * from "./gen/google/rpc/status_pb.js";
