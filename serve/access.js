"use strict";

// The access list: which documents may do what. It is asked anew for every message and every push.

const { compileOrigin } = require("./origins.js");
const { makePatterns } = require("./patterns.js");
const { failure, normalizeKey } = require("./shared.js");

const RULE_OPTIONS = ["origins", "keys", "can", "sync", "when", "guests"];

function invalid(name, detail) {
  return failure("EAS_INVALID_OPTION", `Invalid option \`${name}\`: ${detail}`, {
    operation: "serveStorage",
  });
}

const listOf = (value) => (Array.isArray(value) ? value : [value]);

/** Patterns in normal form. */
function checkedKeys(keys, name) {
  const patterns = listOf(keys);
  if (keys === undefined || patterns.length === 0) {
    throw invalid(name, 'expected patterns of keys such as "settings:**"');
  }
  return patterns.map((pattern) => {
    const text = typeof pattern === "string" ? normalizeKey(pattern) : "";
    if (text === "")
      throw invalid(name, `expected keys or patterns, got ${JSON.stringify(pattern)}`);
    const wrong = text
      .split(":")
      .find((part) => part.includes("*") && part !== "*" && part !== "**");
    if (wrong !== undefined) {
      throw invalid(
        name,
        `${JSON.stringify(pattern)}: \`*\` stands for a whole segment, \`**\` for several`,
      );
    }
    return text;
  });
}

function checkedCan(can, name) {
  if (can === "read" || can === "write") return can;
  throw invalid(name, `expected "read" or "write", got ${JSON.stringify(can)}`);
}

function checkedFlag(value, name) {
  if (value !== undefined && typeof value !== "boolean") throw invalid(name, "expected a boolean");
  return value === true;
}

function checkedRule(rule) {
  if (rule === null || typeof rule !== "object") {
    throw invalid("access", "expected a list of { origins, keys, can }");
  }
  const unknown = Object.keys(rule).find((name) => !RULE_OPTIONS.includes(name));
  if (unknown !== undefined) {
    throw invalid(`access.${unknown}`, `a rule has ${RULE_OPTIONS.join(", ")}`);
  }
  const origins = listOf(rule.origins);
  if (origins.length === 0) throw invalid("access.origins", "expected at least one origin");
  if (rule.when !== undefined && typeof rule.when !== "function") {
    throw invalid("access.when", "expected a function (frame, webContents) => boolean");
  }
  return {
    origins: origins.map(compileOrigin),
    keys: checkedKeys(rule.keys, "access.keys"),
    can: checkedCan(rule.can, "access.can"),
    sync: checkedFlag(rule.sync, "access.sync"),
    guests: checkedFlag(rule.guests, "access.guests"),
    when: rule.when,
  };
}

class Access {
  /**
   * @param options.access - the rules
   * @param options.frames - "main" or "all"
   * @param options.sessions - those that are served, or undefined for every one
   */
  constructor({ access, frames = "main", sessions }) {
    if (!Array.isArray(access))
      throw invalid("access", "expected a list of { origins, keys, can }");
    if (frames !== "main" && frames !== "all") throw invalid("frames", 'expected "main" or "all"');
    this.rules = access.map(checkedRule);
    this.hasFrames = frames === "all";
    this.sessions = sessions;
    this.scopes = new Map();
  }

  /** What a sender may do now, as `{ id, scope }`. Equal rights have one id. */
  of(sender) {
    const held = this.isServed(sender) ? this.rules.map((rule) => holds(rule, sender)) : [];
    const id = held.map((isHeld) => (isHeld ? "1" : "0")).join("");
    let rights = this.scopes.get(id);
    if (rights === undefined) {
      rights = { id, scope: scopeOf(this.rules.filter((_, index) => held[index])) };
      this.scopes.set(id, rights);
    }
    return rights;
  }

  isServed({ webContents, isMain }) {
    if (!isMain && !this.hasFrames) return false;
    return this.sessions === undefined || this.sessions.includes(webContents.session);
  }
}

function holds(rule, sender) {
  if (sender.isGuest && !rule.guests) return false;
  if (!rule.origins.some((matches) => matches(sender))) return false;
  if (rule.when === undefined) return true;
  try {
    return rule.when(sender.frame, sender.webContents) === true;
  } catch {
    return false;
  }
}

/** What rules that hold allow; a right to write is one to read. */
function scopeOf(rules) {
  const keysOf = (list) => list.flatMap(({ keys }) => keys);
  return {
    read: makePatterns(keysOf(rules)),
    write: makePatterns(keysOf(rules.filter(({ can }) => can === "write"))),
    sync: makePatterns(keysOf(rules.filter(({ sync }) => sync))),
  };
}

/** The rights of a port, which the main process gives itself. */
function rightsOfPort({ keys, can = "read", sync } = {}) {
  const rule = {
    keys: checkedKeys(keys, "keys"),
    can: checkedCan(can, "can"),
    sync: checkedFlag(sync, "sync"),
  };
  return { id: "port", scope: scopeOf([rule]) };
}

module.exports = { Access, rightsOfPort };
