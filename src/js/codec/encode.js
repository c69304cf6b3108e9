// Values to stored text.

import {
  bigIntText,
  codeAt,
  DateType,
  getPrototypeOf,
  hasOwn,
  isArray,
  isNaNNumber,
  isoText,
  keysOf,
  MapType,
  mapEach,
  mapGet,
  mapSet,
  mapSize,
  objectPrototype,
  RegExpType,
  regExpSource,
  regExpText,
  SetType,
  setEach,
  setSize,
  slice,
  stringify,
  timeOf,
} from "../builtins.js";
import { writeBare } from "./bare.js";
import { kindOf, withSlots } from "./kinds.js";
import { loseValue, refuseVanishing, reportLosses } from "./losses.js";
import { addNote, equalitiesText, notesText } from "./notes.js";
import { describe, invalidValue, isExhaustion, refusal, switchTo } from "./refusal.js";
import { enter, findVisit, leave, NAN, repeat, Session, writeLeaf } from "./session.js";
import { quote, textsOfName } from "./texts.js";
import { writeTypedArray } from "./typed-arrays.js";

// `parent` is the Visit of the container and `key` the value's place in it: a property name, or a
// number in arrays, sets, maps and the [key, value] rows of maps. Gives undefined for what is left out.
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
  if (seen !== undefined) return repeat(session, seen, parent, key);
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

// A non-empty `type` annotates the container itself.
function writeArray(session, items, visit, type) {
  const { length } = items;
  let notes;
  let text = "";
  let separator = "[";
  for (let i = 0; i < length; i++) {
    const item = items[i];
    if (item === undefined && !hasOwn(items, i)) {
      // A hole becomes null when an item follows, as superjson writes it.
      separator += "null,";
      continue;
    }
    text += separator;
    text +=
      typeof item === "string" ? quote(item) : (writeValue(session, item, visit, i) ?? "null");
    separator = ",";
    if (session.note !== undefined) notes = addNote(session, notes, visit, i);
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
    const itemText = writeValue(session, item, visit, name);
    if (itemText === undefined) continue;
    text += start;
    text += itemText;
    if (session.note !== undefined) notes = addNote(session, notes, visit, name);
  }
  return leaveContainer(session, visit, text === "" ? "{}" : `${text}}`, type, notes);
}

function leaveContainer(session, visit, text, type, notes) {
  if (type === "") return leave(session, visit, text, notes);
  const note = notes === undefined ? `["${type}"]` : `["${type}",${notesText(notes)}]`;
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

// One replacement for each object, so that what is shared stays shared.
function writeReplacement(session, value, parent, key) {
  if (typeof value === "symbol" || typeof value.toJSON !== "function") {
    return writeLossy(session, value, parent, key);
  }
  if (session.replacements === undefined) session.replacements = new MapType();
  let held = mapGet(session.replacements, value);
  if (held === undefined) {
    held = { replacement: value.toJSON() };
    mapSet(session.replacements, value, held);
  }
  if (held.replacement === value) {
    throw refusal(parent, key, "an object whose toJSON returns the object itself");
  }
  return writeValue(session, held.replacement, parent, key);
}

// As superjson does: functions and symbols are left out, an instance of a class becomes what JSON makes of it.
function writeLossy(session, value, parent, key) {
  if (typeof value === "object") refuseVanishing(value, parent, key);
  if (parent === undefined) throw refusal(parent, key, describe(value));
  if (typeof value === "symbol") return loseValue(session, value, parent, key);
  if (typeof value === "function") {
    // superjson gives it an identity, although there is nothing at its place.
    const seen = findVisit(session, value);
    if (seen === undefined) enter(session, value, parent, key);
    else repeat(session, seen, parent, key);
    return loseValue(session, value, parent, key);
  }
  const visit = enter(session, value, parent, key);
  return leave(session, visit, writeBare(session, value, parent, key), undefined);
}

/**
 * What the native core takes: the inside of a plain envelope, or NUL and a whole annotated one.
 *
 * @param {unknown} value
 * @param {object} [rules] - what to do about losses; none are reported without
 * @param {string} [operation] - what stores it, with the key and the index in a batch: for messages
 * @param {unknown} [key]
 * @param {number} [index]
 */
export function pack(value, rules, operation, key, index) {
  const session = new Session(rules, operation, key, index, pack);
  const outer = switchTo(session);
  try {
    const json = writeValue(session, value, undefined, "");
    if (session.losses !== undefined) reportLosses(session);
    const { note, hasRepeats } = session;
    if (note === undefined && !hasRepeats) return json;
    let meta = "";
    if (note !== undefined) {
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

export function encode(value) {
  const packed = pack(value);
  return codeAt(packed, 0) === 0 ? slice(packed, 1) : `{"json":${packed}}`;
}
