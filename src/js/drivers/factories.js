// The factories of the built-in drivers.

import { listeners } from "./listeners.js";
import { methods } from "./methods.js";
import { builtIns, open } from "./open.js";
import { instances } from "./views.js";

function prepare(options) {
  if (options === null || typeof options !== "object" || Array.isArray(options)) {
    return { given: options, keep: undefined };
  }
  const given = { ...options };
  let keep;
  if ("driver" in given) {
    const inner = open(given.driver);
    if (inner !== undefined) {
      given.driver = inner.handle;
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
  return { given, keep };
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
    const { given, keep } = prepare(options);
    const handle = core.openDriver(name, given);
    const [maxDepth, ttl, readOnly, noClear, watches] = core.describeDriver(handle);
    const flags = { maxDepth, ttl, readOnly, noClear };
    /** @type {any} */
    const driver = { name, flags, options, ...methods(handle) };
    if (watches) driver.watch = (callback) => listeners(handle).watch(callback);
    const instance = instances[name]?.(handle);
    if (instance !== undefined) driver.getInstance = () => instance;
    builtIns.set(driver, { handle, keep, made: { ...driver } });
    return driver;
  };
  return Object.defineProperty(make, "name", { value: `${name}Driver` });
}

export const factories = Object.fromEntries(core.driverNames.map((name) => [name, factory(name)]));
