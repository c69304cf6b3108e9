"use strict";

// Loads the binary that the modules of this package share: the one that EAS_NATIVE_PATH names, where that
// counts, or one that was built beside this file, or that of the machine's platform package. Says what to do
// when there is none. napi-rs could generate most of this, at five times the length and a tenth of the time of a start.

const { existsSync, readFileSync } = require("node:fs");
const { isAbsolute, join, resolve } = require("node:path");

const OVERRIDE = "EAS_NATIVE_PATH";

/** The machines that have a platform package. */
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

/**
 * Whether the environment may choose the binary: outside of Electron, and in the main process of an app that
 * is not packaged. What loads into a packaged app has its signature's rights and the user's permissions, and
 * whoever sets the environment may have neither. Only the main process knows whether the app is packaged.
 */
function isOverridable() {
  const isElectron = process.versions.electron !== undefined || process.type !== undefined;
  return !isElectron || process.defaultApp === true;
}

function failure(message, cause) {
  const error = new Error(`[electron-async-storage] ${message}`, { cause });
  error.code = "EAS_ADDON_UNAVAILABLE";
  return error;
}

/** The C library of this Linux. */
function libc() {
  try {
    return readFileSync("/usr/bin/ldd", "utf8").includes("musl") ? "musl" : "gnu";
  } catch {
    const { report } = process;
    if (!report?.getReport) return "gnu";
    // Otherwise a report asks for the names of all that this process is connected with.
    const { excludeNetwork } = report;
    report.excludeNetwork = true;
    const { header } = report.getReport();
    report.excludeNetwork = excludeNetwork;
    return header.glibcVersionRuntime ? "gnu" : "musl";
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

function explain(machine, words, error) {
  if (!MACHINES.includes(machine)) {
    const where = isOverridable() ? `, and set ${OVERRIDE} to its path` : " and install that clone";
    return (
      `There is no binary for ${machine} (${words}), only for ${MACHINES.join(", ")}. ` +
      `Build one with \`npm run build\` in a clone of the sources${where}.`
    );
  }
  const wanted = `electron-async-storage-${machine}@${require("./package.json").version}`;
  if (error.code !== "MODULE_NOT_FOUND") {
    const where = isOverridable() ? ` and set ${OVERRIDE} to its path` : "";
    return (
      `The binary for ${machine} (${words}) is installed but cannot be loaded: ${error.message}\n` +
      `Install it anew: npm install --force --save-optional ${wanted}\n` +
      `Or build one for this system from the sources${where}.`
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
function loadFile(path) {
  const addon = { exports: {} };
  process.dlopen(addon, resolve(path));
  return addon.exports;
}

function loadOverride(path) {
  try {
    return loadFile(path);
  } catch (cause) {
    throw failure(
      `${OVERRIDE} is ${JSON.stringify(path)}, which cannot be loaded: ${cause.message}\n` +
        `Correct ${OVERRIDE}, or unset it to use the binary that is installed.`,
      cause,
    );
  }
}

/**
 * The binary that a build in a clone of the sources leaves. In a bundle there is none: `__dirname` may be
 * missing there, `/`, or relative to the working directory, but only Node gives a module its `path`.
 */
function built(machine) {
  const folder = module.path ?? "";
  if (!isAbsolute(folder)) return undefined;
  const path = join(folder, `electron-async-storage.${machine}.node`);
  return existsSync(path) ? path : undefined;
}

function load() {
  const override = process.env[OVERRIDE];
  if (override && isOverridable()) return loadOverride(override);
  const [machine, words] = thisMachine();
  // Bundlers follow literal names alone, and take what is required in a `try` for absent where it is.
  try {
    const path = built(machine);
    if (path) return loadFile(path);
    switch (machine) {
      case "darwin-arm64":
        return require("electron-async-storage-darwin-arm64");
      case "darwin-x64":
        return require("electron-async-storage-darwin-x64");
      case "linux-arm64-gnu":
        return require("electron-async-storage-linux-arm64-gnu");
      case "linux-arm64-musl":
        return require("electron-async-storage-linux-arm64-musl");
      case "linux-x64-gnu":
        return require("electron-async-storage-linux-x64-gnu");
      case "linux-x64-musl":
        return require("electron-async-storage-linux-x64-musl");
      case "win32-arm64-msvc":
        return require("electron-async-storage-win32-arm64-msvc");
      case "win32-x64-msvc":
        return require("electron-async-storage-win32-x64-msvc");
      default:
        throw new Error(`There is no package for ${machine}`);
    }
  } catch (error) {
    throw failure(explain(machine, words, error), error);
  }
}

/**
 * The addon as this realm's own code. Jest and `node:vm` run modules in a realm that has its own `Date`, `Map` and
 * `Error`, while an addon lives in the realm that the process began with.
 */
function inThisRealm(addon) {
  if (addon.createStorage instanceof Function) return addon;
  let evaluate;
  try {
    evaluate = (script) => new Function(`return ${script}`)();
    evaluate("0");
  } catch {
    // A realm where strings cannot become code gets what the addon evaluated.
    return addon;
  }
  const { core, facade, codec } = addon.forRealm();
  core.evaluateCodec = () => evaluate(codec);
  const own = {};
  evaluate(facade)(own, core);
  return own;
}

const addon = inThisRealm(load());
// Only what is required here is there in every version of Node and Electron. Loaded when it is needed.
addon.setAsyncHooks(() => require("node:async_hooks"));

module.exports = addon;
