// What the other scripts share: where the repository is, and how to run a program of it.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** The path, relative to the repository, of the script behind a command that npm installed. */
function scriptOf(packageName, command) {
  const folder = join("node_modules", packageName);
  const { bin } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
  return join(folder, typeof bin === "string" ? bin : bin[command]);
}

/**
 * A command line for a program that npm installed. It names the script itself and not the shim in
 * node_modules/.bin, because on Windows the shim needs a shell.
 */
export function npmTool(packageName, command, ...args) {
  return [process.execPath, scriptOf(packageName, command), ...args];
}

/** Runs a command line in the repository; true if it ended with exit code 0. */
export function run([program, ...args]) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: "inherit" });
  if (error) console.error(`Cannot run ${program}: ${error.message}`);
  return status === 0;
}

/** Whether a command line can be run at all; prints nothing. */
export function isAvailable([program, ...args]) {
  return spawnSync(program, args, { cwd: root, stdio: "ignore" }).status === 0;
}
