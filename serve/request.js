"use strict";

// One call of a client while it is read: every key goes through here, is brought to normal form once, and
// is judged before anything is looked up.

const { crossing } = require("./options.js");
const { failure, normalizeKey } = require("./shared.js");

const MAX_KEY_UNITS = 16_384;

function denied(key) {
  return failure(
    "EAS_ACCESS_DENIED",
    `Access denied to ${JSON.stringify(key)}: no rule of serveStorage's access list allows it here.`,
    { key },
  );
}

class Request {
  constructor({ op, storage, scope, client, limits, isSync }) {
    Object.assign(this, { op, storage, scope, client, limits, isSync });
    this.reads = [];
    /** Keys that the call writes. */
    this.writes = [];
    /** Whether it changes keys that are not named. */
    this.isBroad = false;
  }

  /** A method of the served storage in the form of the call. It has to be there. */
  call(name, ...args) {
    const method = this.storage[this.isSync ? `${name}Sync` : name];
    if (typeof method !== "function") throw this.notServed(name);
    while (args.length > 0 && args[args.length - 1] === undefined) args.pop();
    return method.apply(this.storage, args);
  }

  has(name) {
    return typeof this.storage[this.isSync ? `${name}Sync` : name] === "function";
  }

  notServed(what) {
    return failure("EAS_NOT_SERVED", `The served storage has no ${what}.`, { operation: this.op });
  }

  text(given, what) {
    if (typeof given !== "string") {
      throw failure(
        "EAS_INVALID_ARGUMENT",
        `Invalid ${what}: expected a string, got ${typeof given}`,
        {
          operation: this.op,
        },
      );
    }
    if (given.length > MAX_KEY_UNITS) {
      throw failure("EAS_INVALID_KEY", `Invalid ${what}: longer than ${MAX_KEY_UNITS}`, {
        operation: this.op,
      });
    }
    return normalizeKey(given);
  }

  keyToRead(given) {
    const key = this.text(given, "key");
    this.reads.push(key);
    return key;
  }

  keyToWrite(given) {
    const key = this.text(given, "key");
    this.writes.push(key);
    return key;
  }

  /** A base with a separator at the end, or empty. */
  base(given) {
    const key = given === undefined || given === null ? "" : this.text(given, "base");
    return key === "" ? "" : `${key}:`;
  }

  list(given, what) {
    if (Array.isArray(given)) return given;
    throw failure("EAS_INVALID_ARGUMENT", `Invalid ${what}: expected an array`, {
      operation: this.op,
    });
  }

  /**
   * Those of the options that the method takes, or undefined when none of them is given. A condition is never
   * passed over.
   *
   * @param {string[]} names - what the method takes
   * @param {string} [short] - the option that a boolean in place of options stands for
   */
  options(given, names, short) {
    const isShort = typeof given === "boolean" && short !== undefined;
    const options = crossing(isShort ? { [short]: given } : given, this.op);
    if (options.ifMatch !== undefined) {
      if (!names.includes("ifMatch")) {
        throw failure("EAS_INVALID_OPTION", `\`ifMatch\` is no option of ${this.op}`, {
          operation: this.op,
        });
      }
      if (!this.has("getEntry")) throw this.notServed("conditional writes");
    }
    const chosen = Object.entries(options).filter(([name]) => names.includes(name));
    return chosen.length === 0 ? undefined : Object.fromEntries(chosen);
  }

  /** Options of a method that takes none; they are checked all the same. */
  noOptions(given) {
    this.options(given, []);
  }

  /** Throws unless every key is allowed; it says the same whether there is such an item. */
  judge() {
    for (const key of this.reads) if (!this.scope.read.has(key)) throw denied(key);
    for (const key of this.writes) if (!this.scope.write.has(key)) throw denied(key);
  }
}

module.exports = { Request, denied };
