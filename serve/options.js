"use strict";

// Options of a call that may cross from a client, each with its type. All others belong to a driver, and
// the drivers are the main process's own.

const { failure, own } = require("./shared.js");

const isBoolean = (value) => typeof value === "boolean";

const TYPES = {
  ttl: ["a finite number of milliseconds", Number.isFinite],
  ifMatch: ["a string or null", (value) => value === null || typeof value === "string"],
  removeMeta: ["a boolean", isBoolean],
  nativeOnly: ["a boolean", isBoolean],
  maxDepth: ["a finite number", Number.isFinite],
  through: ["a boolean", isBoolean],
};

function invalid(name, detail, operation) {
  return failure("EAS_INVALID_OPTION", `Invalid option \`${name}\`: ${detail}`, { operation });
}

/** The options that cross, as a new object. */
function crossing(options, operation) {
  const result = {};
  if (options === undefined || options === null) return result;
  if (typeof options !== "object") {
    throw invalid("opts", `expected an object, got ${typeof options}`, operation);
  }
  for (const name of Object.keys(options)) {
    const value = options[name];
    // As in the storage itself, a time to live of null is none.
    if (value === undefined || (name === "ttl" && value === null)) continue;
    const type = own(TYPES, name);
    if (type === undefined) {
      throw invalid(
        name,
        `outside the main process there is ${Object.keys(TYPES).join(", ")}`,
        operation,
      );
    }
    const [expected, isFit] = type;
    if (!isFit(value)) throw invalid(name, `expected ${expected}`, operation);
    result[name] = value;
  }
  return result;
}

module.exports = { crossing };
