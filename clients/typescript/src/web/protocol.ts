/**
 * The Connect protocol as far as a client needs it, https://connectrpc.com/docs/protocol: what is put on the wire, and
 * what comes from it. It is written out here, over `fetch`, because a page has to be small: connect-web brings protobuf's
 * JSON with it, which nothing here uses.
 */

import { create, type DescMethod } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";

import { type Code, errorInfo, isCode, SlotdError, unpackDetails } from "../errors.js";

/** The headers of every request. */
export const PROTOCOL_HEADERS = { "Connect-Protocol-Version": "1" };

export const UNARY_TYPE = "application/proto";
export const STREAM_TYPE = "application/connect+proto";

const COMPRESSED = 1;
const END = 2;
const PREFIX_BYTES = 5;

// What an answer means that does not come from the service itself, but from something in between.
const HTTP_CODES: Readonly<Record<number, Code>> = {
  400: "INTERNAL",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "UNIMPLEMENTED",
  429: "UNAVAILABLE",
  502: "UNAVAILABLE",
  503: "UNAVAILABLE",
  504: "UNAVAILABLE",
};

/** Where a method is called. */
export function methodUrl(baseUrl: string, method: DescMethod): string {
  return `${baseUrl.replace(/\/+$/, "")}/${method.parent.typeName}/${method.name}`;
}

/** A message of a stream: flags, length, bytes. */
export function envelope(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(PREFIX_BYTES + message.length);
  new DataView(bytes.buffer).setUint32(1, message.length);
  bytes.set(message, PREFIX_BYTES);
  return bytes;
}

/** One part of a stream: a message, or its end with what went wrong. */
export type Part = { readonly message: Uint8Array } | { readonly end: true; readonly error: SlotdError | undefined };

/** Cuts a stream's bytes into its parts. */
export class Parts {
  #rest = new Uint8Array();

  /** The parts that are whole with these bytes. Throws SlotdError for bytes that make no sense. */
  take(bytes: Uint8Array): readonly Part[] {
    let rest = joined(this.#rest, bytes);
    const parts: Part[] = [];
    for (let part = first(rest); part; part = first(rest)) {
      parts.push(read(part.flags, part.data));
      rest = rest.subarray(PREFIX_BYTES + part.data.length);
    }
    this.#rest = rest;
    return parts;
  }
}

/** What an answer that is none says: the error of the service in Connect's JSON, or what the HTTP status means. */
export function refusal(text: string, httpStatus: number): SlotdError {
  const error = errorFromJson(parsed(text));
  return error ?? new SlotdError(`HTTP status ${httpStatus}`, { code: HTTP_CODES[httpStatus] ?? "UNKNOWN" });
}

function joined(before: Uint8Array<ArrayBuffer>, after: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(before.length + after.length);
  bytes.set(before);
  bytes.set(after, before.length);
  return bytes;
}

function first(bytes: Uint8Array<ArrayBuffer>): { flags: number; data: Uint8Array } | undefined {
  if (bytes.length < PREFIX_BYTES) {
    return undefined;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = PREFIX_BYTES + view.getUint32(1);
  return bytes.length < end ? undefined : { flags: view.getUint8(0), data: bytes.subarray(PREFIX_BYTES, end) };
}

function read(flags: number, data: Uint8Array): Part {
  if (flags & COMPRESSED) {
    throw new SlotdError("the answer is compressed in a way that was not asked for", { code: "INTERNAL" });
  }
  if (!(flags & END)) {
    return { message: data };
  }
  const { error } = parsed(new TextDecoder().decode(data)) as { error?: unknown };
  return { end: true, error: error === undefined ? undefined : (errorFromJson(error) ?? refusal("", 0)) };
}

/** Undefined for what is no error of Connect's. */
function errorFromJson(json: unknown): SlotdError | undefined {
  const { code, message, details } = json as { code?: unknown; message?: unknown; details?: unknown };
  const name = typeof code === "string" ? code.toUpperCase().replace("CANCELED", "CANCELLED") : "";
  if (!isCode(name)) {
    return undefined;
  }
  const packed = (Array.isArray(details) ? details : []) as { type?: unknown; value?: unknown }[];
  const unpacked = unpackDetails(packed.flatMap(anyFromJson));
  const info = errorInfo(unpacked);
  return new SlotdError(typeof message === "string" ? message : "", {
    code: name,
    reason: info?.reason ?? "",
    metadata: info?.metadata ?? {},
    details: unpacked,
  });
}

function anyFromJson({ type, value }: { type?: unknown; value?: unknown }) {
  if (typeof type !== "string" || typeof value !== "string") {
    return [];
  }
  const bytes = Uint8Array.from(atob(value), (character) => character.charCodeAt(0));
  return [create(AnySchema, { typeUrl: `type.googleapis.com/${type}`, value: bytes })];
}

/** An empty object for what is no JSON object. */
function parsed(text: string): object {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === "object" && json !== null ? json : {};
  } catch {
    return {};
  }
}
