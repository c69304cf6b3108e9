// The steps of a group, as drivers take them.

import { wrongArgument } from "../arguments.js";
import { isView } from "../builtins.js";
import { checkOfStored } from "../storage/conditions.js";

/**
 * Steps as the core takes them.
 *
 * @param {any} ops
 * @param {any} common - the options of what has none
 * @param {string} operation
 */
export function readGroup(ops, common, operation) {
  if (!Array.isArray(ops)) throw wrongArgument("ops", "an array", ops, operation);
  const checks = [];
  const writes = [];
  ops.forEach((op, index) => {
    const { type, key, value, options = common } = op ?? {};
    const wrong = (what, expected, given) =>
      wrongArgument(`${what} of step ${index}`, expected, given, operation);
    if (type === "check") {
      const stored = value ?? null;
      if (stored !== null && typeof stored !== "string" && !isView(stored)) {
        throw wrong("value", "a text, bytes or null", value);
      }
      checks.push(...checkOfStored(key, stored));
    } else if (type === "set") {
      if (typeof value !== "string") throw wrong("value", "a text", value);
      writes.push(key, value, options);
    } else if (type === "remove") {
      writes.push(key, undefined, options);
    } else {
      throw wrong("type", '"check", "set" or "remove"', type);
    }
  });
  return { checks, writes };
}
