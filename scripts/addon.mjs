// Builds the addon of this machine when it is missing or older than what it is made of.

import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { isAvailable, npmTool, root, run } from "./tools.mjs";

const SOURCES = [".cargo", "Cargo.toml", "Cargo.lock", "build.rs", "package.json", "crates", "src"];

function newestChangeMs(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  // The folder's own time counts too: it is all that tells of a file that was deleted.
  const inside = readdirSync(path).map((name) => newestChangeMs(join(path, name)));
  return Math.max(stat.mtimeMs, ...inside);
}

function isAddonOfThisMachine(name) {
  const prefix = `electron-async-storage.${process.platform}-${process.arch}`;
  return name.startsWith(prefix) && name.endsWith(".node");
}

export function isAddonStale() {
  const built = readdirSync(root).filter(isAddonOfThisMachine);
  const builtMs = Math.max(0, ...built.map((name) => statSync(join(root, name)).mtimeMs));
  return SOURCES.some((source) => newestChangeMs(join(root, source)) > builtMs);
}

/** True when an addon as new as its sources is there. */
export function buildIfStale() {
  if (!isAddonStale()) return true;
  if (!isAvailable(["cargo", "--version"])) {
    console.error("The addon has to be built, and cargo is not on the PATH: install Rust first.");
    return false;
  }
  console.log("Building the addon (the first build takes a few minutes)");
  return (
    run([process.execPath, "scripts/bundle.mjs"]) &&
    // loader.js finds the binary: a generated one would be written over index.js.
    run(npmTool("@napi-rs/cli", "napi", "build", "--platform", "--release", "--no-js"))
  );
}
