// Errors for values that cannot be stored.

import { ErrorType, includes, RangeErrorType, slice, tagOf } from "../builtins.js";

export function invalidValue(detail, cause) {
  const message = `[electron-async-storage] Cannot stringify value! ${detail}`;
  /** @type {Error & { code?: string }} */
  const error = cause === undefined ? new ErrorType(message) : new ErrorType(message, { cause });
  error.code = "EAS_INVALID_VALUE";
  return error;
}

export function refusal(parent, key, what) {
  const advice = "Store plain data, or give the object a toJSON method.";
  if (parent === undefined) return invalidValue(`It is ${what}. ${advice}`);
  return invalidValue(`At ${placeText(parent, key)} it holds ${what}. ${advice}`);
}

const MAX_PLACE_UNITS = 200;

function placeText(parent, key) {
  let text = "";
  let name = key;
  for (let visit = parent; visit !== undefined; visit = visit.parent) {
    text = (typeof name === "number" ? `[${name}]` : `.${name}`) + text;
    name = visit.key;
  }
  if (text.length > MAX_PLACE_UNITS) return `…${slice(text, -MAX_PLACE_UNITS)}`;
  return text[0] === "." ? slice(text, 1) : text;
}

export function describe(value) {
  if (typeof value !== "object") return `a ${typeof value}`;
  try {
    const { name } = value.constructor;
    if (typeof name === "string" && name !== "" && name !== "Object")
      return `an instance of ${name}`;
  } catch {
    // A getter or a Proxy may refuse to name its class; the tag below is there in any case.
  }
  return `an object of an unsupported kind (${tagOf(value)})`;
}

// Neither the stack nor a string has room for it.
export const isExhaustion = (error) =>
  error instanceof RangeErrorType &&
  (includes(error.message, "call stack") || includes(error.message, "string length"));
