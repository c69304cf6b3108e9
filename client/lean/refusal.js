// Errors for values that cannot be stored, in few words. In the place of src/js/codec/refusal.js.

import { tagOf } from "../../src/js/builtins.js";
import { failure } from "../shared/protocol.js";

export const switchTo = () => {};

export const invalidValue = (detail, about) =>
  failure("EAS_INVALID_VALUE", `Cannot stringify value! ${detail}`, about);

/** The path to a value inside the one that is written. */
export function pathText(parent, key) {
  let text = "";
  let name = key;
  for (let visit = parent; visit !== undefined; visit = visit.parent) {
    text = (typeof name === "number" ? `[${name}]` : `.${name}`) + text;
    name = visit.key;
  }
  return text.replace(/^\./, "").slice(-200);
}

export function refusal(parent, key, what) {
  const path = pathText(parent, key);
  return invalidValue(`${path ? `At ${path}` : "It"} is ${what}. Store plain data.`, { path });
}

export const describe = (value) =>
  typeof value === "object" ? value.constructor?.name || tagOf(value) : `a ${typeof value}`;

export const isExhaustion = (error) => error instanceof RangeError;
