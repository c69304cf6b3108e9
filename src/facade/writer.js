// Plain JSON values straight into memory that the native core reads: no strings are made of them that
// would have to be put together here and taken apart there. What is not plain, or is too large, is left
// to the codec; both write the same text.
(function makeWriter(pack, scratch) {
  "use strict";

  const uncurry = Function.prototype.bind.bind(Function.prototype.call);
  const { stringify } = JSON;
  const { isArray } = Array;
  const { getPrototypeOf } = Object;
  const { floor } = Math;
  const objectPrototype = Object.prototype;
  const MapType = Map;
  const SetType = Set;
  const codeAt = uncurry(String.prototype.charCodeAt);
  const mapGet = uncurry(Map.prototype.get);
  const mapSet = uncurry(Map.prototype.set);
  const setAdd = uncurry(Set.prototype.add);
  const setSize = uncurry(Object.getOwnPropertyDescriptor(Set.prototype, "size").get);
  const setInt32 = uncurry(DataView.prototype.setInt32);

  const bytes = new Uint8Array(scratch);
  const view = new DataView(scratch);

  // Each part is checked for room before it is written. The margin is for what a word writes past the
  // end of a part, and for the brackets that close all that is open.
  const END = bytes.length - 64;
  const LONGEST_NAME_UNITS = 96;
  const LONGEST_STRING_UNITS = 2048;
  // A character of several bytes takes longer here than in JSON.stringify, which takes some time to call.
  const LONGEST_WIDE_STRING_UNITS = 256;
  const FEW_CONTAINERS = 24;
  const MOST_DEPTH = 24;
  const MOST_NAME_WORDS = 8192;
  const MOST_SKIPPED = 15;

  const BAIL = -1;

  const OPEN_RECORD = 123;
  const CLOSE_RECORD = 125;
  const OPEN_LIST = 91;
  const CLOSE_LIST = 93;
  const COMMA = 44;
  const COLON = 58;
  const QUOTE = 34;
  const BACKSLASH = 92;
  const MINUS = 45;
  const POINT = 46;
  const ZERO = 48;

  // Four characters as they lie in memory.
  const wordOf = (text, at) =>
    (codeAt(text, at) || 0) |
    ((codeAt(text, at + 1) || 0) << 8) |
    ((codeAt(text, at + 2) || 0) << 16) |
    ((codeAt(text, at + 3) || 0) << 24);

  const NULL_WORD = wordOf("null", 0);
  const TRUE_WORD = wordOf("true", 0);
  const FALSE_WORD = wordOf("fals", 0);
  const LETTER_E = codeAt("e", 0);

  // What JSON writes behind a backslash for a control character, if that is a letter.
  const FIRST_PRINTED = 32;
  const FIRST_WIDE = 128;
  const escapes = new Uint8Array(FIRST_PRINTED);
  for (const text of ["\b", "\t", "\n", "\f", "\r"])
    escapes[codeAt(text, 0)] = codeAt(stringify(text), 2);

  const ENVELOPE_START = '{"json":';
  const START = ENVELOPE_START.length;
  const START_WORD = wordOf(ENVELOPE_START, 0);
  const SECOND_WORD = wordOf(ENVELOPE_START, 4);

  // ---- Property names ----

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

  const names = new MapType();
  // Values of one kind have the same names in the same order: looking each one up costs more than
  // comparing it with the one that is expected.
  const beforeFirst = new Name("", 0, 0, 0);
  let last = beforeFirst;
  const nameWords = new Int32Array(MOST_NAME_WORDS);
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
  function addName(name) {
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

  // ---- Values: each function gives the place behind what it wrote, or BAIL ----

  // Repeated objects are for the codec to annotate. A few are compared with each other; of more than that
  // there is a set.
  const met = new Array(FEW_CONTAINERS).fill(undefined);
  let metCount = 0;
  let metMany;
  let depth = 0;

  // Whether the container is met for the first time.
  function meet(container) {
    if (metCount < FEW_CONTAINERS) {
      for (let i = 0; i < metCount; i++) if (met[i] === container) return false;
      met[metCount++] = container;
      return true;
    }
    if (metMany === undefined) {
      metMany = new SetType();
      for (let i = 0; i < FEW_CONTAINERS; i++) setAdd(metMany, met[i]);
    }
    const before = setSize(metMany);
    setAdd(metMany, container);
    return setSize(metMany) !== before;
  }

  function forgetMet() {
    for (let i = 0; i < metCount; i++) met[i] = undefined;
    metCount = 0;
    metMany = undefined;
    depth = 0;
  }

  function writeString(text, start) {
    const { length } = text;
    if (length > LONGEST_STRING_UNITS || start + 2 + 3 * length > END) return BAIL;
    let at = start;
    bytes[at++] = QUOTE;
    for (let i = 0; i < length; i++) {
      const unit = codeAt(text, i);
      if (unit >= FIRST_PRINTED && unit < FIRST_WIDE) {
        if (unit === QUOTE || unit === BACKSLASH) bytes[at++] = BACKSLASH;
        bytes[at++] = unit;
      } else if (unit >= FIRST_WIDE) {
        if (length > LONGEST_WIDE_STRING_UNITS) return BAIL;
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

  // A character of several bytes; one of four is two units. Half of such a pair is for the codec.
  function writeWide(text, i, target, at) {
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

  function writeDigits(number, at, count) {
    let rest = number;
    for (let place = at + count - 1; place >= at; place--) {
      const next = (rest / 10) | 0;
      bytes[place] = ZERO + rest - next * 10;
      rest = next;
    }
    return at + count;
  }

  function digitCount(number) {
    let count = 1;
    for (let limit = 10; number >= limit; limit *= 10) count++;
    return count;
  }

  function writeNumber(number, start) {
    const size = number < 0 ? -number : number;
    if (!(size < 1e15) || floor(size) !== size || (size === 0 && 1 / number < 0)) {
      return writeOtherNumber(number, start);
    }
    let at = start;
    if (number < 0) bytes[at++] = MINUS;
    if (size < 1e9) return writeDigits(size, at, digitCount(size));
    const high = floor(size / 1e9);
    at = writeDigits(high, at, digitCount(high));
    return writeDigits(size - high * 1e9, at, 9);
  }

  // At most so many decimals, as prices, scores and coordinates have.
  const DECIMALS = 6;
  const UNIT = 10 ** DECIMALS;

  function writeOtherNumber(number, start) {
    // Those that JSON lacks: no two of them are alike.
    if (number - number !== 0 || number === 0) return BAIL;
    const size = number < 0 ? -number : number;
    const scaled = floor(size * UNIT + 0.5);
    // No two numbers of up to 15 digits are the same double: these digits are the shortest ones.
    if (scaled < 1e15 && scaled / UNIT === size && size >= 1e-6) {
      return writeDecimals(number < 0, scaled, start);
    }
    const text = `${number}`;
    for (let i = 0; i < text.length; i++) bytes[start + i] = codeAt(text, i);
    return start + text.length;
  }

  function writeDecimals(isNegative, scaled, start) {
    let at = start;
    if (isNegative) bytes[at++] = MINUS;
    const whole = floor(scaled / UNIT);
    at = writeDigits(whole, at, digitCount(whole));
    bytes[at] = POINT;
    at = writeDigits(scaled - whole * UNIT, at + 1, DECIMALS);
    while (bytes[at - 1] === ZERO) at--;
    return at;
  }

  // Comparing with each name of a type is what the engine compiles best.
  function writeValue(value, at) {
    if (at > END) return BAIL;
    if (typeof value === "string") return writeString(value, at);
    if (typeof value === "number") return writeNumber(value, at);
    if (typeof value === "boolean") {
      setInt32(view, at, value ? TRUE_WORD : FALSE_WORD, true);
      if (value) return at + 4;
      bytes[at + 4] = LETTER_E;
      return at + 5;
    }
    if (typeof value !== "object") return BAIL;
    if (value !== null) return writeContainer(value, at);
    setInt32(view, at, NULL_WORD, true);
    return at + 4;
  }

  function writeContainer(value, at) {
    if (depth === MOST_DEPTH || !meet(value)) return BAIL;
    if (typeof value.toJSON === "function") return BAIL;
    depth++;
    let end;
    if (isArray(value)) {
      end = writeList(value, at);
    } else {
      const prototype = getPrototypeOf(value);
      if (prototype !== objectPrototype && prototype !== null) return BAIL;
      end = writeRecord(value, at);
    }
    depth--;
    return end;
  }

  function writeList(items, start) {
    const { length } = items;
    let at = start;
    bytes[at++] = OPEN_LIST;
    for (let i = 0; i < length; i++) {
      if (i > 0) bytes[at++] = COMMA;
      at = writeValue(items[i], at);
      if (at === BAIL) return BAIL;
    }
    bytes[at++] = CLOSE_LIST;
    return at;
  }

  function writeOtherName(name, at, start) {
    bytes[at] = at === start ? OPEN_RECORD : COMMA;
    const end = writeString(name, at + 1);
    if (end === BAIL) return BAIL;
    bytes[end] = COLON;
    return end + 1;
  }

  function writeRecord(record, start) {
    let at = start;
    // The engine reads properties fastest in this loop; `isTried` sees to it that all are own ones.
    for (const name in record) {
      const value = record[name];
      let text = last.next;
      if (text === undefined || text.name !== name) {
        text = mapGet(names, name) ?? addName(name);
        if (text === undefined) {
          at = writeOtherName(name, at, start);
          if (at === BAIL) return BAIL;
          at = writeValue(value, at);
          if (at === BAIL) return BAIL;
          continue;
        }
        last.next = text;
      }
      last = text;
      if (at + text.length > END) return BAIL;
      const { from, to } = text;
      for (let i = from; i < to; i++) setInt32(view, at + (i - from) * 4, nameWords[i], true);
      if (at === start) bytes[at] = OPEN_RECORD;
      at = writeValue(value, at + text.length);
      if (at === BAIL) return BAIL;
    }
    if (at === start) bytes[at++] = OPEN_RECORD;
    bytes[at++] = CLOSE_RECORD;
    return at;
  }

  // ---- The whole ----

  // Values of a batch stand one behind the other, until they fill an eighth: there is room for a large one
  // behind them, and processors have them at hand.
  const MUCH = bytes.length / 8;
  const MOST_AT_ONCE = 256;
  let filled = 0;

  // A getter may store values of its own.
  let isBusy = false;
  // Programs store values of one kind together: after some that were not plain, fewer are tried.
  let misses = 0;
  let skips = 0;

  function isTried(value) {
    if (typeof value !== "object" || value === null) return false;
    if (skips > 0) {
      skips--;
      return false;
    }
    // Properties that other code gave to all objects would show in the loop over a record.
    for (const _ in objectPrototype) return false;
    return true;
  }

  function writeEnvelope(value) {
    setInt32(view, filled, START_WORD, true);
    setInt32(view, filled + 4, SECOND_WORD, true);
    last = beforeFirst;
    let end = BAIL;
    try {
      end = writeContainer(value, filled + START);
    } finally {
      forgetMet();
    }
    if (end !== BAIL) bytes[end++] = CLOSE_RECORD;
    return end;
  }

  function write(value) {
    if (!isTried(value)) return pack(value);
    const end = writeEnvelope(value);
    if (end === BAIL) {
      misses = misses < MOST_SKIPPED ? 2 * misses + 1 : MOST_SKIPPED;
      skips = misses;
      return pack(value);
    }
    misses = 0;
    const length = end - filled;
    filled = end;
    return length;
  }

  // Before the core takes a text, it may call for the rest of a batch, which uses the memory too.
  let isSetAside = false;

  /** Whether the texts of single values leave the memory alone from now on. */
  function setAside(flag) {
    isSetAside = flag;
  }

  /** What the native core takes: how many bytes of its memory hold the text, or what `pack` gives. */
  function hand(value) {
    if (isBusy || isSetAside) return pack(value);
    isBusy = true;
    filled = 0;
    let handed;
    try {
      handed = write(value);
    } finally {
      isBusy = false;
    }
    // A getter may have put a batch off.
    return isSetAside ? pack(value) : handed;
  }

  /**
   * Calls `take(texts, from)` with what `hand` gives for the values of the items from `start` to `end`,
   * as often as it takes to hand over all of them. The texts stand one behind the other. Undefined stays
   * undefined. Each value is asked for when it is written: one object may stand for many of them.
   */
  function handAll(items, start, end, take) {
    const isFirst = !isBusy;
    isBusy = true;
    try {
      let texts = [];
      for (let i = start; i < end; i++) {
        if (isFirst && texts.length === 0) filled = 0;
        const { value } = items[i];
        if (value === undefined) texts[texts.length] = undefined;
        else texts[texts.length] = isFirst ? write(value) : pack(value);
        if (texts.length < MOST_AT_ONCE && filled < MUCH && i + 1 < end) continue;
        take(texts, i + 1 - texts.length);
        texts = [];
      }
    } finally {
      if (isFirst) isBusy = false;
    }
  }

  return { hand, handAll, setAside };
});
