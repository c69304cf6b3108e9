"use strict";

// How much a client may ask for. One budget for each webContents, over its reloads and frames.

const { failure, makeBucket } = require("./shared.js");

const DEFAULTS = {
  /** UTF-8 bytes of one stored text, or raw bytes. */
  valueBytes: 1024 * 1024,
  /** UTF-8 bytes of the keys and texts of one mirror. */
  mirrorBytes: 4 * 1024 * 1024,
  callsPerSecond: 5000,
};

/** Mirrors that a webContents may take at once, by their bytes, and the part of it that returns each second. */
const MIRRORS_AT_ONCE = 16;
const ITEMS_PER_CALL = 50;

function checkedLimits(given) {
  if (given === undefined) return { ...DEFAULTS };
  const invalid = (name, value) =>
    failure(
      "EAS_INVALID_OPTION",
      `Invalid option \`limits${name}\`: expected ${name ? "a number above 0" : "an object"}, got ${String(value)}`,
      { operation: "serveStorage" },
    );
  if (given === null || typeof given !== "object") throw invalid("", given);
  const limits = { ...DEFAULTS };
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(DEFAULTS, name)) {
      throw failure(
        "EAS_INVALID_OPTION",
        `Unknown option \`limits.${name}\`: there is ${Object.keys(DEFAULTS).join(", ")}`,
        { operation: "serveStorage" },
      );
    }
    if (value === undefined) continue;
    if (!(typeof value === "number" && value > 0)) throw invalid(`.${name}`, value);
    limits[name] = value;
  }
  return limits;
}

/** The budget of one webContents or port. */
class Budget {
  constructor(limits) {
    const { callsPerSecond, mirrorBytes } = limits;
    this.limits = limits;
    this.calls = makeBucket(callsPerSecond, callsPerSecond);
    this.mirrors = makeBucket(mirrorBytes * MIRRORS_AT_ONCE, mirrorBytes);
  }

  /** Throws when too many calls were made. A batch counts as several, by its items. */
  takeCall(items = 1) {
    if (this.calls.take(Math.ceil(items / ITEMS_PER_CALL) || 1)) return;
    throw failure(
      "EAS_RATE_LIMITED",
      `More than ${this.limits.callsPerSecond} calls a second: use getItems and setItems for many items, or raise limits.callsPerSecond of serveStorage.`,
    );
  }

  /** What a call turned out to cost beyond one, of which some is always left for others. */
  chargeItems(items) {
    const calls = Math.floor(items / ITEMS_PER_CALL);
    this.calls.charge(Math.min(calls, this.limits.callsPerSecond / 4));
  }

  takeMirror() {
    if (this.mirrors.take(1)) return;
    throw failure(
      "EAS_RATE_LIMITED",
      "The keys with `sync` were asked for too often: reload less often, or raise limits.mirrorBytes of serveStorage.",
    );
  }

  /** Each key of a mirror is read by itself, which costs as much as many of a listing. */
  chargeMirror(keys, bytes) {
    this.mirrors.charge(bytes);
    this.chargeItems(keys * 12);
  }
}

module.exports = { checkedLimits, Budget };
