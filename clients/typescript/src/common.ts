/** What the clients for Node and for browsers share. */

export type { CallOptions } from "./caller.js";
export { SlotdError } from "./errors.js";
export type { Code, ErrorFields } from "./errors.js";
export type { Backoff } from "./outage.js";
export { decode, decodeMessage, encode, encodeMessage, PayloadError } from "./payload.js";
export { isTerminal } from "./progress.js";
export { spec } from "./requests.js";
export type { DependsOn, Filter, JobRef, Resource, RetryFields, SpecFields, ToSubmit } from "./requests.js";
export type {
  DeleteOptions,
  GetOptions,
  ListOptions,
  ListPageOptions,
  ReadOutputOptions,
  RetryOptions,
  StreamOptions,
  SubmitBatchOptions,
  SubmitOptions,
  WaitOptions,
} from "./service-client.js";
export { EventStream, JobPages, OutputStream } from "./streams.js";
export type { Stub } from "./stub.js";
export { Delivery, EventType, JobState, JobView, ResourceMode, UniqueConflict } from "./v1.js";
export type { Job, JobEvent, JobSpec, Payload } from "./v1.js";
export { VERSION } from "./version.js";
