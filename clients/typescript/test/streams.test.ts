import assert from "node:assert/strict";
import { test } from "node:test";

import { create } from "@bufbuild/protobuf";
import { type Code, EventStream, JobPages, OutputStream, SlotdError } from "slotd";
import {
  ListResponseSchema,
  type ReadOutputRequest,
  ReadOutputRequestSchema,
  type ReadOutputResponse,
  ReadOutputResponseSchema,
  type StreamRequest,
  StreamRequestSchema,
  type StreamResponse,
  StreamResponseSchema,
} from "slotd/v1";

import type { Call } from "#slotd/caller.js";
import { Outage } from "#slotd/outage.js";
import type { Source } from "#slotd/streams.js";

/** What a call does at each read: a message, an error, the end; nothing more leaves the reader waiting. */
type Turn<Answer> = Answer | SlotdError | "end";

/** Calls that were planned beforehand, one after the other, on a clock that does not pass. */
class Planned<Request, Answer extends object> implements Source<Request, Answer> {
  readonly outage = new Outage({}, true, { clock: () => 0, chance: () => 0.5 });
  readonly requests: Request[] = [];
  readonly pauses: number[] = [];
  resume = true;
  signal?: AbortSignal;
  cancelled = 0;
  closings = 0;
  readonly #calls: Turn<Answer>[][];

  constructor(...calls: Turn<Answer>[][]) {
    this.#calls = calls;
  }

  open(request: Request): Call<Answer> {
    this.requests.push(request);
    const turns = this.#calls.shift() ?? [];
    let cancel: () => void = () => undefined;
    const cancelled = new Promise<never>((_, reject) => {
      cancel = () => {
        this.cancelled += 1;
        reject(failure("CANCELLED"));
      };
    });
    cancelled.catch(() => undefined);
    return {
      read: async () => {
        const turn = turns.shift();
        if (turn instanceof SlotdError) {
          throw turn;
        }
        return turn === "end" ? undefined : (turn ?? cancelled);
      },
      cancel,
    };
  }

  closed = (): void => {
    this.closings += 1;
  };

  pause = (milliseconds: number): Promise<void> => {
    this.pauses.push(milliseconds);
    return Promise.resolve();
  };
}

function failure(code: Code): SlotdError {
  return new SlotdError("cut", { code });
}

function message(cursor: string, revisions: bigint[], synced = false): StreamResponse {
  return create(StreamResponseSchema, { cursor, synced, events: revisions.map((revision) => ({ revision })) });
}

function piece(offset: bigint, text: string, eof = false): ReadOutputResponse {
  return create(ReadOutputResponseSchema, { offset, data: Buffer.from(text), eof });
}

const request = create(StreamRequestSchema, { cursor: "0" });

test("a cut stream goes on from the last cursor, without gap or double", async () => {
  const source = new Planned<StreamRequest, StreamResponse>(
    [message("2", [1n, 2n]), failure("UNAVAILABLE")],
    [failure("CANCELLED")],
    [message("3", [3n]), "end"],
  );
  const stream = new EventStream(source, request);
  const revisions: bigint[] = [];
  for await (const { revision } of stream) {
    revisions.push(revision);
  }
  assert.deepEqual(revisions, [1n, 2n, 3n]);
  assert.deepEqual(
    source.requests.map(({ cursor }) => cursor),
    ["0", "2", "2"],
  );
  assert.deepEqual(source.pauses, [100, 200]);
  assert.equal(source.closings, 1);
});

test("the cursor moves with the last event of a message", async () => {
  const stream = new EventStream(new Planned<StreamRequest, StreamResponse>([message("2", [1n, 2n], true)]), request);
  await stream.next();
  assert.deepEqual([stream.cursor, stream.synced], ["0", false]);
  await stream.next();
  assert.deepEqual([stream.cursor, stream.synced], ["2", true]);
  stream.close();
});

test("who waits for the snapshot hears of its end once, also where nothing matches", async () => {
  const source = new Planned<StreamRequest, StreamResponse>([message("1", [], true), message("2", [], true), "end"]);
  let synced = 0;
  const stream = new EventStream(source, request, () => (synced += 1));
  assert.deepEqual(await stream.next(), { value: undefined, done: true });
  assert.equal(synced, 1);
});

test("an error that trying again won't cure ends the stream", async () => {
  const source = new Planned<StreamRequest, StreamResponse>([message("1", [1n]), failure("OUT_OF_RANGE")]);
  const stream = new EventStream(source, request);
  await stream.next();
  await assert.rejects(stream.next(), { code: "OUT_OF_RANGE" });
  assert.equal((await stream.next()).done, true);
  assert.equal(source.closings, 1);
});

test("without resumption a cut is the caller's to know", async () => {
  const source = new Planned<StreamRequest, StreamResponse>([failure("UNAVAILABLE")]);
  source.resume = false;
  await assert.rejects(new EventStream(source, request).next(), { code: "UNAVAILABLE" });
});

test("closing a stream ends the wait for its next event", async () => {
  const source = new Planned<StreamRequest, StreamResponse>([]);
  const stream = new EventStream(source, request);
  const waiting = stream.next();
  stream.close();
  assert.equal((await waiting).done, true);
  assert.deepEqual([source.cancelled, source.closings], [1, 1]);
});

test("leaving the loop closes the stream", async () => {
  const source = new Planned<StreamRequest, StreamResponse>([message("1", [1n, 2n])]);
  for await (const event of new EventStream(source, request)) {
    assert.equal(event.revision, 1n);
    break;
  }
  assert.deepEqual([source.cancelled, source.closings], [1, 1]);
});

test("an aborted signal ends the iteration with its reason", async () => {
  const source = new Planned<StreamRequest, StreamResponse>([]);
  const controller = new AbortController();
  source.signal = controller.signal;
  const waiting = new EventStream(source, request).next();
  controller.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  assert.equal(source.cancelled, 1);
});

test("output over a cut is whole", async () => {
  const source = new Planned<ReadOutputRequest, ReadOutputResponse>(
    [piece(0n, "one "), failure("UNAVAILABLE")],
    [failure("CANCELLED")],
    [piece(4n, "two"), piece(7n, "", true)],
  );
  const output = new OutputStream(source, create(ReadOutputRequestSchema));
  const pieces: Uint8Array[] = [];
  for await (const data of output) {
    pieces.push(data);
  }
  assert.equal(Buffer.concat(pieces).toString(), "one two");
  assert.equal(output.offset, 7);
  assert.deepEqual(
    source.requests.map(({ offset }) => offset),
    [0n, 4n, 4n],
  );
});

test("a list asks for page after page, and anew at each iteration", async () => {
  const tokens: string[] = [];
  const pages = new JobPages(
    ({ pageToken = "", orderBy }) => {
      tokens.push(`${orderBy ?? ""}:${pageToken}`);
      const nextPageToken = pageToken === "" ? "more" : "";
      return Promise.resolve(create(ListResponseSchema, { jobs: [{ id: `${tokens.length}` }], nextPageToken }));
    },
    { orderBy: "create_time" },
  );
  const ids: string[] = [];
  for await (const { id } of pages) {
    ids.push(id);
  }
  assert.deepEqual(ids, ["1", "2"]);
  for await (const page of pages.pages()) {
    assert.equal(page.nextPageToken, "more");
    break;
  }
  assert.deepEqual(tokens, ["create_time:", "create_time:more", "create_time:"]);
});
