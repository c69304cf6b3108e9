// Typed arrays, in both directions.

import {
  isArray,
  isFiniteNumber,
  joinTyped,
  typedArrayLength,
  typedArrayName,
  typedArrayTypes,
} from "../builtins.js";
import { corrupt, listOf } from "./corrupt.js";
import { refusal } from "./refusal.js";
import { writeLeaf } from "./session.js";

export function writeTypedArray(session, value, parent, key) {
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

const isPlainNumber = (number) => isFiniteNumber(number) && (number !== 0 || 1 / number > 0);

function isPlainNumbers(items) {
  const length = typedArrayLength(items);
  for (let i = 0; i < length; i++) if (!isPlainNumber(items[i])) return false;
  return true;
}

// superjson loses what JSON numbers lack, but its reader makes numbers of these strings.
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

const isNumberName = (item) => item === "NaN" || item === "Infinity" || item === "-Infinity";

export function reviveTypedArray(type, source) {
  const Type =
    isArray(type) && type.length === 2 && type[0] === "typed-array" && typeof type[1] === "string"
      ? typedArrayTypes[type[1]]
      : undefined;
  if (Type === undefined) throw corrupt("an annotation of an unknown type");
  const items = listOf(source);
  const result = new Type(items.length);
  for (let i = 0; i < items.length; i++) {
    if (typeof items[i] === "number") result[i] = items[i];
    else if (isNumberName(items[i])) result[i] = +items[i];
    else if (items[i] !== null) throw corrupt("a typed array of something else than numbers");
  }
  return result;
}
