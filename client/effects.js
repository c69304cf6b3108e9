// What operations write, as the mirror shows it before the main process has confirmed it. They are read
// from the operation itself, never from what a page says of it.

import { normalizeKey } from "../src/js/keys.js";
import { UNKNOWN } from "./mirror.js";

/** The writes of an operation: key, text or raw value, options. */
function writesOf(op, [first, second, third, fourth]) {
  switch (op) {
    case "setItem":
    case "setItemRaw":
    case "setMeta":
      return [[first, second, third]];
    case "removeItem":
      return [[first, null, second]];
    case "setItems":
      return first.map(([key, text, options]) => [key, text, { ...second, ...options }]);
    case "swap":
      return [[first, third, fourth]];
    case "commit":
      return first.filter(([kind]) => kind === "set").map(([, ...write]) => write);
    default:
      return [];
  }
}

/** The texts and raw values that an operation sends. */
export const textsIn = (op, args) => writesOf(op, args).map(([, text]) => text);

/** `[key, text | null | UNKNOWN, expires]` of each key that an operation writes for sure. */
export function effectsOf(op, args) {
  if (!/Items?$|Raw$/.test(op)) return [];
  return writesOf(op, args)
    .filter(([key, , options]) => typeof key === "string" && options?.ifMatch === undefined)
    .map(([key, text, options]) => [
      normalizeKey(key),
      op === "setItemRaw" ? UNKNOWN : (text ?? null),
      options?.ttl > 0 ? Date.now() + options.ttl : 0,
    ]);
}
