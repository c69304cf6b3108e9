// The package as an app gets it: through `require`, untouched by the test runner's own transforms.

import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BuiltinDriver } from "../../index.js";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

const require = createRequire(import.meta.url);

type Package = typeof import("../../index.js");
type Utils = typeof import("../../drivers/utils.js");

export const {
  builtinDrivers,
  createStorage,
  defineDriver,
  exportStorage,
  filterKeyByBase,
  filterKeyByDepth,
  importStorage,
  joinKeys,
  normalizeBaseKey,
  normalizeKey,
  parse,
  prefixStorage,
  restoreSnapshot,
  restoreSnapshotSync,
  snapshot,
  snapshotSync,
  stringify,
}: Package = require("../../index.js");

export const utils: Utils = require("../../drivers/utils.js");

/** Makes a built-in driver by its name; which names there are is for `builtinDrivers` to say. */
export function builtin(name: string, options?: object): BuiltinDriver {
  const factory: (options?: object) => BuiltinDriver = require(`../../drivers/${name}.js`);
  return factory(options);
}

export function memoryDriver(): BuiltinDriver {
  return builtin("memory");
}

/** Whether the addon has a driver of that name. */
export function isBuiltin(name: string): boolean {
  return Object.hasOwn(builtinDrivers, name);
}
