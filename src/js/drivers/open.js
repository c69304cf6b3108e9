// From a driver object to what the native core knows it by.

import { capabilities, invoker, isDriver, twins } from "./js-driver.js";
import { driverOf, ownerOf } from "./ownership.js";

// By driver object: the handle of a built-in driver and what the object looked like when made.
export const builtIns = new WeakMap();

function isUnchanged(driver, made) {
  const keys = Object.keys(driver);
  return keys.length === Object.keys(made).length && keys.every((key) => driver[key] === made[key]);
}

// What a driver of a user says of itself; a storage that is one, and a spread of it, says it by its mounts.
function traitsOf(driver) {
  const told = ownerOf(driver.clear)?.traits?.();
  const { maxDepth, ttl, readOnly, noClear } = { ...told, ...driver.flags };
  return {
    maxDepth: Boolean(maxDepth),
    ttl: Boolean(ttl),
    readOnly: readOnly === "error" ? readOnly : Boolean(readOnly),
    noClear: Boolean(noClear),
    clearsBase: told !== undefined,
  };
}

// The native handle of a driver, what it is, and what must stay alive for as long as the handle is in
// use. A changed built-in driver, or a spread of one, is a driver of its user.
export function open(driver) {
  if (!isDriver(driver)) return undefined;
  const builtIn = builtIns.get(driver);
  if (builtIn !== undefined && isUnchanged(driver, builtIn.made)) {
    return { handle: builtIn.handle, keep: builtIn, traits: builtIn.made.flags };
  }
  // A storage with schemas or defaults gets values, not their texts.
  const called = driverOf(driver) ?? driver;
  const invoke = invoker(called);
  const { name } = driver;
  const traits = traitsOf(driver);
  const handle = core.jsDriver(
    invoke,
    typeof name === "string" && name !== "" ? name : "custom",
    [traits.maxDepth, traits.ttl, traits.readOnly, traits.noClear, traits.clearsBase],
    capabilities(called),
    twins(called),
  );
  const takesNothing = typeof (driver.setItem ?? driver.removeItem) !== "function";
  return { handle, keep: invoke, traits: { ...traits, readOnly: traits.readOnly || takesNothing } };
}

// What a storage is whose mounts are such: what each of them is.
export function traitsOfAll(list) {
  const all = [...list];
  const areReadOnly = all.every(({ readOnly }) => readOnly);
  const fail = areReadOnly && all.every(({ readOnly }) => readOnly === "error");
  return {
    ttl: all.every(({ ttl }) => ttl),
    readOnly: fail ? "error" : areReadOnly,
    noClear:
      all.every(({ noClear }) => noClear) ||
      (!areReadOnly && all.every(({ noClear, readOnly }) => noClear || readOnly)),
  };
}
