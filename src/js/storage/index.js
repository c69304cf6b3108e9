// The storage object: values to text and back, Promises, and everything else in the native core.

import { readBatch, wrongArgument } from "../arguments.js";
import { hasOwn } from "../builtins.js";
import { factories } from "../drivers/factories.js";
import { isDriver } from "../drivers/js-driver.js";
import { listeners } from "../drivers/listeners.js";
import { open, traitsOfAll } from "../drivers/open.js";
import { own } from "../drivers/ownership.js";
import { withGuideMethods } from "../guide-methods.js";
import { showAs, storageText } from "../inspect.js";
import { normalizeBaseKey, normalizeKey } from "../keys.js";
import { pack } from "../lazy-codec.js";
import { located, withCaller } from "../located.js";
import { readMeta } from "../meta.js";
import { makeMigrations } from "../migrate.js";
import { warnOfUnknown } from "../options.js";
import { isGuest, takeHome } from "../realm.js";
import { hand, handAll } from "../writer/index.js";
import { checkedStorage } from "./checked.js";
import { conditionalWrites } from "./conditional-writes.js";
import { hasCondition, refuseCondition, withoutCondition } from "./conditions.js";
import { conflictFinder } from "./conflicts.js";
import { dailyMethods } from "./daily.js";
import { findingReads } from "./finding-reads.js";
import { itemRules } from "./item-rules.js";
import { plainCommits } from "./mounted-commit.js";
import { inTurns, MANY, SLICE } from "./turns.js";
import { updatesOf } from "./update.js";
import { valueRules } from "./value-rules.js";
import { isReady, peekValue, valueFinder, valueReader } from "./values.js";

// The object of the core has so many functions that looking one up takes time; so does each argument
// that is not given.
const { getItem, getItemSync, setItem, setItemSync } = core;

function openDriver(driver, operation) {
  const opened = open(driver);
  if (opened === undefined) {
    throw wrongArgument("driver", "an object with at least a `getItem` method", driver, operation);
  }
  return { driver, ...opened };
}

/** @param {any} options */
export function createStorage(options = {}) {
  if (options === null || typeof options !== "object") {
    throw wrongArgument("options", "an object", options, "createStorage");
  }
  if (isDriver(options)) {
    const error = new Error(
      "[electron-async-storage] createStorage takes options, not a driver: createStorage({ driver: … })",
    );
    throw Object.assign(error, { code: "EAS_INVALID_OPTION", operation: "createStorage" });
  }
  warnOfUnknown("createStorage", options);
  const rules = valueRules(options.onLossy);
  const root = openDriver(options.driver ?? factories.memory(), "createStorage");
  const handle = core.createStorage(root.handle);
  // Holds the drivers: the native core refers to those of users weakly.
  /** @type {Map<string, any>} */
  const mounted = new Map([["", root]]);
  const watch = listeners(handle);
  const readValue = valueReader(handle);
  const conflictAt = conflictFinder(mounted);
  const conditional = conditionalWrites({ handle, lossRules: rules, conflictAt });
  const updates = updatesOf(handle);
  let migrations;
  const refuseDisposed = () => void core.mountOf(handle, "");
  let disposed;
  // What the user has: with schemas or defaults it is not `storage` itself.
  let shown;

  function readItems(keys, stored, read = readValue) {
    return keys.map((key, index) => ({
      key: normalizeKey(key),
      value: read(stored[index], key),
    }));
  }

  // A large batch is decoded in slices, so that the event loop turns in between. A very large one is
  // asked for in slices too; all others are read as things are at the time of the call.
  async function readManyItems(
    keys,
    itemOptions,
    commonOptions,
    read = readValue,
    isQuiet = false,
  ) {
    const batch = core.openBatch();
    const ask = (from, to) => {
      core.askFor(batch, keys.slice(from, to), itemOptions?.slice(from, to), commonOptions);
    };
    if (keys.length <= MANY) ask(0, keys.length);
    else await inTurns(keys.length, ask);
    await core.find(handle, batch, commonOptions, isQuiet);
    const items = [];
    await inTurns(keys.length, (from, to) => {
      items.push(...readItems(keys.slice(from, to), core.takeFound(batch, from, to), read));
    });
    return items;
  }

  // Takes all values of a batch, as they are at the call.
  function takeWrites(items, commonOptions, operation) {
    const { keys, options: itemOptions } = readBatch(items, commonOptions);
    refuseCondition(commonOptions, operation);
    itemOptions?.forEach((opts) => {
      refuseCondition(opts, operation);
    });
    // A getter may change the list.
    const given = items.map((item, index) => {
      if (item === null || typeof item !== "object") {
        throw wrongArgument(`item ${index}`, "{ key, value }", item, operation);
      }
      return item;
    });
    const writes = core.openWrites();
    try {
      const add = (texts, from) => {
        const to = from + texts.length;
        const options = itemOptions?.slice(from, to);
        core.addWrites(writes, keys.slice(from, to), texts, options, commonOptions);
      };
      handAll(given, add, rules, operation, keys);
    } catch (error) {
      core.dropWrites(writes);
      throw error;
    }
    return writes;
  }

  function mergeMeta(found, key) {
    const [native, custom] = found;
    const meta = Object.assign(Object.create(null), readMeta(native));
    const stored = readValue(custom, `${key}$`);
    if (stored !== null && typeof stored === "object") {
      Object.assign(meta, stored);
      for (const name of ["atime", "mtime"]) {
        if (typeof meta[name] === "string") meta[name] = new Date(meta[name]);
      }
    }
    return meta;
  }

  // What another library adds to `Object.prototype` is no option.
  const optionOf = (opts, name) => (opts && hasOwn(opts, name) ? opts[name] : undefined);
  const metaOptions = (opts) => (typeof opts === "boolean" ? { nativeOnly: opts } : opts);
  const removeOptions = (opts) => (typeof opts === "boolean" ? { removeMeta: opts } : opts);

  function refuseWait(operation) {
    migrations.refuseWait(operation);
    updates.refuseInside(operation);
  }

  const storage = {
    async hasItem(key, opts) {
      return located(core.hasItem(handle, key, opts));
    },
    async getItem(key, opts) {
      const stored = opts === undefined ? getItem(handle, key) : getItem(handle, key, opts);
      return readValue(isReady(stored) ? stored : await located(stored), key);
    },
    async getItems(items, commonOptions) {
      const { keys, options: itemOptions } = readBatch(items, commonOptions);
      if (keys.length > SLICE) return readManyItems(keys, itemOptions, commonOptions);
      return readItems(
        keys,
        await located(core.getItems(handle, keys, itemOptions, commonOptions)),
      );
    },
    async getItemRaw(key, opts) {
      return (await located(core.getItemRaw(handle, key, opts))) ?? null;
    },
    async setItem(key, value, opts) {
      if (hasCondition(opts)) {
        const commit = conditional.setting("setItem", key, value, opts);
        if (commit !== undefined) return conditional.commit(commit);
        opts = withoutCondition(opts);
      }
      const done =
        value === undefined
          ? core.removeItem(handle, key, false, opts)
          : opts === undefined
            ? setItem(handle, key, hand(value, rules, "setItem", key))
            : setItem(handle, key, hand(value, rules, "setItem", key), opts);
      if (done === undefined) return;
      try {
        await done;
      } catch (error) {
        throw withCaller(error);
      }
    },
    async setItems(items, commonOptions) {
      await located(
        core.setItems(handle, takeWrites(items, commonOptions, "setItems"), commonOptions),
      );
    },
    async setItemRaw(key, value, opts) {
      refuseCondition(opts, "setItemRaw");
      await located(
        value === undefined
          ? core.removeItem(handle, key, false, opts)
          : core.setItemRaw(handle, key, value, opts),
      );
    },
    async removeItem(key, opts) {
      let given = removeOptions(opts);
      if (hasCondition(given)) {
        const removeMeta = optionOf(given, "removeMeta");
        const commit = conditional.removal("removeItem", key, removeMeta, given);
        if (commit !== undefined) return conditional.commit(commit);
        given = withoutCondition(given);
      }
      await located(core.removeItem(handle, key, optionOf(given, "removeMeta"), given));
    },
    async getMeta(key, opts) {
      const given = metaOptions(opts);
      return mergeMeta(
        await located(core.getMeta(handle, key, optionOf(given, "nativeOnly"), given)),
        key,
      );
    },
    async setMeta(key, value, opts) {
      await located(
        value === undefined
          ? core.removeMeta(handle, key, opts)
          : core.setMeta(handle, key, pack(value, rules, "setMeta", key), opts),
      );
    },
    async removeMeta(key, opts) {
      await located(core.removeMeta(handle, key, opts));
    },
    async getKeys(base, opts) {
      return located(core.getKeys(handle, base, opts));
    },
    async clear(base, opts) {
      await located(core.clear(handle, base, opts));
    },
    async flush(base) {
      refuseWait("flush");
      if (migrations.isRunning()) await migrations.settled();
      await located(core.flush(handle, base));
    },
    async dispose() {
      if (disposed === undefined) refuseWait("dispose");
      disposed ??= (async () => {
        if (migrations.isRunning()) await migrations.settled();
        // From here on every call is an error.
        const done = located(core.dispose(handle));
        updates.abort();
        await Promise.all([done, watch.stop()]);
      })();
      await disposed;
    },
    async watch(callback) {
      return located(watch.watch(callback));
    },
    async unwatch() {
      refuseDisposed();
      await located(watch.stop());
    },

    hasItemSync(key, opts) {
      return core.hasItemSync(handle, key, opts);
    },
    getItemSync(key, opts) {
      const stored = opts === undefined ? getItemSync(handle, key) : getItemSync(handle, key, opts);
      return readValue(stored, key);
    },
    getItemsSync(items, commonOptions) {
      const { keys, options: itemOptions } = readBatch(items, commonOptions);
      return readItems(keys, core.getItemsSync(handle, keys, itemOptions, commonOptions));
    },
    getItemRawSync(key, opts) {
      return core.getItemRawSync(handle, key, opts) ?? null;
    },
    setItemSync(key, value, opts) {
      if (hasCondition(opts)) {
        const commit = conditional.setting("setItemSync", key, value, opts);
        if (commit !== undefined) return conditional.commitSync(commit);
        opts = withoutCondition(opts);
      }
      if (value === undefined) core.removeItemSync(handle, key, false, opts);
      else if (opts === undefined) {
        setItemSync(handle, key, hand(value, rules, "setItemSync", key));
      } else {
        setItemSync(handle, key, hand(value, rules, "setItemSync", key), opts);
      }
    },
    setItemsSync(items, commonOptions) {
      core.setItemsSync(handle, takeWrites(items, commonOptions, "setItemsSync"), commonOptions);
    },
    setItemRawSync(key, value, opts) {
      refuseCondition(opts, "setItemRawSync");
      if (value === undefined) core.removeItemSync(handle, key, false, opts);
      else core.setItemRawSync(handle, key, value, opts);
    },
    removeItemSync(key, opts) {
      let given = removeOptions(opts);
      if (hasCondition(given)) {
        const removeMeta = optionOf(given, "removeMeta");
        const commit = conditional.removal("removeItemSync", key, removeMeta, given);
        if (commit !== undefined) return conditional.commitSync(commit);
        given = withoutCondition(given);
      }
      core.removeItemSync(handle, key, optionOf(given, "removeMeta"), given);
    },
    getMetaSync(key, opts) {
      const given = metaOptions(opts);
      return mergeMeta(core.getMetaSync(handle, key, optionOf(given, "nativeOnly"), given), key);
    },
    setMetaSync(key, value, opts) {
      if (value === undefined) core.removeMetaSync(handle, key, opts);
      else core.setMetaSync(handle, key, pack(value, rules, "setMetaSync", key), opts);
    },
    removeMetaSync(key, opts) {
      core.removeMetaSync(handle, key, opts);
    },
    getKeysSync(base, opts) {
      return core.getKeysSync(handle, base, opts);
    },
    clearSync(base, opts) {
      core.clearSync(handle, base, opts);
    },
    flushSync(base) {
      refuseWait("flushSync");
      core.flushSync(handle, base);
    },

    mount(base, driver) {
      if (typeof base !== "string") throw wrongArgument("base", "a string", base, "mount");
      const opened = openDriver(driver, "mount");
      core.mount(handle, base, opened.handle);
      mounted.set(core.mountOf(handle, base), opened);
      return shown;
    },
    async unmount(base, dispose = true) {
      const mount = core.mountOf(handle, base);
      const opened = mounted.get(mount);
      if (normalizeBaseKey(base) !== mount || mount === "") return;
      mounted.delete(mount);
      await core.unmount(handle, base, dispose);
      // Until here, `opened` keeps the driver alive.
      return void opened;
    },
    getMount(key = "") {
      const base = core.mountOf(handle, key);
      return { base, driver: mounted.get(base).driver };
    },
    getMounts(base = "", opts = {}) {
      const bases = core.mountBases(handle, base, opts?.parents);
      return bases.map((mount) => ({ base: mount, driver: mounted.get(mount).driver }));
    },
  };

  shown = storage;
  if (isGuest) takeHome(storage);
  showAs(storage, () => storageText([...mounted].map(([base, { driver }]) => ({ base, driver }))));
  migrations = makeMigrations(handle, storage, options);
  Object.assign(storage, aliases(storage), migrations.methods);
  const traits = (base = "") => {
    const bases = new Set([core.mountOf(handle, base), ...core.mountBases(handle, base, false)]);
    return traitsOfAll([...bases].map((mount) => mounted.get(mount).traits));
  };
  const refusesClearOf = (key) => core.refusesClearOf(handle, key);
  const parts = {
    handle,
    storage,
    lossRules: rules,
    takeWrites,
    conditional,
    conflictAt,
    updates,
    findValue: valueFinder(handle),
    found: findingReads(handle, readItems, readManyItems),
    hasTtl: (key) => Boolean(mounted.get(core.mountOf(handle, key)).traits.ttl),
  };
  const peek = {
    items: (keys) => readManyItems(keys, undefined, undefined, peekValue, true),
    itemsSync: (keys) =>
      readItems(keys, core.getItemsSync(handle, keys, undefined, undefined, true), peekValue),
  };
  const items = itemRules(options, rules);
  Object.assign(storage, dailyMethods(parts));
  const commits = plainCommits(parts);
  own({ methods: { ...storage }, traits, refusesClearOf, peek, commits });
  if (items === undefined) return withGuideMethods(storage);
  withGuideMethods(storage);
  const { checked, asDriver } = checkedStorage(parts, items);
  shown = checked;
  Object.assign(shown, aliases(shown));
  showAs(shown, () => storageText(storage.getMounts()));
  own({ methods: { ...shown }, traits, refusesClearOf, plain: storage, asDriver });
  return withGuideMethods(shown);
}

function aliases(storage) {
  return {
    keys: storage.getKeys,
    get: storage.getItem,
    set: storage.setItem,
    has: storage.hasItem,
    del: storage.removeItem,
    remove: storage.removeItem,
    keysSync: storage.getKeysSync,
    getSync: storage.getItemSync,
    setSync: storage.setItemSync,
    hasSync: storage.hasItemSync,
    delSync: storage.removeItemSync,
    removeSync: storage.removeItemSync,
  };
}
