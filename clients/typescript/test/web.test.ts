/** The client for browsers, against Connect's own server. */

import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";

import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { BadRequestSchema, ErrorInfoSchema } from "slotd/rpc";
import { EventType, JobService, JobState } from "slotd/v1";
import { Client, SlotdError } from "slotd/web";

import { Messages } from "#slotd/web/messages.js";
import { envelope, Parts, refusal } from "#slotd/web/protocol.js";

type Methods = Partial<ServiceImpl<typeof JobService>>;

/** Serves methods of the job service; `first` sees each request before that, and answers it where it returns true. */
async function serve(
  test: TestContext,
  methods: Methods,
  first: (request: IncomingMessage, response: ServerResponse) => boolean = () => false,
): Promise<Client> {
  const answer: RequestListener = connectNodeAdapter({ routes: (router) => router.service(JobService, methods) });
  const server = createServer((request, response) => {
    if (!first(request, response)) {
      answer(request, response);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = new Client({ baseUrl: `http://127.0.0.1:${port}/`, reconnect: { initialMs: 1, maximumMs: 1 } });
  test.after(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  return client;
}

function refused(code: Code, reason: string): ConnectError {
  return new ConnectError("no", code, undefined, [
    { desc: ErrorInfoSchema, value: { reason, domain: "slotd", metadata: { queue: "mail" } } },
    { desc: BadRequestSchema, value: { fieldViolations: [{ field: "spec.kind", description: "unknown" }] } },
  ]);
}

async function errorOf(call: Promise<unknown>): Promise<SlotdError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof SlotdError, String(error));
  return error;
}

test("a call is answered over HTTP as it is over gRPC", async (test) => {
  const client = await serve(test, {
    submit: ({ spec, requestId }) => ({ job: { id: "j1", spec, schedule: requestId === "" ? "no request id" : "" } }),
  });
  const job = await client.submit("resize", { width: 3 }, { queue: "images" });
  assert.equal(job.spec?.queue, "images");
  assert.equal(new TextDecoder().decode(job.spec.payload?.data), '{"width":3}');
  assert.equal(job.schedule, "");
});

test("a refusal carries code, reason and details, also one that ends a stream", async (test) => {
  const client = await serve(test, {
    get: () => {
      throw refused(Code.InvalidArgument, "UNKNOWN_KIND");
    },
    // eslint-disable-next-line @typescript-eslint/require-await, require-yield
    stream: async function* () {
      throw refused(Code.OutOfRange, "CURSOR_EXPIRED");
    },
  });
  const error = await errorOf(client.get("j1"));
  assert.equal(error.code, "INVALID_ARGUMENT");
  assert.equal(error.reason, "UNKNOWN_KIND");
  assert.equal(error.message, "no");
  assert.deepEqual(error.metadata, { queue: "mail" });
  assert.deepEqual(error.fieldViolations, [{ field: "spec.kind", description: "unknown" }]);
  const ended = await errorOf(client.stream().next());
  assert.equal(ended.code, "OUT_OF_RANGE");
  assert.equal(ended.reason, "CURSOR_EXPIRED");
});

test("a stream that is cut goes on from its cursor, and tells of both", async (test) => {
  const cursors: string[] = [];
  let cut = (): void => undefined;
  const client = await serve(
    test,
    {
      stream: async function* ({ cursor }, { signal }) {
        cursors.push(cursor);
        const id = `j${cursors.length}`;
        yield { events: [{ type: EventType.CREATED, job: { id } }], cursor: `c${cursors.length}`, synced: true };
        await new Promise((resolve) => {
          signal.addEventListener("abort", resolve);
        });
      },
    },
    (_request, response) => {
      cut = () => response.destroy();
      return false;
    },
  );
  const told: string[] = [];
  const stream = client.stream(
    {},
    {
      cursor: "c0",
      onInterrupted: ({ code }) => told.push(code),
      onResumed: () => told.push("resumed"),
    },
  );
  assert.equal((await stream.next()).value?.job?.id, "j1");
  cut();
  assert.equal((await stream.next()).value?.job?.id, "j2");
  assert.deepEqual(cursors, ["c0", "c1"]);
  assert.deepEqual(told, ["UNAVAILABLE", "resumed"]);
  stream.close();
  assert.equal((await stream.next()).done, true);
});

test("waits and streams go on over a server that stops and cancels what it has not begun", async (test) => {
  let calls = 0;
  const stopFirst = (): void => {
    calls += 1;
    if (calls === 1) {
      throw new ConnectError("", Code.Canceled);
    }
  };
  const client = await serve(test, {
    wait: () => {
      stopFirst();
      return { job: { id: "j1", state: JobState.SUCCEEDED } };
    },
    // eslint-disable-next-line @typescript-eslint/require-await
    stream: async function* () {
      stopFirst();
      yield { events: [{ type: EventType.CREATED, job: { id: "j1" } }], cursor: "c1" };
    },
  });
  assert.equal((await client.wait("j1")).id, "j1");
  calls = 0;
  assert.equal((await client.stream().next()).value?.job?.id, "j1");
});

test("a wait ends with its signal, and with its client", async (test) => {
  const asked: (() => void)[] = [];
  let calls = 0;
  const client = await serve(test, {
    wait: (_request, { signal }) => {
      calls += 1;
      asked.shift()?.();
      return new Promise((resolve) => {
        signal.addEventListener("abort", () => {
          resolve({});
        });
      });
    },
  });
  const abort = new AbortController();
  asked.push(() => {
    abort.abort();
  });
  await assert.rejects(client.wait("j1", { signal: abort.signal }), { name: "AbortError" });
  asked.push(() => {
    client.close();
  });
  assert.equal((await errorOf(client.wait("j1"))).code, "CANCELLED");
  assert.equal(calls, 2);
});

test("what is safe to repeat is repeated while the service is away, and nothing else", async (test) => {
  let calls = 0;
  const away = (): never => {
    calls += 1;
    throw refused(Code.Unavailable, "DRAINING");
  };
  const client = await serve(test, {
    get: () => (calls < 1 ? away() : { job: { id: "j1" } }),
    retry: away,
  });
  assert.equal((await client.get("j1")).id, "j1");
  calls = 0;
  assert.equal((await errorOf(client.retry("j1"))).code, "UNAVAILABLE");
  assert.equal(calls, 1);
});

test("a service that is not there is UNAVAILABLE", async () => {
  const client = new Client({ baseUrl: "http://127.0.0.1:9" });
  assert.equal((await errorOf(client.retry("j1"))).code, "UNAVAILABLE");
});

test("a call that takes too long, is aborted, or loses its client ends", async (test) => {
  const asked: (() => void)[] = [];
  const client = await serve(test, {
    retry: (_request, { signal }) => {
      asked.shift()?.();
      return new Promise((resolve) => {
        signal.addEventListener("abort", () => {
          resolve({});
        });
      });
    },
  });
  assert.equal((await errorOf(client.retry("j1", { callTimeoutMs: 20 }))).code, "DEADLINE_EXCEEDED");
  const reason = new Error("enough");
  const abort = new AbortController();
  asked.push(() => {
    abort.abort(reason);
  });
  await assert.rejects(client.retry("j1", { signal: abort.signal }), reason);
  asked.push(() => {
    client.close();
  });
  assert.equal((await errorOf(client.retry("j1"))).code, "CANCELLED");
  assert.equal((await errorOf(client.get("j1"))).code, "CANCELLED");
});

test("a page sends its token, and fetches a new one where the service asks for it", async (test) => {
  const document = { cookie: "other=1; slotd-token=old" };
  Object.assign(globalThis, { document });
  test.after(() => Reflect.deleteProperty(globalThis, "document"));
  const tokens: unknown[] = [];
  const client = await serve(
    test,
    {
      cancel: (_request, { requestHeader }) => {
        tokens.push(requestHeader.get("X-Slotd-Token"));
        if (tokens.at(-1) !== "new") {
          throw refused(Code.PermissionDenied, "TOKEN_REQUIRED");
        }
        return { job: { id: "j1" } };
      },
      retry: () => {
        throw refused(Code.PermissionDenied, "TOKEN_REQUIRED");
      },
    },
    (request, response) => {
      if (request.url !== "/") {
        return false;
      }
      document.cookie = "slotd-token=new";
      response.end("<html></html>");
      return true;
    },
  );
  assert.equal((await client.cancel("j1")).id, "j1");
  assert.deepEqual(tokens, ["old", "new"]);
  assert.equal((await errorOf(client.retry("j1"))).reason, "TOKEN_REQUIRED");
});

test("output comes as it was written", async (test) => {
  const client = await serve(test, {
    // eslint-disable-next-line @typescript-eslint/require-await
    readOutput: async function* ({ offset }) {
      yield { offset, data: new Uint8Array([1, 2]) };
      yield { offset: offset + 2n, data: new Uint8Array([3]), eof: true };
    },
  });
  const pieces: number[] = [];
  for await (const piece of client.readOutput("j1", { offset: 5 })) {
    pieces.push(...piece);
  }
  assert.deepEqual(pieces, [1, 2, 3]);
});

test("a stream's parts may come in any pieces", () => {
  const bytes = new Uint8Array([...envelope(new Uint8Array([1, 2, 3])), ...envelope(new Uint8Array()), 2, 0, 0, 0, 2]);
  const parts = new Parts();
  const taken = Array.from([...bytes, 123, 125], (byte) => parts.take(new Uint8Array([byte]))).flat();
  assert.deepEqual(taken, [
    { message: new Uint8Array([1, 2, 3]) },
    { message: new Uint8Array() },
    { end: true, error: undefined },
  ]);
});

test("a compressed message that nobody asked for is refused", () => {
  assert.throws(() => new Parts().take(new Uint8Array([1, 0, 0, 0, 0])), { code: "INTERNAL" });
});

test("an answer that is not the service's is told by its HTTP status", () => {
  assert.equal(refusal("<h1>Bad gateway</h1>", 502).code, "UNAVAILABLE");
  assert.equal(refusal("[]", 418).code, "UNKNOWN");
  assert.equal(refusal('{"code": "made_up"}', 404).code, "UNIMPLEMENTED");
  assert.equal(refusal('{"code": "canceled", "message": "m"}', 499).code, "CANCELLED");
});

test("a stream that breaks off without its end is UNAVAILABLE, as is one that falls silent", async () => {
  const source = {
    cancel: new AbortController(),
    silenceMs: 5,
    decode: (bytes: Uint8Array) => bytes.length,
    failed: (error: unknown) => new SlotdError(String(error), { code: "UNKNOWN" as const }),
  };
  const cut = new Messages({ ...source, answer: Promise.resolve(new Response(envelope(new Uint8Array(4)))) });
  assert.equal(await cut.read(), 4);
  assert.equal((await errorOf(cut.read())).code, "UNAVAILABLE");
  const never = new Promise<Response>((_resolve, reject) => {
    source.cancel.signal.addEventListener("abort", () => {
      reject(new Error("aborted"));
    });
  });
  const silent = await errorOf(new Messages({ ...source, answer: never }).read());
  assert.equal(silent.code, "UNAVAILABLE");
  assert.match(silent.message, /nothing heard/);
});
