// Templates: what copies of a value are made from when its text is read again. Copying costs a fraction of
// parsing. Rust keeps them, and knows which texts come again.

import {
  ArrayType,
  arrayPrototype,
  DateType,
  datePrototype,
  defineProperty,
  getPrototypeOf,
  isArray,
  keysOf,
  MapType,
  mapEach,
  mapPrototype,
  mapSet,
  objectPrototype,
  SetType,
  setAdd,
  setEach,
  setHas,
  setPrototype,
  sliceArray,
  species,
  timeOf,
} from "./builtins.js";

const DEEPEST = 64;
const RECORD = 0;
const LIST = 1;
const DATE = 2;
const SET = 3;
const MAP = 4;

// Its parts, the containers inside `source`, are copied to their `places`. Nobody else gets to see `source`.
export class Template {
  // See the codec for why each class keeps one object.
  static kept = new Template(RECORD, {});

  #isTemplate = true;

  /** Whether an object is one. No driver's own value can pass for it, nor notices that it is asked. */
  static is(object) {
    return #isTemplate in object;
  }

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
  }
}

/** The template of a value that nobody else has; undefined if copies cannot stand for it. */
export function templateOf(value) {
  if (typeof value !== "object" || value === null) return undefined;
  return templateIn(new Survey(), value, 0);
}

// Undefined for a value that holds something of another kind.
function templateIn(survey, value, depth) {
  if (depth > DEEPEST || setHas(survey.met, value)) return undefined;
  setAdd(survey.met, value);
  if (isArray(value)) return withParts(survey, new Template(LIST, value), depth);
  switch (getPrototypeOf(value)) {
    case objectPrototype:
      return withParts(survey, new Template(RECORD, value), depth);
    case datePrototype:
      return new Template(DATE, timeOf(value));
    case setPrototype:
      return ofList(survey, SET, itemsOf(value), depth);
    case mapPrototype:
      return ofList(survey, MAP, pairsOf(value), depth);
    default:
      return undefined;
  }
}

function withParts(survey, template, depth) {
  const { kind, source, places, parts } = template;
  const names = kind === RECORD ? keysOf(source) : source;
  for (let i = 0; i < names.length; i++) {
    const place = kind === RECORD ? names[i] : i;
    const inner = source[place];
    if (typeof inner !== "object" || inner === null) continue;
    const part = templateIn(survey, inner, depth + 1);
    if (part === undefined) return undefined;
    places[places.length] = place;
    parts[parts.length] = part;
  }
  return template;
}

function ofList(survey, kind, items, depth) {
  const list = withParts(survey, new Template(LIST, items), depth);
  return list === undefined ? undefined : new Template(kind, list);
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

/** A new value. */
export function copyOf(template) {
  switch (template.kind) {
    case RECORD:
      return fill({ ...template.source }, template);
    case LIST:
      return fill(copyOfList(template.source), template);
    case DATE:
      return new DateType(template.source);
    case SET: {
      const items = copyOf(template.source);
      const set = new SetType();
      for (let i = 0; i < items.length; i++) setAdd(set, items[i]);
      return set;
    }
    default: {
      const pairs = copyOf(template.source);
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

// Other code may have arrays make slices of another class.
function copyOfList(list) {
  if (ArrayType[species] === ArrayType && arrayPrototype.constructor === ArrayType) {
    return sliceArray(list);
  }
  const copy = [];
  for (let i = 0; i < list.length; i++) {
    const descriptor = /** @type {PropertyDescriptor} */ ({
      __proto__: null,
      value: list[i],
      writable: true,
      enumerable: true,
      configurable: true,
    });
    defineProperty(copy, i, descriptor);
  }
  return copy;
}
