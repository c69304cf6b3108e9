// From a driver object to what the native core knows it by.

import { capabilities, invoker, isDriver } from "./js-driver.js";

// By driver object: the handle of a built-in driver and what the object looked like when made.
export const builtIns = new WeakMap();

function isUnchanged(driver, made) {
  const keys = Object.keys(driver);
  return keys.length === Object.keys(made).length && keys.every((key) => driver[key] === made[key]);
}

// The native handle of a driver, and what must stay alive for as long as the handle is in use.
// A changed built-in driver, or a spread of one, is a driver of its user.
export function open(driver) {
  if (!isDriver(driver)) return undefined;
  const builtIn = builtIns.get(driver);
  if (builtIn !== undefined && isUnchanged(driver, builtIn.made)) {
    return { handle: builtIn.handle, keep: builtIn };
  }
  const invoke = invoker(driver);
  const { name, flags } = driver;
  const handle = core.jsDriver(
    invoke,
    typeof name === "string" && name !== "" ? name : "custom",
    [
      Boolean(flags?.maxDepth),
      Boolean(flags?.ttl),
      flags?.readOnly === "error" ? "error" : Boolean(flags?.readOnly),
      Boolean(flags?.noClear),
      false,
    ],
    capabilities(driver),
  );
  return { handle, keep: invoke };
}
