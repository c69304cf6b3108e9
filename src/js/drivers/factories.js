// The factories of the built-in drivers.

import { driverText, showAs } from "../inspect.js";
import { warnOfUnknown } from "../options.js";
import { isGuest, takeHome } from "../realm.js";
import { databases } from "./databases.js";
import { listeners } from "./listeners.js";
import { methods } from "./methods.js";
import { builtIns, open } from "./open.js";
import { own } from "./ownership.js";
import { instances } from "./views.js";

// The options as the native core gets them, the handles of the drivers among them, and what must stay
// alive for those.
function prepare(options) {
  if (options === null || typeof options !== "object" || Array.isArray(options)) {
    return { given: options, handles: [], keep: undefined };
  }
  const given = { ...options };
  const handles = [];
  let keep;
  if ("driver" in given) {
    const inner = open(given.driver);
    if (inner !== undefined) {
      given.driver = inner.handle;
      handles.push(inner.handle);
      keep = [given.driver, inner.keep, options.driver];
    }
  }
  for (const holder of [given, given.watchOptions]) {
    if (holder?.ignored !== undefined) {
      const ignored = tests(holder.ignored);
      if (holder === given) given.ignored = ignored;
      else given.watchOptions = { ...holder, ignored };
    }
  }
  return { given, handles, keep };
}

// RegExps become functions; the rest stays as it is.
function tests(ignored) {
  if (Array.isArray(ignored)) return ignored.map(tests);
  if (!(ignored instanceof RegExp)) return ignored;
  const stateless = new RegExp(ignored.source, ignored.flags.replace(/[gy]/g, ""));
  return (path) => stateless.test(path);
}

function factory(name) {
  const make = (options) => {
    warnOfUnknown(name, options);
    const { given, handles, keep } = prepare(options);
    const handle = core.openDriver(name, given, handles);
    const [maxDepth, ttl, readOnly, noClear, watches, atomic] = core.describeDriver(handle);
    const flags = { maxDepth, ttl, readOnly, noClear, atomic };
    /** @type {any} */
    const driver = { name, flags, options, ...methods(handle), ...databases[name]?.(handle) };
    if (watches) driver.watch = (callback) => listeners(handle).watch(callback);
    const instance = instances[name]?.(handle);
    if (instance !== undefined) driver.getInstance = () => instance;
    if (isGuest) takeHome(driver);
    showAs(driver, () => driverText(driver));
    const made = { ...driver };
    builtIns.set(driver, { handle, keep, made });
    own({
      methods: made,
      keep,
      noteCorrupt: (key) => core.noteCorrupt(handle, key, true),
      onExpired: (report) => core.onExpired(handle, report),
    });
    return driver;
  };
  return Object.defineProperty(make, "name", { value: `${name}Driver` });
}

export const factories = Object.fromEntries(core.driverNames.map((name) => [name, factory(name)]));
