// Imports every module of the package, by default and by name, and prints what came out of their use. The
// bundles are made from it too.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createStorage, normalizeKey, prefixStorage } from "electron-async-storage";
import fs from "electron-async-storage/drivers/fs";
import fsLite from "electron-async-storage/drivers/fs-lite";
import memory from "electron-async-storage/drivers/memory";
import queue from "electron-async-storage/drivers/queue";
import { createError } from "electron-async-storage/drivers/utils";
import { importElectronStore } from "electron-async-storage/import";
import exercise from "./exercise.cjs";

const modules = {
  eas: { createStorage, normalizeKey, prefixStorage },
  fs,
  fsLite,
  memory,
  queue,
  utils: { createError },
  moving: { importElectronStore },
};

const node = { join, mkdtempSync, rmSync, tmpdir, writeFileSync };

// No await at the top level, which a bundle in CommonJS cannot have.
exercise(modules, node).then((seen) => console.log(JSON.stringify(seen)));
