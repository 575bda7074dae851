import { JobState, type OutputStream, SlotdError } from "slotd/web";
import { expect, test } from "vitest";

import { OutputFollower } from "../src/pages/job/output-follower";
import { OutputLines } from "../src/pages/job/output-lines";
import { job, settled } from "./service";

const bytes = (text: string) => new TextEncoder().encode(text);

function lines(...pieces: (string | Uint8Array)[]): string[] {
  const made = new OutputLines(false);
  pieces.forEach((piece) => made.add(typeof piece === "string" ? bytes(piece) : piece));
  return made.slice(0, made.count);
}

test("lines are put together from pieces that end anywhere, even within a character", () => {
  const [first, second] = [bytes("é").slice(0, 1), bytes("é").slice(1)];
  expect(lines("a", "b\nc", first, second, "\n", "last")).toEqual(["ab", "cé", "last"]);
});

test("colours are left out, also where a piece ends within one", () => {
  expect(lines("\x1b[32mgr", "een\x1b[", "0m\n\x1b]0;title\x07x\n")).toEqual(["green", "x"]);
});

test("of a line that was written over itself the last stands", () => {
  expect(lines("10%\r50%\r100%\r\ndone\r\n")).toEqual(["100%", "done"]);
});

test("a line without an end is cut, and nothing of it is lost", () => {
  const text = "x".repeat(9_999);
  const made = lines(text, text);
  expect(Math.max(...made.map((line) => line.length))).toBeLessThanOrEqual(4_000);
  expect(made.join("")).toBe(text + text);
});

test("what begins midway begins with its first whole line", () => {
  const made = new OutputLines(true);
  made.add(bytes("rest of"));
  made.add(bytes(" a line\nwhole\n"));
  expect(made.slice(0, 9)).toEqual(["whole"]);
});

/** A job's output that grows, and the offsets that were read from. */
class Written {
  data = "";
  readonly offsets: number[] = [];
  failure: SlotdError | undefined;

  readonly client = {
    readOutput: (_: unknown, { offset = 0 } = {}) => {
      this.offsets.push(offset);
      return this.#read(offset) as unknown as OutputStream;
    },
  };

  async *#read(offset: number): AsyncGenerator<Uint8Array> {
    await settled();
    if (this.failure) {
      throw this.failure;
    }
    yield bytes(this.data.slice(offset));
  }
}

function follow(written: Written) {
  const follower = new OutputFollower(written.client, job(1, { state: JobState.RUNNING }).id);
  const stop = follower.subscribe(() => undefined);
  const shown = () => follower.read().lines.slice(0, 99);
  const grow = async (text: string) => {
    written.data += text;
    follower.grow(written.data.length);
    await settled();
    await settled();
  };
  return { follower, stop, shown, grow };
}

test("output is read on from where it was each time that it has grown", async () => {
  const written = new Written();
  const { shown, grow } = follow(written);
  await grow("a\n");
  await grow("b\n");
  expect([shown(), written.offsets]).toEqual([
    ["a", "b"],
    [0, 2],
  ]);
});

test("nothing is read again where it has not grown", async () => {
  const written = new Written();
  const { grow } = follow(written);
  await grow("a\n");
  await grow("");
  expect(written.offsets).toEqual([0]);
});

test("of long output the end is shown first, and all of it when that is wanted", async () => {
  const written = new Written();
  const { follower, grow, shown } = follow(written);
  await grow(`first\n${"x".repeat(3_000_000)}\nlast\n`);
  expect(follower.read().start).toBe(written.data.length - (1 << 20));
  expect(shown()).toEqual(["last"]);
  follower.readAll();
  await settled();
  await settled();
  expect([follower.read().start, shown()[0]]).toEqual([0, "first"]);
});

test("what was being read when all of it was wanted is not shown twice", async () => {
  const written = new Written();
  const { follower, shown } = follow(written);
  written.data = "a\n";
  follower.grow(2);
  follower.readAll();
  await settled();
  await settled();
  await settled();
  expect(shown()).toEqual(["a"]);
});

test("a reading that failed says so, and goes on when it is tried again", async () => {
  const written = new Written();
  written.failure = new SlotdError("away", { code: "UNAVAILABLE" });
  const { follower, grow, shown } = follow(written);
  await grow("a\n");
  expect(follower.read().error?.code).toBe("UNAVAILABLE");
  expect(written.offsets).toEqual([0]);
  written.failure = undefined;
  follower.retry();
  await settled();
  await settled();
  expect([follower.read().error, shown()]).toEqual([undefined, ["a"]]);
});

test("reading goes on when the page is opened again in the midst of it", async () => {
  const written = new Written();
  const { follower, stop, shown } = follow(written);
  written.data = "a\n";
  follower.grow(2);
  stop();
  follower.subscribe(() => undefined);
  await settled();
  await settled();
  expect(shown()).toEqual(["a"]);
});
