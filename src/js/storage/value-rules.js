// What a storage does about values of which a part is lost.

import { describe } from "../arguments.js";
import { warn } from "../hooks.js";
import { normalizeKey } from "../keys.js";

const CHOICES = ["warn", "error", "ignore"];

// Names made from data must not pile up; one that comes again after so many others is reported again.
const MOST_REPORTED = 1024;

/** @param {unknown} onLossy */
export function valueRules(onLossy = "warn") {
  if (typeof onLossy !== "string" || !CHOICES.includes(onLossy)) {
    const given = typeof onLossy === "string" ? JSON.stringify(onLossy) : describe(onLossy);
    const error = new Error(
      `[electron-async-storage] Invalid option \`onLossy\`: expected "warn", "error" or "ignore", got ${given}`,
    );
    throw Object.assign(error, { code: "EAS_INVALID_OPTION", operation: "createStorage" });
  }
  const reported = new Set();
  return {
    onLossy,
    normalizeKey,
    isReported: (name) => reported.has(name),
    report(name, message) {
      if (reported.size >= MOST_REPORTED) reported.clear();
      reported.add(name);
      warn("EAS_LOSSY_VALUE", message);
    },
  };
}
