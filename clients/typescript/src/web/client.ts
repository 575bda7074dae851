/** The client of a browser: over HTTP, by the Connect protocol. */

import { ServiceClient } from "../service-client.js";
import { Connection, type ConnectionOptions } from "./connection.js";

/**
 * A slotd service that answers over HTTP (`slotd serve --http`), from a browser or wherever else there is `fetch`.
 *
 * It does what the client for Node.js does, and likewise: every method rejects with {@link SlotdError}; what is safe to
 * repeat is repeated while the service is UNAVAILABLE; waits, streams and output go on from where they were cut.
 */
export class Client extends ServiceClient {
  constructor(options: ConnectionOptions = {}) {
    super(new Connection(options));
  }
}
