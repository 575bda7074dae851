/** What a payload or a result looks like to somebody who reads it. */

import type { Payload } from "slotd/web";

/** Ready to be shown. */
export interface PayloadText {
  /** How the bytes are shown. */
  readonly form: "json" | "text" | "hex";
  readonly text: string;
  /** Bytes as they are on the wire. */
  readonly size: number;
}

// Of bytes that are no text so many are shown.
const HEX_BYTES = 1024;

const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** JSON indented, text as it is, anything else as a hex dump of its beginning. */
export function payloadText({ contentType, data }: Payload): PayloadText {
  const size = data.length;
  const text = decoded(data);
  if (text === undefined) {
    return { form: "hex", text: hexDump(data.subarray(0, HEX_BYTES)), size };
  }
  const pretty = /json/i.test(contentType) ? prettyJson(text) : undefined;
  return pretty === undefined ? { form: "text", text, size } : { form: "json", text: pretty, size };
}

/** JSON with two spaces for each level, undefined for what is none. Numbers stay as they are written, however long. */
export function prettyJson(text: string): string | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  const out: string[] = [];
  let depth = 0;
  let before = "";
  for (const [token] of text.matchAll(TOKENS)) {
    const closes = token === "}" || token === "]";
    const opened = before === "{" || before === "[";
    if (closes) {
      depth -= 1;
    }
    if ((closes && !opened) || (opened && !closes) || before === ",") {
      out.push("\n", "  ".repeat(depth));
    }
    out.push(token === ":" ? ": " : token);
    if (token === "{" || token === "[") {
      depth += 1;
    }
    before = token;
  }
  return out.join("");
}

/** Sixteen bytes a line: where it begins, the bytes, and what of them is ASCII. */
export function hexDump(data: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < data.length; at += 16) {
    const row = [...data.subarray(at, at + 16)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const ascii = row.map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : ".")).join("");
    lines.push(`${at.toString(16).padStart(6, "0")}  ${hex.padEnd(47)}  ${ascii}`);
  }
  return lines.join("\n");
}

/** The text that bytes are in UTF-8, undefined where they are none. */
function decoded(data: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(data);
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
}
