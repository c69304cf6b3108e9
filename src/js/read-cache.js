import {
  ArrayType,
  arrayPrototype,
  codeAt,
  DateType,
  datePrototype,
  getPrototypeOf,
  isArray,
  keysOf,
  MapType,
  mapEach,
  mapGet,
  mapPrototype,
  mapSet,
  objectPrototype,
  parse,
  SetType,
  setAdd,
  setEach,
  setHas,
  setPrototype,
  sliceArray,
  species,
  stringify,
  timeOf,
} from "./builtins.js";

// Units are those of a text's length. What is remembered of a text takes about as much room as so
// many more of them, for the entry and for each container in the value.
const LONGEST_TEXT_UNITS = 16 * 1024;
const MOST_UNITS = 2 * 1024 * 1024;
const ENTRY_UNITS = 64;
const CONTAINER_UNITS = 64;
const DEEPEST = 64;
const RECORD = 0;
const LIST = 1;
const DATE = 2;
const SET = 3;
const MAP = 4;

// What copies are made from. Its parts, the containers inside `source`, are copied to their `places`.
// Nobody else gets to see `source`.
class Model {
  // See the codec for why each class keeps one object.
  static kept = new Model(RECORD, {});

  constructor(kind, source) {
    this.kind = kind;
    this.source = source;
    this.places = [];
    this.parts = [];
  }
}

// Collects the containers of one value, each of which may be met once: copies would not share it.
class Survey {
  static kept = new Survey();

  constructor() {
    this.met = new SetType();
    this.count = 0;
  }
}

// Undefined for a value that holds something of another kind.
function modelOf(survey, value, depth) {
  if (depth > DEEPEST || setHas(survey.met, value)) return undefined;
  setAdd(survey.met, value);
  survey.count++;
  if (isArray(value)) return withParts(survey, new Model(LIST, value), depth);
  switch (getPrototypeOf(value)) {
    case objectPrototype:
      return withParts(survey, new Model(RECORD, value), depth);
    case datePrototype:
      return new Model(DATE, timeOf(value));
    case setPrototype:
      return ofList(survey, SET, itemsOf(value), depth);
    case mapPrototype:
      return ofList(survey, MAP, pairsOf(value), depth);
    default:
      return undefined;
  }
}

function withParts(survey, model, depth) {
  const { kind, source, places, parts } = model;
  const names = kind === RECORD ? keysOf(source) : source;
  for (let i = 0; i < names.length; i++) {
    const place = kind === RECORD ? names[i] : i;
    const inner = source[place];
    if (typeof inner !== "object" || inner === null) continue;
    const part = modelOf(survey, inner, depth + 1);
    if (part === undefined) return undefined;
    places[places.length] = place;
    parts[parts.length] = part;
  }
  return model;
}

function ofList(survey, kind, items, depth) {
  const list = withParts(survey, new Model(LIST, items), depth);
  return list === undefined ? undefined : new Model(kind, list);
}

function itemsOf(set) {
  const items = [];
  setEach(set, (item) => {
    items[items.length] = item;
  });
  return items;
}

// Keys and values in turn.
function pairsOf(map) {
  const pairs = [];
  mapEach(map, (item, key) => {
    pairs[pairs.length] = key;
    pairs[pairs.length] = item;
  });
  return pairs;
}

function copyOf(model) {
  switch (model.kind) {
    case RECORD:
      return fill({ ...model.source }, model);
    case LIST:
      return fill(sliceArray(model.source), model);
    case DATE:
      return new DateType(model.source);
    case SET: {
      const items = copyOf(model.source);
      const set = new SetType();
      for (let i = 0; i < items.length; i++) setAdd(set, items[i]);
      return set;
    }
    default: {
      const pairs = copyOf(model.source);
      const map = new MapType();
      for (let i = 0; i < pairs.length; i += 2) mapSet(map, pairs[i], pairs[i + 1]);
      return map;
    }
  }
}

function fill(copy, { places, parts }) {
  for (let i = 0; i < places.length; i++) copy[places[i]] = copyOf(parts[i]);
  return copy;
}

// The text that was read last under a key. `model` is made when the same text comes again; null says
// that the value has none.
class Entry {
  static kept = new Entry("");

  constructor(text) {
    this.text = text;
    this.model = undefined;
  }
}

// The engine makes a slice, which keeps the whole text that it was cut from, of so many units.
const SLICE_UNITS = 13;
const keyToKeep = (key) => (key.length < SLICE_UNITS ? key : parse(stringify(key)));

// Only containers are worth it: those begin with a bracket, or with the NUL of a whole text.
function isWorthIt(text) {
  if (text.length > LONGEST_TEXT_UNITS) return false;
  const first = codeAt(text, 0);
  return first === 123 || first === 91 || first === 0;
}

// Other code may have it otherwise; a slice is what they say.
const areSlicesArrays = () =>
  ArrayType[species] === ArrayType && arrayPrototype.constructor === ArrayType;

/** Puts a memory before `readText(text, key)`, which makes a new value of a text. */
export function createRecall(readText) {
  let entries = new MapType();
  let units = 0;

  function forget() {
    entries = new MapType();
    units = 0;
  }

  function weigh(weight) {
    // Those that are still read are soon there again.
    if (units + weight > MOST_UNITS) forget();
    units += weight;
  }

  function firstRead(entry, text, key) {
    weigh(ENTRY_UNITS + key.length + text.length);
    if (entry === undefined) {
      mapSet(entries, keyToKeep(key), new Entry(text));
    } else {
      entry.text = text;
      entry.model = undefined;
    }
    return readText(text, key);
  }

  function secondRead(entry, text, key) {
    const value = readText(text, key);
    const survey = new Survey();
    const isContainer = typeof value === "object" && value !== null;
    entry.model = (isContainer && modelOf(survey, value, 0)) || null;
    weigh(CONTAINER_UNITS * survey.count);
    return entry.model === null ? value : copyOf(entry.model);
  }

  function read(text, key) {
    if (!isWorthIt(text) || !areSlicesArrays()) return readText(text, key);
    const entry = mapGet(entries, key);
    if (entry === undefined || entry.text !== text) return firstRead(entry, text, key);
    if (entry.model === undefined) return secondRead(entry, text, key);
    return entry.model === null ? readText(text, key) : copyOf(entry.model);
  }

  return { read, forget };
}
