// What has to be there before anything is measured.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { buildIfStale } from "../../scripts/addon.mjs";
import { root } from "../../scripts/tools.mjs";

const bench = join(root, "bench");

// A debug build keeps its symbols and is several times as large as any release build.
const DEBUG_BUILD_BYTES = 5_000_000;

/** The addon that `require` loads here. */
export function addonPath() {
  const given = process.env.EAS_NATIVE_PATH;
  if (given) return given;
  const prefix = `electron-async-storage.${process.platform}-${process.arch}`;
  const name = readdirSync(root).find((file) => file.startsWith(prefix) && file.endsWith(".node"));
  return name && join(root, name);
}

export const isDebugBuild = () => statSync(addonPath()).size > DEBUG_BUILD_BYTES;

function npm(folder, ...args) {
  // On Windows npm is a shell script, which only the path that npm hands to its scripts goes round.
  const script = process.env.npm_execpath;
  const [program, first] = script ? [process.execPath, [script]] : ["npm", []];
  // The npm that runs this script hands its own prefix down, which would win over the folder.
  const options = ["--prefix", folder, ...args];
  return spawnSync(program, [...first, ...options], { cwd: folder, stdio: "inherit" }).status === 0;
}

export function prepareAddon({ release }) {
  if (process.env.EAS_NATIVE_PATH) return;
  if (!buildIfStale()) throw new Error("The addon could not be built");
  if (!release || !isDebugBuild()) return;
  console.log("The addon is a debug build: building the release");
  if (!npm(root, "run", "build")) throw new Error("The addon could not be built");
}

export function preparePeers() {
  const installed = join(bench, "node_modules", ".package-lock.json");
  const lock = join(bench, "package-lock.json");
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  console.log("Installing the peers into bench/node_modules");
  if (!npm(bench, "ci")) throw new Error("The peers could not be installed");
}
