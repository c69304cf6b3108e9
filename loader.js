"use strict";

// Loads the binary that the modules of this package share. native.js, which the build generates, tries
// every place where the binary of this machine may be; this file adds the override and says what to
// do when there is none.

const { readFileSync } = require("node:fs");
const { resolve } = require("node:path");

const OVERRIDE = "EAS_NATIVE_PATH";

/** The machines that have a platform package, `electron-async-storage-MACHINE`. */
const MACHINES = [
  "darwin-arm64",
  "darwin-x64",
  "linux-arm64-gnu",
  "linux-arm64-musl",
  "linux-x64-gnu",
  "linux-x64-musl",
  "win32-arm64-msvc",
  "win32-x64-msvc",
];

function failure(message, cause) {
  const error = new Error(`[electron-async-storage] ${message}`, { cause });
  error.code = "EAS_ADDON_UNAVAILABLE";
  return error;
}

/** The C library of this Linux, found as native.js finds it. */
function libc() {
  try {
    return readFileSync("/usr/bin/ldd", "utf8").includes("musl") ? "musl" : "gnu";
  } catch {
    const header = process.report?.getReport?.()?.header;
    return header && !header.glibcVersionRuntime ? "musl" : "gnu";
  }
}

/** The name of this machine, and what it is made of in words. */
function thisMachine() {
  const { platform, arch } = process;
  const words = `platform ${platform}, architecture ${arch}`;
  if (platform === "linux") {
    const library = libc();
    return [`linux-${arch}-${library}`, `${words}, C library ${library}`];
  }
  return [platform === "win32" ? `win32-${arch}-msvc` : `${platform}-${arch}`, words];
}

/** What the system said about a binary that is there and cannot be loaded; undefined if none is. */
function refusal(error) {
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) {
    if (cause.code !== "MODULE_NOT_FOUND") return cause;
  }
  return undefined;
}

function explain(error) {
  const [machine, words] = thisMachine();
  if (!MACHINES.includes(machine)) {
    return (
      `There is no binary for ${machine} (${words}), only for ${MACHINES.join(", ")}. ` +
      `Build one with \`npm run build\` in a clone of the sources, and set ${OVERRIDE} to its path.`
    );
  }
  const wanted = `electron-async-storage-${machine}@${require("./package.json").version}`;
  const refused = refusal(error);
  if (refused) {
    return (
      `The binary for ${machine} (${words}) is installed but cannot be loaded: ${refused.message}\n` +
      `Install it anew: npm install --force --save-optional ${wanted}\n` +
      `Or build one for this system from the sources and set ${OVERRIDE} to its path.`
    );
  }
  return (
    `No binary for ${machine} (${words}): the package electron-async-storage-${machine} is missing.\n` +
    `Install it: npm install --save-optional ${wanted}\n` +
    "It is an optional dependency: npm leaves it out under --omit=optional, and so may a lock file or a " +
    "node_modules folder made on another system. An app that is packaged for another system needs the " +
    "package of that system: add --force to the command, or --os and --cpu to `npm install`."
  );
}

/** Loads a file as an addon. Not by `require`, which a bundler would try to follow. */
function loadOverride(path) {
  const addon = { exports: {} };
  try {
    process.dlopen(addon, resolve(path));
  } catch (cause) {
    throw failure(
      `${OVERRIDE} is ${JSON.stringify(path)}, which cannot be loaded: ${cause.message}\n` +
        `Correct ${OVERRIDE}, or unset it to use the binary that is installed.`,
      cause,
    );
  }
  return addon.exports;
}

function load() {
  const override = process.env[OVERRIDE];
  if (override) return loadOverride(override);
  try {
    return require("./native.js");
  } catch (error) {
    throw failure(explain(error), error);
  }
}

module.exports = load();
