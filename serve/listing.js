"use strict";

// Keys of the served storage that a set of patterns covers. Only the bases where such keys can be are
// listed, and keys that are named in full are asked for.

const { all, chain } = require("./chain.js");

/**
 * Where the covered keys under a base can be: bases to list, and keys to ask for one by one.
 *
 * @param {string} base - in normal form with a separator at the end, or empty
 */
function placesOf(patterns, base) {
  const bases = new Set();
  const keys = new Set();
  for (const { isExact, prefix, text } of patterns.list) {
    if (isExact) {
      if (text.startsWith(base)) keys.add(text);
    } else if (prefix.startsWith(base)) bases.add(prefix);
    else if (base.startsWith(prefix)) bases.add(base);
  }
  const outer = [...bases].filter((one) => {
    return ![...bases].some((other) => other !== one && one.startsWith(other));
  });
  const others = [...keys].filter((key) => !outer.some((one) => key.startsWith(one)));
  return { bases: outer, keys: others };
}

/**
 * @param storage - the served storage
 * @param patterns - of makePatterns
 * @param {string} base - in normal form, with a separator at the end, or empty
 * @returns the keys, or a Promise of them
 */
function listKeys(storage, patterns, base, { isSync, maxDepth } = {}) {
  const { bases, keys } = placesOf(patterns, base);
  const suffix = isSync ? "Sync" : "";
  const options = maxDepth === undefined ? undefined : { maxDepth };
  const isDeepEnough = (key) => maxDepth === undefined || key.split(":").length - 1 <= maxDepth;
  const listed = all(bases, (one) => storage[`getKeys${suffix}`](one, options));
  const asked = all(keys.filter(isDeepEnough), (key) =>
    chain(storage[`hasItem${suffix}`](key), (isThere) => (isThere ? [key] : [])),
  );
  return chain(listed, (lists) =>
    chain(asked, (more) => {
      const found = new Set();
      for (const list of lists) {
        for (const key of list) {
          if (key.startsWith(base) && !key.endsWith("$") && patterns.has(key)) found.add(key);
        }
      }
      for (const [key] of more) if (key !== undefined && patterns.has(key)) found.add(key);
      return [...found];
    }),
  );
}

module.exports = { listKeys, placesOf };
