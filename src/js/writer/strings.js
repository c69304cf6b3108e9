// Strings as JSON in UTF-8.

import { codeAt, encodeInto, encoder, stringify, Uint8ArrayType } from "../builtins.js";
import { BACKSLASH, BAIL, bytes, END, QUOTE } from "./memory.js";

// The engine and Rust go over a longer one several units at a time, but take some time to call.
const LONGEST_UNITS_HERE = 256;

// What JSON writes behind a backslash for a control character, if that is a letter.
const FIRST_PRINTED = 32;
const FIRST_WIDE = 128;
const escapes = new Uint8Array(FIRST_PRINTED);

for (const text of ["\b", "\t", "\n", "\f", "\r"])
  escapes[codeAt(text, 0)] = codeAt(stringify(text), 2);

export function writeString(text, start) {
  const { length } = text;
  if (start + 2 + 3 * length > END) return BAIL;
  if (length > LONGEST_UNITS_HERE) return writeLongString(text, start);
  let at = start;
  bytes[at++] = QUOTE;
  for (let i = 0; i < length; i++) {
    const unit = codeAt(text, i);
    if (unit >= FIRST_PRINTED && unit < FIRST_WIDE) {
      if (unit === QUOTE || unit === BACKSLASH) bytes[at++] = BACKSLASH;
      bytes[at++] = unit;
    } else if (unit >= FIRST_WIDE) {
      const end = writeWide(text, i, bytes, at);
      if (end === BAIL) return BAIL;
      if (end === at + 4) i++;
      at = end;
    } else {
      const letter = escapes[unit];
      if (letter === 0) return BAIL;
      bytes[at++] = BACKSLASH;
      bytes[at++] = letter;
    }
  }
  bytes[at++] = QUOTE;
  return at;
}

function writeLongString(text, start) {
  if (encodeInto === undefined) return BAIL;
  const room = new Uint8ArrayType(core.scratch, start + 1, 3 * text.length);
  const { written } = encodeInto(encoder, text, room);
  const end = core.escapeScratch(start + 1, start + 1 + written, END);
  if (end < 0) return BAIL;
  bytes[start] = QUOTE;
  bytes[end] = QUOTE;
  return end + 1;
}

// A character of several bytes; one of four is two units. Half of such a pair is for the codec.
export function writeWide(text, i, target, at) {
  const unit = codeAt(text, i);
  if (unit < 0x800) {
    target[at] = 0xc0 | (unit >> 6);
    target[at + 1] = 0x80 | (unit & 0x3f);
    return at + 2;
  }
  if (unit < 0xd800 || unit > 0xdfff) {
    target[at] = 0xe0 | (unit >> 12);
    target[at + 1] = 0x80 | ((unit >> 6) & 0x3f);
    target[at + 2] = 0x80 | (unit & 0x3f);
    return at + 3;
  }
  const low = i + 1 < text.length ? codeAt(text, i + 1) : 0;
  if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff) return BAIL;
  const point = ((unit - 0xd800) << 10) + (low - 0xdc00) + 0x10000;
  target[at] = 0xf0 | (point >> 18);
  target[at + 1] = 0x80 | ((point >> 12) & 0x3f);
  target[at + 2] = 0x80 | ((point >> 6) & 0x3f);
  target[at + 3] = 0x80 | (point & 0x3f);
  return at + 4;
}
