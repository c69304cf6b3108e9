// Instances of classes, written as JSON writes them, and as superjson leaves them to it: without annotations.

import {
  bigIntText,
  booleanOf,
  getPrototypeOf,
  isArray,
  keysOf,
  numberOf,
  objectPrototype,
  stringOf,
  tagOf,
} from "../builtins.js";
import { isForeignRecord, passes } from "./kinds.js";
import { loseClass, refuseVanishing } from "./losses.js";
import { describe, refusal } from "./refusal.js";
import { Visit } from "./session.js";
import { quote, textsOfName } from "./texts.js";

/** The text of an object inside a value. Undefined where JSON leaves a value out. */
export function writeBare(session, given, parent, key) {
  let value = given;
  const mayReplace =
    typeof value === "object" || typeof value === "function" || typeof value === "bigint";
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
      return undefined;
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
  for (let visit = parent; visit !== undefined; visit = visit.parent) {
    if (visit.value === value) {
      throw refusal(parent, key, "a cycle through an instance of a class");
    }
  }
  const visit = new Visit(value, parent, key, undefined);
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
    const itemText = writeBare(session, record[names[i]], visit, names[i]);
    if (itemText === undefined) continue;
    const texts = textsOfName(names[i]);
    text += (text === "" ? texts.first : texts.next) + itemText;
  }
  return text === "" ? "{}" : `${text}}`;
}
