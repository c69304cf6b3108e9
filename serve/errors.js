"use strict";

// Errors as they cross to a client: what a page needs to tell them apart, and nothing about the machine.

const { own } = require("./shared.js");

const CODE = /^[A-Z][A-Z0-9_]{0,63}$/;
const MAX_MESSAGE_UNITS = 2000;

// A quoted path may hold spaces; one that is not quoted ends at the first of them that no further separator
// follows. Inside a word a slash begins no path.
const QUOTED =
  /(["'`])(?:file:\/\/)?(?:[A-Za-z]:[\\/]|\\\\|\/)(?:(?!\1)[^\r\n])*?([^\\/"'`\r\n]*)[\\/]*\1/g;
const PLAIN =
  /(^|[\s(=,;<>[{|]|:(?!\/\/))(?:file:\/\/)?(?:[A-Za-z]:[\\/]|\\\\|\/)(?:[^\s"'`<>|]+(?: +(?=[^\s"'`]*[\\/]))?)*/g;

const lastPart = (path) => path.replace(/[\\/]+$/, "").replace(/^.*[\\/]/s, "");

/** The message with every absolute path cut to its last part. */
function withoutPaths(message) {
  return message
    .replace(QUOTED, (whole, quote) => `${quote}${lastPart(whole.slice(1, -1))}${quote}`)
    .replace(PLAIN, (whole, before) => before + lastPart(whole.slice(before.length)));
}

function textOf(value) {
  return typeof value === "string" ? value : undefined;
}

/** A property that may be a getter of a driver's own error class, and throw. */
function field(error, name) {
  try {
    return error[name];
  } catch {
    return undefined;
  }
}

function issuesOf(issues) {
  if (!Array.isArray(issues)) return undefined;
  return issues.slice(0, 100).map((issue) => {
    const path = Array.isArray(issue?.path) ? issue.path : [];
    return {
      message: withoutPaths(textOf(issue?.message) ?? "").slice(0, MAX_MESSAGE_UNITS),
      path: path.slice(0, 100).map((part) => {
        const name = part !== null && typeof part === "object" ? own(part, "key") : part;
        return typeof name === "number" ? name : String(name);
      }),
    };
  });
}

function messageOf(error) {
  if (error === null || typeof error !== "object") return String(error);
  let message = textOf(field(error, "message")) ?? "The storage failed";
  // What the system named is cut first: it may hold what looks like the end of a path.
  for (const name of ["path", "dest"]) {
    const path = textOf(field(error, name));
    if (path !== undefined && lastPart(path) !== path) {
      message = message.replaceAll(path, lastPart(path));
    }
  }
  return message;
}

/** `{ message, code, key, driver, operation, issues }`, plain data. */
function toWire(error) {
  const wire = {};
  try {
    wire.message = withoutPaths(messageOf(error).slice(0, MAX_MESSAGE_UNITS));
    if (error !== null && typeof error === "object") {
      const code = field(error, "code");
      if (typeof code === "string" && CODE.test(code)) wire.code = code;
      for (const name of ["key", "driver", "operation"]) {
        const value = textOf(field(error, name));
        if (value !== undefined) wire[name] = name === "driver" ? withoutPaths(value) : value;
      }
      const issues = issuesOf(field(error, "issues"));
      if (issues !== undefined) wire.issues = issues;
    }
  } catch {
    wire.message ??= "The storage failed";
  }
  return wire;
}

module.exports = { toWire, withoutPaths };
