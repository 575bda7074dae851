import assert from "node:assert/strict";
import { on, once } from "node:events";
import { test, type TestContext } from "node:test";

import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { anyPack, DurationSchema } from "@bufbuild/protobuf/wkt";
import {
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  Metadata,
  type ServerDuplexStream,
  status,
} from "@grpc/grpc-js";
import { encode, encodeMessage, type JobContext, PermanentError, Snooze, Worker, type WorkerOptions } from "slotd";
import { ErrorInfoSchema, StatusSchema } from "slotd/rpc";
import {
  type Finish,
  type Lease,
  type Payload,
  type ReadResultsRequest,
  StopReason,
  type WorkRequest,
  type WorkResponseSchema,
  WorkerService,
} from "slotd/v1";

import { serve } from "./server.js";

type Response = MessageInitShape<typeof WorkResponseSchema>;

/** The service's side of one connection. */
class Connection {
  readonly #call: ServerDuplexStream<WorkRequest, Response>;
  readonly #requests: AsyncIterator<[WorkRequest], undefined>;

  constructor(call: ServerDuplexStream<WorkRequest, Response>) {
    this.#call = call;
    this.#requests = on(call, "data", { close: ["end", "cancelled"] }) as AsyncIterator<[WorkRequest], undefined>;
  }

  /** The first request that is of interest; what comes before is dropped. */
  async next(wanted: (request: WorkRequest) => boolean): Promise<WorkRequest> {
    for (;;) {
      const next = await this.#requests.next();
      if (next.done) {
        throw new Error("the worker has gone");
      }
      const [request] = next.value;
      if (wanted(request)) {
        return request;
      }
    }
  }

  /** Reads the hello, and answers that these attempts are still the worker's. */
  async welcome(held: Lease[] = []): Promise<WorkRequest> {
    const request = await this.next(({ hello }) => hello !== undefined);
    this.say({
      welcome: { lease: { seconds: 60n }, held, server: "boot", maxResultBytes: 1000n, maxOutputBytes: 8n << 20n },
    });
    return request;
  }

  say(response: Response): void {
    this.#call.write(response);
  }

  /** Assigns a job; answers its lease. */
  assign(kind: string, payload?: Payload): Lease {
    const jobId = `${kind}-${(serial += 1)}`;
    const spec = { kind, payload, queue: "slow", labels: { a: "b" } };
    this.say({
      assignments: [
        {
          lease: { jobId, fence: 1n },
          job: { id: jobId, attempt: 2, spec, traceparent: "00-t" },
          timeLeft: { seconds: 60n },
        },
      ],
    });
    return { $typeName: "slotd.v1.Lease", jobId, fence: 1n };
  }

  /** The next finish, which is settled. */
  async finish(): Promise<Finish> {
    const { finishes } = await this.next(({ finishes: ended }) => ended.length > 0);
    const [finish] = finishes;
    assert.ok(finish !== undefined);
    this.say({ settled: [finish.lease ?? {}] });
    return finish;
  }

  /** Ends the call with an error. */
  refuse(code: status, reason: string): void {
    const info = anyPack(ErrorInfoSchema, create(ErrorInfoSchema, { reason, domain: "slotd" }));
    const metadata = new Metadata();
    const trailer = toBinary(StatusSchema, create(StatusSchema, { code, details: [info] }));
    metadata.set("grpc-status-details-bin", Buffer.from(trailer));
    this.#call.emit("error", { code, details: "no", metadata });
  }

  /** Ends the call once the worker has said that it leaves. */
  async leave(): Promise<void> {
    await this.next(({ leave }) => leave);
    this.#call.end();
  }
}

let serial = 0;

/** A promise, and what resolves it. */
function signal(): [Promise<void>, () => void] {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((resolved) => {
    resolve = resolved;
  });
  return [
    promise,
    () => {
      resolve();
    },
  ];
}

/** A service to which workers connect. */
class Service {
  readonly #arrived: Connection[] = [];
  #arrive: () => void = () => undefined;
  results: Record<string, Payload | undefined> = {};

  work: handleBidiStreamingCall<WorkRequest, Response> = (call) => {
    this.#arrived.push(new Connection(call));
    this.#arrive();
  };

  readResults: handleServerStreamingCall<ReadResultsRequest, object> = (call) => {
    for (const [name, result] of Object.entries(this.results)) {
      call.write({ name, result });
    }
    call.end();
  };

  /** The next connection of a worker. */
  async connection(): Promise<Connection> {
    for (;;) {
      const connection = this.#arrived.shift();
      if (connection !== undefined) {
        return connection;
      }
      await new Promise<void>((resolve) => {
        this.#arrive = resolve;
      });
    }
  }
}

async function begin(
  context: TestContext,
  prepare: (worker: Worker) => void,
  options: WorkerOptions = {},
): Promise<{ service: Service; worker: Worker; run: Promise<void> }> {
  const service = new Service();
  const address = await serve(context, WorkerService, { work: service.work, readResults: service.readResults });
  const worker = new Worker({ address, slots: 2, name: "test", ...options });
  prepare(worker);
  const run = worker.run();
  run.catch(() => undefined);
  context.after(() => void worker.stop(0));
  return { service, worker, run };
}

function resultOf(finish: Finish): unknown {
  assert.equal(finish.outcome.case, "succeeded");
  return finish.outcome.value.result && JSON.parse(Buffer.from(finish.outcome.value.result.data).toString());
}

function failureOf(finish: Finish): unknown[] {
  assert.equal(finish.outcome.case, "failed");
  return [finish.outcome.value.reason, finish.outcome.value.message, finish.outcome.value.permanent];
}

test("a worker says what it runs, and takes, does and answers a job", async (context) => {
  const { service, worker } = await begin(context, (made) =>
    made.handle(
      "add",
      { queue: "math", timeoutMs: 1500, retry: { maxAttempts: 2 } },
      (ctx, { a, b }: { a: number; b: number }) => {
        ctx.progress(1, 2, "half");
        return { sum: a + b, ...about(ctx) };
      },
    ),
  );
  const connection = await service.connection();
  const { hello, slots } = await connection.welcome();
  assert.deepEqual([hello?.workerId, hello?.name, slots], [worker.id, "test", 2]);
  assert.match(hello?.client ?? "", /^slotd-typescript\/\d/);
  assert.deepEqual(
    hello?.kinds.map(({ kind, queue, defaults }) => [
      kind,
      queue,
      defaults?.timeout?.seconds,
      defaults?.retry?.maxAttempts,
    ]),
    [["add", "math", 1n, 2]],
  );
  const { jobId } = connection.assign("add", encode({ a: 1, b: 2 }));
  const finish = await connection.finish();
  assert.deepEqual(resultOf(finish), {
    sum: 3,
    jobId,
    attempt: 2,
    kind: "add",
    queue: "slow",
    labels: { a: "b" },
    traceparent: "00-t",
  });
  assert.deepEqual([finish.progress?.done, finish.progress?.total, finish.progress?.message], [1n, 2n, "half"]);
});

function about({ jobId, attempt, kind, queue, labels, traceparent, deadline }: JobContext): object {
  assert.ok((deadline?.getTime() ?? 0) > Date.now());
  return { jobId, attempt, kind, queue, labels, traceparent };
}

test("what a handler throws, returns and is given decides how the attempt ends", async (context) => {
  const { service } = await begin(context, (worker) =>
    worker
      .handle("fails", () => {
        throw new TypeError("no 💥");
      })
      .handle("never", () => {
        throw new PermanentError("not this one");
      })
      .handle("later", () => {
        throw new Snooze(1500);
      })
      .handle("large", () => "x".repeat(1000))
      .handle("strange", () => 1n)
      .handle("nothing", () => undefined)
      .handle("span", { payload: DurationSchema }, (_, span) => String(span?.seconds)),
  );
  const connection = await service.connection();
  await connection.welcome();
  const run = (kind: string, payload?: Payload): Promise<Finish> => {
    connection.assign(kind, payload);
    return connection.finish();
  };
  assert.deepEqual(failureOf(await run("fails")), ["HANDLER_ERROR", "TypeError: no 💥", false]);
  assert.deepEqual(failureOf(await run("never")), ["PERMANENT_ERROR", "PermanentError: not this one", true]);
  assert.deepEqual(failureOf(await run("large"))[0], "RESULT_TOO_LARGE");
  assert.deepEqual(failureOf(await run("strange"))[0], "RESULT_INVALID");
  assert.deepEqual(
    failureOf(await run("span", encode(7))).filter((_, at) => at !== 1),
    ["PAYLOAD_INVALID", true],
  );
  const snoozed = await run("later");
  assert.equal(snoozed.outcome.case, "snoozed");
  assert.deepEqual([snoozed.outcome.value.delay?.seconds, snoozed.outcome.value.delay?.nanos], [1n, 500_000_000]);
  assert.equal(resultOf(await run("nothing")), undefined);
  const span = encodeMessage(DurationSchema, { $typeName: "google.protobuf.Duration", seconds: 9n, nanos: 0 });
  assert.equal(resultOf(await run("span", span)), "9");
});

test("output travels as it is written, and a writer waits while much of it is not taken", async (context) => {
  const megabyte = new Uint8Array(1 << 20);
  const steps: string[] = [];
  const { service } = await begin(context, (worker) =>
    worker.handle("talk", async (ctx) => {
      await ctx.write("é");
      steps.push("a little");
      await ctx.write(megabyte);
      steps.push("much");
      await ctx.write(megabyte);
      steps.push("more");
    }),
  );
  const connection = await service.connection();
  await connection.welcome();
  const lease = connection.assign("talk");
  let received = 0;
  let offset = 0n;
  const report = async (): Promise<void> => {
    const { reports } = await connection.next((request) => request.reports.length > 0);
    assert.equal(reports[0]?.outputOffset, offset);
    received += reports[0].output.length;
    offset += BigInt(reports[0].output.length);
  };
  await report();
  assert.deepEqual(steps, ["a little", "much"]);
  connection.say({ taken: [lease] });
  await report();
  connection.say({ taken: [lease] });
  const finish = await connection.finish();
  assert.equal(received + finish.output.length, 2 + 2 * megabyte.length);
  assert.deepEqual(steps, ["a little", "much", "more"]);
});

test("a stop aborts the handler's signal", async (context) => {
  const { service } = await begin(context, (worker) =>
    worker.handle("wait", async ({ signal: stopping }) => {
      await once(stopping, "abort");
      stopping.throwIfAborted();
    }),
  );
  const connection = await service.connection();
  await connection.welcome();
  const lease = connection.assign("wait");
  connection.say({ stops: [{ lease, reason: StopReason.CANCELLED }] });
  assert.equal(failureOf(await connection.finish())[0], "CANCELLED");
});

test("a running attempt goes on over a broken connection, under the same id", async (context) => {
  const [begun, start] = signal();
  const [released, release] = signal();
  const broken: (string | undefined)[] = [];
  const { service, worker } = await begin(
    context,
    (made) =>
      made.handle("long", async () => {
        start();
        await released;
        return "held";
      }),
    { onDisconnected: (error) => broken.push(error?.code) },
  );
  const first = await service.connection();
  await first.welcome();
  const lease = first.assign("long");
  await begun;
  first.refuse(status.UNAVAILABLE, "SERVICE_STOPPING");
  const second = await service.connection();
  const { hello, slots } = await second.welcome([lease]);
  assert.deepEqual(
    [hello?.workerId, hello?.held.map(({ jobId }) => jobId), slots],
    [worker.id, [lease.jobId], undefined],
  );
  assert.equal((await second.next((request) => request.slots !== undefined)).slots, 2);
  release();
  assert.equal(resultOf(await second.finish()), "held");
  assert.deepEqual(broken, ["UNAVAILABLE"]);
});

test("a handler reads the results of what its job depended on", async (context) => {
  const { service } = await begin(context, (worker) =>
    worker.handle("sum", async (ctx) => Object.fromEntries(await ctx.results())),
  );
  service.results = { one: encode([1]), none: undefined };
  const connection = await service.connection();
  await connection.welcome();
  connection.assign("sum");
  assert.deepEqual(resultOf(await connection.finish()), { one: [1] });
});

test("a worker that stops gives back what does not end, and leaves", async (context) => {
  const [begun, start] = signal();
  const { service, worker, run } = await begin(context, (made) =>
    made.handle("wait", ({ signal: stopping }) => {
      start();
      return once(stopping, "abort");
    }),
  );
  const connection = await service.connection();
  await connection.welcome();
  connection.assign("wait");
  await begun;
  const stopped = worker.stop(0);
  assert.equal((await connection.finish()).outcome.case, "released");
  await connection.leave();
  await stopped;
  await run;
});

test("a worker leaves when the service asks it to", async (context) => {
  const { service, run } = await begin(context, (worker) => worker.handle("a", () => 1));
  const connection = await service.connection();
  await connection.welcome();
  connection.say({ drain: true });
  await connection.leave();
  await run;
});

for (const [code, reason] of [
  [status.ABORTED, "WORKER_REPLACED"],
  [status.INVALID_ARGUMENT, "FIELD_INVALID"],
] as const) {
  test(`${reason} ends a worker, and its handlers are told to stop`, async (context) => {
    const [begun, start] = signal();
    const [told, tell] = signal();
    const { service, run } = await begin(context, (worker) =>
      worker.handle("wait", ({ signal: stopping }) => {
        stopping.addEventListener("abort", tell);
        start();
        return told;
      }),
    );
    const connection = await service.connection();
    await connection.welcome();
    connection.assign("wait");
    await begun;
    connection.refuse(code, reason);
    await assert.rejects(run, { code: status[code], reason });
    await told;
  });
}

test("a worker goes round its addresses until a service answers", async (context) => {
  const service = new Service();
  const address = await serve(context, WorkerService, { work: service.work });
  const worker = new Worker({ address: ["127.0.0.1:1", address], slots: 1 }).handle("a", () => 1);
  const run = worker.run();
  const connection = await service.connection();
  await connection.welcome();
  connection.say({ drain: true });
  await connection.leave();
  await run;
});

test("what a worker can't be made of is refused", async () => {
  assert.throws(() => new Worker({ slots: -1 }), RangeError);
  assert.throws(() => new Worker({ address: [] }), TypeError);
  assert.throws(() => new Worker({ address: "http://x" }), TypeError);
  assert.throws(() => new Worker().handle("no spaces", () => 1), TypeError);
  assert.throws(() => new Worker().handle("a", () => 1).handle("a", () => 2), TypeError);
  assert.throws(() => new Snooze(-1), RangeError);
  await assert.rejects(new Worker().run(), TypeError);
});
