// What users see, made of what Rust gives. Run once for each context.

import "./hooks.js";
import { builtinDrivers } from "./builtin-drivers.js";
import { factories } from "./drivers/factories.js";
import {
  filterKeyByBase,
  filterKeyByDepth,
  joinKeys,
  normalizeBaseKey,
  normalizeKey,
} from "./keys.js";
import { prefixStorage } from "./prefix.js";
import { restoreSnapshot, restoreSnapshotSync, snapshot, snapshotSync } from "./snapshot.js";
import { createStorage } from "./storage/index.js";
import { parse, stringify } from "./text.js";
import { exportStorage } from "./transfer/export.js";
import { importStorage } from "./transfer/import.js";
import { defineDriver, utils } from "./utils.js";

Object.assign(api, {
  createStorage,
  normalizeKey,
  normalizeBaseKey,
  joinKeys,
  filterKeyByDepth,
  filterKeyByBase,
  defineDriver,
  builtinDrivers,
  prefixStorage,
  snapshot,
  snapshotSync,
  restoreSnapshot,
  restoreSnapshotSync,
  stringify,
  parse,
  exportStorage,
  importStorage,
  drivers: factories,
  utils,
});
