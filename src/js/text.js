// The format of stored values, for programs.

import { wrongArgument } from "./arguments.js";
import { decode, pack } from "./lazy-codec.js";
import { valueRules } from "./storage/value-rules.js";

let rules;

/** The text that a storage keeps of a value. */
export function stringify(value) {
  rules ??= valueRules();
  const packed = pack(value, rules);
  return packed[0] === "\0" ? packed.slice(1) : `{"json":${packed}}`;
}

/** The value of a stored text: a new one with each call. */
export function parse(text) {
  if (typeof text !== "string") throw wrongArgument("text", "a string", text, "parse");
  try {
    return decode(text.replace(/^\ufeff/, ""));
  } catch (cause) {
    throw Object.assign(
      new Error(
        `[electron-async-storage] Cannot parse value! It is no JSON text, or no value in the format of superjson: ${cause?.message}`,
        { cause },
      ),
      { code: "EAS_CORRUPT_VALUE", operation: "parse" },
    );
  }
}
