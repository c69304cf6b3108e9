// The package as a program gets it.

import { createRequire } from "node:module";
import { join } from "node:path";
import { root } from "../tools.mjs";

export const require = createRequire(import.meta.url);

export const packageMain = join(root, "index.js");

export const { createStorage, normalizeKey, prefixStorage, restoreSnapshot, snapshot } =
  require(packageMain);

export const memory = require(join(root, "drivers", "memory.js"));
export const fs = require(join(root, "drivers", "fs.js"));
export const fsLite = require(join(root, "drivers", "fs-lite.js"));
export const sqlite = require(join(root, "drivers", "sqlite.js"));
export const queue = require(join(root, "drivers", "queue.js"));

/** The drivers that keep a base on disk, by name. */
export const onDisk = { fs, sqlite };
