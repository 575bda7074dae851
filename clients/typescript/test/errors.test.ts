import assert from "node:assert/strict";
import { test } from "node:test";

import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { SlotdError } from "slotd";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  PreconditionFailureSchema,
  QuotaFailureSchema,
  ResourceInfoSchema,
  RetryInfoSchema,
  StatusSchema,
} from "slotd/rpc";

import { fromServiceError } from "#slotd/service-error.js";

function packed<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>) {
  return anyPack(schema, create(schema, init));
}

function serviceError(code: status, details: string, trailer?: Uint8Array): ServiceError {
  const metadata = new Metadata();
  if (trailer !== undefined) {
    metadata.set("grpc-status-details-bin", Buffer.from(trailer));
  }
  return Object.assign(new Error(details), { code, details, metadata });
}

test("an error carries every detail that the service sent", () => {
  const trailer = toBinary(
    StatusSchema,
    create(StatusSchema, {
      details: [
        packed(ErrorInfoSchema, { reason: "QUEUE_FULL", domain: "slotd", metadata: { queue: "mail" } }),
        packed(BadRequestSchema, { fieldViolations: [{ field: "spec.kind", description: "unknown" }] }),
        packed(PreconditionFailureSchema, { violations: [{ type: "STATE", subject: "jobs/1", description: "runs" }] }),
        packed(QuotaFailureSchema, { violations: [{ subject: "queues/mail", description: "10 wait" }] }),
        packed(ResourceInfoSchema, { resourceType: "job", resourceName: "jobs/1" }),
        packed(RetryInfoSchema, { retryDelay: { seconds: 1n, nanos: 500_000_000 } }),
      ],
    }),
  );
  const error = fromServiceError(serviceError(status.RESOURCE_EXHAUSTED, "the queue is full", trailer), "a:1");
  assert.ok(error instanceof SlotdError);
  assert.equal(error.message, "the queue is full");
  assert.equal(error.code, "RESOURCE_EXHAUSTED");
  assert.equal(error.reason, "QUEUE_FULL");
  assert.deepEqual(error.metadata, { queue: "mail" });
  assert.deepEqual(error.fieldViolations, [{ field: "spec.kind", description: "unknown" }]);
  assert.deepEqual(error.preconditions, [{ type: "STATE", subject: "jobs/1", description: "runs" }]);
  assert.deepEqual(error.quotas, [{ subject: "queues/mail", description: "10 wait" }]);
  assert.deepEqual(error.resource, { type: "job", name: "jobs/1" });
  assert.equal(error.retryAfterMs, 1500);
  assert.equal(error.details.length, 6);
});

test("without details code and message hold, and the rest is empty", () => {
  const error = fromServiceError(serviceError(status.NOT_FOUND, "no such job"), "a:1");
  assert.equal(error.code, "NOT_FOUND");
  assert.equal(error.message, "no such job");
  assert.equal(error.reason, "");
  assert.deepEqual(error.fieldViolations, []);
  assert.equal(error.resource, undefined);
  assert.equal(error.retryAfterMs, undefined);
});

test("details that were mangled on the way are left out", () => {
  const error = fromServiceError(serviceError(status.INTERNAL, "oh", Buffer.from([0xff, 0xff])), "a:1");
  assert.equal(error.code, "INTERNAL");
  assert.deepEqual(error.details, []);
});

test("a detail of a type that nobody knows stays packed", () => {
  const unknown = { typeUrl: "type.googleapis.com/other.Thing", value: new Uint8Array([1]) };
  const trailer = toBinary(StatusSchema, create(StatusSchema, { details: [unknown] }));
  const [detail] = fromServiceError(serviceError(status.INTERNAL, "oh", trailer), "a:1").details;
  assert.equal(detail?.$typeName, "google.protobuf.Any");
});

test("no connection at all is told from one that broke", () => {
  const refused = "No connection established. Last error: connect ECONNREFUSED";
  const away = fromServiceError(serviceError(status.UNAVAILABLE, refused), "a:1");
  assert.equal(away.connected, false);
  assert.equal(away.message, "no service at a:1");
  const cut = fromServiceError(serviceError(status.UNAVAILABLE, "Connection dropped"), "a:1");
  assert.equal(cut.connected, true);
});

test("every way in which a connection breaks is UNAVAILABLE, whatever grpc-js calls it", () => {
  for (const [code, details] of [
    [status.INTERNAL, "Received RST_STREAM with code 2 triggered by internal client error: write EPIPE"],
    [status.INTERNAL, "Received RST_STREAM with code 0 (Call ended without gRPC status)"],
    [status.CANCELLED, "Call cancelled"],
  ] as const) {
    assert.equal(fromServiceError(serviceError(code, details), "a:1").code, "UNAVAILABLE", details);
  }
  assert.equal(fromServiceError(serviceError(status.CANCELLED, "Cancelled on client"), "a:1").code, "CANCELLED");
  assert.equal(
    fromServiceError(serviceError(status.INTERNAL, "Received RST_STREAM with code 2 (Internal server error)"), "a:1")
      .code,
    "INTERNAL",
  );
});
