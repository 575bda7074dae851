import assert from "node:assert/strict";
import { test } from "node:test";

import { create } from "@bufbuild/protobuf";
import { type Backoff, type Code, SlotdError } from "slotd";
import { RetryInfoSchema } from "slotd/rpc";

import { Outage } from "#slotd/outage.js";

function refusal(code: Code, { connected = true, retrySeconds = 0 } = {}): SlotdError {
  const retry = create(RetryInfoSchema, { retryDelay: { seconds: BigInt(retrySeconds) } });
  return new SlotdError("no", { code, connected, details: retrySeconds > 0 ? [retry] : [] });
}

function outage(backoff: Backoff = {}, { reached = false, now = { ms: 0 } } = {}): Outage {
  return new Outage(backoff, reached, { clock: () => now.ms, chance: () => 0.5 });
}

test("waits double up to the longest, and begin anew after an answer", () => {
  const seen = outage({ maximumMs: 500 }, { reached: true });
  const away = refusal("UNAVAILABLE", { connected: false });
  assert.deepEqual(
    [1, 2, 3, 4, 5].map(() => seen.failed(away)),
    [100, 200, 400, 500, 500],
  );
  seen.answered();
  assert.equal(seen.failed(away), 100);
});

test("a long outage has no wait that is no number", () => {
  const seen = outage({}, { reached: true });
  for (let failures = 0; failures < 2000; failures++) {
    seen.failed(refusal("UNAVAILABLE"));
  }
  assert.equal(seen.failed(refusal("UNAVAILABLE")), 10_000);
});

test("a service that has never answered is tried four times", () => {
  const seen = outage();
  const away = refusal("UNAVAILABLE", { connected: false });
  assert.deepEqual(
    [1, 2, 3, 4].map(() => seen.failed(away) === undefined),
    [false, false, false, true],
  );
});

test("a connection that broke was there, and is tried for ever", () => {
  const seen = outage();
  for (let failures = 0; failures < 10; failures++) {
    assert.notEqual(seen.failed(refusal("UNAVAILABLE")), undefined);
  }
});

test("a server that stops and cancels what it has not begun was there, and is tried for ever", () => {
  const seen = outage();
  assert.equal(seen.failed(refusal("CANCELLED")), 100);
  for (let failures = 0; failures < 10; failures++) {
    assert.notEqual(seen.failed(refusal("UNAVAILABLE", { connected: false })), undefined);
  }
});

test("the service's own wait holds where it is longer", () => {
  assert.equal(outage().failed(refusal("UNAVAILABLE", { retrySeconds: 7 })), 7000);
});

test("a limit passes only where the service says when", () => {
  assert.equal(outage({}, { reached: true }).failed(refusal("RESOURCE_EXHAUSTED")), undefined);
  assert.equal(outage({}, { reached: true }).failed(refusal("RESOURCE_EXHAUSTED", { retrySeconds: 1 })), 1000);
  assert.equal(outage().failed(refusal("RESOURCE_EXHAUSTED", { retrySeconds: 1 })), undefined);
});

test("what trying again won't cure is the caller's to know", () => {
  for (const code of ["OUT_OF_RANGE", "NOT_FOUND", "INVALID_ARGUMENT", "INTERNAL"] as const) {
    assert.equal(outage({}, { reached: true }).failed(refusal(code)), undefined, code);
  }
});

test("it gives up after the time that it was given", () => {
  const now = { ms: 0 };
  const seen = outage({ giveUpMs: 1000 }, { reached: true, now });
  assert.notEqual(seen.failed(refusal("UNAVAILABLE")), undefined);
  now.ms = 999;
  assert.notEqual(seen.failed(refusal("UNAVAILABLE")), undefined);
  now.ms = 1000;
  assert.equal(seen.failed(refusal("UNAVAILABLE")), undefined);
});
