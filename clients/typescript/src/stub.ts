/** The methods of a service as plain functions, without anything that the client adds. */

import type { DescMessage, DescMethodUnary, DescService, MessageInitShape, MessageShape } from "@bufbuild/protobuf";

import type { Caller, CallOptions } from "./caller.js";

/** The unary methods of a service, by name: each takes a request and answers the response. Rejects with SlotdError. */
export type Stub<Service extends DescService> = {
  [
    Name in keyof Service["method"] as Service["method"][Name] extends { methodKind: "unary" } ? Name : never
  ]: Service["method"][Name] extends DescMethodUnary<infer I, infer O>
    ? (request: MessageInitShape<I>, options?: CallOptions) => Promise<MessageShape<O>>
    : never;
};

/** Makes the stub of a service. */
export function createStub<Service extends DescService>(connection: Caller, service: Service): Stub<Service> {
  const methods = service.methods
    .filter((method): method is DescMethodUnary & typeof method => method.methodKind === "unary")
    .map((method) => [
      method.localName,
      (request: MessageInitShape<DescMessage>, options?: CallOptions) => connection.unary(method, request, options),
    ]);
  return Object.fromEntries(methods) as Stub<Service>;
}
