// A storage as lines of JSON.

import { checkStorage } from "../arguments.js";
import { plainOf } from "../drivers/ownership.js";
import { normalizeBaseKey } from "../keys.js";
import { encode } from "../lazy-codec.js";
import { VERSION_KEY } from "../migrate.js";
import { valueForCopy, versionKeys } from "../snapshot.js";
import { isEnvelope } from "../storage/envelope.js";
import { ignore } from "../thenables.js";
import { AT_ONCE, FORMAT, FORMAT_VERSION } from "./format.js";

function parsed(text) {
  try {
    return { json: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

// Undefined for bytes that are not UTF-8. A byte order mark is no part of the text.
function textIn(bytes) {
  const text = bytes.toString();
  return Buffer.from(text).equals(bytes) ? text.replace(/^\ufeff/, "") : undefined;
}

const bytesOf = (view) => Buffer.from(view.buffer, view.byteOffset, view.byteLength);

// `{ value }`, the envelope with its times, or `{ raw }`, as base64; undefined for what is gone.
async function contentOf(storage, key) {
  /** @type {any} */
  const stored = await storage.getItemRaw(key);
  if (stored === undefined || stored === null) return undefined;
  if (
    typeof stored !== "string" &&
    !ArrayBuffer.isView(stored) &&
    !(stored instanceof ArrayBuffer)
  ) {
    return { value: JSON.parse(encode(stored)) };
  }
  const bytes =
    typeof stored === "string"
      ? undefined
      : stored instanceof ArrayBuffer
        ? Buffer.from(stored)
        : bytesOf(stored);
  const text = bytes === undefined ? String(stored).replace(/^\ufeff/, "") : textIn(bytes);
  const whole = text === undefined ? undefined : parsed(text);
  if (whole !== undefined) {
    // Bytes that memory keeps as such are raw whatever is in them.
    const value = await valueForCopy(storage, key);
    const isText = !ArrayBuffer.isView(value) && !(value instanceof ArrayBuffer);
    if (isText && isEnvelope(whole.json)) return { value: whole.json };
    if (isText && (bytes === undefined || typeof whole.json === "object")) {
      return { value: JSON.parse(encode(value)) };
    }
  }
  return { raw: (bytes ?? Buffer.from(String(stored))).toString("base64") };
}

async function lineOf(storage, key, relativeKey) {
  const content = await contentOf(storage, key);
  if (content === undefined) return undefined;
  const { ttl } = await storage.getMeta(key, { nativeOnly: true });
  const end = typeof ttl === "number" ? Math.ceil(Date.now() + ttl) : undefined;
  const line = { key: relativeKey };
  let expires = end;
  if (content.value === undefined) line.raw = content.raw;
  else {
    const { expires: own, ...envelope } = content.value;
    line.value = envelope;
    // The item itself says it to the millisecond.
    if (typeof own === "number") expires = own;
  }
  if (expires !== undefined) line.expires = expires;
  const metadata = await valueForCopy(storage, `${key}$`);
  if (metadata !== null && metadata !== undefined) line.metadata = JSON.parse(encode(metadata));
  return JSON.stringify(line);
}

async function* linesOf(storage, base, listing) {
  const version = await valueForCopy(storage, base + VERSION_KEY);
  yield JSON.stringify({
    format: FORMAT,
    formatVersion: FORMAT_VERSION,
    storageVersion: typeof version === "number" ? version : null,
  });
  const inner = versionKeys(storage, base).filter((key) => key !== base + VERSION_KEY);
  const keys = [...inner, ...(await listing)];
  for (let at = 0; at < keys.length; at += AT_ONCE) {
    const slice = keys.slice(at, at + AT_ONCE);
    const lines = await Promise.all(
      slice.map((key) => lineOf(storage, key, key.slice(base.length))),
    );
    yield* lines.filter((line) => line !== undefined);
  }
}

export function exportStorage(given, givenBase) {
  checkStorage(given, "getKeys", "exportStorage");
  const storage = plainOf(given);
  const base = normalizeBaseKey(givenBase);
  const listing = storage.getKeys(base);
  // It is for the first step to report.
  listing.catch(ignore);
  return linesOf(storage, base, listing);
}
