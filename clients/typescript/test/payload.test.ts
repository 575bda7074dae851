import assert from "node:assert/strict";
import { test } from "node:test";

import { create } from "@bufbuild/protobuf";
import { DurationSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { decode, decodeMessage, encode, encodeMessage, PayloadError } from "slotd";
import { PayloadSchema } from "slotd/v1";

test("JSON comes back as it went", () => {
  for (const value of [{ a: [1, null, "ключ 💥"] }, [], "text", 0, false]) {
    const payload = encode(value);
    assert.equal(payload?.contentType, "application/json");
    assert.deepEqual(decode(payload), value);
  }
});

test("nothing is no payload, but as JSON it is null", () => {
  assert.equal(encode(undefined), undefined);
  assert.equal(encode(null), undefined);
  assert.equal(decode(undefined), undefined);
  assert.equal(decode(encode(null, "application/json")), null);
});

test("bytes are bytes, or what the content type says that they are", () => {
  const data = new Uint8Array([0, 255]);
  assert.equal(encode(data)?.contentType, "application/octet-stream");
  assert.deepEqual(decode(encode(data)), data);
  assert.equal(encode(data, "image/png")?.contentType, "image/png");
  assert.deepEqual(decode(encode(data, "image/png")), data);
});

test("text keeps its charset, its byte order mark and its faults", () => {
  const utf8 = encode("\ufeffüber", "text/plain");
  assert.equal(decode(utf8), "\ufeffüber");
  const latin = create(PayloadSchema, { contentType: 'text/plain; charset="latin1"', data: new Uint8Array([0xfc]) });
  assert.equal(decode(latin), "ü");
  const broken = create(PayloadSchema, { contentType: "text/plain", data: new Uint8Array([0xff]) });
  assert.throws(() => decode(broken), PayloadError);
});

test("a message is read in binary and as JSON, but not as another message", () => {
  const payload = encodeMessage(DurationSchema, create(DurationSchema, { seconds: 90n }));
  assert.equal(payload.contentType, "application/protobuf; type=google.protobuf.Duration");
  assert.equal(decodeMessage(DurationSchema, payload)?.seconds, 90n);
  assert.equal(decodeMessage(DurationSchema, encode("90s"))?.seconds, 90n);
  assert.throws(() => decodeMessage(TimestampSchema, payload), /wanted a google.protobuf.Timestamp/);
  assert.throws(() => decodeMessage(DurationSchema, encode(new Uint8Array([1]))), PayloadError);
  assert.equal(decodeMessage(DurationSchema, undefined), undefined);
});

test("a message alone does not say how it is written", () => {
  assert.throws(() => encode(create(DurationSchema)), /encodeMessage/);
});

test("a value without a JSON form is refused", () => {
  const circle: { self?: unknown } = {};
  circle.self = circle;
  for (const value of [() => 1, 1n, circle]) {
    assert.throws(() => encode(value), PayloadError);
  }
  assert.throws(() => encode({}, "text/plain"), PayloadError);
});

test("bytes that are no JSON are refused", () => {
  const payload = create(PayloadSchema, { contentType: "application/json", data: Buffer.from("{no") });
  assert.throws(() => decode(payload), /not JSON/);
});

test("an empty payload of no known type is nothing", () => {
  assert.equal(decode(create(PayloadSchema)), undefined);
});
