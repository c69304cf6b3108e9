// Errors of the client, and those of the main process made anew.

import { failure, own } from "./shared/protocol.js";

const NAMES = ["code", "key", "driver", "operation", "issues"];

/** What a reply carries of an error, as plain data. */
export function plainError(error) {
  const wire = { message: String(error?.message ?? error) };
  for (const name of NAMES) if (error?.[name] !== undefined) wire[name] = error[name];
  return wire;
}

/** The error that crossed as plain data. */
export function revive(wire) {
  const error = new Error(own(wire, "message"));
  for (const name of NAMES) {
    const value = own(wire, name);
    if (value !== undefined) error[name] = value;
  }
  return error;
}

const MESSAGES = {
  EAS_NOT_READY: "This document is not known yet: ask again.",
  EAS_CLOSED: "The storage is served no more.",
  EAS_NO_SERVER: "No storage is served: call serveStorage in the main process, with this channel.",
  EAS_DISPOSED: "This storage was disposed.",
};

export const told = (code) => failure(code, MESSAGES[code]);

export const syncUnsupported = (operation, key, why = "") =>
  failure(
    "EAS_SYNC_UNSUPPORTED",
    `${operation} cannot answer at once: ${why}use the Promise form.`,
    {
      operation,
      key,
    },
  );

export const invalidArgument = (operation, what) =>
  failure("EAS_INVALID_ARGUMENT", `Invalid ${what}`, { operation });

/** An error that nobody waits for. */
export function raise(error) {
  queueMicrotask(() => {
    throw error;
  });
}
