"use strict";

// What a mirror in a preload holds of keys with `sync`: what the Sync reads of the served storage give.

const { listKeys, placesOf } = require("./listing.js");
const { sourceOf, wholeBases } = require("./patterns.js");
const { textOf, byteLength } = require("./values.js");
const { ABSENT, ITEM, UNFIT, UNSUPPORTED } = require("./shared.js");

/** How long the main process reads before it lets its other work run. */
const LONGEST_SLICE_MS = 4;
/** Where a storage gives its defaults, as pairs of key and value. No listing names their keys. */
const DEFAULTS = Symbol.for("electron-async-storage.defaults");

/** When an item expires, in milliseconds since the epoch, or 0. */
function expiryOf(storage, key) {
  try {
    if (storage.getMount?.(key)?.driver?.flags?.ttl === false) return 0;
    const { ttl } = storage.getMetaSync(key, { nativeOnly: true }) ?? {};
    return typeof ttl === "number" ? Date.now() + ttl : 0;
  } catch {
    // A driver without metadata has no expiry to tell.
    return 0;
  }
}

/**
 * `[key, state, text, expires]` as things are now.
 *
 * @param {boolean} [isListed] - whether a listing of now names the key: with a value it is an item then, and the
 *   value is no default
 */
function readEntry(storage, key, isListed = false) {
  try {
    const text = textOf(storage.getItemSync(key));
    const isThere = (isListed && text !== null) || storage.hasItemSync(key);
    return isThere ? [key, ITEM, text, expiryOf(storage, key)] : [key, ABSENT, text, 0];
  } catch {
    return [key, UNSUPPORTED, null, 0];
  }
}

const sizeOf = ([key, , text]) => byteLength(key) + (text === null ? 0 : byteLength(text));

/** Takes entries into a mirror until it is full. */
class Filling {
  constructor(limit) {
    this.limit = limit;
    this.bytes = 0;
  }

  fit(entry) {
    const size = sizeOf(entry);
    if (this.bytes + size > this.limit) return [entry[0], UNFIT, null, 0];
    this.bytes += size;
    return entry;
  }
}

/** Bases of mounts that cannot be read synchronously, as far as the patterns reach into them. */
function unsupportedBases(storage, patterns) {
  if (typeof storage.getMounts !== "function") return [];
  const mounts = storage.getMounts("", { parents: true });
  return mounts
    .filter(({ driver }) => typeof driver?.getItemSync !== "function")
    .map(({ base }) => base)
    .filter((base) => {
      const { bases, keys } = placesOf(patterns, base);
      return bases.length + keys.length > 0;
    });
}

/** Texts of the defaults that a client may know. */
function defaultsOf(storage, patterns) {
  const defaults = storage[DEFAULTS];
  const list = typeof defaults === "function" ? [...defaults()] : [];
  return list.filter(([key]) => patterns.has(key)).map(([key, value]) => [key, textOf(value)]);
}

/** Keys that were listed, and those that are named in full: they may have a value without being items. */
function keysToRead(patterns, listed) {
  const named = placesOf(patterns, "").keys.filter((key) => patterns.has(key));
  return [...new Set([...listed, ...named])];
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** A mirror made at once, for a client that waits. */
function mirrorSync(storage, scope, client, limits) {
  const stamp = client.stamp();
  const filling = new Filling(limits.mirrorBytes);
  let listed = [];
  let isWhole = true;
  try {
    listed = listKeys(storage, scope.sync, "", { isSync: true });
  } catch {
    // Some driver lists asynchronously only: keys are asked for one by one.
    isWhole = false;
  }
  const isListed = new Set(listed);
  const entries = keysToRead(scope.sync, listed).map((key) =>
    filling.fit(readEntry(storage, key, isListed.has(key))),
  );
  return {
    stamp,
    isWhole,
    unsupported: unsupportedBases(storage, scope.sync),
    defaults: defaultsOf(storage, scope.sync),
    pattern: sourceOf(scope.sync),
    wholeBases: wholeBases(scope),
    slices: [[client.stamp(), entries.flat()]],
    bytes: filling.bytes,
  };
}

/** A mirror made in slices, each as of its own time. */
async function mirrorInSlices(storage, scope, client, limits) {
  const stamp = client.stamp();
  const filling = new Filling(limits.mirrorBytes);
  const listed = await listKeys(storage, scope.sync, "");
  const keys = keysToRead(scope.sync, listed);
  const slices = [];
  for (let at = 0; at < keys.length; ) {
    if (at > 0) await nextTurn();
    const end = performance.now() + LONGEST_SLICE_MS;
    const entries = [];
    do entries.push(...filling.fit(readEntry(storage, keys[at++])));
    while (at < keys.length && performance.now() < end);
    slices.push([client.stamp(), entries]);
  }
  return {
    stamp,
    isWhole: true,
    unsupported: unsupportedBases(storage, scope.sync),
    defaults: defaultsOf(storage, scope.sync),
    pattern: sourceOf(scope.sync),
    wholeBases: wholeBases(scope),
    slices,
    bytes: filling.bytes,
  };
}

/** The entries of some keys as they are now, for those of them that are in the client's mirror. */
function entriesOf(storage, scope, client, keys) {
  if (!client.isMirrored) return undefined;
  const inMirror = [...new Set(keys)].filter((key) => !key.endsWith("$") && scope.sync.has(key));
  if (inMirror.length === 0) return undefined;
  return [client.stamp(), inMirror.flatMap((key) => readEntry(storage, key))];
}

module.exports = { mirrorSync, mirrorInSlices, entriesOf, readEntry };
