"use strict";

// What a client may ask to write. As in reads.js: arguments first, then what is to be done.

const { all, chain } = require("./chain.js");
const { listKeys } = require("./listing.js");
const { rawOf, readValue } = require("./values.js");
const { failure, own } = require("./shared.js");

const isNone = (value) => value === undefined;

function needsGroup(request) {
  if (typeof request.storage.atomic !== "function") throw request.notServed("atomic");
}

module.exports = {
  setItem(request, [key, text, options]) {
    const name = request.keyToWrite(key);
    const given = request.options(options, ["ttl", "ifMatch"]);
    const value = readValue(text, name, request.limits.valueBytes);
    return () => request.call("setItem", name, value, given);
  },

  setItems(request, [items, options]) {
    const common = request.options(options, ["ttl"]);
    const list = request.list(items, "items").map((item) => {
      const [key, text, itsOptions] = request.list(item, "item");
      const name = request.keyToWrite(key);
      const given = request.options(itsOptions, ["ttl"]);
      const value = isNone(text) ? undefined : readValue(text, name, request.limits.valueBytes);
      return given === undefined ? { key: name, value } : { key: name, value, options: given };
    });
    return () => request.call("setItems", list, common);
  },

  setItemRaw(request, [key, raw, options]) {
    const name = request.keyToWrite(key);
    const given = request.options(options, ["ttl"]);
    const value = rawOf(raw, name, request.limits.valueBytes);
    return () => request.call("setItemRaw", name, value, given);
  },

  removeItem(request, [key, options]) {
    const name = request.keyToWrite(key);
    const given = request.options(options, ["removeMeta", "ifMatch"], "removeMeta");
    return () => request.call("removeItem", name, given);
  },

  setMeta(request, [key, text, options]) {
    request.noOptions(options);
    const name = request.keyToWrite(key);
    const value = readValue(text, name, request.limits.valueBytes);
    return () => request.call("setMeta", name, value);
  },

  removeMeta(request, [key, options]) {
    request.noOptions(options);
    const name = request.keyToWrite(key);
    return () => request.call("removeMeta", name);
  },

  /**
   * Clears the allowed keys. A base that is allowed as a whole is cleared as one; others are listed, and
   * later calls of the client wait until the listed keys are on their way out.
   */
  clear(request, [base, options]) {
    request.noOptions(options);
    const under = request.base(base);
    request.isBroad = true;
    return () => {
      const patterns = request.scope.write.list;
      const whole = new Set();
      for (const { isWhole, prefix } of patterns) {
        if (isWhole && prefix.startsWith(under)) whole.add(prefix);
        else if (isWhole && under.startsWith(prefix)) whole.add(under);
      }
      const isCovered = (key) => [...whole].some((one) => key.startsWith(one));
      const clearing = [...whole].map((one) => request.call("clear", one));
      const isRest = patterns.some(({ isExact, prefix, text, isWhole }) => {
        if (isWhole) return false;
        const meets = prefix.startsWith(under) || under.startsWith(prefix);
        return isExact ? text.startsWith(under) && !isCovered(text) : meets;
      });
      const removing = isRest && removeListed(request, under, isCovered);
      return chain(
        all([removing, ...clearing], (one) => one),
        () => undefined,
      );
    };
  },

  flush(request) {
    if (request.scope.write.isEmpty) {
      throw failure("EAS_ACCESS_DENIED", "Access denied to flush: nothing may be written here.", {
        operation: "flush",
      });
    }
    return () => request.call("flush");
  },

  /** A group: all of its operations, or none. */
  commit(request, [operations]) {
    needsGroup(request);
    const steps = request.list(operations, "operations").map((operation) => {
      const [kind, key, third, fourth] = request.list(operation, "operation");
      if (kind === "check") {
        const name = request.keyToRead(key);
        if (third !== null && typeof third !== "string") {
          throw failure("EAS_INVALID_ARGUMENT", "Invalid etag: expected a string or null", {
            key: name,
          });
        }
        return (group) => group.check(name, third);
      }
      const name = request.keyToWrite(key);
      if (kind === "remove") {
        request.noOptions(third);
        return (group) => group.remove(name);
      }
      if (kind !== "set") {
        throw failure("EAS_INVALID_ARGUMENT", "Invalid operation: expected check, set or remove");
      }
      const given = request.options(fourth, ["ttl"]);
      const value = readValue(third, name, request.limits.valueBytes);
      return (group) => (given ? group.set(name, value, given) : group.set(name, value));
    });
    return () => {
      let group = request.storage.atomic();
      for (const step of steps) group = step(group);
      const result = request.isSync ? group.commitSync() : group.commit();
      return chain(result, (outcome) =>
        own(outcome, "ok")
          ? { ok: true }
          : { ok: false, conflicts: [...(own(outcome, "conflicts") ?? [])] },
      );
    };
  },
};

function removeListed(request, under, isCovered) {
  const { storage, scope, isSync, client } = request;
  const remove = (key) => request.call("removeItem", key, { removeMeta: true });
  let keys;
  try {
    keys = listKeys(storage, scope.write, under, { isSync: true });
  } catch (error) {
    if (isSync) throw error;
  }
  const start = (list) => list.filter((key) => !isCovered(key)).map(remove);
  if (keys !== undefined) return all(start(keys), (removal) => removal);
  // No Sync listing: what the client asks for next waits until the removals have been asked for.
  const started = listKeys(storage, scope.write, under).then(start);
  const settled = started.then(
    () => {},
    () => {},
  );
  client.barrier = settled;
  return started.then((removals) => Promise.all(removals)).then(() => {});
}
