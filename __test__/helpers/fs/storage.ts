// Storages on folders, and what other programs put there.

import { mkdirSync, readdirSync, realpathSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import type { Storage } from "../../../index.js";
import { folder } from "../folders.js";
import { builtin, createStorage } from "../package.js";
import { isOfLocks } from "./names.js";

const require = createRequire(import.meta.url);

export const { restoreSnapshot, snapshot }: typeof import("../../../index.js") =
  require("../../../index.js");

/** A storage over `fs`, which is disposed of with the test. */
export function fsStorage(base: string, options: object = {}, name = "fs"): Storage<any> {
  const storage = createStorage<any>({ driver: builtin(name, { base, ...options }) });
  onTestFinished(() => storage.dispose());
  return storage;
}

export interface Place {
  base: string;
  /** A folder beside the base, on the same file system. */
  beside: string;
}

export function place(): Place {
  const at = realpathSync(folder());
  const [base, beside] = [join(at, "base"), join(at, "beside")];
  mkdirSync(base);
  mkdirSync(beside);
  return { base, beside };
}

/** Writes files, by path relative to the base, each with its path as the value. */
export function put(base: string, ...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(join(base, path)), { recursive: true });
    writeFileSync(join(base, path), `"${path}"`);
  }
}

/** The paths below a folder, without the locks of keys. */
export function pathsBelow(base: string): string[] {
  const paths = readdirSync(base, { recursive: true }).map(String);
  return paths.filter((path) => !isOfLocks(path));
}
