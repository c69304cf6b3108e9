// Checks of a text that may be no stored value.

import { ErrorType, getPrototypeOf, isArray, objectPrototype } from "../builtins.js";

export const corrupt = (reason) => new ErrorType(`Not a stored value: ${reason}`);

export const isRecord = (value) =>
  typeof value === "object" && value !== null && getPrototypeOf(value) === objectPrototype;

export function textOf(source) {
  if (typeof source !== "string") throw corrupt("an annotation that needs a string");
  return source;
}

export function listOf(source) {
  if (!isArray(source)) throw corrupt("an annotation that needs an array");
  return source;
}
