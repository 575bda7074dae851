import { create } from "@bufbuild/protobuf";
import { PayloadSchema } from "slotd/v1";
import { expect, test } from "vitest";

import { hexDump, payloadText, prettyJson } from "../src/pages/job/payload";

const payload = (contentType: string, data: string | number[]) =>
  create(PayloadSchema, {
    contentType,
    data: typeof data === "string" ? new TextEncoder().encode(data) : Uint8Array.from(data),
  });

test("JSON is indented as JSON.stringify would, whatever is in its texts", () => {
  for (const value of [{}, [], { a: [], b: {}, c: [1, { d: 'a "q", [x]: {y} \\' }], e: "" }, "text", 7, null]) {
    expect(prettyJson(JSON.stringify(value))).toBe(JSON.stringify(value, null, 2));
  }
});

test("numbers stay as they are written, also where JavaScript has none so long", () => {
  expect(prettyJson('{"n":12345678901234567890,"m":1.10}')).toBe('{\n  "n": 12345678901234567890,\n  "m": 1.10\n}');
});

test("what is said to be JSON and is not is shown as text", () => {
  expect(prettyJson("{")).toBeUndefined();
  expect(payloadText(payload("application/json", "{"))).toEqual({ form: "text", text: "{", size: 1 });
});

test("text is shown as it is, and its size is counted in bytes", () => {
  expect(payloadText(payload("text/plain", "é"))).toEqual({ form: "text", text: "é", size: 2 });
});

test("bytes that are no text are shown in hex, of many the first", () => {
  const { form, text, size } = payloadText(payload("", Array<number>(5000).fill(255)));
  expect([form, size, text.split("\n").length]).toEqual(["hex", 5000, 64]);
  expect(hexDump(Uint8Array.of(0, 65, 10))).toBe(`000000  00 41 0a${" ".repeat(39)}  .A.`);
});
