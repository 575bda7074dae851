/**
 * The client of slotd for browsers, over HTTP.
 *
 * @module
 */

export * from "../common.js";
export { milliseconds } from "../time.js";
export { Client } from "./client.js";
export type { ConnectionOptions } from "./connection.js";
