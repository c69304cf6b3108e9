// Makes the values that annotations name.

import {
  defineProperty,
  ErrorType,
  hasOwn,
  isArray,
  lastIndexOf,
  MapType,
  mapSet,
  RegExpType,
  SetType,
  setAdd,
  slice,
  toBigInt,
  URLType,
} from "../builtins.js";
import { corrupt, isRecord, listOf, textOf } from "./corrupt.js";
import { reviveDate } from "./dates.js";
import { reviveTypedArray } from "./typed-arrays.js";

// Sets, maps and errors are made empty and filled last, from JSON values whose own parts have been
// replaced by then: order stays as written and a container may hold itself.
export function revive(type, source, fills) {
  switch (type) {
    case "undefined":
      return undefined;
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
      if (URLType === undefined) throw corrupt("a URL, which this context cannot make");
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

export function runFills(fills) {
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
    // Defining it anew would first format the stack of this call.
    error.stack = message === "" ? name : `${name}: ${message}`;
  }
}

function defineHidden(target, name, value) {
  const descriptor = /** @type {PropertyDescriptor} */ ({
    __proto__: null,
    value,
    writable: true,
    enumerable: false,
    configurable: true,
  });
  defineProperty(target, name, descriptor);
}
