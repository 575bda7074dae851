/** The client of Node.js: over gRPC. */

import { Connection, type ConnectionOptions } from "./connection.js";
import { ServiceClient } from "./service-client.js";

/**
 * A connection to one slotd service. It connects with the first call, and again whenever that is needed; close it when it
 * is no longer used.
 *
 * Every method rejects with {@link SlotdError}. What is safe to repeat is repeated, up to five tries within about
 * two seconds, while the service is UNAVAILABLE; waits, streams and output go on for as long as it takes, from where they
 * were cut.
 */
export class Client extends ServiceClient {
  /** Throws TypeError for a bad address. */
  constructor(options: ConnectionOptions = {}) {
    super(new Connection(options));
  }
}
