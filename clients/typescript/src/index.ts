/**
 * The client and worker of slotd, a job service that speaks gRPC.
 *
 * @module
 */

export { Client } from "./client.js";
export * from "./common.js";
export type { ConnectionOptions } from "./connection.js";
export { serviceDefinition } from "./definition.js";
export { JobCancelled, PermanentError, Snooze } from "./worker/handlers.js";
export type { Handler, HandlerOptions, JobContext, MessageHandler, MessageHandlerOptions } from "./worker/handlers.js";
export { Worker } from "./worker/worker.js";
export type { WorkerOptions } from "./worker/worker.js";
