// A storage over a link: values to text and back. Keys and options are checked by the main process.

import { decode, pack } from "../src/js/codec/index.js";
import { normalizeBaseKey, normalizeKey } from "../src/js/keys.js";
import { decodeAgain } from "./copies.js";
import { invalidArgument, syncUnsupported, told } from "./errors.js";
import { makeGroup } from "./group.js";
import { failure } from "./shared/protocol.js";
import { makeUpdate } from "./update.js";

// What a call takes besides a key, and gives, is the same here and there.
const SAME = ["hasItem", "getItemRaw", "removeMeta", "getKeys", "clear", "flush", "removeItem"];
const WITHOUT_SYNC = [
  "getItemRaw",
  "setItemRaw",
  "getMeta",
  "setMeta",
  "removeMeta",
  "getEntry",
  "flush",
];
const NOT_SERVED =
  "mount getMount getMounts entries entriesSync unmount migrate getStorageVersion getOrSet watchItem".split(
    " ",
  );
const ALIASES = {
  keys: "getKeys",
  get: "getItem",
  set: "setItem",
  has: "hasItem",
  del: "removeItem",
  remove: "removeItem",
};

// Of a value of which a part is lost a document is told once, and not without end.
const MOST_WARNINGS = 100;
const warnings = new Set();
const rules = {
  report(message) {
    if (warnings.has(message) || warnings.size >= MOST_WARNINGS) return;
    warnings.add(message);
    console.warn(failure("EAS_LOSSY_VALUE", message));
  },
};

/** The text of a value as it is now. */
function textOf(value, key) {
  try {
    const packed = pack(value, rules);
    return packed[0] === "\0" ? packed.slice(1) : `{"json":${packed}}`;
  } catch (error) {
    if (error?.code !== undefined) error.key ??= key;
    throw error;
  }
}

/** A new value of a text. What is no value reads as null, as in the main process. */
function readValue(text, read = decode) {
  try {
    return typeof text === "string" ? read(text) : null;
  } catch {
    return null;
  }
}

function batch(items, read) {
  if (Array.isArray(items)) return items.map(read);
  throw invalidArgument("getItems", "items");
}

const keyIn = (item) => normalizeKey(typeof item === "string" ? item : item?.key);

const written = (items) =>
  batch(items, ({ key, value, options }) => [
    key,
    value === undefined ? null : textOf(value, key),
    options,
  ]);

/** A write as operation and arguments. One without a value is a removal, which has no time to live. */
const writing = (key, value, opts) =>
  value === undefined
    ? ["removeItem", [key, { ...opts, ttl: undefined }]]
    : ["setItem", [key, textOf(value, key), opts]];

export function storageOver(link) {
  let isDisposed = false;
  const unwatches = new Set();

  function alive() {
    if (isDisposed) throw told("EAS_DISPOSED");
    return link;
  }
  const call = async (op, args) => alive().call(op, args);

  /** A write waits when the caller asks for it, and when it has a condition: only the main process knows. */
  function writeSync([op, args]) {
    const { through, ifMatch } = args[args.length - 1] ?? {};
    alive()[through || ifMatch !== undefined ? "callSync" : "post"](op, args);
  }

  const readSync = (key) => readValue(alive().readSync(normalizeKey(key)), decodeAgain);
  const updates = makeUpdate(link, textOf, readValue);

  const storage = {
    getItem: async (key, opts) => readValue(await call("getItem", [key, opts])),
    getItems: async (items, opts) => {
      const keys = batch(items, keyIn);
      const texts = await call("getItems", [items, opts]);
      return keys.map((key, index) => ({ key, value: readValue(texts[index]) }));
    },
    getEntry: async (key, opts) => {
      const { text, etag } = await call("getEntry", [key, opts]);
      return { key: normalizeKey(key), value: readValue(text), etag };
    },
    setItem: async (key, value, opts) => {
      await call(...writing(key, value, opts));
    },
    setItems: async (items, opts) => {
      await call("setItems", [written(items), opts]);
    },
    setItemRaw: async (key, value, opts) => {
      await call(...(value === undefined ? writing(key) : ["setItemRaw", [key, value, opts]]));
    },
    getMeta: async (key, opts) => readValue(await call("getMeta", [key, opts])),
    setMeta: async (key, value, opts) => {
      await (value === undefined
        ? call("removeMeta", [key, opts])
        : call("setMeta", [key, textOf(value, key), opts]));
    },

    hasItemSync: (key) => alive().hasSync(normalizeKey(key)),
    getItemSync: readSync,
    getItemsSync: (items) =>
      batch(items, (item) => ({ key: keyIn(item), value: readSync(keyIn(item)) })),
    getKeysSync: (base, opts) => {
      const deepest = opts?.maxDepth ?? Number.POSITIVE_INFINITY;
      const keys = alive().keysSync(normalizeBaseKey(base));
      return keys.filter((key) => key.split(":").length - 1 <= deepest);
    },
    setItemSync: (key, value, opts) => writeSync(writing(key, value, opts)),
    setItemsSync: (items, opts) => writeSync(["setItems", [written(items), opts]]),
    removeItemSync: (key, opts) => writeSync(["removeItem", [key, opts]]),
    clearSync: (base, opts) => alive().callSync("clear", [base, opts]),

    watch: async (callback) => {
      if (typeof callback !== "function") throw invalidArgument("watch", "listener");
      // The same function may listen twice, and each ends by itself.
      const stop = await alive().watch((event, key) => callback(event, key));
      const unwatch = async () => {
        unwatches.delete(unwatch);
        await stop();
      };
      unwatches.add(unwatch);
      return unwatch;
    },
    unwatch: async () => {
      await Promise.all([...unwatches].map((unwatch) => unwatch()));
    },
    dispose: async () => {
      isDisposed = true;
      await storage.unwatch();
    },

    update: async (key, fn, opts) => alive() && updates.update(normalizeKey(key), fn, opts),
    updateSync: (key, fn, opts) => alive() && updates.updateSync(normalizeKey(key), fn, opts),
    atomic: () => makeGroup(alive(), textOf),
  };

  for (const name of SAME) storage[name] = (...args) => call(name, args);
  for (const name of WITHOUT_SYNC) {
    storage[`${name}Sync`] = (key) => {
      throw syncUnsupported(`${name}Sync`, key);
    };
  }
  for (const operation of NOT_SERVED) {
    const refuse = () => {
      const message = `${operation} is for the main process alone.`;
      throw failure("EAS_NOT_SERVED", message, { operation });
    };
    storage[operation] = /^(?:mo|getM|en)/.test(operation) ? refuse : async () => refuse();
  }
  for (const [alias, name] of Object.entries(ALIASES)) {
    storage[alias] = storage[name];
    storage[`${alias}Sync`] = storage[`${name}Sync`];
  }
  return storage;
}
