"use strict";

// Values cross as the text that a storage keeps. What comes from a client is checked for its size before it
// becomes a value, and again for what the value would be when written out.

const { failure, parse, stringify } = require("./shared.js");

const { byteLength } = Buffer;

function tooLarge(bytes, limit, key) {
  return failure(
    "EAS_TOO_LARGE",
    `The value has ${bytes} bytes, ${limit} are allowed: store it in parts, or raise limits.valueBytes of serveStorage.`,
    { key },
  );
}

function invalidValue(detail, key) {
  return failure("EAS_INVALID_VALUE", `The stored text is no value: ${detail}`, { key });
}

/**
 * How long the text of a value would be, at least. Shared references are written out each time, so that a
 * short text can describe a value whose text has no end.
 */
function writtenLength(root) {
  const lengths = new Map();
  const measure = (value) => {
    if (typeof value === "string") return value.length + 2;
    if (value === null || typeof value !== "object") return 1;
    const known = lengths.get(value);
    if (known !== undefined) return known;
    // A cycle is written as null.
    lengths.set(value, 4);
    let length = 2;
    const add = (part) => {
      length += measure(part) + 1;
    };
    if (value instanceof Map) {
      for (const [key, item] of value) {
        add(key);
        add(item);
      }
    } else if (value instanceof Set) for (const item of value) add(item);
    else if (ArrayBuffer.isView(value)) length += value.length * 2;
    else if (value instanceof Error) {
      add(value.message);
      add(value.cause);
    } else {
      for (const name of Object.keys(value)) {
        length += name.length + 3;
        add(value[name]);
      }
    }
    lengths.set(value, length);
    return length;
  };
  return measure(root);
}

/** Reading and writing a bigint costs more than its length: a few of a million digits hold up the process. */
const MOST_DIGITS = 10_000;

function longestDigits(text) {
  let longest = 0;
  let run = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    run = unit >= 48 && unit <= 57 ? run + 1 : 0;
    if (run > longest) longest = run;
  }
  return longest;
}

/** The value of a text that a client sent. */
function readValue(text, key, limit) {
  if (typeof text !== "string") throw invalidValue(`expected a string, got ${typeof text}`, key);
  const bytes = byteLength(text);
  if (bytes > limit) throw tooLarge(bytes, limit, key);
  if (text.includes('"bigint"') && longestDigits(text) > MOST_DIGITS) {
    throw invalidValue(`it holds a bigint of more than ${MOST_DIGITS} digits`, key);
  }
  let value;
  let length = 0;
  try {
    value = parse(text);
    if (text.includes('"referentialEqualities"')) length = writtenLength(value);
  } catch (error) {
    throw invalidValue(
      error instanceof RangeError ? "it is nested too deeply" : "not this format",
      key,
    );
  }
  if (length > limit) throw tooLarge(length, limit, key);
  return value;
}

/** The text of a value that the storage gave; null and what is missing are null. */
const textOf = (value) => (value === null || value === undefined ? null : stringify(value));

/** Strings and bytes may cross as raw values, and nothing else. */
function rawOf(raw, key, limit) {
  const isBytes = ArrayBuffer.isView(raw) && !(raw instanceof DataView);
  if (typeof raw !== "string" && !isBytes) {
    throw failure(
      "EAS_INVALID_VALUE",
      "Outside the main process a raw value is a string or a Uint8Array",
      { key },
    );
  }
  const bytes = isBytes ? raw.byteLength : byteLength(raw);
  if (bytes > limit) throw tooLarge(bytes, limit, key);
  return isBytes ? Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength) : raw;
}

/** A raw value on its way to a client: bytes of its own, whatever they were part of. */
function rawTo(raw, key) {
  if (raw === null || raw === undefined || typeof raw === "string") return raw ?? null;
  if (ArrayBuffer.isView(raw)) {
    return new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength).slice();
  }
  if (raw instanceof ArrayBuffer) return new Uint8Array(raw).slice();
  throw failure("EAS_INVALID_VALUE", "Only strings and bytes can be read as raw values here", {
    key,
  });
}

module.exports = { readValue, textOf, rawOf, rawTo, byteLength };
