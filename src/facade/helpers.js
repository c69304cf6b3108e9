// What stands beside the storage: key algebra, errors, prefixes and snapshots. Works on any storage.
(function makeHelpers(core) {
  "use strict";

  core.setWarner((code, message) => {
    if (typeof process !== "undefined" && typeof process.emitWarning === "function") {
      process.emitWarning(message, { code, type: "StorageWarning" });
    }
  });

  core.setFiller((list, at, ...values) => {
    for (let index = 0; index < values.length; index++) list[at + index] = values[index];
  });

  // `process.exit()` and uncaught exceptions end the main thread without a word to its addons. An addon
  // that is loaded again joins the listener of the first: Node takes many listeners for a leak.
  if (typeof process !== "undefined" && typeof process.on === "function") {
    const EXIT_HOOKS = Symbol.for("electron-async-storage.exitHooks");
    let listener = process.listeners("exit").find((each) => each[EXIT_HOOKS]);
    if (!listener) {
      const hooks = [];
      listener = () => {
        for (const finishAll of hooks) finishAll();
      };
      listener[EXIT_HOOKS] = hooks;
      process.on("exit", listener);
    }
    listener[EXIT_HOOKS].push(core.finishAll);
  }

  // Most keys are in normal form; telling is cheaper than asking the native core.
  const NOT_NORMAL = /[?/\\]|::|^:|:$/;

  function normalizeKey(key) {
    if (key === undefined || key === null || key === "") return "";
    return NOT_NORMAL.test(key) ? core.normalizeKey(key) : key;
  }

  function normalizeBaseKey(base) {
    const key = normalizeKey(base);
    return key ? `${key}:` : "";
  }

  function joinKeys(...keys) {
    return normalizeKey(keys.join(":"));
  }

  function filterKeyByDepth(key, depth) {
    return depth === undefined || key.split(":").length - 1 <= depth;
  }

  function filterKeyByBase(key, base) {
    return (!base || key.startsWith(base)) && !key.endsWith("$");
  }

  function defineDriver(factory) {
    return factory;
  }

  function createError(driver, message, options) {
    const { cause, ...place } = options ?? {};
    const error = new Error(
      `[electron-async-storage] [${driver}] ${message}`,
      cause === undefined ? undefined : { cause },
    );
    Error.captureStackTrace?.(error, createError);
    return Object.assign(error, { driver }, place);
  }

  function createRequiredError(driver, name) {
    const message = Array.isArray(name)
      ? `Missing some of the required options ${name.map((one) => `\`${one}\``).join(", ")}`
      : `Missing required option \`${name}\`.`;
    const error = createError(driver, message, { code: "EAS_REQUIRED_OPTION" });
    Error.captureStackTrace?.(error, createRequiredError);
    return error;
  }

  const builtinDrivers = {};
  for (const name of core.driverNames) {
    const path = `electron-async-storage/drivers/${name}`;
    builtinDrivers[name] = path;
    builtinDrivers[name.replace(/-(.)/g, (_, letter) => letter.toUpperCase())] = path;
  }
  Object.freeze(builtinDrivers);

  const utils = {
    defineDriver,
    createError,
    createRequiredError,
    normalizeKey: (key, separator = ":") => normalizeKey(key).replaceAll(":", separator),
    joinKeys,
  };

  return {
    normalizeKey,
    normalizeBaseKey,
    joinKeys,
    filterKeyByDepth,
    filterKeyByBase,
    defineDriver,
    builtinDrivers,
    utils,
  };
});
