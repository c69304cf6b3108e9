// A storage with defaults and schemas: another object over the plain one, which pays nothing for them.

import { readBatch } from "../arguments.js";
import { typedArrayName } from "../builtins.js";
import { decode, encode, pack } from "../lazy-codec.js";
import { located } from "../located.js";
import { isThenable } from "../thenables.js";
import { hasCondition, withoutCondition } from "./conditions.js";
import { dailyMethods } from "./daily.js";
import { makeLine } from "./line.js";
import { checkedCommits } from "./mounted-commit.js";
import { readStored, timesOf, withMembers } from "./stored-text.js";
import { validation } from "./validation.js";

/** Who serves a storage to renderers asks for its defaults: no listing names their keys. */
const DEFAULTS = Symbol.for("electron-async-storage.defaults");

// Those that begin behind a write whose schema is asynchronous.
const IN_ORDER = [
  "hasItem",
  "getItemRaw",
  "removeItem",
  "getMeta",
  "removeMeta",
  "getKeys",
  "clear",
  "unmount",
  "flush",
  "dispose",
  "migrate",
  "getStorageVersion",
];

// One Promise for a list of which some may be Promises; undefined where none is.
const settledAll = (list) => (list.some(isThenable) ? Promise.all(list) : undefined);

/** @param {any} value */
function copyOfBytes(value) {
  if (Buffer.isBuffer(value)) return Buffer.from(value);
  return typedArrayName(value) === undefined ? value : value.slice();
}

function readOnce(item) {
  if (item === null || typeof item !== "object") return item;
  const { key, value, options } = item;
  return { key, value, options };
}

export function checkedStorage(parts, rules) {
  const { storage, handle, found, lossRules, takeWrites, conditional } = parts;
  const { check, output } = validation(rules);
  const line = makeLine();

  const orDefault = (value, key) => value ?? rules.defaultOf(key) ?? null;
  // A stored null that the schema let through is an item.
  const given = (value, key) => (value === undefined ? orDefault(value, key) : value);

  function valueFor(value, place) {
    const shown = output(value, place);
    return isThenable(shown)
      ? shown.then((settled) => given(settled, place.key))
      : given(shown, place.key);
  }

  function outputs(items, operation, isSync) {
    return items.map(({ key, value }) => output(value, { key, operation, isSync }));
  }
  const withValues = (items, values) =>
    items.map(({ key }, index) => ({ key, value: values[index] }));

  // Reads as the schemas have them, without defaults.
  const readable = {
    async getItem(key, opts) {
      const value = await line.run(() => found.getItem(key, opts));
      return output(value, { key, operation: "getItem", isSync: false });
    },
    getItemSync(key, opts) {
      const value = found.getItemSync(key, opts);
      return output(value, { key, operation: "getItemSync", isSync: true });
    },
    async getItems(items, commonOptions) {
      const list = await line.run(() => found.getItems(items, commonOptions));
      const values = outputs(list, "getItems", false);
      return withValues(list, (await settledAll(values)) ?? values);
    },
    getItemsSync(items, commonOptions) {
      const list = found.getItemsSync(items, commonOptions);
      return withValues(list, outputs(list, "getItemsSync", true));
    },
  };
  const withDefaults = (items) =>
    items.map(({ key, value }) => ({ key, value: given(value, key) }));

  // The values of a batch are taken at the call, and none is written before all were checked.
  function checkedWrites(given, commonOptions, operation, isSync) {
    // A getter may give something else the next time.
    const items = Array.isArray(given) ? given.map(readOnce) : given;
    const writes = takeWrites(items, commonOptions, operation);
    try {
      const { keys } = readBatch(items, commonOptions);
      const checks = items.map(({ value }, index) =>
        check(value, { key: keys[index], operation, index, isSync }),
      );
      return { writes, wait: settledAll(checks) };
    } catch (error) {
      core.dropWrites(writes);
      throw error;
    }
  }

  // The value is taken now, whenever it is written.
  function writeOf(key, value, opts) {
    if (hasCondition(opts)) {
      const commit = conditional.setting("setItem", key, value, opts);
      if (commit !== undefined) return () => conditional.commit(commit);
      return writeOf(key, value, withoutCondition(opts));
    }
    if (value === undefined) return () => storage.removeItem(key, opts);
    const packed = pack(value, lossRules, "setItem", key);
    return () => located(core.setItem(handle, key, packed, opts));
  }

  const checked = {
    ...storage,
    [DEFAULTS]: rules.defaults,
    async getItem(key, opts) {
      return given(await readable.getItem(key, opts), key);
    },
    getItemSync: (key, opts) => given(readable.getItemSync(key, opts), key),
    async getItems(items, commonOptions) {
      return withDefaults(await readable.getItems(items, commonOptions));
    },
    getItemsSync: (items, commonOptions) =>
      withDefaults(readable.getItemsSync(items, commonOptions)),
    async setItem(key, value, opts) {
      const wait = check(value, { key, operation: "setItem", isSync: false });
      if (wait === undefined && line.isFree()) return storage.setItem(key, value, opts);
      const write = writeOf(key, value, opts);
      await (wait === undefined ? line.run(write) : line.after(wait, write));
    },
    setItemSync(key, value, opts) {
      check(value, { key, operation: "setItemSync", isSync: true });
      storage.setItemSync(key, value, opts);
    },
    async setItems(items, commonOptions) {
      const { writes, wait } = checkedWrites(items, commonOptions, "setItems", false);
      const write = () => located(core.setItems(handle, writes, commonOptions));
      if (wait === undefined) await line.run(write);
      else {
        wait.catch(() => core.dropWrites(writes));
        await line.after(wait, write);
      }
    },
    setItemsSync(items, commonOptions) {
      const { writes } = checkedWrites(items, commonOptions, "setItemsSync", true);
      core.setItemsSync(handle, writes, commonOptions);
    },
  };
  if (rules.hasSchemas) {
    for (const name of IN_ORDER) {
      checked[name] = async (...args) => line.run(() => storage[name](...args));
    }
    // Those that have a value take it at the call.
    checked.setItemRaw = async (key, value, opts) => {
      const taken = line.isFree() ? value : copyOfBytes(value);
      await line.run(() => storage.setItemRaw(key, taken, opts));
    };
    checked.setMeta = async (key, value, opts) => {
      if (value === undefined) return checked.removeMeta(key, opts);
      const packed = pack(value, lossRules, "setMeta", key);
      await line.run(() => located(core.setMeta(handle, key, packed, opts)));
    };
  }
  const own = { ...parts, shown: checked, readable, check, output, valueFor, line };
  Object.assign(checked, dailyMethods(own));
  return { checked, asDriver: asDriver(own, { checked, check, output, given, line }) };
}

// A storage that this one is mounted in has texts for it, and takes texts from it. Values are written as
// if they had been written here.
function asDriver(parts, { checked, check, output, given, line }) {
  const { storage, handle } = parts;
  const textOf = (value) => {
    if (value === null || value === undefined) return null;
    if (typeof value === "string" && value.startsWith('{"json":')) return value;
    return encode(value);
  };
  const fromText = (text) => (typeof text === "string" ? decode(text) : text);
  const textItems = (items) => items.map(({ key, value }) => ({ key, value: textOf(value) }));
  const valueItems = (items) => items.map((item) => ({ ...item, value: fromText(item.value) }));
  return {
    ...checked,
    flags: storage.flags,
    ...checkedCommits({ ...parts, textOf, fromText }),
    async getItem(key, opts) {
      const stored = await line.run(() => readStored(handle, key, opts));
      const place = { key, operation: "getItem", isSync: false };
      const text = textOf(given(await output(stored?.value, place), key));
      // The storage around it has to know when the item is stale.
      const isTimed = text !== null && stored?.fresh !== undefined;
      return isTimed ? withMembers(text, `,"fresh":${stored.fresh}`) : text;
    },
    getItemSync: (key, opts) => textOf(checked.getItemSync(key, opts)),
    getItems: async (items, opts) => textItems(await checked.getItems(items, opts)),
    getItemsSync: (items, opts) => textItems(checked.getItemsSync(items, opts)),
    async setItem(key, text, opts) {
      const value = fromText(text);
      if (typeof text !== "string" || timesOf(text).fresh === undefined) {
        return checked.setItem(key, value, opts);
      }
      const wait = check(value, { key, operation: "setItem", isSync: false });
      const write = () => located(core.setItem(handle, key, `\0${text}`, opts));
      return wait === undefined ? line.run(write) : line.after(wait, write);
    },
    setItemSync: (key, text, opts) => checked.setItemSync(key, fromText(text), opts),
    setItems: async (items, opts) => checked.setItems(valueItems(items), opts),
    setItemsSync: (items, opts) => checked.setItemsSync(valueItems(items), opts),
  };
}
