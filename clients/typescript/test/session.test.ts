import assert from "node:assert/strict";
import { test } from "node:test";

import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type Lease, LeaseSchema, StopReason, type WorkRequest, WorkRequestSchema, WorkResponseSchema } from "slotd/v1";

import type { Told } from "#slotd/worker/context.js";
import { type Functions, Session } from "#slotd/worker/session.js";

const LEASE_MS = 8000;
const DRAIN_MS = 1000;

/** Functions that only note what they are told. */
class Noted implements Functions {
  readonly started: Lease[] = [];
  readonly stopped: string[] = [];
  readonly waiting = new Map<string, Told>();

  start(lease: Lease): void {
    this.started.push(lease);
  }

  stop(lease: Lease): void {
    this.stopped.push(lease.jobId);
  }

  take(lease: Lease): Told {
    const told = this.waiting.get(lease.jobId) ?? said("");
    this.waiting.delete(lease.jobId);
    return told;
  }
}

/** A worker, and the server that it talks to. */
class Play {
  readonly functions = new Noted();
  readonly session: Session;
  now = 0;

  constructor(slots = 2) {
    this.session = new Session({ workerId: "w", kinds: [{ kind: "a" }] }, slots, this.functions, DRAIN_MS);
  }

  /** Opens a connection; the server knows the worker by these attempts. Answers the first two requests. */
  connect(held: Lease[] = []): (WorkRequest | undefined)[] {
    this.session.connected(this.now);
    const hello = this.next();
    this.say({
      welcome: { lease: { seconds: BigInt(LEASE_MS / 1000) }, held, maxResultBytes: 10n, maxOutputBytes: 100n },
    });
    return [hello, this.next()];
  }

  say(response: MessageInitShape<typeof WorkResponseSchema>): void {
    this.session.received(create(WorkResponseSchema, response), this.now);
  }

  next(): WorkRequest | undefined {
    return this.session.nextRequest(this.now);
  }

  /** The server assigns a job; answers its lease. */
  assign(jobId: string, outputSize = 0n): Lease {
    const lease = create(LeaseSchema, { jobId, fence: 1n });
    this.say({ assignments: [{ lease, job: { id: jobId, outputSize } }] });
    return lease;
  }

  /** A function says something. */
  tell(lease: Lease, output: string, done?: bigint): void {
    this.functions.waiting.set(lease.jobId, said(output, done));
    this.session.told(lease);
  }

  /** A function returns nothing. */
  finish(lease: Lease, told = said("")): void {
    this.session.finished(lease, { case: "succeeded", value: {} }, told);
  }
}

function said(output: string, done?: bigint): Told {
  return { progress: done === undefined ? undefined : { done, total: 0n, message: "" }, output: Buffer.from(output) };
}

function outputs(request: WorkRequest | undefined): (string | bigint | undefined)[][] {
  return [...(request?.reports ?? []), ...(request?.finishes ?? [])].map(({ output, outputOffset }) => [
    Buffer.from(output).toString(),
    outputOffset,
  ]);
}

test("the first request says who it is, and, with nothing held, how many slots there are", () => {
  const play = new Play();
  const [hello, second] = play.connect();
  assert.equal(hello?.hello?.workerId, "w");
  assert.deepEqual([hello.hello.held, hello.slots], [[], 2]);
  assert.equal(second, undefined);
});

test("an attempt is told of by one report at a time, and the last word goes with its finish", () => {
  const play = new Play();
  play.connect();
  const lease = play.assign("a", 5n);
  play.tell(lease, "one", 1n);
  const report = play.next();
  assert.deepEqual(outputs(report), [["one", 5n]]);
  assert.equal(report?.reports[0]?.progress?.done, 1n);
  play.tell(lease, "two", 2n);
  play.tell(lease, "two", 3n);
  assert.equal(play.next(), undefined);
  play.say({ taken: [lease] });
  assert.deepEqual(outputs(play.next()), [["two", 8n]]);
  play.finish(lease, said("three"));
  const finish = play.next();
  assert.deepEqual(outputs(finish), [["three", 11n]]);
  assert.equal(finish?.finishes[0]?.outcome.case, "succeeded");
});

test("more output than a message takes goes before the finish, piece by piece", () => {
  const play = new Play();
  play.connect();
  const lease = play.assign("a");
  play.finish(lease, { progress: undefined, output: Buffer.alloc(2.5 * 2 ** 20) });
  for (const offset of [0n, BigInt(2 ** 20)]) {
    const request = play.next();
    assert.deepEqual([request?.reports[0]?.outputOffset, request?.finishes.length], [offset, 0]);
    if (offset === 0n) {
      assert.equal(play.next(), undefined);
    }
    play.say({ taken: [lease] });
  }
  assert.equal(play.next()?.finishes[0]?.output.length, 2 ** 19);
});

test("no request has more than servers take, whatever it is made of", () => {
  const play = new Play(8000);
  play.connect();
  for (let number = 0; number < 8000; number += 1) {
    const lease = play.assign(String(number));
    if (number % 2 === 0) {
      play.session.finished(lease, { case: "failed", value: { message: "x".repeat(4096) } }, said(""));
    } else {
      play.functions.waiting.set(lease.jobId, {
        progress: { done: 1n, total: 2n, message: "ü".repeat(1024) },
        output: Buffer.alloc(0),
      });
      play.session.told(lease);
    }
  }
  const sizes: number[] = [];
  for (let request = play.next(); request !== undefined; request = play.next()) {
    sizes.push(toBinary(WorkRequestSchema, request).length);
  }
  assert.ok(sizes.reduce((sum, size) => sum + size) > 20 * 2 ** 20);
  assert.ok(Math.max(...sizes) < 5 * 2 ** 20);
});

test("what was not taken or settled is said again after a cut, and what was is not", () => {
  const play = new Play();
  play.connect();
  const [first, second] = [play.assign("a"), play.assign("b")];
  play.tell(first, "kept");
  play.next();
  play.say({ taken: [first] });
  play.tell(first, "lost");
  play.finish(second, said("end"));
  play.next();
  play.session.broken();
  play.tell(first, "more");
  const [hello, again] = play.connect([first, second]);
  assert.deepEqual(
    hello?.hello?.held.map(({ jobId }) => jobId),
    ["a", "b"],
  );
  assert.equal(hello.slots, undefined);
  assert.equal(again?.slots, 2);
  assert.deepEqual(outputs(again), [
    ["lost", 4n],
    ["end", 0n],
  ]);
  play.say({ taken: [first], settled: [second] });
  assert.deepEqual(outputs(play.next()), [["more", 8n]]);
  play.session.broken();
  assert.deepEqual(
    play.connect([first])[0]?.hello?.held.map(({ jobId }) => jobId),
    ["a"],
  );
});

test("what the server does not know any more is stopped, and takes up its slot until it returns", () => {
  const play = new Play();
  play.connect();
  const [first, second] = [play.assign("a"), play.assign("b")];
  play.session.broken();
  const [, again] = play.connect([second]);
  assert.deepEqual(play.functions.stopped, ["a"]);
  assert.equal(again?.slots, 1);
  play.finish(first);
  const later = play.next();
  assert.equal(later?.slots, 2);
  assert.equal(later.finishes.length, 0);
});

test("a cancelled attempt is told to stop and finishes as usual; a lost one does not", () => {
  const play = new Play();
  play.connect();
  const [first, second] = [play.assign("a"), play.assign("b")];
  play.say({
    stops: [
      { lease: first, reason: StopReason.CANCELLED },
      { lease: second, reason: StopReason.LOST },
    ],
  });
  assert.deepEqual(play.functions.stopped, ["a", "b"]);
  play.finish(first);
  play.finish(second);
  assert.deepEqual(
    play.next()?.finishes.map((finish) => finish.lease?.jobId),
    ["a"],
  );
});

test("a job for which there is no slot any more is given back", () => {
  const play = new Play();
  play.connect();
  play.assign("a");
  play.assign("b");
  play.assign("c");
  assert.equal(play.functions.started.length, 2);
  const finish = play.next()?.finishes[0];
  assert.deepEqual([finish?.lease?.jobId, finish?.outcome.case], ["c", "released"]);
});

test("a result that is larger than the server takes fails its job", () => {
  const play = new Play();
  play.connect();
  const lease = play.assign("a");
  const result = { contentType: "application/octet-stream", data: new Uint8Array(11) };
  play.session.finished(lease, { case: "succeeded", value: { result } }, said(""));
  const outcome = play.next()?.finishes[0]?.outcome;
  assert.equal(outcome?.case, "failed");
  assert.deepEqual([outcome.value.reason, outcome.value.permanent], ["RESULT_TOO_LARGE", true]);
});

test("with nothing to say there is a heartbeat each quarter of the lease", () => {
  const play = new Play();
  play.connect();
  play.now += LEASE_MS / 4 - 1;
  assert.equal(play.next(), undefined);
  assert.equal(play.session.idleMs(play.now), 1);
  play.now += 1;
  assert.deepEqual([play.next()?.slots, play.next()], [undefined, undefined]);
});

test("a server that is silent for a whole lease is taken for gone", () => {
  const play = new Play();
  play.connect();
  play.now += LEASE_MS - 1;
  assert.equal(play.session.tick(play.now), false);
  play.say({});
  play.now += LEASE_MS - 1;
  assert.equal(play.session.tick(play.now), false);
  play.now += 1;
  assert.equal(play.session.tick(play.now), true);
});

test("a drain offers no slots, waits, gives the rest back, and leaves once that is settled", () => {
  const play = new Play();
  play.connect();
  const [first, second] = [play.assign("a"), play.assign("b")];
  play.say({ drain: true });
  assert.equal(play.next()?.slots, 0);
  play.finish(first);
  assert.equal(play.next()?.finishes[0]?.outcome.case, "succeeded");
  play.now += DRAIN_MS;
  play.session.tick(play.now);
  assert.deepEqual(play.functions.stopped, ["b"]);
  const released = play.next()?.finishes[0];
  assert.deepEqual([released?.lease?.jobId, released?.outcome.case], ["b", "released"]);
  play.say({ settled: [first] });
  assert.equal(play.session.phase, "working");
  play.say({ settled: [second] });
  assert.equal(play.session.phase, "leaving");
  assert.deepEqual([play.next()?.leave, play.next()], [true, undefined]);
  play.session.broken();
  assert.equal(play.session.phase, "left");
});

test("one who leaves does not wait for ever, neither for what is not settled nor for the end", () => {
  const play = new Play();
  play.connect();
  play.assign("a");
  play.session.drain(play.now, 0);
  play.now += 5000;
  assert.equal(play.session.tick(play.now), false);
  assert.equal(play.session.phase, "leaving");
  play.now += 5000;
  assert.equal(play.session.tick(play.now), true);
});

test("one with nothing to give back leaves without a connection", () => {
  const play = new Play();
  play.connect();
  play.session.broken();
  play.session.drain(play.now, DRAIN_MS);
  assert.equal(play.session.phase, "left");
});

test("one who holds something comes back to give it back", () => {
  const play = new Play();
  play.connect();
  const lease = play.assign("a");
  play.session.broken();
  play.session.drain(play.now, 0);
  assert.equal(play.session.phase, "away");
  const [, again] = play.connect([lease]);
  assert.deepEqual([again?.slots, again?.finishes[0]?.outcome.case], [0, "released"]);
});
