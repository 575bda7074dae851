/** Values to `slotd.v1.Payload` messages and back, by media type; the same types in every language's client. */

import {
  create,
  type DescMessage,
  fromBinary,
  fromJsonString,
  isMessage,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";

import { type Payload, PayloadSchema } from "./gen/slotd/v1/job_pb.js";

const JSON_TYPE = "application/json";
const TEXT_TYPE = "text/plain";
const BYTES_TYPE = "application/octet-stream";
const PROTOBUF_TYPE = "application/protobuf";
const PROTOBUF_TYPES: readonly string[] = [PROTOBUF_TYPE, "application/x-protobuf"];

// Its declared type leaves out that it answers undefined for a function, say.
const stringify: (value: unknown) => string | undefined = JSON.stringify;

/** A value and a media type that do not go together. */
export class PayloadError extends TypeError {
  override readonly name = "PayloadError";
}

/**
 * The payload that holds a value; undefined for undefined and null; a payload as it is.
 *
 * Without a content type bytes are `application/octet-stream`, all else, text included, `application/json`. With one,
 * bytes are taken as already encoded, and other values are written as JSON or `text/…` in UTF-8; null is JSON's null
 * then. For protobuf there is {@link encodeMessage}.
 *
 * Throws PayloadError for a value that can't be written so.
 */
export function encode(value: unknown, contentType = ""): Payload | undefined {
  if (isMessage(value, PayloadSchema)) {
    return value;
  }
  if (value === undefined || (value === null && contentType === "")) {
    return undefined;
  }
  if (isMessage(value)) {
    throw new PayloadError(`a ${value.$typeName} is encoded with encodeMessage(schema, message)`);
  }
  if (value instanceof Uint8Array) {
    return create(PayloadSchema, { contentType: contentType || BYTES_TYPE, data: value });
  }
  const { mediaType } = parseContentType(contentType || JSON_TYPE);
  if (mediaType === JSON_TYPE) {
    return create(PayloadSchema, { contentType: contentType || JSON_TYPE, data: jsonBytes(value) });
  }
  if (mediaType.startsWith("text/") && typeof value === "string") {
    return create(PayloadSchema, { contentType, data: new TextEncoder().encode(value) });
  }
  throw new PayloadError(`no way to write ${typeof value} as ${mediaType}: give bytes`);
}

/** The payload that holds a protobuf message: `application/protobuf; type=FULL.NAME`. */
export function encodeMessage<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Payload {
  return create(PayloadSchema, {
    contentType: `${PROTOBUF_TYPE}; type=${schema.typeName}`,
    data: toBinary(schema, message),
  });
}

/**
 * What a payload holds: the value of `application/json`, a string for `text/plain`, else the bytes; undefined for an
 * empty one or none.
 *
 * A job seen in the BASIC view has no data in its payload and result: get it in FULL first.
 * Throws PayloadError when the data are not what the content type says.
 */
export function decode(payload: Payload | undefined): unknown {
  if (payload === undefined) {
    return undefined;
  }
  const { mediaType, parameters } = parseContentType(payload.contentType);
  if (mediaType === JSON_TYPE) {
    return parse("JSON", () => JSON.parse(text(payload.data)) as unknown);
  }
  if (mediaType === TEXT_TYPE) {
    const charset = parameters.get("charset") ?? "utf-8";
    return parse(`${charset} text`, () => text(payload.data, charset));
  }
  if (payload.data.length === 0 && mediaType !== BYTES_TYPE && !PROTOBUF_TYPES.includes(mediaType)) {
    return undefined;
  }
  return payload.data;
}

/**
 * The protobuf message that a payload holds, in binary or as JSON; undefined where there is no payload.
 *
 * Throws PayloadError when it holds something else.
 */
export function decodeMessage<Desc extends DescMessage>(
  schema: Desc,
  payload: Payload | undefined,
): MessageShape<Desc> | undefined {
  if (payload === undefined) {
    return undefined;
  }
  const { mediaType, parameters } = parseContentType(payload.contentType);
  if (PROTOBUF_TYPES.includes(mediaType)) {
    const named = parameters.get("type") ?? schema.typeName;
    if (named !== schema.typeName) {
      throw new PayloadError(`wanted a ${schema.typeName}, got a ${named}`);
    }
    return parse(schema.typeName, () => fromBinary(schema, payload.data));
  }
  if (mediaType === JSON_TYPE) {
    return parse(`JSON form of ${schema.typeName}`, () => fromJsonString(schema, text(payload.data)));
  }
  throw new PayloadError(
    `wanted a ${schema.typeName} as ${PROTOBUF_TYPE} or ${JSON_TYPE}, got ${mediaType || "bytes of no type"}`,
  );
}

/** Splits a content type into its media type, in small letters, and its parameters, quotes removed. */
function parseContentType(contentType: string): { mediaType: string; parameters: Map<string, string> } {
  const [mediaType = "", ...pieces] = contentType.split(";");
  const parameters = new Map<string, string>();
  for (const piece of pieces) {
    const [name = "", ...value] = piece.split("=");
    parameters.set(name.trim().toLowerCase(), value.join("=").trim().replace(/^"|"$/g, ""));
  }
  return { mediaType: mediaType.trim().toLowerCase(), parameters };
}

function jsonBytes(value: unknown): Uint8Array {
  let json: string | undefined;
  try {
    json = stringify(value);
  } catch (error) {
    throw new PayloadError(`no JSON form: ${String(error)}`, { cause: error });
  }
  if (json === undefined) {
    throw new PayloadError(`${typeof value} has no JSON form`);
  }
  return new TextEncoder().encode(json);
}

function text(data: Uint8Array, charset = "utf-8"): string {
  return new TextDecoder(charset, { fatal: true, ignoreBOM: true }).decode(data);
}

function parse<T>(what: string, decoded: () => T): T {
  try {
    return decoded();
  } catch (error) {
    throw new PayloadError(`not ${what}: ${String(error)}`, { cause: error });
  }
}
