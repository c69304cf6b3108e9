"use strict";

// One code path for the Promise form of a call and its Sync form: what comes next runs at once after a
// value, and later after a Promise.

const isThenable = (value) =>
  value !== null && typeof value === "object" && typeof value.then === "function";

const chain = (value, next) => (isThenable(value) ? value.then(next) : next(value));

/** As `chain`, with what to do after an error. */
function chainCatch(start, onError) {
  let value;
  try {
    value = start();
  } catch (error) {
    return onError(error);
  }
  return isThenable(value) ? value.then(undefined, onError) : value;
}

/** The results of `step` for all items; Promises run side by side. */
function all(items, step) {
  const results = items.map(step);
  return results.some(isThenable) ? Promise.all(results) : results;
}

module.exports = { chain, chainCatch, all, isThenable };
