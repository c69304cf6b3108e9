// How drivers of users are called.

import { ignore, isThenable } from "../thenables.js";

const { names, syncNames } = methodNames(core.calls);
const CALL = Object.fromEntries(names.map((name, index) => [name, index]));

function methodNames(calls) {
  return { names: calls, syncNames: calls.map((name) => `${name}Sync`) };
}

// Calls a method of a user's driver. `number` is that of the call, plus 16 for its Sync form.
function call(driver, number, first, second, third) {
  const index = number & 15;
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
      return driver[method](first, common);
    }
    case CALL.watch:
      // Without a callback the second argument is the function that stops the watch.
      return first === undefined ? second() : driver.watch(first);
    case CALL.flush:
    case CALL.dispose:
      return driver[method]();
    default:
      return driver[method](first, second === undefined ? {} : second);
  }
}

// The function that the native core calls. It returns itself when the method gave a Promise: that
// is the one value which no method can give.
export function invoker(driver) {
  const invoke = (number, ticket, first, second, third) => {
    const result = call(driver, number, first, second, third);
    if (!isThenable(result)) return result;
    // A thenable of another library may settle within `then`, before the native core waits for it.
    const promise = Promise.resolve(result);
    if (number > 15) {
      promise.then(ignore, ignore);
    } else {
      promise.then(
        (value) => core.settle(ticket, false, value),
        (error) => core.settle(ticket, true, error),
      );
    }
    return invoke;
  };
  return invoke;
}

export function capabilities(driver) {
  return names.flatMap((name, index) => [
    typeof driver[name] === "function",
    typeof driver[syncNames[index]] === "function",
  ]);
}

export function isDriver(value) {
  return (
    value !== null &&
    (typeof value === "object" || typeof value === "function") &&
    typeof value.getItem === "function"
  );
}
