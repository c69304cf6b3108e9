// Recognises kinds of objects, those of other realms and Proxies included.

import {
  DateType,
  ErrorType,
  getPrototypeOf,
  hasOwn,
  isView,
  MapType,
  mapSize,
  RegExpType,
  regExpSource,
  SetType,
  setSize,
  tagOf,
  timeOf,
  typedArrayName,
  typedArrayTypes,
  URLType,
} from "../builtins.js";
import { describe, refusal } from "./refusal.js";

export function passes(probe, value) {
  try {
    probe(value);
    return true;
  } catch {
    return false;
  }
}

// Objects of another context fail instanceof; what they are shows in their internal slots, which a
// class that only claims the tag does not have.
export function kindOf(value) {
  if (value instanceof DateType) return "Date";
  if (value instanceof SetType) return "Set";
  if (value instanceof MapType) return "Map";
  if (isView(value)) return typedArrayTypes[typedArrayName(value)] ? "TypedArray" : "";
  if (value instanceof RegExpType) return "RegExp";
  if (value instanceof ErrorType) return "Error";
  if (URLType !== undefined && value instanceof URLType) return "URL";
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

export function isForeignRecord(value) {
  const prototype = getPrototypeOf(value);
  return getPrototypeOf(prototype) === null && hasOwn(prototype, "isPrototypeOf");
}

// A Proxy of a Set or Map (reactive state) has no slots of its own: it is read through its iterator.
export function withSlots(Type, probe, value, parent, key) {
  if (passes(probe, value)) return value;
  try {
    return new Type(value);
  } catch {
    throw refusal(parent, key, describe(value));
  }
}
