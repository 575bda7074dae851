import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";

import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { Client, type ConnectionOptions, JobState, SlotdError, spec } from "slotd";
import {
  type GetRequest,
  JobService,
  type PurgeRequest,
  type RetryRequest,
  type StreamRequest,
  type SubmitBatchRequest,
  type SubmitRequest,
  type WaitRequest,
} from "slotd/v1";

import { serve } from "./server.js";

const UNAVAILABLE = { code: status.UNAVAILABLE, details: "draining" };
// What becomes of a call that a server has accepted but not begun when it stops.
const STOPPED = { code: status.CANCELLED, details: "CANCELLED" };

async function connect(
  context: TestContext,
  methods: UntypedServiceImplementation,
  options: ConnectionOptions = {},
): Promise<Client> {
  const client = new Client({ address: await serve(context, JobService, methods), ...options });
  context.after(() => {
    client.close();
  });
  return client;
}

test("a submit is repeated under one id while the service is away", async (context) => {
  const ids: string[] = [];
  const submit: handleUnaryCall<SubmitRequest, object> = ({ request }, answer) => {
    ids.push(request.requestId);
    answer(ids.length < 3 ? UNAVAILABLE : null, { job: { id: "1" } });
  };
  const client = await connect(context, { submit });
  assert.equal((await client.submit("mail", { big: "x".repeat(2 << 20) })).id, "1");
  assert.equal(ids.length, 3);
  assert.equal(new Set(ids).size, 1);
});

test("a retry is not repeated: the job would get fresh attempts twice", async (context) => {
  let calls = 0;
  const retry: handleUnaryCall<RetryRequest, object> = (_, answer) => {
    calls += 1;
    answer(UNAVAILABLE);
  };
  const client = await connect(context, { retry });
  await assert.rejects(client.retry("1"), { code: "UNAVAILABLE", connected: true });
  assert.equal(calls, 1);
});

test("a call without an answer ends at its deadline", async (context) => {
  const client = await connect(context, { get: () => undefined }, { callTimeoutMs: 50 });
  await assert.rejects(client.get("1"), { code: "DEADLINE_EXCEEDED" });
  await assert.rejects(client.get("1", { callTimeoutMs: 20 }), { code: "DEADLINE_EXCEEDED" });
});

test("what works on many jobs has its time, though a client be in a hurry", async (context) => {
  const deadlines: number[] = [];
  const purge: handleUnaryCall<PurgeRequest, object> = (call, answer) => {
    deadlines.push(Number(call.getDeadline()) - Date.now());
    answer(null, { purgeCount: 3n });
  };
  const client = await connect(context, { purge }, { callTimeoutMs: 1000 });
  assert.equal((await client.jobs.purge({ filter: {} })).purgeCount, 3n);
  await client.jobs.purge({ filter: {} }, { callTimeoutMs: 5000 });
  assert.ok((deadlines[0] ?? 0) > 500_000);
  assert.ok((deadlines[1] ?? 0) <= 5000);
});

test("an aborted call rejects with the signal's reason, and reaches the service as cancelled", async (context) => {
  const controller = new AbortController();
  let heard: () => void;
  const cancelled = new Promise<void>((resolve) => {
    heard = resolve;
  });
  const get: handleUnaryCall<GetRequest, object> = (call) => {
    call.on("cancelled", heard);
    controller.abort(new Error("enough"));
  };
  const client = await connect(context, { get });
  await assert.rejects(client.get("1", { signal: controller.signal }), /enough/);
  await cancelled;
  await assert.rejects(client.get("1", { signal: controller.signal }), /enough/);
});

test("closing a client ends its calls and its streams", async (context) => {
  let asked: () => void;
  const under = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const client = await connect(context, {
    get: () => {
      asked();
    },
    stream: () => undefined,
  });
  const event = client.stream().next();
  const job = client.get("1");
  await under;
  client.close();
  await assert.rejects(job, { code: "CANCELLED" });
  assert.equal((await event).done, true);
  await assert.rejects(client.get("1"), { code: "CANCELLED" });
  assert.throws(() => client.stream(), { code: "CANCELLED" });
});

test("a wait goes on over a service that goes away", async (context) => {
  let calls = 0;
  const wait: handleUnaryCall<WaitRequest, object> = ({ request }, answer) => {
    assert.equal(request.timeout?.seconds, 20n);
    const state = calls === 2 ? JobState.RUNNING : JobState.SUCCEEDED;
    answer([UNAVAILABLE, STOPPED][calls] ?? null, { job: { id: request.id, state } });
    calls += 1;
  };
  const client = await connect(context, { wait });
  assert.equal((await client.wait("1")).state, JobState.SUCCEEDED);
  assert.equal(calls, 4);
});

test("a wait ends with its signal, whatever its reason, and with its client", async (context) => {
  const asked: (() => void)[] = [];
  let calls = 0;
  const wait = (): void => {
    calls += 1;
    asked.shift()?.();
  };
  const client = await connect(context, { wait }, { reconnect: { initialMs: 1 } });
  const controller = new AbortController();
  const reason = new SlotdError("enough", { code: "CANCELLED" });
  asked.push(() => {
    controller.abort(reason);
  });
  await assert.rejects(client.wait("1", { signal: controller.signal }), reason);
  asked.push(() => {
    client.close();
  });
  await assert.rejects(client.wait("1"), { code: "CANCELLED" });
  assert.equal(calls, 2);
});

test("a stream over the wire goes on from its cursor when the service ends it", async (context) => {
  const cursors: string[] = [];
  const stream: handleServerStreamingCall<StreamRequest, object> = (call) => {
    cursors.push(call.request.cursor);
    const revision = BigInt(cursors.length);
    call.write({ cursor: `${revision}`, events: [{ revision }] }, () => {
      call.emit("error", revision === 1n ? UNAVAILABLE : STOPPED);
    });
  };
  const client = await connect(context, { stream }, { reconnect: { initialMs: 1 } });
  const events = client.stream({}, { cursor: "0" });
  for (const revision of [1n, 2n, 3n]) {
    assert.equal((await events.next()).value?.revision, revision);
  }
  events.close();
  assert.deepEqual(cursors.slice(0, 3), ["0", "1", "2"]);
});

test("a batch by name comes back by name", async (context) => {
  const submitBatch: handleUnaryCall<SubmitBatchRequest, object> = ({ request }, answer) => {
    answer(null, { jobs: request.requests.map(({ ref }) => ({ id: `of ${ref}` })) });
  };
  const client = await connect(context, { submitBatch });
  const { cut, sew } = await client.submitBatch({ cut: spec("a"), sew: spec("b") });
  assert.deepEqual([cut.id, sew.id], ["of cut", "of sew"]);
});

test("metadata goes with every call", async (context) => {
  const get: handleUnaryCall<GetRequest, object> = ({ metadata, request }, answer) => {
    answer(null, { job: { id: `${request.id} ${metadata.get("authorization").join()}` } });
  };
  const client = await connect(context, { get }, { metadata: { authorization: "Bearer x" } });
  assert.equal((await client.get("1")).id, "1 Bearer x");
});

test("a call says which trace it belongs to", async (context) => {
  const submit: handleUnaryCall<SubmitRequest, object> = ({ metadata }, answer) => {
    answer(null, { job: { id: metadata.get("traceparent").join() } });
  };
  const client = await connect(context, { submit }, { metadata: { traceparent: "00-client" } });
  assert.equal((await client.submit("mail", null, { traceparent: "00-call" })).id, "00-call");
  assert.equal((await client.submit("mail", null, { traceparent: "" })).id, "00-client");
});

test("a value that does not fit its field is refused before any call", async (context) => {
  const client = await connect(context, {});
  await assert.rejects(client.submit("mail", null, { priority: 0.5 }), /int32/);
});

test("an address with a scheme, or none at all, is refused", () => {
  for (const address of ["http://localhost:7433/", "", " localhost:1"]) {
    assert.throws(() => new Client({ address }), TypeError);
  }
});

test("a service that is not there is said to be so", async (context) => {
  const client = new Client({ address: "127.0.0.1:1" });
  context.after(() => {
    client.close();
  });
  await assert.rejects(client.retry("1"), {
    code: "UNAVAILABLE",
    connected: false,
    message: "no service at 127.0.0.1:1",
  });
});
