// Errors of conditional writes whose condition does not hold.

import { normalizeKey } from "../keys.js";

/** @param {Map<string, any>} mounted - what is mounted, by base */
export function conflictFinder(mounted) {
  function driverAt(key) {
    const bases = [...mounted.keys()].filter((base) => key.startsWith(base));
    const base = bases.reduce((longest, each) => (each.length > longest.length ? each : longest));
    const { name } = mounted.get(base).driver;
    return typeof name === "string" && name !== "" ? name : "custom";
  }

  return function conflictAt(given, operation, why) {
    const key = normalizeKey(given);
    const driver = driverAt(key);
    const error = new Error(
      `[electron-async-storage] [${driver}] Conflict at ${JSON.stringify(key)}: ${why}. Nothing was written`,
    );
    return Object.assign(error, { code: "EAS_CONFLICT", driver, operation, key });
  };
}
