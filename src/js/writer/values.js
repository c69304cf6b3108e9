// Plain values as JSON.

import {
  getPrototypeOf,
  isArray,
  mapGet,
  objectPrototype,
  SetType,
  setAdd,
  setInt32,
  setSize,
} from "../builtins.js";
import {
  BAIL,
  bytes,
  CLOSE_LIST,
  CLOSE_RECORD,
  COLON,
  COMMA,
  END,
  FALSE_WORD,
  LETTER_E,
  NULL_WORD,
  OPEN_LIST,
  OPEN_RECORD,
  TRUE_WORD,
  view,
  wordOf,
} from "./memory.js";
import { addName, beforeFirst, names, nameWords } from "./names.js";
import { writeNumber } from "./numbers.js";
import { writeString } from "./strings.js";

const FEW_CONTAINERS = 24;
const MOST_DEPTH = 24;

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

let last = beforeFirst;

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

const ENVELOPE_START = '{"json":';
const START = ENVELOPE_START.length;
const START_WORD = wordOf(ENVELOPE_START, 0);
const SECOND_WORD = wordOf(ENVELOPE_START, 4);

export function writeEnvelope(value, at) {
  setInt32(view, at, START_WORD, true);
  setInt32(view, at + 4, SECOND_WORD, true);
  last = beforeFirst;
  let end = BAIL;
  try {
    end = writeContainer(value, at + START);
  } finally {
    forgetMet();
  }
  if (end !== BAIL) bytes[end++] = CLOSE_RECORD;
  return end;
}
