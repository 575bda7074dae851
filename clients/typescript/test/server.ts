/** A gRPC server on a free port of this machine, with methods made for one test. */

import type { TestContext } from "node:test";

import type { DescService } from "@bufbuild/protobuf";
import { Server, ServerCredentials, type UntypedServiceImplementation } from "@grpc/grpc-js";
import { serviceDefinition } from "slotd";

/** Starts it; resolves to its address. It is shut down after the test. */
export async function serve(
  test: TestContext,
  service: DescService,
  methods: UntypedServiceImplementation,
): Promise<string> {
  const server = new Server();
  // grpc-js wants every method; those that a test does not have answer UNIMPLEMENTED.
  server.addService(serviceDefinition(service), methods);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
      if (error) {
        reject(error);
      } else {
        resolve(bound);
      }
    });
  });
  test.after(() => {
    server.forceShutdown();
  });
  return `127.0.0.1:${port}`;
}
