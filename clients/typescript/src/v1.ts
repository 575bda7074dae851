/**
 * Every message, enum and service of `slotd.v1`, as protobuf-es generates them. Nothing here needs gRPC or Node.js, so
 * that a browser can use it as well.
 *
 * @module
 */

export * from "./gen/slotd/v1/job_pb.js";
export * from "./gen/slotd/v1/job_service_pb.js";
export * from "./gen/slotd/v1/queue_service_pb.js";
export * from "./gen/slotd/v1/schedule_service_pb.js";
export * from "./gen/slotd/v1/worker_service_pb.js";
