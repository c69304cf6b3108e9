// Property names, kept as words that are written at once.

import { codeAt, MapType, mapSet, stringify } from "../builtins.js";
import { writeWide } from "./strings.js";

const LONGEST_NAME_UNITS = 96;
const MOST_NAME_WORDS = 8192;

// Where the words of `,"name":` are, and which name came next the last time.
class Name {
  // See the codec for why each class keeps one object.
  static kept = new Name("", 0, 0, 0);

  constructor(name, from, to, length) {
    this.name = name;
    this.from = from;
    this.to = to;
    this.length = length;
    this.next = undefined;
  }
}

export const names = new MapType();

// Values of one kind have the same names in the same order: looking each one up costs more than
// comparing it with the one that is expected.
export const beforeFirst = new Name("", 0, 0, 0);
export const nameWords = new Int32Array(MOST_NAME_WORDS);
let nameWordCount = 0;
let areNamesFull = false;

// The bytes of a text whose surrogates are in pairs.
function utf8Of(text) {
  const encoded = [];
  for (let i = 0; i < text.length; i++) {
    const unit = codeAt(text, i);
    if (unit < 0x80) {
      encoded[encoded.length] = unit;
      continue;
    }
    const size = writeWide(text, i, encoded, encoded.length) - encoded.length;
    if (size === 4) i++;
  }
  return encoded;
}

// Undefined for a name that is written unit by unit, like the strings: a long one, and all that come when
// there is no room left.
export function addName(name) {
  if (areNamesFull || name.length > LONGEST_NAME_UNITS) return undefined;
  // JSON escapes half pairs.
  const encoded = utf8Of(`,${stringify(name)}:`);
  const from = nameWordCount;
  const to = from + ((encoded.length + 3) >> 2);
  areNamesFull = to > MOST_NAME_WORDS;
  if (areNamesFull) return undefined;
  for (let i = from; i < to; i++) {
    const at = (i - from) * 4;
    nameWords[i] =
      encoded[at] | (encoded[at + 1] << 8) | (encoded[at + 2] << 16) | (encoded[at + 3] << 24);
  }
  nameWordCount = to;
  const added = new Name(name, from, to, encoded.length);
  mapSet(names, name, added);
  return added;
}
