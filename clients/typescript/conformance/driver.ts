/**
 * Lets a test drive the library from outside: one JSON object a line on stdin asks for a call, one on stdout answers it,
 * by its `id` and in any order. It ends with stdin.
 */

import { createInterface } from "node:readline";

import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

import { failure } from "./failure.js";
import { Operations } from "./operations.js";

/** One line of stdin. */
interface Request extends JsonObject {
  id: number;
  op: string;
}

const operations = new Operations();

async function answer({ id, op, ...input }: Request): Promise<void> {
  let outcome: { ok: JsonValue } | { error: JsonValue };
  try {
    outcome = { ok: await operations.run(op, input) };
  } catch (error) {
    outcome = { error: failure(error) };
  }
  process.stdout.write(`${JSON.stringify({ id, ...outcome })}\n`);
}

const running = new Set<Promise<void>>();
for await (const line of createInterface({ input: process.stdin })) {
  const call = answer(JSON.parse(line) as Request).finally(() => running.delete(call));
  running.add(call);
}
operations.close();
await Promise.all(running);
