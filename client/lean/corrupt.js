// Checks of a text that may be no stored value, which do not say what is wrong with it. In the place of
// src/js/codec/corrupt.js.

import { getPrototypeOf, isArray, objectPrototype } from "../../src/js/builtins.js";

export const corrupt = () => new Error("Not a stored value");

export const isRecord = (value) =>
  typeof value === "object" && value !== null && getPrototypeOf(value) === objectPrototype;

function sure(source, isGood) {
  if (isGood) return source;
  throw corrupt();
}

export const textOf = (source) => sure(source, typeof source === "string");

export const listOf = (source) => sure(source, isArray(source));
