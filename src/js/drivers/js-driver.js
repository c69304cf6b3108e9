// How drivers of users are called.

import { normalizeKey } from "../keys.js";
import { ignore, isThenable } from "../thenables.js";
import { areTwins, commitOf, goesPast, ownerOf } from "./ownership.js";

const { names, syncNames } = methodNames(core.calls);
const CALL = Object.fromEntries(names.map((name, index) => [name, index]));

function methodNames(calls) {
  return { names: calls, syncNames: calls.map((name) => `${name}Sync`) };
}

const NOTE_CORRUPT = 15;
const REFUSES_CLEAR_OF = 31;
const ON_EXPIRED = 32;

// Passes on that a text is no value to the built-in driver that the object has methods of.
function noteCorrupt(driver, key) {
  for (const name of names) {
    const owner = ownerOf(driver[name]) ?? ownerOf(driver[`${name}Sync`]);
    if (owner?.noteCorrupt) return owner.noteCorrupt(key);
  }
}

// Has the built-in driver that the object has methods of report what expires.
function onExpired(driver, report) {
  for (const name of names) {
    const owner = ownerOf(driver[name]) ?? ownerOf(driver[`${name}Sync`]);
    if (owner?.onExpired) return owner.onExpired(report);
  }
}

// Calls a method of a user's driver. `number` is that of the call, plus 16 for its Sync form.
function call(driver, number, first, second, third) {
  if (number === REFUSES_CLEAR_OF) {
    return ownerOf(driver.clear)?.refusesClearOf?.(first) === true;
  }
  if (number === ON_EXPIRED) return onExpired(driver, first);
  const index = number & 15;
  if (index === NOTE_CORRUPT) return noteCorrupt(driver, first);
  const method = number > 15 ? syncNames[index] : names[index];
  switch (index) {
    case CALL.setItem:
    case CALL.setItemRaw:
      return driver[method](first, second, third === undefined ? {} : third);
    case CALL.getItems:
    case CALL.setItems: {
      const common = second === undefined ? {} : second;
      for (const item of first) {
        if (item.options === undefined) item.options = common;
      }
      if (goesPast(driver, method)) return oneByOne(driver, method, first);
      return driver[method](first, common);
    }
    case CALL.clear: {
      const options = second === undefined ? {} : second;
      if (goesPast(driver, method)) return clearByKey(driver, method, first, options);
      return driver[method](first, options);
    }
    case CALL.watch:
      // Without a callback the second argument is the function that stops the watch.
      return first === undefined ? second() : driver.watch(first);
    case CALL.commit:
      return commitOf(driver, method).call(driver, first, second === undefined ? {} : second);
    case CALL.flush:
    case CALL.dispose:
      return driver[method]();
    default:
      return driver[method](first, second === undefined ? {} : second);
  }
}

// What replaces a batch method that would go past a single one.
function oneByOne(driver, method, items) {
  switch (method) {
    case "getItemsSync":
      return items.map(({ key, options }) => ({ key, value: driver.getItemSync(key, options) }));
    case "setItemsSync":
      for (const { key, value, options } of items) driver.setItemSync(key, value, options);
      return undefined;
    case "getItems":
      return every(items, async ({ key, options }) => {
        return { key, value: await driver.getItem(key, options) };
      });
    default:
      return every(items, async ({ key, value, options }) => driver.setItem(key, value, options));
  }
}

// What replaces a `clear` that would go past `getKeys` or `removeItem`.
function clearByKey(driver, method, base, options) {
  if (method === "clearSync") {
    const keys = keysToClear(driver.getKeysSync(base, options), base);
    for (const key of keys) driver.removeItemSync(key, options);
    return undefined;
  }
  return (async () => {
    const keys = keysToClear(await driver.getKeys(base, options), base);
    await every(keys, async (key) => driver.removeItem(key, options));
  })();
}

// The keys under a base with those of their metadata, which a driver may keep out of its listings.
function keysToClear(keys, base) {
  const normal = keys.map((key) => normalizeKey(key)).filter((key) => key.startsWith(base));
  if (normal.some((key) => key.endsWith("$"))) return normal;
  return normal.flatMap((key) => [key, `${key}$`]);
}

// Awaits all, also after one failed; fails as the first that did.
async function every(items, run) {
  const outcomes = await Promise.allSettled(items.map(run));
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  return outcomes.map((outcome) => /** @type {any} */ (outcome).value);
}

const ENVELOPE = new Set(["json", "meta", "expires", "fresh"]);

// The clients of some services parse JSON text that they get: an envelope comes as an object then. The
// core gets its text; every other value that is no text is the driver's own.
function textOf(value) {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, "json")) return value;
  if (!Object.keys(value).every((name) => ENVELOPE.has(name))) return value;
  try {
    return JSON.stringify(value);
  } catch {
    return value;
  }
}

function answerOf(number, result) {
  if (typeof result !== "object" || result === null) return result;
  const index = number & 15;
  if (index === CALL.getItem) return textOf(result);
  if (index !== CALL.getItems || !Array.isArray(result)) return result;
  return result.map((item) => {
    const value = textOf(item?.value);
    return value === item?.value ? item : { ...item, value };
  });
}

// The function that the native core calls. It returns itself when the method gave a Promise: that
// is the one value which no method can give.
export function invoker(driver) {
  const invoke = (number, ticket, first, second, third) => {
    const result = call(driver, number, first, second, third);
    if (!isThenable(result)) return answerOf(number, result);
    // A thenable of another library may settle within `then`, before the native core waits for it.
    const promise = Promise.resolve(result);
    if (number > 15) {
      promise.then(ignore, ignore);
    } else {
      promise.then(
        (value) => core.settle(ticket, false, answerOf(number, value)),
        (error) => core.settle(ticket, true, error),
      );
    }
    return invoke;
  };
  return invoke;
}

// Whether the method is there and goes past no other.
const has = (driver, name) =>
  name.startsWith("commit")
    ? commitOf(driver, name) !== undefined
    : typeof driver[name] === "function" && !goesPast(driver, name);

export const capabilities = (driver) =>
  names.flatMap((name, index) => [has(driver, name), has(driver, syncNames[index])]);

export const twins = (driver) => names.map((name) => areTwins(driver, name));

export function isDriver(value) {
  return (
    value !== null &&
    (typeof value === "object" || typeof value === "function") &&
    typeof value.getItem === "function"
  );
}
