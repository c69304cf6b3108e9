// A view of a storage under a base. Works on any storage.

import { checkStorage } from "./arguments.js";
import { driverOf, own, ownerOf, peekOf, plainOf } from "./drivers/ownership.js";
import { withGuideMethods } from "./guide-methods.js";
import { showAs, storageText } from "./inspect.js";
import { normalizeBaseKey, normalizeKey } from "./keys.js";
import { mapEntries, mapEntriesSync } from "./storage/entries.js";
import { isThenable } from "./thenables.js";

const DEFAULTS = Symbol.for("electron-async-storage.defaults");

const BY_KEY = ["hasItem", "getItem", "getItemRaw", "setItem", "setItemRaw", "removeItem"];
const BY_KEY_META = ["getMeta", "setMeta", "removeMeta"];
const DAILY_BY_KEY = ["watchItem", "getOrSet", "update", "updateSync"];
const ALIASES = { get: "getItem", set: "setItem", has: "hasItem", del: "removeItem" };
const withSync = (names) => names.flatMap((name) => [name, `${name}Sync`]);

export function prefixStorage(storage, givenBase) {
  checkStorage(storage, "getItem", "prefixStorage");
  const base = normalizeBaseKey(givenBase);
  if (!base) return storage;

  // A key that names nothing must not become the key of the base itself; what is no key is left
  // to the storage to refuse.
  const full = (key) =>
    typeof key === "string" ? (normalizeKey(key) === "" ? "" : base + key) : key;
  const fullBase = (key) => (key === undefined || key === null ? base : full(key) || base);
  const relative = (key) => (key.startsWith(base) ? key.slice(base.length) : key);
  const relativeItem = (item) => ({ ...item, key: relative(item.key) });
  const fullItem = (item) =>
    item !== null && typeof item === "object" ? { ...item, key: full(item.key) } : full(item);

  // What is no list is left to the storage to refuse too.
  const fullItems = (items) => (Array.isArray(items) ? items.map(fullItem) : items);

  const prefixed = { ...storage };
  const defaults = storage[DEFAULTS];
  if (typeof defaults === "function") {
    prefixed[DEFAULTS] = () =>
      defaults()
        .filter(([key]) => key.startsWith(base))
        .map(([key, value]) => [relative(key), value]);
  }
  const replace = (name, make) => {
    if (typeof storage[name] === "function") {
      prefixed[name] = make((...args) => storage[name](...args));
    }
  };

  for (const name of [...withSync([...BY_KEY, ...BY_KEY_META]), ...DAILY_BY_KEY]) {
    replace(
      name,
      (method) =>
        (key, ...args) =>
          method(full(key), ...args),
    );
  }
  replace("getItems", (method) => async (items, ...args) => {
    return (await method(fullItems(items), ...args)).map(relativeItem);
  });
  replace("getItemsSync", (method) => (items, ...args) => {
    return method(fullItems(items), ...args).map(relativeItem);
  });
  replace(
    "setItems",
    (method) =>
      async (items, ...args) =>
        method(fullItems(items), ...args),
  );
  replace(
    "setItemsSync",
    (method) =>
      (items, ...args) =>
        method(fullItems(items), ...args),
  );
  replace("getKeys", (method) => async (key, opts) => {
    return (await method(fullBase(key), deeper(opts))).map(relative);
  });
  replace("getKeysSync", (method) => (key, opts) => {
    return method(fullBase(key), deeper(opts)).map(relative);
  });
  const relativeEntry = ([key, value]) => [relative(key), value];
  replace("entries", (method) => (key) => mapEntries(method(fullBase(key)), relativeEntry));
  replace("entriesSync", (method) => (key) => mapEntriesSync(method(fullBase(key)), relativeEntry));
  replace("getEntry", (method) => async (key, ...args) => {
    return relativeItem(await method(full(key), ...args));
  });
  replace(
    "getEntrySync",
    (method) =>
      (key, ...args) =>
        relativeItem(method(full(key), ...args)),
  );
  replace("atomic", (method) => () => groupUnder(method()));
  const { commits } = ownerOf(storage.getItem) ?? {};
  const commitUnder = (commit) => (ops, opts) =>
    outcomeUnder(
      commit(
        ops.map((op) => ({ ...op, key: full(op.key) })),
        opts,
      ),
    );
  // A storage with schemas has them where it is a driver.
  for (const name of withSync(["commit"])) replace(name, commitUnder);
  for (const name of [...withSync(["clear", "flush"]), "unmount"]) {
    replace(
      name,
      (method) =>
        (key, ...args) =>
          method(fullBase(key), ...args),
    );
  }
  replace("mount", (method) => (key, driver) => {
    method(fullBase(key), driver);
    return prefixed;
  });
  replace("getMount", (method) => (key = "") => {
    const mount = method(base + key);
    return { ...mount, base: relative(mount.base) };
  });
  replace("getMounts", (method) => (key, opts) => {
    return method(fullBase(key), opts).map((mount) => ({ ...mount, base: relative(mount.base) }));
  });
  replace("watch", (method) => (callback) => {
    if (typeof callback !== "function") return method(callback);
    return method((event, key) => {
      if (key.startsWith(base)) return callback(event, key.slice(base.length));
    });
  });

  // A storage of a class has these on its prototype, where a spread does not reach.
  for (const name of ["dispose", "unwatch", "migrate", "getStorageVersion"]) {
    replace(name, (method) => method);
  }

  function outcomeUnder(result) {
    if (isThenable(result)) return result.then(outcomeUnder);
    return result.conflicts ? { ...result, conflicts: result.conflicts.map(relative) } : result;
  }

  function groupUnder(group) {
    const view = {};
    for (const name of ["check", "set", "remove"]) {
      view[name] = (key, ...args) => {
        group[name](full(key), ...args);
        return view;
      };
    }
    for (const name of withSync(["commit"])) view[name] = () => outcomeUnder(group[name]());
    return view;
  }

  // Depth counts on the key as the caller sees it.
  function deeper(opts) {
    if (typeof opts?.maxDepth !== "number") return opts;
    return { ...opts, maxDepth: opts.maxDepth + base.split(":").length - 1 };
  }

  for (const [alias, name] of Object.entries({
    ...ALIASES,
    remove: "removeItem",
    keys: "getKeys",
  })) {
    for (const suffix of ["", "Sync"]) {
      if (typeof storage[alias + suffix] === "function") {
        prefixed[alias + suffix] = prefixed[name + suffix];
      }
    }
  }
  // What the storage is beneath, the part of it is too.
  const { traits, refusesClearOf } = ownerOf(storage.clear) ?? {};
  const plain = plainOf(storage);
  const asDriver = driverOf(storage);
  const peek = peekOf(storage);
  const fullKeys = (keys) => keys.map((key) => base + key);
  own({
    methods: { ...prefixed },
    traits: traits && ((inner = "") => traits(base + inner)),
    refusesClearOf: refusesClearOf && ((key) => refusesClearOf(base + key)),
    peek: peek && {
      items: async (keys) => (await peek.items(fullKeys(keys))).map(relativeItem),
      itemsSync: (keys) => peek.itemsSync(fullKeys(keys)).map(relativeItem),
    },
    commits: commits && {
      commit: commitUnder(commits.commit),
      commitSync: commitUnder(commits.commitSync),
    },
    plain: plain === storage ? undefined : prefixStorage(plain, givenBase),
    asDriver: asDriver && prefixStorage(asDriver, givenBase),
  });
  if (typeof prefixed.getMount === "function" && typeof prefixed.getMounts === "function") {
    showAs(prefixed, () => {
      const root = storage.getMount(base);
      const inner = prefixed.getMounts().filter((mount) => mount.driver !== root.driver);
      return storageText([...inner, { base: "", driver: root.driver }]);
    });
  }
  return withGuideMethods(prefixed);
}
