// What authors of drivers use.

import { joinKeys, normalizeKey } from "./keys.js";

export function defineDriver(factory) {
  return factory;
}

function createError(driver, message, options) {
  const { cause, ...place } = options ?? {};
  const error = new Error(
    `[electron-async-storage] [${driver}] ${message}`,
    cause === undefined ? undefined : { cause },
  );
  Error.captureStackTrace?.(error, createError);
  return Object.assign(error, { driver }, place);
}

function createRequiredError(driver, name) {
  const message = Array.isArray(name)
    ? `Missing some of the required options ${name.map((one) => `\`${one}\``).join(", ")}`
    : `Missing required option \`${name}\`.`;
  const error = createError(driver, message, { code: "EAS_REQUIRED_OPTION" });
  Error.captureStackTrace?.(error, createRequiredError);
  return error;
}

export const utils = {
  defineDriver,
  createError,
  createRequiredError,
  normalizeKey: (key, separator = ":") => normalizeKey(key).replaceAll(":", separator),
  joinKeys,
};
