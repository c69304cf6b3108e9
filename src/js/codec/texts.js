// JSON texts of strings and property names.

import { codeAt, MapType, mapGet, mapSet, mapSize, stringify } from "../builtins.js";

const SHORT_STRING_UNITS = 48;
const MAX_CACHED_NAMES = 2048;
const nameTexts = new MapType();

// Checking a short string by hand costs less than entering JSON.stringify.
export function quote(string) {
  const { length } = string;
  if (length > SHORT_STRING_UNITS) return stringify(string);
  for (let i = 0; i < length; i++) {
    const unit = codeAt(string, i);
    if (unit < 32 || unit === 34 || unit === 92 || (unit >= 0xd800 && unit <= 0xdfff)) {
      return stringify(string);
    }
  }
  return `"${string}"`;
}

// A property name as the first, or a later, of its object, ready for a value or for a string's content.
class NameTexts {
  static kept = new NameTexts("");

  constructor(name) {
    const text = quote(name);
    this.first = `{${text}:`;
    this.next = `,${text}:`;
  }
}

// Stored values repeat their property names; the bound keeps names made from data from piling up.
export function textsOfName(name) {
  let texts = mapGet(nameTexts, name);
  if (texts === undefined) {
    texts = new NameTexts(name);
    if (name.length <= SHORT_STRING_UNITS && mapSize(nameTexts) < MAX_CACHED_NAMES) {
      mapSet(nameTexts, name, texts);
    }
  }
  return texts;
}
