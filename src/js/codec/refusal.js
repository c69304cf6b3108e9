// Errors for values that cannot be stored, and what is known of the value that is being written.

import {
  captureStackTrace,
  ErrorType,
  includes,
  RangeErrorType,
  slice,
  stringify,
  tagOf,
} from "../builtins.js";

// The sessions nest where a getter, or a toJSON, writes a value of its own.
let current;

/** Makes `session` the one that errors speak of; gives the one before, to be set again at its end. */
export function switchTo(session) {
  const outer = current;
  current = session;
  return outer;
}

/** Where the value that a session writes is to be stored, for messages. */
export function itemText(session) {
  const key = keyOf(session);
  const item = session.itemIndex === undefined ? "" : `item ${session.itemIndex} of the batch, `;
  return key === undefined ? item : `${item}key ${stringify(placeEnd(key))}, `;
}

const keyOf = ({ key, rules }) => (typeof key === "string" ? rules.normalizeKey(key) : undefined);

/**
 * @param {string} detail
 * @param {{ path?: string, cause?: unknown }} [about]
 */
export function invalidValue(detail, { path, cause } = {}) {
  const item = current?.operation === undefined ? "" : `For ${slice(itemText(current), 0, -2)}: `;
  const message = `[electron-async-storage] Cannot stringify value! ${item}${detail}`;
  /** @type {any} */
  const error = cause === undefined ? new ErrorType(message) : new ErrorType(message, { cause });
  error.code = "EAS_INVALID_VALUE";
  if (path !== undefined) error.path = path;
  if (current?.operation !== undefined) {
    error.operation = current.operation;
    const key = keyOf(current);
    if (key !== undefined) error.key = key;
    if (current.itemIndex !== undefined) error.index = current.itemIndex;
    // The frames of a deep value would leave no room for the line of the caller.
    captureStackTrace?.(error, current.entry);
  }
  return error;
}

const ADVICE = "Store plain data, or give the object a toJSON method.";

export function refusal(parent, key, what, advice = ADVICE) {
  if (parent === undefined) return invalidValue(`It is ${what}. ${advice}`);
  const path = pathText(parent, key);
  return invalidValue(`At ${placeEnd(path)} it holds ${what}. ${advice}`, { path });
}

const MAX_PLACE_UNITS = 200;

export const placeEnd = (text) =>
  text.length > MAX_PLACE_UNITS ? `…${slice(text, -MAX_PLACE_UNITS)}` : text;

export function pathText(parent, key) {
  let text = "";
  let name = key;
  for (let visit = parent; visit !== undefined; visit = visit.parent) {
    text = (typeof name === "number" ? `[${name}]` : `.${name}`) + text;
    name = visit.key;
  }
  return text[0] === "." ? slice(text, 1) : text;
}

/** The name of an object's class; undefined where it does not say. */
export function classOf(value) {
  try {
    const { name } = value.constructor;
    if (typeof name === "string" && name !== "" && name !== "Object") return name;
  } catch {
    // A getter or a Proxy may refuse to name its class.
  }
  return undefined;
}

export function describe(value) {
  if (typeof value !== "object") return `a ${typeof value}`;
  const name = classOf(value);
  return name === undefined
    ? `an object of an unsupported kind (${tagOf(value)})`
    : `an instance of ${name}`;
}

// Neither the stack nor a string has room for it.
export const isExhaustion = (error) =>
  error instanceof RangeErrorType &&
  (includes(error.message, "call stack") || includes(error.message, "string length"));
