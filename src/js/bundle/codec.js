(function codec(api, builtins) {
"use strict";

// src/js/builtins.js
var { ArrayType, DateType, ErrorType, MapType, RangeErrorType, RegExpType, SetType, URLType, Uint8ArrayType, arrayPrototype, bigIntText, booleanOf, captureStackTrace, codeAt, create, datePrototype, defineProperty, encodeInto, encoder, floor, getPrototypeOf, hasOwn, includes, indexOf, isArray, isFiniteNumber, isNaNNumber, isView, isoText, join, joinTyped, keysOf, lastIndexOf, mapClear, mapEach, mapGet, mapPrototype, mapSet, mapSize, numberOf, objectPrototype, parse, regExpSource, regExpText, setAdd, setEach, setHas, setInt32, setPrototype, setSize, slice, sliceArray, sort, species, stringOf, stringify, tagOf, timeOf, toBigInt, toStringTag, typedArrayLength, typedArrayName, typedArrayTypes, utcTime } = builtins;

// src/js/codec/corrupt.js
var corrupt = (reason) => new ErrorType(`Not a stored value: ${reason}`);
var isRecord = (value) => typeof value === "object" && value !== null && getPrototypeOf(value) === objectPrototype;
function textOf(source) {
  if (typeof source !== "string") throw corrupt("an annotation that needs a string");
  return source;
}
function listOf(source) {
  if (!isArray(source)) throw corrupt("an annotation that needs an array");
  return source;
}

// src/js/codec/refusal.js
var current;
function switchTo(session) {
  const outer = current;
  current = session;
  return outer;
}
function itemText(session) {
  const key = keyOf(session);
  const item = session.itemIndex === void 0 ? "" : `item ${session.itemIndex} of the batch, `;
  return key === void 0 ? item : `${item}key ${stringify(placeEnd(key))}, `;
}
var keyOf = ({ key, rules }) => typeof key === "string" ? rules.normalizeKey(key) : void 0;
function invalidValue(detail, { path, cause } = {}) {
  const item = current?.operation === void 0 ? "" : `For ${slice(itemText(current), 0, -2)}: `;
  const message = `[electron-async-storage] Cannot stringify value! ${item}${detail}`;
  const error = cause === void 0 ? new ErrorType(message) : new ErrorType(message, { cause });
  error.code = "EAS_INVALID_VALUE";
  if (path !== void 0) error.path = path;
  if (current?.operation !== void 0) {
    error.operation = current.operation;
    const key = keyOf(current);
    if (key !== void 0) error.key = key;
    if (current.itemIndex !== void 0) error.index = current.itemIndex;
    captureStackTrace?.(error, current.entry);
  }
  return error;
}
var ADVICE = "Store plain data, or give the object a toJSON method.";
function refusal(parent, key, what, advice = ADVICE) {
  if (parent === void 0) return invalidValue(`It is ${what}. ${advice}`);
  const path = pathText(parent, key);
  return invalidValue(`At ${placeEnd(path)} it holds ${what}. ${advice}`, { path });
}
var MAX_PLACE_UNITS = 200;
var placeEnd = (text) => text.length > MAX_PLACE_UNITS ? `…${slice(text, -MAX_PLACE_UNITS)}` : text;
function pathText(parent, key) {
  let text = "";
  let name = key;
  for (let visit = parent; visit !== void 0; visit = visit.parent) {
    text = (typeof name === "number" ? `[${name}]` : `.${name}`) + text;
    name = visit.key;
  }
  return text[0] === "." ? slice(text, 1) : text;
}
function classOf(value) {
  try {
    const { name } = value.constructor;
    if (typeof name === "string" && name !== "" && name !== "Object") return name;
  } catch {
  }
  return void 0;
}
function describe(value) {
  if (typeof value !== "object") return `a ${typeof value}`;
  const name = classOf(value);
  return name === void 0 ? `an object of an unsupported kind (${tagOf(value)})` : `an instance of ${name}`;
}
var isExhaustion = (error) => error instanceof RangeErrorType && (includes(error.message, "call stack") || includes(error.message, "string length"));

// src/js/codec/paths.js
var isUnsafeName = (name) => name === "__proto__" || name === "constructor" || name === "prototype";
function segmentText(parent, key) {
  if (typeof key === "number") return `${key}`;
  if (isUnsafeName(key)) {
    throw refusal(parent, key, "a value other than plain JSON, under a name no reader follows");
  }
  if (!includes(key, ".") && !includes(key, "\\")) return key;
  let segment = "";
  for (let i = 0; i < key.length; i++) {
    segment += key[i] === "." || key[i] === "\\" ? `\\${key[i]}` : key[i];
  }
  return segment;
}
function segmentsTo(parent, key) {
  let depth = 0;
  for (let visit = parent; visit !== void 0; visit = visit.parent) depth++;
  const segments = new ArrayType(depth);
  let name = key;
  for (let visit = parent; visit !== void 0; visit = visit.parent) {
    segments[--depth] = segmentText(visit, name);
    name = visit.key;
  }
  return segments;
}
function isIndex(segment) {
  const first = codeAt(segment, 0);
  if (!(first >= 48 && first <= 57)) return false;
  const index = segment >>> 0;
  return index !== 4294967295 && `${index}` === segment;
}
function segmentsIn(path, isLegacy) {
  if (includes(path, "\\")) return escapedSegmentsIn(path, isLegacy);
  const segments = [];
  let start = 0;
  for (let end = indexOf(path, "."); end !== -1; end = indexOf(path, ".", start)) {
    segments[segments.length] = safeName(slice(path, start, end));
    start = end + 1;
  }
  segments[segments.length] = safeName(start === 0 ? path : slice(path, start));
  return segments;
}
function escapedSegmentsIn(path, isLegacy) {
  const segments = [];
  let segment = "";
  for (let i = 0; i < path.length; i++) {
    const next = path[i + 1];
    if (path[i] === ".") {
      segments[segments.length] = safeName(segment);
      segment = "";
    } else if (path[i] === "\\" && (next === "." || next === "\\" && !isLegacy)) {
      segment += next;
      i++;
    } else if (path[i] === "\\" && !isLegacy) {
      throw corrupt("an annotation path with a stray backslash");
    } else {
      segment += path[i];
    }
  }
  segments[segments.length] = safeName(segment);
  return segments;
}
function safeName(segment) {
  if (isUnsafeName(segment)) throw corrupt("an annotation path that leaves the value");
  return segment;
}

// src/js/codec/plan.js
var Step = class _Step {
  static kept = new _Step([]);
  constructor(segments) {
    this.segments = segments;
    this.type = void 0;
    this.inside = void 0;
  }
};
function stepsFrom(values, isLegacy) {
  const root = new Step(["json"]);
  const pending = [{ step: root, annotation: values }];
  while (pending.length > 0) {
    const { step, annotation } = pending[pending.length - 1];
    pending.length--;
    let byPath = annotation;
    if (isArray(annotation)) {
      step.type = typeIn(annotation);
      byPath = annotation[1];
      if (byPath === void 0) continue;
    }
    step.inside = [];
    const paths = pathsOf(byPath);
    for (let i = 0; i < paths.length; i++) {
      const inner = new Step(segmentsIn(paths[i], isLegacy));
      step.inside[i] = inner;
      pending[pending.length] = { step: inner, annotation: byPath[paths[i]] };
    }
  }
  return root;
}
function pathsOf(byPath) {
  if (!isRecord(byPath)) throw corrupt("a malformed annotation");
  return keysOf(byPath);
}
function typeIn(annotation) {
  const { length } = annotation;
  const type = annotation[0];
  const mayHoldValues = type === "set" || type === "map" || type === "Error";
  if (type === void 0 || !(length === 1 || length === 2 && mayHoldValues)) {
    throw corrupt("a malformed annotation");
  }
  return type;
}
var Plan = class _Plan {
  static kept = new _Plan({});
  constructor(meta) {
    if (!isRecord(meta)) throw corrupt("a meta that is no object");
    this.text = void 0;
    const version = hasOwn(meta, "v") ? meta.v : 0;
    if (typeof version !== "number") throw corrupt("a version that is no number");
    this.isLegacy = version < 1;
    this.root = hasOwn(meta, "values") ? stepsFrom(meta.values, this.isLegacy) : void 0;
    this.equalities = hasOwn(meta, "referentialEqualities") ? meta.referentialEqualities : void 0;
  }
};

// src/js/codec/dates.js
var ISO_UNITS = 24;
function reviveDate(text) {
  if (text.length !== ISO_UNITS || codeAt(text, 4) !== 45 || codeAt(text, 7) !== 45 || codeAt(text, 10) !== 84 || codeAt(text, 13) !== 58 || codeAt(text, 16) !== 58 || codeAt(text, 19) !== 46 || codeAt(text, 23) !== 90) {
    return new DateType(text);
  }
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  const hour = twoDigits(text, 11);
  const minute = twoDigits(text, 14);
  const second = twoDigits(text, 17);
  const ms = twoDigits(text, 20) * 10 + digit(text, 22);
  const isSure = year >= 100 && month >= 1 && month <= 12 && day >= 1 && day <= 28 && hour <= 23 && minute <= 59 && second <= 59 && ms >= 0;
  return new DateType(isSure ? utcTime(year, month - 1, day, hour, minute, second, ms) : text);
}
function digit(text, at) {
  const value = codeAt(text, at) - 48;
  return value >= 0 && value <= 9 ? value : NaN;
}
var twoDigits = (text, at) => digit(text, at) * 10 + digit(text, at + 1);

// src/js/codec/session.js
var FEW_VISITS = 24;
var NAN = { NaN: true };
var Visit = class _Visit {
  static kept = new _Visit(void 0, void 0, "", void 0);
  constructor(value, parent, key, previous) {
    this.value = value;
    this.parent = parent;
    this.key = key;
    this.previous = previous;
    this.text = void 0;
    this.note = void 0;
    this.repeats = void 0;
  }
};
var Session = class _Session {
  static kept = new _Session();
  // `entry` is the function whose caller is that of the storage.
  constructor(rules, operation, key, itemIndex, entry) {
    this.rules = rules;
    this.operation = operation;
    this.key = key;
    this.itemIndex = itemIndex;
    this.entry = entry;
    this.losses = void 0;
    this.last = void 0;
    this.count = 0;
    this.index = void 0;
    this.note = void 0;
    this.hasRepeats = false;
    this.replacements = void 0;
  }
};
function findVisit(session, value) {
  if (session.index !== void 0) return mapGet(session.index, value);
  for (let visit = session.last; visit !== void 0; visit = visit.previous) {
    if (visit.value === value) return visit;
  }
  return void 0;
}
function enter(session, value, parent, key) {
  const visit = new Visit(value, parent, key, session.last);
  session.last = visit;
  if (session.index !== void 0) mapSet(session.index, value, visit);
  else if (++session.count > FEW_VISITS) indexVisits(session);
  return visit;
}
function indexVisits(session) {
  session.index = new MapType();
  for (let visit = session.last; visit !== void 0; visit = visit.previous) {
    mapSet(session.index, visit.value, visit);
  }
}
function leave(session, visit, text, note) {
  visit.text = text;
  visit.note = note;
  session.note = note;
  return text;
}
function repeat(session, visit, parent, key) {
  session.hasRepeats = true;
  if (visit.repeats === void 0) visit.repeats = [];
  visit.repeats[visit.repeats.length] = segmentsTo(parent, key);
  session.note = visit.note;
  return visit.text === void 0 ? "null" : visit.text;
}
function writeLeaf(session, identity, parent, key, text, note) {
  const seen = findVisit(session, identity);
  if (seen !== void 0) return repeat(session, seen, parent, key);
  return leave(session, enter(session, identity, parent, key), text, note);
}

// src/js/codec/typed-arrays.js
function writeTypedArray(session, value, parent, key) {
  const text = isPlainNumbers(value) ? joined(value, parent, key) : numbersText(value);
  const note = `[["typed-array","${typedArrayName(value)}"]]`;
  return writeLeaf(session, value, parent, key, `[${text}]`, note);
}
function joined(items, parent, key) {
  try {
    return joinTyped(items, ",");
  } catch {
    throw refusal(parent, key, "a typed array whose memory is gone");
  }
}
var isPlainNumber = (number) => isFiniteNumber(number) && (number !== 0 || 1 / number > 0);
function isPlainNumbers(items) {
  const length = typedArrayLength(items);
  for (let i = 0; i < length; i++) if (!isPlainNumber(items[i])) return false;
  return true;
}
function numbersText(items) {
  const length = typedArrayLength(items);
  let text = "";
  for (let i = 0; i < length; i++) {
    const item = items[i];
    const plain = isPlainNumber(item) ? item : item === 0 ? "-0" : `"${item}"`;
    text += (i === 0 ? "" : ",") + plain;
  }
  return text;
}
var isNumberName = (item) => item === "NaN" || item === "Infinity" || item === "-Infinity";
function reviveTypedArray(type, source) {
  const Type = isArray(type) && type.length === 2 && type[0] === "typed-array" && typeof type[1] === "string" ? typedArrayTypes[type[1]] : void 0;
  if (Type === void 0) throw corrupt("an annotation of an unknown type");
  const items = listOf(source);
  const result = new Type(items.length);
  for (let i = 0; i < items.length; i++) {
    if (typeof items[i] === "number") result[i] = items[i];
    else if (isNumberName(items[i])) result[i] = +items[i];
    else if (items[i] !== null) throw corrupt("a typed array of something else than numbers");
  }
  return result;
}

// src/js/codec/revive.js
function revive(type, source, fills) {
  switch (type) {
    case "undefined":
      return void 0;
    case "Date":
      return reviveDate(textOf(source));
    case "set":
      return laterFilled(fills, fillSet, new SetType(), listOf(source));
    case "map":
      return laterFilled(fills, fillMap, new MapType(), listOf(source));
    case "Error":
      if (!isRecord(source)) throw corrupt("an Error without fields");
      return laterFilled(fills, fillError, new ErrorType(), source);
    case "bigint":
      return toBigInt(textOf(source));
    case "number":
      return specialNumber(source);
    case "regexp":
      return reviveRegExp(textOf(source));
    case "URL":
      if (URLType === void 0) throw corrupt("a URL, which this context cannot make");
      return new URLType(textOf(source));
    default:
      return reviveTypedArray(type, source);
  }
}
function specialNumber(source) {
  if (source === "NaN") return NaN;
  if (source === "-0") return -0;
  if (source === "Infinity") return Infinity;
  if (source === "-Infinity") return -Infinity;
  throw corrupt("an unknown special number");
}
function reviveRegExp(source) {
  const end = lastIndexOf(source, "/");
  if (source[0] !== "/" || end === 0) throw corrupt("a malformed RegExp");
  return new RegExpType(slice(source, 1, end), slice(source, end + 1));
}
function laterFilled(fills, fill, target, source) {
  fills[fills.length] = { fill, target, source };
  return target;
}
function runFills(fills) {
  for (let i = 0; i < fills.length; i++) fills[i].fill(fills[i].target, fills[i].source);
}
function fillSet(set, items) {
  for (let i = 0; i < items.length; i++) setAdd(set, items[i]);
}
function fillMap(map, rows) {
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    if (!isArray(row) || row.length !== 2) throw corrupt("a map row that is no pair");
    mapSet(map, row[0], row[1]);
  }
}
function fillError(error, fields) {
  const name = hasOwn(fields, "name") ? fields.name : "Error";
  const message = hasOwn(fields, "message") ? fields.message : "";
  if (name !== "Error") defineHidden(error, "name", name);
  defineHidden(error, "message", message);
  if (hasOwn(fields, "cause")) defineHidden(error, "cause", fields.cause);
  if (typeof name === "string" && typeof message === "string") {
    error.stack = message === "" ? name : `${name}: ${message}`;
  }
}
function defineHidden(target, name, value) {
  const descriptor = (
    /** @type {PropertyDescriptor} */
    {
      __proto__: null,
      value,
      writable: true,
      enumerable: false,
      configurable: true
    }
  );
  defineProperty(target, name, descriptor);
}

// src/js/codec/tree.js
function reviveTree(json, rootStep) {
  const fills = [];
  const root = { json };
  const pending = [{ base: root, steps: [rootStep] }];
  while (pending.length > 0) {
    const { base, steps } = pending[pending.length - 1];
    pending.length--;
    for (let i = 0; i < steps.length; i++) {
      const { segments, type, inside } = steps[i];
      const holder = holderOf(base, segments);
      if (holder === void 0) continue;
      const segment = segments[segments.length - 1];
      const source = holder[segment];
      if (type !== void 0) holder[segment] = revive(type, source, fills);
      if (inside !== void 0) pending[pending.length] = { base: source, steps: inside };
    }
  }
  runFills(fills);
  return root.json;
}
function holderOf(base, segments) {
  const last = segments.length - 1;
  let holder = base;
  for (let i = 0; i < last; i++) {
    if (!holdsPlace(holder, segments[i])) return void 0;
    holder = holder[segments[i]];
  }
  return holdsPlace(holder, segments[last]) ? holder : void 0;
}
function holdsPlace(container, segment) {
  if (isArray(container)) {
    if (!isIndex(segment)) return false;
  } else if (!isRecord(container)) {
    throw corrupt("an annotation path through a value that holds no others");
  }
  if (!hasOwn(container, segment)) throw corrupt("an annotation path that leads nowhere");
  return true;
}

// src/js/codec/graph.js
var Place = class _Place {
  static kept = new _Place(void 0);
  constructor(json) {
    this.json = json;
    this.type = void 0;
    this.children = void 0;
    this.mergedInto = void 0;
    this.isMade = false;
    this.value = void 0;
  }
};
function currentPlace(place) {
  let current2 = place;
  while (current2.mergedInto !== void 0) {
    const next = current2.mergedInto;
    if (next.mergedInto !== void 0) current2.mergedInto = next.mergedInto;
    current2 = next;
  }
  return current2;
}
function placeAt(base, segments, isReference = false) {
  let place = currentPlace(base);
  for (let i = 0; i < segments.length; i++) {
    const segment = segments[i];
    if (isReference && i === segments.length - 1 && isRecord(place.json)) {
      if (!hasOwn(place.json, segment)) return void 0;
    }
    if (!holdsPlace(place.json, segment)) return void 0;
    if (place.children === void 0) place.children = new MapType();
    let child = mapGet(place.children, segment);
    if (child === void 0) {
      child = new Place(place.json[segment]);
      mapSet(place.children, segment, child);
    }
    place = currentPlace(child);
  }
  return place;
}
function markTypes(root, rootStep) {
  const pending = [{ place: root, step: rootStep }];
  while (pending.length > 0) {
    const { place, step } = pending[pending.length - 1];
    pending.length--;
    if (step.type !== void 0) place.type = step.type;
    if (step.inside === void 0) continue;
    for (let i = 0; i < step.inside.length; i++) {
      const inner = step.inside[i];
      const innerPlace = placeAt(place, inner.segments);
      if (innerPlace === void 0) continue;
      pending[pending.length] = { place: innerPlace, step: inner };
    }
  }
}
function merge(one, other) {
  const pending = [one, other];
  while (pending.length > 0) {
    const a = currentPlace(pending[pending.length - 2]);
    const b = currentPlace(pending[pending.length - 1]);
    pending.length -= 2;
    if (a === b) continue;
    const isAKept = childCount(a) >= childCount(b);
    const kept = isAKept ? a : b;
    const dropped = isAKept ? b : a;
    kept.json = a.json;
    kept.type = a.type;
    dropped.mergedInto = kept;
    const { children } = dropped;
    dropped.children = void 0;
    if (children === void 0) continue;
    mapEach(children, (child, segment) => {
      const twin = mapGet(kept.children, segment);
      if (twin === void 0) {
        mapSet(kept.children, segment, child);
      } else {
        pending[pending.length] = twin;
        pending[pending.length] = child;
      }
    });
  }
}
var childCount = (place) => place.children === void 0 ? 0 : mapSize(place.children);
function mergeShared(root, { equalities, isLegacy }) {
  let byPath = equalities;
  if (isArray(equalities)) {
    if (equalities.length < 1 || equalities.length > 2) throw corrupt("malformed references");
    mergeAll(root, root, equalities[0], isLegacy);
    if (equalities.length === 1) return;
    byPath = equalities[1];
  }
  const paths = pathsOf(byPath);
  for (let i = 0; i < paths.length; i++) {
    const place = placeAt(root, segmentsIn(paths[i], isLegacy), true);
    if (place !== void 0) mergeAll(root, place, byPath[paths[i]], isLegacy);
  }
}
function mergeAll(root, place, paths, isLegacy) {
  const list = listOf(paths);
  for (let i = 0; i < list.length; i++) {
    const other = placeAt(root, segmentsIn(textOf(list[i]), isLegacy), true);
    if (other !== void 0) merge(place, other);
  }
}
function reviveGraph(json, plan) {
  const fills = [];
  const root = new Place(json);
  if (plan.root !== void 0) markTypes(root, plan.root);
  mergeShared(root, plan);
  const made = makeValues(currentPlace(root), fills);
  for (let i = 0; i < made.length; i++) linkChildren(made[i]);
  runFills(fills);
  return currentPlace(root).value;
}
function makeValues(root, fills) {
  const made = [];
  const pending = [root];
  while (pending.length > 0) {
    const place = pending[pending.length - 1];
    pending.length--;
    if (place.isMade) continue;
    place.isMade = true;
    place.value = place.type === void 0 ? place.json : revive(place.type, place.json, fills);
    made[made.length] = place;
    if (place.children === void 0) continue;
    mapEach(place.children, (child) => {
      pending[pending.length] = currentPlace(child);
    });
  }
  return made;
}
function linkChildren({ json, children }) {
  if (children === void 0) return;
  mapEach(children, (child, segment) => {
    if (!holdsPlace(json, segment)) throw corrupt("shared references of different form");
    json[segment] = currentPlace(child).value;
  });
}

// src/js/codec/plan-cache.js
var MAX_CACHED_PLANS = 256;
var MAX_CACHED_META_UNITS = 512;
var plans = new MapType();
var lastPlan = Plan.kept;
var copyOf = (text) => parse(stringify(text));
function planOf(metaText) {
  if (lastPlan.text === metaText) return lastPlan;
  let plan = mapGet(plans, metaText);
  if (plan === void 0) {
    plan = new Plan(parse(metaText));
    if (metaText.length > MAX_CACHED_META_UNITS) return plan;
    plan.text = copyOf(metaText);
    if (mapSize(plans) >= MAX_CACHED_PLANS) mapClear(plans);
    mapSet(plans, plan.text, plan);
  }
  lastPlan = plan;
  return plan;
}

// src/js/codec/decode.js
var BYTE_ORDER_MARK = 65279;
function decode(given) {
  const text = codeAt(given, 0) === BYTE_ORDER_MARK ? slice(given, 1) : given;
  if (slice(text, -7) === '"v":1}}') {
    const split = splitEnvelope(text);
    if (split !== void 0) return restore(split.json, split.plan);
  }
  const stored = parse(text);
  if (!isRecord(stored)) return stored;
  const names = keysOf(stored);
  if (names.length === 1 && names[0] === "json") return stored.json;
  if (!isEnvelope(stored, names)) return stored;
  return hasOwn(stored, "meta") ? restore(stored.json, new Plan(stored.meta)) : stored.json;
}
function splitEnvelope(text) {
  const start = '{"json":';
  const end = lastIndexOf(text, ',"meta":{');
  if (end < start.length || slice(text, 0, start.length) !== start) return void 0;
  try {
    return {
      json: parse(slice(text, start.length, end)),
      plan: planOf(slice(text, end + start.length, -1))
    };
  } catch {
    return void 0;
  }
}
function restore(json, plan) {
  if (plan.equalities !== void 0) return reviveGraph(json, plan);
  return plan.root === void 0 ? json : reviveTree(json, plan.root);
}
function isEnvelope(value, names) {
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    if (name !== "json" && name !== "meta" && name !== "expires" && name !== "fresh") return false;
  }
  return hasOwn(value, "json");
}

// src/js/codec/kinds.js
function passes(probe, value) {
  try {
    probe(value);
    return true;
  } catch {
    return false;
  }
}
function kindOf(value) {
  if (value instanceof DateType) return "Date";
  if (value instanceof SetType) return "Set";
  if (value instanceof MapType) return "Map";
  if (isView(value)) return typedArrayTypes[typedArrayName(value)] ? "TypedArray" : "";
  if (value instanceof RegExpType) return "RegExp";
  if (value instanceof ErrorType) return "Error";
  if (URLType !== void 0 && value instanceof URLType) return "URL";
  if (isForeignRecord(value)) return "Object";
  switch (tagOf(value)) {
    case "[object Date]":
      return passes(timeOf, value) ? "Date" : "";
    case "[object Set]":
      return passes(setSize, value) ? "Set" : "";
    case "[object Map]":
      return passes(mapSize, value) ? "Map" : "";
    case "[object RegExp]":
      return passes(regExpSource, value) ? "RegExp" : "";
    case "[object Error]":
      return "Error";
    case "[object URL]":
      return typeof value.href === "string" ? "URL" : "";
    default:
      return "";
  }
}
function isForeignRecord(value) {
  const prototype = getPrototypeOf(value);
  return getPrototypeOf(prototype) === null && hasOwn(prototype, "isPrototypeOf");
}
function withSlots(Type, probe, value, parent, key) {
  if (passes(probe, value)) return value;
  try {
    return new Type(value);
  } catch {
    throw refusal(parent, key, describe(value));
  }
}

// src/js/codec/losses.js
var AWAIT = "Await it first.";
var RAW = "Store its bytes with setItemRaw.";
var CONTENT = "Store what it refers to.";
var COPY = "Store a copy of its content, such as an array or a plain object.";
var VANISHING = Object.assign(create(null), {
  Promise: AWAIT,
  ArrayBuffer: RAW,
  SharedArrayBuffer: RAW,
  DataView: RAW,
  Blob: RAW,
  File: RAW,
  WeakMap: CONTENT,
  WeakSet: CONTENT,
  WeakRef: CONTENT,
  FinalizationRegistry: CONTENT,
  BigInt64Array: "Store an array of bigints, or its bytes with setItemRaw.",
  BigUint64Array: "Store an array of bigints, or its bytes with setItemRaw.",
  Float16Array: "Store a Float32Array, or its bytes with setItemRaw.",
  Generator: COPY,
  AsyncGenerator: COPY,
  "Array Iterator": COPY,
  "Map Iterator": COPY,
  "Set Iterator": COPY,
  "String Iterator": COPY,
  "RegExp String Iterator": COPY,
  "Iterator Helper": COPY,
  URLSearchParams: COPY,
  FormData: COPY,
  Headers: COPY,
  ReadableStream: COPY
});
function refuseVanishing(value, parent, key) {
  const kind = slice(tagOf(value), 8, -1);
  if (hasOwn(VANISHING, kind) && !hasOwn(value, toStringTag)) {
    throw refusal(parent, key, describe(value), VANISHING[kind]);
  }
}
function loseValue(session, value, parent, key) {
  if (session.rules === void 0 || session.rules.onLossy === "ignore") return;
  const end = typeof key === "number" ? "becomes null" : "is left out";
  lose(session, value, parent, key, end, `name ${nearestName(parent, key)}`);
}
function loseClass(session, value, parent, key) {
  if (session.rules === void 0 || session.rules.onLossy === "ignore") return;
  const end = "is stored as a plain object of its own properties";
  lose(session, value, parent, key, end, `class ${classOf(value) ?? tagOf(value)}`);
}
function lose(session, value, parent, key, end, name) {
  const { rules } = session;
  if (rules.onLossy === "error") {
    const advice = '`onLossy` is "error": store plain data, or give the object a toJSON method.';
    throw refusal(parent, key, `${describe(value)}, which would not come back as it is`, advice);
  }
  if (rules.isReported(name)) return;
  if (session.losses === void 0) session.losses = [];
  const { losses } = session;
  for (let i = 0; i < losses.length; i++) if (losses[i].name === name) return;
  const text = `at ${placeEnd(pathText(parent, key))}, ${describe(value)} ${end}`;
  losses[losses.length] = { name, text };
}
function nearestName(parent, key) {
  let name = key;
  for (let visit = parent; visit !== void 0 && typeof name === "number"; visit = visit.parent) {
    name = visit.key;
  }
  return name;
}
function reportLosses(session) {
  const { rules, losses } = session;
  const place = itemText(session);
  for (let i = 0; i < losses.length; i++) {
    rules.report(
      losses[i].name,
      `[electron-async-storage] A value loses a part when it is stored: ${place}${losses[i].text}. Leave the part out, or give it a toJSON method; \`onLossy\` of createStorage says what else to do.`
    );
  }
}

// src/js/codec/texts.js
var SHORT_STRING_UNITS = 48;
var MAX_CACHED_NAMES = 2048;
var nameTexts = new MapType();
function quote(string) {
  const { length } = string;
  if (length > SHORT_STRING_UNITS) return stringify(string);
  for (let i = 0; i < length; i++) {
    const unit = codeAt(string, i);
    if (unit < 32 || unit === 34 || unit === 92 || unit >= 55296 && unit <= 57343) {
      return stringify(string);
    }
  }
  return `"${string}"`;
}
var NameTexts = class _NameTexts {
  static kept = new _NameTexts("");
  constructor(name) {
    const text = quote(name);
    this.first = `{${text}:`;
    this.next = `,${text}:`;
  }
};
function textsOfName(name) {
  let texts = mapGet(nameTexts, name);
  if (texts === void 0) {
    texts = new NameTexts(name);
    if (name.length <= SHORT_STRING_UNITS && mapSize(nameTexts) < MAX_CACHED_NAMES) {
      mapSet(nameTexts, name, texts);
    }
  }
  return texts;
}

// src/js/codec/bare.js
function writeBare(session, given, parent, key) {
  let value = given;
  const mayReplace = typeof value === "object" || typeof value === "function" || typeof value === "bigint";
  if (mayReplace && value !== null && typeof value.toJSON === "function") {
    value = value.toJSON(`${key}`);
  }
  switch (typeof value) {
    case "string":
      return quote(value);
    case "number":
      return value - value === 0 ? `${value}` : "null";
    case "boolean":
      return value ? "true" : "false";
    case "object":
      return value === null ? "null" : writeBareObject(session, value, parent, key);
    case "bigint":
      throw refusal(parent, key, "a bigint inside an instance of a class");
    default:
      return void 0;
  }
}
function writeBareObject(session, value, parent, key) {
  switch (tagOf(value)) {
    case "[object String]":
      if (passes(stringOf, value)) return quote(`${value}`);
      break;
    case "[object Number]":
      if (passes(numberOf, value)) return writeBare(session, +value, parent, key);
      break;
    case "[object Boolean]":
      if (passes(booleanOf, value)) return `${booleanOf(value)}`;
      break;
    case "[object BigInt]":
      if (passes(bigIntText, value)) throw refusal(parent, key, describe(value));
      break;
  }
  for (let visit2 = parent; visit2 !== void 0; visit2 = visit2.parent) {
    if (visit2.value === value) {
      throw refusal(parent, key, "a cycle through an instance of a class");
    }
  }
  const visit = new Visit(value, parent, key, void 0);
  if (isArray(value)) return writeBareArray(session, value, visit);
  const prototype = getPrototypeOf(value);
  if (prototype !== objectPrototype && prototype !== null && !isForeignRecord(value)) {
    refuseVanishing(value, parent, key);
    loseClass(session, value, parent, key);
  }
  return writeBareRecord(session, value, visit);
}
function writeBareArray(session, items, visit) {
  const { length } = items;
  let text = "[";
  for (let i = 0; i < length; i++) {
    if (i > 0) text += ",";
    text += writeBare(session, items[i], visit, i) ?? "null";
  }
  return `${text}]`;
}
function writeBareRecord(session, record, visit) {
  const names = keysOf(record);
  let text = "";
  for (let i = 0; i < names.length; i++) {
    const itemText2 = writeBare(session, record[names[i]], visit, names[i]);
    if (itemText2 === void 0) continue;
    const texts = textsOfName(names[i]);
    text += (text === "" ? texts.first : texts.next) + itemText2;
  }
  return text === "" ? "{}" : `${text}}`;
}

// src/js/codec/notes.js
var Notes = class _Notes {
  static kept = new _Notes();
  constructor() {
    this.indexed = [];
    this.named = [];
  }
};
function addNote(session, notes, parent, key) {
  const { note } = session;
  session.note = void 0;
  const target = notes === void 0 ? new Notes() : notes;
  const segment = segmentText(parent, key);
  if (typeof note === "string") {
    const list = isIndex(segment) ? target.indexed : target.named;
    list[list.length] = segment;
    list[list.length] = note;
  } else {
    addPrefixed(target.named, segment, note.indexed);
    addPrefixed(target.named, segment, note.named);
  }
  return target;
}
function addPrefixed(target, prefix, list) {
  for (let i = 0; i < list.length; i += 2) {
    target[target.length] = `${prefix}.${list[i]}`;
    target[target.length] = list[i + 1];
  }
}
function notesText(notes) {
  return `${pairsText(pairsText("", notes.indexed), notes.named)}}`;
}
function pairsText(start, list) {
  let text = start;
  for (let i = 0; i < list.length; i += 2) {
    text += `${text === "" ? "{" : ","}${quote(list[i])}:${list[i + 1]}`;
  }
  return text;
}
function equalitiesText(session) {
  const shared = [];
  for (let visit = session.last; visit !== void 0; visit = visit.previous) {
    if (visit.repeats !== void 0) shared[shared.length] = visit;
  }
  const byPath = create(null);
  let rootPaths;
  for (let i = shared.length - 1; i >= 0; i--) {
    const { parent, key, repeats } = shared[i];
    const paths = [segmentsTo(parent, key)];
    for (let j = 0; j < repeats.length; j++) paths[j + 1] = repeats[j];
    sort(paths, (a, b) => a.length - b.length);
    const others = [];
    for (let j = 1; j < paths.length; j++) others[j - 1] = join(paths[j], ".");
    if (paths[0].length === 0) rootPaths = others;
    else byPath[join(paths[0], ".")] = others;
  }
  if (rootPaths === void 0) return stringify(byPath);
  return stringify(keysOf(byPath).length === 0 ? [rootPaths] : [rootPaths, byPath]);
}

// src/js/codec/encode.js
function writeValue(session, value, parent, key) {
  switch (typeof value) {
    case "string":
      return quote(value);
    case "number":
      if (value - value === 0 && (value !== 0 || 1 / value > 0)) return `${value}`;
      return writeSpecialNumber(session, value, parent, key);
    case "boolean":
      return value ? "true" : "false";
    case "object":
      return value === null ? "null" : writeObject(session, value, parent, key);
    case "undefined":
      session.note = '["undefined"]';
      return "null";
    case "bigint":
      return writeLeaf(session, value, parent, key, `"${bigIntText(value)}"`, '["bigint"]');
    default:
      return writeReplacement(session, value, parent, key);
  }
}
function writeSpecialNumber(session, value, parent, key) {
  const note = '["number"]';
  if (isNaNNumber(value)) return writeLeaf(session, NAN, parent, key, '"NaN"', note);
  session.note = note;
  return value === 0 ? '"-0"' : `"${value}"`;
}
function writeObject(session, value, parent, key) {
  const seen = findVisit(session, value);
  if (seen !== void 0) return repeat(session, seen, parent, key);
  const isList = isArray(value);
  if (!isList) {
    const prototype = getPrototypeOf(value);
    if (prototype !== objectPrototype && prototype !== null) {
      return writeInstance(session, value, parent, key);
    }
  }
  if (typeof value.toJSON === "function") return writeReplacement(session, value, parent, key);
  const visit = enter(session, value, parent, key);
  return isList ? writeArray(session, value, visit, "") : writeRecord(session, value, visit, "");
}
function writeArray(session, items, visit, type) {
  const { length } = items;
  let notes;
  let text = "";
  let separator = "[";
  for (let i = 0; i < length; i++) {
    const item = items[i];
    if (item === void 0 && !hasOwn(items, i)) {
      separator += "null,";
      continue;
    }
    text += separator;
    text += typeof item === "string" ? quote(item) : writeValue(session, item, visit, i) ?? "null";
    separator = ",";
    if (session.note !== void 0) notes = addNote(session, notes, visit, i);
  }
  return leaveContainer(session, visit, text === "" ? "[]" : `${text}]`, type, notes);
}
function writeRecord(session, record, visit, type) {
  const names = keysOf(record);
  let notes;
  let text = "";
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    const item = record[name];
    const texts = textsOfName(name);
    const start = text === "" ? texts.first : texts.next;
    if (typeof item === "string") {
      text += start;
      text += quote(item);
      continue;
    }
    if (typeof item === "number" && item - item === 0 && item !== 0) {
      text += start;
      text += item;
      continue;
    }
    const itemText2 = writeValue(session, item, visit, name);
    if (itemText2 === void 0) continue;
    text += start;
    text += itemText2;
    if (session.note !== void 0) notes = addNote(session, notes, visit, name);
  }
  return leaveContainer(session, visit, text === "" ? "{}" : `${text}}`, type, notes);
}
function leaveContainer(session, visit, text, type, notes) {
  if (type === "") return leave(session, visit, text, notes);
  const note = notes === void 0 ? `["${type}"]` : `["${type}",${notesText(notes)}]`;
  return leave(session, visit, text, note);
}
function writeInstance(session, value, parent, key) {
  switch (kindOf(value)) {
    case "Date":
      return writeDate(session, value, parent, key);
    case "Set":
      return writeSet(session, value, parent, key);
    case "Map":
      return writeMap(session, value, parent, key);
    case "RegExp": {
      const text = stringify(regExpText(withSlots(RegExpType, regExpSource, value, parent, key)));
      return writeLeaf(session, value, parent, key, text, '["regexp"]');
    }
    case "URL":
      return writeLeaf(session, value, parent, key, stringify(`${value.href}`), '["URL"]');
    case "TypedArray":
      return writeTypedArray(session, value, parent, key);
    case "Error":
      return writeError(session, value, parent, key);
    case "Object":
      if (typeof value.toJSON === "function") break;
      return writeRecord(session, value, enter(session, value, parent, key), "");
  }
  return writeReplacement(session, value, parent, key);
}
function writeDate(session, value, parent, key) {
  const date = withSlots(DateType, timeOf, value, parent, key);
  const time = timeOf(date);
  const text = isNaNNumber(time) ? "Invalid Date" : isoText(date);
  return writeLeaf(session, value, parent, key, `"${text}"`, '["Date"]');
}
function writeSet(session, value, parent, key) {
  const items = [];
  setEach(withSlots(SetType, setSize, value, parent, key), (item) => {
    items[items.length] = item;
  });
  return writeArray(session, items, enter(session, value, parent, key), "set");
}
function writeMap(session, value, parent, key) {
  const rows = [];
  mapEach(withSlots(MapType, mapSize, value, parent, key), (item, itemKey) => {
    rows[rows.length] = [itemKey, item];
  });
  return writeArray(session, rows, enter(session, value, parent, key), "map");
}
function writeError(session, value, parent, key) {
  const fields = { name: value.name, message: value.message };
  if ("cause" in value) fields.cause = value.cause;
  return writeRecord(session, fields, enter(session, value, parent, key), "Error");
}
function writeReplacement(session, value, parent, key) {
  if (typeof value === "symbol" || typeof value.toJSON !== "function") {
    return writeLossy(session, value, parent, key);
  }
  if (session.replacements === void 0) session.replacements = new MapType();
  let held = mapGet(session.replacements, value);
  if (held === void 0) {
    held = { replacement: value.toJSON() };
    mapSet(session.replacements, value, held);
  }
  if (held.replacement === value) {
    throw refusal(parent, key, "an object whose toJSON returns the object itself");
  }
  return writeValue(session, held.replacement, parent, key);
}
function writeLossy(session, value, parent, key) {
  if (typeof value === "object") refuseVanishing(value, parent, key);
  if (parent === void 0) throw refusal(parent, key, describe(value));
  if (typeof value === "symbol") return loseValue(session, value, parent, key);
  if (typeof value === "function") {
    const seen = findVisit(session, value);
    if (seen === void 0) enter(session, value, parent, key);
    else repeat(session, seen, parent, key);
    return loseValue(session, value, parent, key);
  }
  const visit = enter(session, value, parent, key);
  return leave(session, visit, writeBare(session, value, parent, key), void 0);
}
function pack(value, rules, operation, key, index) {
  const session = new Session(rules, operation, key, index, pack);
  const outer = switchTo(session);
  try {
    const json = writeValue(session, value, void 0, "");
    if (session.losses !== void 0) reportLosses(session);
    const { note, hasRepeats } = session;
    if (note === void 0 && !hasRepeats) return json;
    let meta = "";
    if (note !== void 0) {
      meta += `"values":${typeof note === "string" ? note : notesText(note)},`;
    }
    if (hasRepeats) meta += `"referentialEqualities":${equalitiesText(session)},`;
    return `\0{"json":${json},"meta":{${meta}"v":1}}`;
  } catch (error) {
    if (!isExhaustion(error)) throw error;
    throw invalidValue("It is nested too deeply, or its text would be too long.", { cause: error });
  } finally {
    switchTo(outer);
  }
}
function encode(value) {
  const packed = pack(value);
  return codeAt(packed, 0) === 0 ? slice(packed, 1) : `{"json":${packed}}`;
}

// src/js/codec/script.js
Object.assign(api, { pack, encode, decode });
})
//# sourceURL=electron-async-storage/codec.js
