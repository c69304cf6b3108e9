(function facade(api, core) {
"use strict";
var __defProp = Object.defineProperty;
var __export = (target, all) => {
  for (var name in all)
    __defProp(target, name, { get: all[name], enumerable: true });
};

// src/js/builtins.js
var builtins_exports = {};
__export(builtins_exports, {
  ArrayType: () => ArrayType,
  DateType: () => DateType,
  ErrorType: () => ErrorType,
  MapType: () => MapType,
  RangeErrorType: () => RangeErrorType,
  RegExpType: () => RegExpType,
  SetType: () => SetType,
  URLType: () => URLType,
  Uint8ArrayType: () => Uint8ArrayType,
  arrayPrototype: () => arrayPrototype,
  bigIntText: () => bigIntText,
  booleanOf: () => booleanOf,
  captureStackTrace: () => captureStackTrace,
  codeAt: () => codeAt,
  create: () => create,
  datePrototype: () => datePrototype,
  defineProperty: () => defineProperty,
  encodeInto: () => encodeInto,
  encoder: () => encoder,
  floor: () => floor,
  getPrototypeOf: () => getPrototypeOf,
  hasOwn: () => hasOwn,
  includes: () => includes,
  indexOf: () => indexOf,
  isArray: () => isArray,
  isFiniteNumber: () => isFiniteNumber,
  isNaNNumber: () => isNaNNumber,
  isView: () => isView,
  isoText: () => isoText,
  join: () => join,
  joinTyped: () => joinTyped,
  keysOf: () => keysOf,
  lastIndexOf: () => lastIndexOf,
  mapClear: () => mapClear,
  mapEach: () => mapEach,
  mapGet: () => mapGet,
  mapPrototype: () => mapPrototype,
  mapSet: () => mapSet,
  mapSize: () => mapSize,
  numberOf: () => numberOf,
  objectPrototype: () => objectPrototype,
  parse: () => parse,
  regExpSource: () => regExpSource,
  regExpText: () => regExpText,
  setAdd: () => setAdd,
  setEach: () => setEach,
  setHas: () => setHas,
  setInt32: () => setInt32,
  setPrototype: () => setPrototype,
  setSize: () => setSize,
  slice: () => slice,
  sliceArray: () => sliceArray,
  sort: () => sort,
  species: () => species,
  stringOf: () => stringOf,
  stringify: () => stringify,
  tagOf: () => tagOf,
  timeOf: () => timeOf,
  toBigInt: () => toBigInt,
  toStringTag: () => toStringTag,
  typedArrayLength: () => typedArrayLength,
  typedArrayName: () => typedArrayName,
  typedArrayTypes: () => typedArrayTypes,
  utcTime: () => utcTime
});
var uncurry = Function.prototype.bind.bind(Function.prototype.call);
var { stringify, parse } = JSON;
var { isArray } = Array;
var { getPrototypeOf, keys: keysOf, create, defineProperty } = Object;
var { isView } = ArrayBuffer;
var { isFinite: isFiniteNumber, isNaN: isNaNNumber } = Number;
var ArrayType = Array;
var DateType = Date;
var MapType = Map;
var SetType = Set;
var RegExpType = RegExp;
var ErrorType = Error;
var RangeErrorType = RangeError;
var URLType = typeof URL === "function" ? URL : void 0;
var toBigInt = BigInt;
var objectPrototype = Object.prototype;
var getterOf = (prototype, name) => uncurry(Object.getOwnPropertyDescriptor(prototype, name)?.get);
var hasOwn = uncurry(objectPrototype.hasOwnProperty);
var tagOf = uncurry(objectPrototype.toString);
var timeOf = uncurry(Date.prototype.getTime);
var utcTime = Date.UTC;
var isoText = uncurry(Date.prototype.toISOString);
var regExpText = uncurry(RegExp.prototype.toString);
var regExpSource = getterOf(RegExp.prototype, "source");
var bigIntText = uncurry(BigInt.prototype.toString);
var mapGet = uncurry(Map.prototype.get);
var mapSet = uncurry(Map.prototype.set);
var mapSize = getterOf(Map.prototype, "size");
var mapEach = uncurry(Map.prototype.forEach);
var mapClear = uncurry(Map.prototype.clear);
var setAdd = uncurry(Set.prototype.add);
var setSize = getterOf(Set.prototype, "size");
var setEach = uncurry(Set.prototype.forEach);
var sort = uncurry(Array.prototype.sort);
var join = uncurry(Array.prototype.join);
var codeAt = uncurry(String.prototype.charCodeAt);
var indexOf = uncurry(String.prototype.indexOf);
var lastIndexOf = uncurry(String.prototype.lastIndexOf);
var slice = uncurry(String.prototype.slice);
var includes = uncurry(String.prototype.includes);
var typedArrayPrototype = getPrototypeOf(Int8Array.prototype);
var typedArrayName = getterOf(typedArrayPrototype, Symbol.toStringTag);
var joinTyped = uncurry(typedArrayPrototype.join);
var typedArrayLength = getterOf(typedArrayPrototype, "length");
var typedArrayTypes = Object.assign(create(null), {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array
});
var { floor } = Math;
var arrayPrototype = Array.prototype;
var datePrototype = Date.prototype;
var setPrototype = Set.prototype;
var mapPrototype = Map.prototype;
var { species } = Symbol;
var setHas = uncurry(Set.prototype.has);
var sliceArray = uncurry(Array.prototype.slice);
var setInt32 = uncurry(DataView.prototype.setInt32);
var { toStringTag } = Symbol;
var { captureStackTrace } = Error;
var stringOf = uncurry(String.prototype.toString);
var numberOf = uncurry(Number.prototype.valueOf);
var booleanOf = uncurry(Boolean.prototype.valueOf);
var Uint8ArrayType = Uint8Array;
var TextEncoderType = typeof TextEncoder === "function" ? TextEncoder : void 0;
var encoder = TextEncoderType && new TextEncoderType();
var encodeInto = TextEncoderType && uncurry(TextEncoderType.prototype.encodeInto);

// src/js/lazy-codec.js
var codec;
function loaded() {
  if (codec === void 0) {
    const loading = {};
    core.evaluateCodec()(loading, builtins_exports);
    codec = loading;
  }
  return codec;
}
var pack = (value, rules2, operation, key, index) => loaded().pack(value, rules2, operation, key, index);
var encode = (value) => loaded().encode(value);
var decode = (text) => loaded().decode(text);

// src/js/hooks.js
function warn(code, message) {
  if (typeof process !== "undefined" && typeof process.emitWarning === "function") {
    process.emitWarning(message, { code, type: "StorageWarning" });
  }
}
core.setWarner(warn);
core.setClock(
  (ms, fired) => {
    const timer = setTimeout(fired, ms);
    timer?.unref?.();
  },
  () => Date.now()
);
core.setFiller((list, at, ...values) => {
  for (let index = 0; index < values.length; index++) list[at + index] = values[index];
});
core.setEncoder((value) => {
  try {
    return encode(value);
  } catch {
    return void 0;
  }
});
if (typeof process !== "undefined" && typeof process.on === "function") {
  const EXIT_HOOKS = Symbol.for("electron-async-storage.exitHooks");
  let listener = process.listeners("exit").find((each) => each[EXIT_HOOKS]);
  if (!listener) {
    const hooks = [];
    listener = () => {
      for (const finishAll of hooks) finishAll();
    };
    listener[EXIT_HOOKS] = hooks;
    process.on("exit", listener);
  }
  listener[EXIT_HOOKS].push(core.finishAll);
}

// src/js/builtin-drivers.js
var builtinDrivers = {};
for (const name of core.driverNames) {
  const path = `electron-async-storage/drivers/${name}`;
  builtinDrivers[name] = path;
  builtinDrivers[name.replace(/-(.)/g, (_, letter) => letter.toUpperCase())] = path;
}
Object.freeze(builtinDrivers);

// src/js/inspect.js
var INSPECT = Symbol.for("nodejs.util.inspect.custom");
var SECRET = /key|secret|pass|token|credential|auth|salt|cookie|private|pin$/i;
var URL_PASSWORD = /(:\/\/)[^/@\s]*@/g;
var MOST_DEPTH = 3;
var MOST_ITEMS = 10;
function showAs(object, show) {
  return Object.defineProperty(object, INSPECT, {
    value: (_depth, options, inspect) => show(options, inspect),
    enumerable: false,
    configurable: true
  });
}
function driverText(driver) {
  const { name, options } = driver;
  const title = typeof name === "string" && name !== "" ? name : "custom";
  const shown2 = isShown(options) ? optionsText(options, 0) : "";
  return shown2 === "" ? title : `${title} { ${shown2} }`;
}
function storageText(mounts) {
  const lines = mounts.map(
    ({ base, driver }) => `Storage ${base || "(root)"} → ${driverText(driver)}`
  );
  return lines.reverse().join("\n");
}
var isShown = (options) => options !== null && typeof options === "object" && !Array.isArray(options);
function optionsText(options, depth2) {
  return Object.keys(options).filter((name) => options[name] !== void 0 && !SECRET.test(name)).map((name) => `${nameText(name)}: ${valueText(options[name], depth2)}`).join(", ");
}
var nameText = (name) => /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
function valueText(value, depth2) {
  if (typeof value === "string") return JSON.stringify(value.replace(URL_PASSWORD, "$1"));
  if (typeof value === "function") return "[Function]";
  if (typeof value === "bigint") return `${value}n`;
  if (value === null || typeof value !== "object") return String(value);
  if (depth2 === MOST_DEPTH) return "…";
  if (Array.isArray(value)) {
    const items = value.slice(0, MOST_ITEMS).map((item) => valueText(item, depth2 + 1));
    return `[${value.length > MOST_ITEMS ? [...items, "…"].join(", ") : items.join(", ")}]`;
  }
  if (value instanceof RegExp) return String(value);
  if (typeof value.getItem === "function") return driverText(value);
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    return `[${value.constructor?.name || "object"}]`;
  }
  const text = optionsText(value, depth2 + 1);
  return text === "" ? "{}" : `{ ${text} }`;
}

// src/js/options.js
var FS = ["base", "ignore", "readOnly", "noClear", "mode", "durability"];
var KNOWN = {
  createStorage: [
    "driver",
    "version",
    "migrations",
    "migrationHooks",
    "onLossy",
    "defaults",
    "schemas",
    "onInvalid"
  ],
  memory: [],
  fs: [...FS, "watchOptions"],
  "fs-lite": FS,
  sqlite: ["base", "file", "readOnly", "noClear", "durability", "mode"],
  queue: ["driver", "batchSize", "flushInterval", "maxQueueSize", "mergeUpdates"],
  // Those of chokidar, of which only some have an effect.
  watchOptions: [
    "ignored",
    "ignoreInitial",
    "persistent",
    "ignorePermissionErrors",
    "followSymlinks",
    "cwd",
    "disableGlobbing",
    "usePolling",
    "interval",
    "binaryInterval",
    "alwaysStat",
    "depth",
    "awaitWriteFinish",
    "atomic",
    "useFsEvents"
  ]
};
function warnOfUnknown(taker, options, title = taker) {
  if (options === null || typeof options !== "object" || Array.isArray(options)) return;
  const known = KNOWN[taker];
  if (known === void 0) return;
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const nearest = nearestTo(name, known);
    const advice = nearest === void 0 ? "There are none." : `Did you mean \`${nearest}\`?`;
    warn(
      "EAS_UNKNOWN_OPTION",
      `[electron-async-storage] [${title}] Unknown option \`${name}\`, which has no effect. ${advice}`
    );
  }
  if (known.includes("watchOptions")) {
    warnOfUnknown("watchOptions", options.watchOptions, `${title} watchOptions`);
  }
}
function nearestTo(name, known) {
  let nearest;
  let least = Infinity;
  for (const other of known) {
    const distance = editsBetween(name.toLowerCase(), other.toLowerCase());
    if (distance < least) {
      least = distance;
      nearest = other;
    }
  }
  return nearest;
}
function editsBetween(one, other) {
  let before = [];
  let last2 = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const cost = one[i - 1] === other[j - 1] ? 0 : 1;
      row[j] = Math.min(last2[j] + 1, row[j - 1] + 1, last2[j - 1] + cost);
      const isSwap = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      if (isSwap) row[j] = Math.min(row[j], before[j - 2] + 1);
    }
    before = last2;
    last2 = row;
  }
  return last2[other.length];
}

// src/js/realm.js
var isGuest = Object.getPrototypeOf(core.calls) !== Array.prototype;
function takeHome(object) {
  const { getKeys, getKeysSync } = object;
  object.getKeys = async (base, opts) => Array.from(await getKeys(base, opts));
  object.getKeysSync = (base, opts) => Array.from(getKeysSync(base, opts));
}

// src/js/drivers/databases.js
function databaseMethods(handle) {
  return {
    async verify() {
      const [ok, problems] = await core.verifyDatabase(handle);
      return { ok, problems };
    },
    async backup(file) {
      await core.backupDatabase(handle, file);
    },
    async compact() {
      await core.compactDatabase(handle);
    }
  };
}
var databases = { sqlite: databaseMethods };

// src/js/arguments.js
function readBatch(items, commonOptions) {
  if (!Array.isArray(items)) {
    throw Object.assign(
      new TypeError(
        `[electron-async-storage] Invalid items: expected an array, got ${describe(items)}`
      ),
      { code: "EAS_INVALID_ARGUMENT" }
    );
  }
  let options;
  const keys = items.map((item, index) => {
    if (typeof item === "string") return item;
    if (item === null || typeof item !== "object") return item;
    if (item.options !== void 0 && item.options !== null) {
      options ??= new Array(items.length);
      options[index] = commonOptions ? { ...commonOptions, ...item.options } : item.options;
    }
    return item.key;
  });
  return { keys, options };
}
function describe(value) {
  if (value === null) return "null";
  return typeof value === "object" ? "an object" : typeof value;
}
function wrongArgument(what, expected, given, operation) {
  return Object.assign(
    new TypeError(
      `[electron-async-storage] Invalid ${what}: expected ${expected}, got ${describe(given)}`
    ),
    { code: "EAS_INVALID_ARGUMENT", operation }
  );
}
function checkStorage(given, method, operation) {
  if (typeof given?.[method] !== "function") {
    throw wrongArgument("storage", "a storage", given, operation);
  }
}

// src/js/thenables.js
function isThenable(value) {
  return value !== null && (typeof value === "object" || typeof value === "function") && typeof value.then === "function";
}
function ignore() {
}

// src/js/drivers/listeners.js
function listeners(handle) {
  let list = [];
  let watching;
  const emit = (event, key) => {
    for (const { callback } of [...list]) {
      try {
        const result = callback(event, key);
        if (isThenable(result)) result.then(ignore, raise);
      } catch (error) {
        raise(error);
      }
    }
  };
  const stop = async () => {
    const started = watching;
    watching = void 0;
    list = [];
    const id = await started?.catch(ignore);
    if (id !== void 0) await core.unwatch(handle, id);
  };
  return {
    async watch(callback) {
      if (typeof callback !== "function") {
        throw Object.assign(
          new TypeError(
            `[electron-async-storage] Invalid listener: expected a function, got ${describe(callback)}`
          ),
          { code: "EAS_INVALID_ARGUMENT", operation: "watch" }
        );
      }
      const entry = { callback };
      list = [...list, entry];
      let started;
      try {
        watching ??= Promise.resolve(core.watch(handle, emit));
        started = watching;
        await started;
      } catch (error) {
        if (watching === started) watching = void 0;
        list = list.filter((other) => other !== entry);
        throw error;
      }
      return async () => {
        if (!list.includes(entry)) return;
        list = list.filter((other) => other !== entry);
        if (list.length === 0) await stop();
      };
    },
    stop
  };
}
function raise(error) {
  queueMicrotask(() => {
    throw error;
  });
}

// src/js/located.js
var { captureStackTrace: captureStackTrace2 } = Error;
var located = (result) => isThenable(result) ? settled(result) : result;
async function settled(pending) {
  try {
    return await pending;
  } catch (error) {
    throw withCaller(error);
  }
}
function withCaller(error) {
  if (error === null || typeof error !== "object") return error;
  const { stack } = error;
  if (typeof stack === "string" && !stack.includes("\n    at ")) {
    captureStackTrace2?.(error, withCaller);
  }
  return error;
}

// src/js/meta.js
var META_NAMES = ["atime", "mtime", "ctime", "birthtime", "size", "ttl"];
function readMeta(native) {
  if (!Array.isArray(native)) return native ?? null;
  const meta = {};
  META_NAMES.forEach((name, index) => {
    const value = native[index];
    if (value !== void 0) meta[name] = index < 4 ? new Date(value) : value;
  });
  return meta;
}

// src/js/storage/operations.js
var NAMES = [
  "commit",
  "commitSync",
  "setItem",
  "setItemSync",
  "removeItem",
  "removeItemSync",
  "update",
  "updateSync"
];
var OPERATION = Object.fromEntries(NAMES.map((name, number) => [name, number]));

// src/js/storage/conditions.js
var MISSING = 0;
var ETAG = 1;
var AS_READ = 2;
var STORED = 3;
var hasCondition = (opts) => opts !== void 0 && opts !== null && hasOwn(opts, "ifMatch");
function invalid(message, operation) {
  return Object.assign(
    new Error(`[electron-async-storage] Invalid option \`ifMatch\`: ${message}`),
    { code: "EAS_INVALID_OPTION", operation }
  );
}
function conditionOf({ ifMatch }, operation) {
  if (ifMatch === void 0 || ifMatch === null || typeof ifMatch === "string") return ifMatch;
  throw invalid(
    `expected an etag that getEntry gave, or null for no item, got ${describe(ifMatch)}`,
    operation
  );
}
function withoutCondition(opts) {
  const others = Object.assign(Object.create(Object.getPrototypeOf(opts)), opts);
  delete others.ifMatch;
  return others;
}
function refuseCondition(opts, operation) {
  if (!hasCondition(opts) || opts.ifMatch === void 0) return;
  throw invalid(
    `${operation} makes no conditional writes. Use setItem, removeItem, update or atomic`,
    operation
  );
}
var checkOfEtag = (key, etag) => etag === null ? [key, MISSING, void 0] : [key, ETAG, etag];
function checkOfEntry(key, entry) {
  if (entry === void 0) return [key, MISSING, void 0];
  const [coded, etag, isExact] = entry;
  if (isExact && typeof coded === "string") return [key, AS_READ, coded];
  if (isExact && isView(coded)) return [key, STORED, coded];
  return [key, ETAG, etag];
}
var checkOfStored = (key, stored) => stored === null ? [key, MISSING, void 0] : [key, STORED, stored];

// src/js/drivers/group-ops.js
function readGroup(ops, common, operation) {
  if (!Array.isArray(ops)) throw wrongArgument("ops", "an array", ops, operation);
  const checks = [];
  const writes = [];
  ops.forEach((op, index) => {
    const { type, key, value, options = common } = op ?? {};
    const wrong = (what, expected, given) => wrongArgument(`${what} of step ${index}`, expected, given, operation);
    if (type === "check") {
      const stored = value ?? null;
      if (stored !== null && typeof stored !== "string" && !isView(stored)) {
        throw wrong("value", "a text, bytes or null", value);
      }
      checks.push(...checkOfStored(key, stored));
    } else if (type === "set") {
      if (typeof value !== "string") throw wrong("value", "a text", value);
      writes.push(key, value, options);
    } else if (type === "remove") {
      writes.push(key, void 0, options);
    } else {
      throw wrong("type", '"check", "set" or "remove"', type);
    }
  });
  return { checks, writes };
}

// src/js/drivers/methods.js
var { commit: COMMIT, commitSync: COMMIT_SYNC } = OPERATION;
var outcomeOf = (conflicts) => conflicts === void 0 ? { ok: true } : { ok: false, conflicts };
function methods(handle) {
  const write2 = (name) => {
    const set = core[`writeText${name}`];
    const setRaw = core[`setItemRaw${name}`];
    return (key, value, opts) => typeof value === "string" ? set(handle, key, value, opts) : setRaw(handle, key, value, opts);
  };
  const setItem2 = write2("");
  const setItemSync2 = write2("Sync");
  const items = (keys, values) => keys.map((key, index) => ({ key, value: values[index] ?? null }));
  const texts = (list) => list.map((item) => item.value);
  return {
    async hasItem(key, opts) {
      return located(core.hasItem(handle, key, opts));
    },
    async getItem(key, opts) {
      return await located(core.readText(handle, key, opts)) ?? null;
    },
    async getItems(list, commonOptions) {
      const { keys, options } = readBatch(list, commonOptions);
      return items(keys, await located(core.readTexts(handle, keys, options, commonOptions)));
    },
    async getItemRaw(key, opts) {
      return await located(core.getItemRaw(handle, key, opts)) ?? null;
    },
    async getKeys(base, opts) {
      return located(core.listDriver(handle, base, opts));
    },
    async getMeta(key, opts) {
      return readMeta((await located(core.getMeta(handle, key, true, opts)))[0]);
    },
    async setItem(key, value, opts) {
      await located(setItem2(key, value, opts));
    },
    async setItems(list, commonOptions) {
      const { keys, options } = readBatch(list, commonOptions);
      await located(core.writeTexts(handle, keys, texts(list), options, commonOptions));
    },
    async setItemRaw(key, value, opts) {
      await located(core.setItemRaw(handle, key, value, opts));
    },
    async removeItem(key, opts) {
      await located(core.removeItem(handle, key, false, opts));
    },
    async clear(base, opts) {
      await located(core.clear(handle, base, opts));
    },
    async commit(ops, opts) {
      const { checks, writes } = readGroup(ops, opts, "commit");
      return outcomeOf(await located(core.commitTexts(handle, COMMIT, checks, writes)));
    },
    async flush() {
      await located(core.flush(handle));
    },
    async dispose() {
      await located(core.dispose(handle));
    },
    hasItemSync(key, opts) {
      return core.hasItemSync(handle, key, opts);
    },
    getItemSync(key, opts) {
      return core.readTextSync(handle, key, opts) ?? null;
    },
    getItemsSync(list, commonOptions) {
      const { keys, options } = readBatch(list, commonOptions);
      return items(keys, core.readTextsSync(handle, keys, options, commonOptions));
    },
    getItemRawSync(key, opts) {
      return core.getItemRawSync(handle, key, opts) ?? null;
    },
    getKeysSync(base, opts) {
      return core.listDriverSync(handle, base, opts);
    },
    getMetaSync(key, opts) {
      return readMeta(core.getMetaSync(handle, key, true, opts)[0]);
    },
    setItemSync(key, value, opts) {
      setItemSync2(key, value, opts);
    },
    setItemsSync(list, commonOptions) {
      const { keys, options } = readBatch(list, commonOptions);
      core.writeTextsSync(handle, keys, texts(list), options, commonOptions);
    },
    setItemRawSync(key, value, opts) {
      core.setItemRawSync(handle, key, value, opts);
    },
    removeItemSync(key, opts) {
      core.removeItemSync(handle, key, false, opts);
    },
    clearSync(base, opts) {
      core.clearSync(handle, base, opts);
    },
    commitSync(ops, opts) {
      const { checks, writes } = readGroup(ops, opts, "commitSync");
      return outcomeOf(core.commitTextsSync(handle, COMMIT_SYNC, checks, writes));
    },
    flushSync() {
      core.flushSync(handle);
    }
  };
}

// src/js/keys.js
var NOT_NORMAL = /[?/\\]|::|^:|:$/;
function normalizeKey(key) {
  if (key === void 0 || key === null || key === "") return "";
  return NOT_NORMAL.test(key) ? core.normalizeKey(key) : key;
}
function normalizeBaseKey(base) {
  const key = normalizeKey(base);
  return key ? `${key}:` : "";
}
function joinKeys(...keys) {
  return normalizeKey(keys.join(":"));
}
function filterKeyByDepth(key, depth2) {
  return depth2 === void 0 || key.split(":").length - 1 <= depth2;
}
function filterKeyByBase(key, base) {
  return (!base || key.startsWith(base)) && !key.endsWith("$");
}

// src/js/drivers/ownership.js
var owners = /* @__PURE__ */ new WeakMap();
var BUILT_ON = {
  getItems: ["getItem"],
  getItemsSync: ["getItemSync"],
  setItems: ["setItem"],
  setItemsSync: ["setItemSync"],
  clear: ["removeItem", "getKeys"],
  clearSync: ["removeItemSync", "getKeysSync"],
  commit: ["getItem", "setItem", "removeItem"],
  commitSync: ["getItemSync", "setItemSync", "removeItemSync"]
};
function own(owner) {
  for (const method of Object.values(owner.methods)) {
    if (typeof method === "function") owners.set(method, owner);
  }
}
var ownerOf = (method) => typeof method === "function" ? owners.get(method) : void 0;
function goesPast(driver, name) {
  const singles = BUILT_ON[name];
  if (singles === void 0) return false;
  const owner = ownerOf(driver[name]);
  return owner !== void 0 && singles.some((single) => driver[single] !== owner.methods[single]);
}
function commitOf(driver, name) {
  if (typeof driver[name] === "function") {
    return goesPast(driver, name) ? void 0 : driver[name];
  }
  const singles = BUILT_ON[name];
  const owner = ownerOf(driver[singles[0]]);
  if (owner?.commits === void 0) return void 0;
  const isWhole = singles.every((single) => driver[single] === owner.methods[single]);
  return isWhole ? owner.commits[name] : void 0;
}
var areTwins = (driver, name) => ownerOf(driver[name]) === ownerOf(driver[`${name}Sync`]);
function ownerOfAll(storage2) {
  const owner = ownerOf(storage2?.getItem);
  if (owner === void 0) return void 0;
  const names3 = Object.keys(owner.methods);
  return names3.every((name) => storage2[name] === owner.methods[name]) ? owner : void 0;
}
var plainOf = (storage2) => ownerOfAll(storage2)?.plain ?? storage2;
var peekOf = (storage2) => ownerOfAll(storage2)?.peek;
var driverOf = (storage2) => ownerOfAll(storage2)?.asDriver;

// src/js/drivers/js-driver.js
var { names, syncNames } = methodNames(core.calls);
var CALL = Object.fromEntries(names.map((name, index) => [name, index]));
function methodNames(calls) {
  return { names: calls, syncNames: calls.map((name) => `${name}Sync`) };
}
var NOTE_CORRUPT = 15;
var REFUSES_CLEAR_OF = 31;
var ON_EXPIRED = 32;
function noteCorrupt(driver, key) {
  for (const name of names) {
    const owner = ownerOf(driver[name]) ?? ownerOf(driver[`${name}Sync`]);
    if (owner?.noteCorrupt) return owner.noteCorrupt(key);
  }
}
function onExpired(driver, report) {
  for (const name of names) {
    const owner = ownerOf(driver[name]) ?? ownerOf(driver[`${name}Sync`]);
    if (owner?.onExpired) return owner.onExpired(report);
  }
}
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
      return driver[method](first, second, third === void 0 ? {} : third);
    case CALL.getItems:
    case CALL.setItems: {
      const common = second === void 0 ? {} : second;
      for (const item of first) {
        if (item.options === void 0) item.options = common;
      }
      if (goesPast(driver, method)) return oneByOne(driver, method, first);
      return driver[method](first, common);
    }
    case CALL.clear: {
      const options = second === void 0 ? {} : second;
      if (goesPast(driver, method)) return clearByKey(driver, method, first, options);
      return driver[method](first, options);
    }
    case CALL.watch:
      return first === void 0 ? second() : driver.watch(first);
    case CALL.commit:
      return commitOf(driver, method).call(driver, first, second === void 0 ? {} : second);
    case CALL.flush:
    case CALL.dispose:
      return driver[method]();
    default:
      return driver[method](first, second === void 0 ? {} : second);
  }
}
function oneByOne(driver, method, items) {
  switch (method) {
    case "getItemsSync":
      return items.map(({ key, options }) => ({ key, value: driver.getItemSync(key, options) }));
    case "setItemsSync":
      for (const { key, value, options } of items) driver.setItemSync(key, value, options);
      return void 0;
    case "getItems":
      return every(items, async ({ key, options }) => {
        return { key, value: await driver.getItem(key, options) };
      });
    default:
      return every(items, async ({ key, value, options }) => driver.setItem(key, value, options));
  }
}
function clearByKey(driver, method, base, options) {
  if (method === "clearSync") {
    const keys = keysToClear(driver.getKeysSync(base, options), base);
    for (const key of keys) driver.removeItemSync(key, options);
    return void 0;
  }
  return (async () => {
    const keys = keysToClear(await driver.getKeys(base, options), base);
    await every(keys, async (key) => driver.removeItem(key, options));
  })();
}
function keysToClear(keys, base) {
  const normal = keys.map((key) => normalizeKey(key)).filter((key) => key.startsWith(base));
  if (normal.some((key) => key.endsWith("$"))) return normal;
  return normal.flatMap((key) => [key, `${key}$`]);
}
async function every(items, run) {
  const outcomes = await Promise.allSettled(items.map(run));
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  return outcomes.map((outcome) => (
    /** @type {any} */
    outcome.value
  ));
}
var ENVELOPE = /* @__PURE__ */ new Set(["json", "meta", "expires", "fresh"]);
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
function invoker(driver) {
  const invoke = (number, ticket, first, second, third) => {
    const result = call(driver, number, first, second, third);
    if (!isThenable(result)) return answerOf(number, result);
    const promise = Promise.resolve(result);
    if (number > 15) {
      promise.then(ignore, ignore);
    } else {
      promise.then(
        (value) => core.settle(ticket, false, answerOf(number, value)),
        (error) => core.settle(ticket, true, error)
      );
    }
    return invoke;
  };
  return invoke;
}
var has = (driver, name) => name.startsWith("commit") ? commitOf(driver, name) !== void 0 : typeof driver[name] === "function" && !goesPast(driver, name);
var capabilities = (driver) => names.flatMap((name, index) => [has(driver, name), has(driver, syncNames[index])]);
var twins = (driver) => names.map((name) => areTwins(driver, name));
function isDriver(value) {
  return value !== null && (typeof value === "object" || typeof value === "function") && typeof value.getItem === "function";
}

// src/js/drivers/open.js
var builtIns = /* @__PURE__ */ new WeakMap();
function isUnchanged(driver, made) {
  const keys = Object.keys(driver);
  return keys.length === Object.keys(made).length && keys.every((key) => driver[key] === made[key]);
}
function traitsOf(driver) {
  const told = ownerOf(driver.clear)?.traits?.();
  const { maxDepth, ttl, readOnly, noClear } = { ...told, ...driver.flags };
  return {
    maxDepth: Boolean(maxDepth),
    ttl: Boolean(ttl),
    readOnly: readOnly === "error" ? readOnly : Boolean(readOnly),
    noClear: Boolean(noClear),
    clearsBase: told !== void 0
  };
}
function open(driver) {
  if (!isDriver(driver)) return void 0;
  const builtIn = builtIns.get(driver);
  if (builtIn !== void 0 && isUnchanged(driver, builtIn.made)) {
    return { handle: builtIn.handle, keep: builtIn, traits: builtIn.made.flags };
  }
  const called = driverOf(driver) ?? driver;
  const invoke = invoker(called);
  const { name } = driver;
  const traits = traitsOf(driver);
  const handle = core.jsDriver(
    invoke,
    typeof name === "string" && name !== "" ? name : "custom",
    [traits.maxDepth, traits.ttl, traits.readOnly, traits.noClear, traits.clearsBase],
    capabilities(called),
    twins(called)
  );
  const takesNothing = typeof (driver.setItem ?? driver.removeItem) !== "function";
  return { handle, keep: invoke, traits: { ...traits, readOnly: traits.readOnly || takesNothing } };
}
function traitsOfAll(list) {
  const all = [...list];
  const areReadOnly = all.every(({ readOnly }) => readOnly);
  const fail = areReadOnly && all.every(({ readOnly }) => readOnly === "error");
  return {
    ttl: all.every(({ ttl }) => ttl),
    readOnly: fail ? "error" : areReadOnly,
    noClear: all.every(({ noClear }) => noClear) || !areReadOnly && all.every(({ noClear, readOnly }) => noClear || readOnly)
  };
}

// src/js/drivers/views.js
var isKey = (key) => typeof key === "string";
function liveMap(methods2) {
  const { get, has: has2, entries } = methods2;
  const others = {
    *keys() {
      for (const [key] of entries()) yield key;
    },
    *values() {
      for (const [, value] of entries()) yield value;
    },
    forEach(callback, self) {
      for (const [key, value] of entries()) callback.call(self, value, key, map);
    },
    getOrInsert(key, value) {
      if (!has2(key)) map.set(key, value);
      return get(key);
    },
    getOrInsertComputed(key, compute) {
      if (!has2(key)) map.set(key, compute(key));
      return get(key);
    },
    [Symbol.iterator]: entries
  };
  const prototype = Object.create(Map.prototype);
  for (const part of [methods2, others]) {
    for (const name of Reflect.ownKeys(part)) {
      const descriptor = Object.getOwnPropertyDescriptor(part, name);
      Object.defineProperty(prototype, name, { ...descriptor, enumerable: false });
    }
  }
  showAs(prototype, (options, inspect) => inspect(new Map(map), options));
  const map = Object.setPrototypeOf(/* @__PURE__ */ new Map(), prototype);
  return map;
}
function memoryView(handle) {
  const list = () => core.listDriverSync(handle);
  const get = (key) => isKey(key) ? core.getItemRawSync(handle, key) : void 0;
  const has2 = (key) => isKey(key) && core.hasItemSync(handle, key);
  return liveMap({
    get size() {
      return list().length;
    },
    get,
    has: has2,
    set(key, value) {
      core.setItemRawSync(handle, key, value);
      return this;
    },
    delete(key) {
      const isThere2 = has2(key);
      if (isThere2) core.removeItemSync(handle, key, false);
      return isThere2;
    },
    clear() {
      for (const key of list()) core.removeItemSync(handle, key, false);
    },
    // What goes meanwhile is passed over.
    *entries() {
      for (const key of list()) if (has2(key)) yield [key, get(key)];
    }
  });
}
function refuse() {
  throw Object.assign(
    new TypeError(
      "[electron-async-storage] [queue] The view of a queue is read only: write by the methods of the driver."
    ),
    { code: "EAS_READ_ONLY", driver: "queue" }
  );
}
function queueView(handle) {
  const operations = () => core.queueOperations(handle);
  const get = (key) => isKey(key) ? core.queueOperation(handle, key) : void 0;
  const byKey = () => {
    const newest = /* @__PURE__ */ new Map();
    for (const operation of operations()) newest.set(operation.key, operation);
    return newest;
  };
  const queue = liveMap({
    get size() {
      return byKey().size;
    },
    get,
    has: (key) => get(key) !== void 0,
    set: refuse,
    delete: refuse,
    clear: refuse,
    entries: () => byKey().entries()
  });
  const view2 = {
    queue,
    get flushing() {
      return core.queueStatus(handle)[1];
    },
    get disposed() {
      return core.queueStatus(handle)[2];
    }
  };
  showAs(view2, (options, inspect) => inspect({ ...view2 }, options));
  return Object.freeze(view2);
}
var instances = { memory: memoryView, queue: queueView };

// src/js/drivers/factories.js
function prepare(options) {
  if (options === null || typeof options !== "object" || Array.isArray(options)) {
    return { given: options, handles: [], keep: void 0 };
  }
  const given = { ...options };
  const handles = [];
  let keep2;
  if ("driver" in given) {
    const inner = open(given.driver);
    if (inner !== void 0) {
      given.driver = inner.handle;
      handles.push(inner.handle);
      keep2 = [given.driver, inner.keep, options.driver];
    }
  }
  for (const holder of [given, given.watchOptions]) {
    if (holder?.ignored !== void 0) {
      const ignored = tests(holder.ignored);
      if (holder === given) given.ignored = ignored;
      else given.watchOptions = { ...holder, ignored };
    }
  }
  return { given, handles, keep: keep2 };
}
function tests(ignored) {
  if (Array.isArray(ignored)) return ignored.map(tests);
  if (!(ignored instanceof RegExp)) return ignored;
  const stateless = new RegExp(ignored.source, ignored.flags.replace(/[gy]/g, ""));
  return (path) => stateless.test(path);
}
function factory(name) {
  const make = (options) => {
    warnOfUnknown(name, options);
    const { given, handles, keep: keep2 } = prepare(options);
    const handle = core.openDriver(name, given, handles);
    const [maxDepth, ttl, readOnly, noClear, watches, atomic] = core.describeDriver(handle);
    const flags = { maxDepth, ttl, readOnly, noClear, atomic };
    const driver = { name, flags, options, ...methods(handle), ...databases[name]?.(handle) };
    if (watches) driver.watch = (callback) => listeners(handle).watch(callback);
    const instance = instances[name]?.(handle);
    if (instance !== void 0) driver.getInstance = () => instance;
    if (isGuest) takeHome(driver);
    showAs(driver, () => driverText(driver));
    const made = { ...driver };
    builtIns.set(driver, { handle, keep: keep2, made });
    own({
      methods: made,
      keep: keep2,
      noteCorrupt: (key) => core.noteCorrupt(handle, key, true),
      onExpired: (report) => core.onExpired(handle, report)
    });
    return driver;
  };
  return Object.defineProperty(make, "name", { value: `${name}Driver` });
}
var factories = Object.fromEntries(core.driverNames.map((name) => [name, factory(name)]));

// src/js/guide-methods.js
function withGuideMethods(storage2) {
  const { getItem: getItem2, setItem: setItem2 } = storage2;
  return Object.defineProperties(storage2, {
    _getItemInternal: { value: (key, opts) => getItem2(key, opts), configurable: true },
    _setItemInternal: {
      value: (key, value, opts) => setItem2(key, value, opts),
      configurable: true
    }
  });
}

// src/js/storage/turns.js
var SLICE = 256;
var MANY = 4096;
var LONGEST_TURN_MS = 1;
var now = typeof performance === "object" ? performance.now.bind(performance) : Date.now;
var immediate = typeof setImmediate === "function" ? setImmediate : setTimeout;
var nextTurn = () => new Promise((resolve) => void immediate(resolve));
async function inTurns(count, work) {
  let start = now();
  for (let at = 0; at < count; at += SLICE) {
    if (now() - start > LONGEST_TURN_MS) {
      await nextTurn();
      start = now();
    }
    work(at, Math.min(at + SLICE, count));
  }
  if (count > MANY) await nextTurn();
}

// src/js/storage/entries.js
var IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
var AsyncIteratorPrototype = Object.getPrototypeOf(
  Object.getPrototypeOf(async function* () {
  }.prototype)
);
var iterator = (prototype, next2, end) => Object.assign(Object.create(prototype), { next: next2, return: end });
function asyncIterator(next2, end) {
  const entries = iterator(AsyncIteratorPrototype, next2, end);
  const listed = async () => {
    const list = [];
    for await (const entry of entries) list.push(entry);
    return list;
  };
  return Object.assign(entries, {
    // biome-ignore lint/suspicious/noThenProperty: it can be awaited
    then: (onListed, onFailed) => listed().then(onListed, onFailed),
    catch: (onFailed) => listed().catch(onFailed),
    finally: (onEnd) => listed().finally(onEnd)
  });
}
var isThere = ({ value }) => value !== void 0;
var entryOf = ({ key, value }) => [key, value];
async function* walk(listing, readable) {
  const keys = await listing;
  let start = now();
  for (let at = 0; at < keys.length; at += SLICE) {
    if (now() - start > LONGEST_TURN_MS) {
      await nextTurn();
      start = now();
    }
    const items = await readable.getItems(keys.slice(at, at + SLICE));
    yield* items.filter(isThere).map(entryOf);
  }
}
function* walkSync(keys, readable) {
  for (let at = 0; at < keys.length; at += SLICE) {
    const items = readable.getItemsSync(keys.slice(at, at + SLICE));
    yield* items.filter(isThere).map(entryOf);
  }
}
var entriesOf = (storage2, readable) => (base) => {
  const listing = storage2.getKeys(base);
  listing.catch(ignore);
  const steps = walk(listing, readable);
  return asyncIterator(
    () => steps.next(),
    (value) => steps.return(value)
  );
};
var entriesSyncOf = (storage2, readable) => (base) => {
  const steps = walkSync(storage2.getKeysSync(base), readable);
  return iterator(
    IteratorPrototype,
    () => steps.next(),
    (value) => steps.return(value)
  );
};
var mapped = (result, map) => result.done ? result : { ...result, value: map(result.value) };
var mapEntries = (entries, map) => asyncIterator(
  async () => mapped(await entries.next(), map),
  async (value) => entries.return(value)
);
var mapEntriesSync = (entries, map) => iterator(
  IteratorPrototype,
  () => mapped(entries.next(), map),
  (value) => entries.return(value)
);

// src/js/prefix.js
var DEFAULTS = Symbol.for("electron-async-storage.defaults");
var BY_KEY = ["hasItem", "getItem", "getItemRaw", "setItem", "setItemRaw", "removeItem"];
var BY_KEY_META = ["getMeta", "setMeta", "removeMeta"];
var DAILY_BY_KEY = ["watchItem", "getOrSet", "update", "updateSync"];
var ALIASES = { get: "getItem", set: "setItem", has: "hasItem", del: "removeItem" };
var withSync = (names3) => names3.flatMap((name) => [name, `${name}Sync`]);
function prefixStorage(storage2, givenBase) {
  checkStorage(storage2, "getItem", "prefixStorage");
  const base = normalizeBaseKey(givenBase);
  if (!base) return storage2;
  const full = (key) => typeof key === "string" ? normalizeKey(key) === "" ? "" : base + key : key;
  const fullBase = (key) => key === void 0 || key === null ? base : full(key) || base;
  const relative = (key) => key.startsWith(base) ? key.slice(base.length) : key;
  const relativeItem = (item) => ({ ...item, key: relative(item.key) });
  const fullItem = (item) => item !== null && typeof item === "object" ? { ...item, key: full(item.key) } : full(item);
  const fullItems = (items) => Array.isArray(items) ? items.map(fullItem) : items;
  const prefixed = { ...storage2 };
  const defaults = storage2[DEFAULTS];
  if (typeof defaults === "function") {
    prefixed[DEFAULTS] = () => defaults().filter(([key]) => key.startsWith(base)).map(([key, value]) => [relative(key), value]);
  }
  const replace = (name, make) => {
    if (typeof storage2[name] === "function") {
      prefixed[name] = make((...args) => storage2[name](...args));
    }
  };
  for (const name of [...withSync([...BY_KEY, ...BY_KEY_META]), ...DAILY_BY_KEY]) {
    replace(
      name,
      (method) => (key, ...args) => method(full(key), ...args)
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
    (method) => async (items, ...args) => method(fullItems(items), ...args)
  );
  replace(
    "setItemsSync",
    (method) => (items, ...args) => method(fullItems(items), ...args)
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
    (method) => (key, ...args) => relativeItem(method(full(key), ...args))
  );
  replace("atomic", (method) => () => groupUnder(method()));
  const { commits } = ownerOf(storage2.getItem) ?? {};
  const commitUnder = (commit) => (ops, opts) => outcomeUnder(
    commit(
      ops.map((op) => ({ ...op, key: full(op.key) })),
      opts
    )
  );
  for (const name of withSync(["commit"])) replace(name, commitUnder);
  for (const name of [...withSync(["clear", "flush"]), "unmount"]) {
    replace(
      name,
      (method) => (key, ...args) => method(fullBase(key), ...args)
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
  for (const name of ["dispose", "unwatch", "migrate", "getStorageVersion"]) {
    replace(name, (method) => method);
  }
  function outcomeUnder(result) {
    if (isThenable(result)) return result.then(outcomeUnder);
    return result.conflicts ? { ...result, conflicts: result.conflicts.map(relative) } : result;
  }
  function groupUnder(group) {
    const view2 = {};
    for (const name of ["check", "set", "remove"]) {
      view2[name] = (key, ...args) => {
        group[name](full(key), ...args);
        return view2;
      };
    }
    for (const name of withSync(["commit"])) view2[name] = () => outcomeUnder(group[name]());
    return view2;
  }
  function deeper(opts) {
    if (typeof opts?.maxDepth !== "number") return opts;
    return { ...opts, maxDepth: opts.maxDepth + base.split(":").length - 1 };
  }
  for (const [alias, name] of Object.entries({
    ...ALIASES,
    remove: "removeItem",
    keys: "getKeys"
  })) {
    for (const suffix of ["", "Sync"]) {
      if (typeof storage2[alias + suffix] === "function") {
        prefixed[alias + suffix] = prefixed[name + suffix];
      }
    }
  }
  const { traits, refusesClearOf } = ownerOf(storage2.clear) ?? {};
  const plain = plainOf(storage2);
  const asDriver2 = driverOf(storage2);
  const peek = peekOf(storage2);
  const fullKeys = (keys) => keys.map((key) => base + key);
  own({
    methods: { ...prefixed },
    traits: traits && ((inner = "") => traits(base + inner)),
    refusesClearOf: refusesClearOf && ((key) => refusesClearOf(base + key)),
    peek: peek && {
      items: async (keys) => (await peek.items(fullKeys(keys))).map(relativeItem),
      itemsSync: (keys) => peek.itemsSync(fullKeys(keys)).map(relativeItem)
    },
    commits: commits && {
      commit: commitUnder(commits.commit),
      commitSync: commitUnder(commits.commitSync)
    },
    plain: plain === storage2 ? void 0 : prefixStorage(plain, givenBase),
    asDriver: asDriver2 && prefixStorage(asDriver2, givenBase)
  });
  if (typeof prefixed.getMount === "function" && typeof prefixed.getMounts === "function") {
    showAs(prefixed, () => {
      const root = storage2.getMount(base);
      const inner = prefixed.getMounts().filter((mount) => mount.driver !== root.driver);
      return storageText([...inner, { base: "", driver: root.driver }]);
    });
  }
  return withGuideMethods(prefixed);
}

// src/js/async-context.js
var getAsyncHooks;
api.setAsyncHooks = (get) => {
  getAsyncHooks = get;
};
var storage;
var users = 0;
var lastUse = 0;
var isEnding = false;
var IDLE_MS = 1e3;
var later = setTimeout;
function endLater() {
  isEnding = true;
  const timer = later(() => {
    isEnding = false;
    if (users > 0) return;
    if (now() - lastUse < IDLE_MS) endLater();
    else storage.disable();
  }, IDLE_MS);
  timer?.unref?.();
}
function open2() {
  if (getAsyncHooks === void 0) return void 0;
  const { AsyncLocalStorage } = getAsyncHooks();
  return new AsyncLocalStorage();
}
var canTellCallers = () => getAsyncHooks !== void 0;
var around = () => storage?.getStore() ?? [];
async function runInside(value, run) {
  storage ??= open2();
  if (storage === void 0) return run();
  users += 1;
  lastUse = now();
  try {
    return await storage.run([...around(), value], run);
  } finally {
    users -= 1;
    lastUse = now();
    if (!isEnding) endLater();
  }
}

// src/js/thrown.js
function messageOf(thrown) {
  try {
    return String(thrown?.message ?? thrown);
  } catch {
    return "what was thrown has no text";
  }
}

// src/js/migrate.js
var VERSION_KEY = "__storage_version__";
function asError(thrown) {
  return thrown instanceof Error ? thrown : new Error(messageOf(thrown), { cause: thrown });
}
function failure(message, cause, operation = "migrate") {
  const error = new Error(
    `[electron-async-storage] ${message}`,
    cause === void 0 ? void 0 : { cause }
  );
  return Object.assign(error, { code: "EAS_MIGRATION", operation });
}
function checked(version) {
  if (Number.isSafeInteger(version) && version >= 0) return version;
  const given = typeof version === "string" ? JSON.stringify(version) : String(version);
  throw Object.assign(
    new Error(
      `[electron-async-storage] Invalid option \`version\`: expected a whole number from 0, got ${given}.`
    ),
    { code: "EAS_INVALID_OPTION", operation: "migrate" }
  );
}
function invalidMigrations(what) {
  return Object.assign(
    new Error(
      `[electron-async-storage] Invalid option \`migrations\`: ${what}. Each key is the version that its function brings the data to, a whole number from 1 in plain form, such as 1 or 12.`
    ),
    { code: "EAS_INVALID_OPTION", operation: "createStorage" }
  );
}
function checkSteps(migrations) {
  for (const [key, step] of Object.entries(migrations)) {
    const version = Number(key);
    if (!/^[1-9][0-9]*$/.test(key) || !Number.isSafeInteger(version)) {
      throw invalidMigrations(`${JSON.stringify(key)} is not such a key`);
    }
    if (typeof step !== "function" && step !== void 0) {
      throw invalidMigrations(`what it has for ${key} is not a function`);
    }
  }
}
function stepsBetween(migrations, from, to) {
  checkSteps(migrations);
  return Object.keys(migrations).map(Number).filter((version) => version > from && version <= to && migrations[version] !== void 0).sort((a, b) => a - b).map((version) => migrations[version]);
}
var isMountedIn = (inner, outer) => outer.getMounts().some(({ driver }) => driver.migrate === inner.migrate);
var ends = /* @__PURE__ */ new WeakMap();
function inTurn(driver, run) {
  const turn = (ends.get(driver) ?? Promise.resolve()).then(run);
  ends.set(
    driver,
    turn.catch(() => {
    })
  );
  return turn;
}
function makeMigrations(handle, storage2, options) {
  const { version, migrations, migrationHooks: hooks } = options;
  if (migrations) checkSteps(migrations);
  let running2;
  function insideFailure(operation, instead) {
    return failure(
      `${operation}() was called inside a step or a hook of a migration of the same data, and would wait for itself. Leave the call out: ${instead}.`,
      void 0,
      operation
    );
  }
  async function refuseInside() {
    const others = around().filter((other) => other.isRunning);
    if (others.length === 0) return;
    const isSame3 = others.some(
      ({ storage: other }) => other === storage2 || isMountedIn(other, storage2) || isMountedIn(storage2, other)
    );
    if (isSame3 || await core.isMigrationOpen(handle)) {
      throw insideFailure("migrate", "the steps run in order, each once");
    }
  }
  function refuseWait(operation) {
    if (around().some((other) => other.isRunning && other.storage === storage2)) {
      throw insideFailure(operation, "migrate() makes what the steps wrote durable");
    }
  }
  async function storedVersion() {
    let wasThere = false;
    for (; ; ) {
      const stored = await storage2.getItem(VERSION_KEY);
      if (typeof stored === "number") return stored;
      if (stored === null && !await storage2.hasItem(VERSION_KEY)) return 0;
      if (stored !== null || wasThere) break;
      wasThere = true;
    }
    throw failure(
      `The stored version at ${VERSION_KEY} is not a number. Write the number that the data is at, or remove the item to start from 0.`
    );
  }
  async function runSteps(from, to) {
    await hooks?.beforeMigration?.(from, to, storage2);
    await core.beginSteps(handle);
    for (const step of stepsBetween(migrations, from, to)) await step(storage2);
    await storage2.setItem(VERSION_KEY, to);
    await hooks?.afterMigration?.(from, to, storage2);
  }
  async function undone(error) {
    try {
      await core.undoSteps(handle);
      return error;
    } catch (undoError) {
      const why = asError(undoError).message;
      return failure(
        `The migration failed (${asError(error).message}) and could not be undone (${why}). The next migrate() tries again.`,
        error
      );
    }
  }
  function warn2(what, error) {
    const message = `[electron-async-storage] ${what}: ${asError(error).message}`;
    process.emitWarning(message, { code: "EAS_MIGRATION", type: "StorageWarning" });
  }
  async function reported(error, from, to) {
    let didFail = false;
    try {
      await hooks?.onMigrationError?.(error, from, to, storage2);
    } catch (hookError) {
      didFail = true;
      if (hookError !== error) warn2("The hook onMigrationError failed", hookError);
    }
    try {
      await core.endMigration(handle, didFail);
    } catch (endError) {
      warn2(
        "A migration could not be undone to its end, which the next migrate() will do",
        endError
      );
    }
  }
  async function run() {
    const to = checked(version);
    if (await storedVersion() >= to && !await core.isMigrationOpen(handle)) return;
    let from = 0;
    const place = { storage: storage2, isRunning: true };
    const { driver } = storage2.getMount("");
    const migrateAll = async () => {
      try {
        await core.beginMigration(handle);
        from = await storedVersion();
        if (from < to) await runSteps(from, to);
        await core.commitMigration(handle);
      } catch (error) {
        const outcome = await undone(error);
        await reported(asError(outcome), from, to);
        throw outcome;
      } finally {
        place.isRunning = false;
      }
    };
    await inTurn(driver, () => runInside(place, migrateAll));
  }
  async function settled2() {
    while (running2 !== void 0 && canTellCallers()) await running2.catch(() => {
    });
  }
  const methods2 = {
    async migrate() {
      core.mountOf(handle, "");
      if (version === void 0 || !migrations) return;
      if (around().length > 0) await refuseInside();
      running2 ??= run().finally(() => {
        running2 = void 0;
      });
      await running2;
    },
    async getStorageVersion() {
      return storage2.getItem(VERSION_KEY);
    }
  };
  return { methods: methods2, isRunning: () => running2 !== void 0, refuseWait, settled: settled2 };
}

// src/js/snapshot.js
function put(target, key, value) {
  Object.defineProperty(target, key, {
    value,
    configurable: true,
    enumerable: true,
    writable: true
  });
  return target;
}
var versionKeys = (storage2, base) => [
  base + VERSION_KEY,
  ...(storage2.getMounts?.(base) ?? []).map((mount) => normalizeBaseKey(mount.base) + VERSION_KEY).filter((key) => key !== base + VERSION_KEY)
];
var isStored = ({ value }) => value !== null && value !== void 0;
var isDoubtful = (storage2, { value }) => (value === void 0 || value === null && peekOf(storage2) === void 0 || ArrayBuffer.isView(value)) && typeof storage2.getItemRaw === "function";
async function itemsOf(storage2, keys) {
  const peek = peekOf(storage2);
  if (peek !== void 0) return peek.items(keys);
  return typeof storage2.getItems === "function" ? storage2.getItems(keys) : Promise.all(keys.map(async (key) => ({ key, value: await storage2.getItem(key) })));
}
function itemsOfSync(storage2, keys) {
  const peek = peekOf(storage2);
  if (peek !== void 0) return peek.itemsSync(keys);
  return typeof storage2.getItemsSync === "function" ? storage2.getItemsSync(keys) : keys.map((key) => ({ key, value: storage2.getItemSync(key) }));
}
async function valueForCopy(storage2, key) {
  const peek = peekOf(storage2);
  if (peek === void 0) return storage2.getItem(key);
  const [{ value }] = await peek.items([key]);
  return value ?? null;
}
var isItself = (value, bytes2) => bytes2.equals(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
function isNullInside(value) {
  if (typeof value !== "string") return value === null;
  try {
    return isNullInside(decode(value));
  } catch {
    return false;
  }
}
function settledItem(item, raw) {
  if (raw === null || raw === void 0) return void 0;
  const { key } = item;
  if (typeof raw !== "string" && !ArrayBuffer.isView(raw)) return { key, value: raw };
  const bytes2 = typeof raw === "string" ? Buffer.from(raw) : Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  if (ArrayBuffer.isView(item.value) && !isItself(item.value, bytes2)) return item;
  try {
    const value = decode(bytes2.toString());
    return { key, value: isNullInside(value) ? null : value };
  } catch {
    return { key, value: bytes2 };
  }
}
var toSnapshot = (items, base) => items.filter((item) => item !== void 0).reduce((copy, { key, value }) => put(copy, key.slice(base.length), value), {});
function toItems(copy, base, operation) {
  if (copy === null || typeof copy !== "object") {
    throw wrongArgument("copy", "an object", copy, operation);
  }
  const items = Object.entries(copy).map(([key, value]) => ({ key: base + key, value }));
  const isRaw = ({ value }) => Buffer.isBuffer(value);
  return { values: items.filter((item) => !isRaw(item)), raw: items.filter(isRaw) };
}
async function snapshot(given, givenBase) {
  checkStorage(given, "getKeys", "snapshot");
  const storage2 = plainOf(given);
  const base = normalizeBaseKey(givenBase);
  const keys = await storage2.getKeys(base);
  const [items, versions] = await Promise.all([
    itemsOf(storage2, keys),
    itemsOf(storage2, versionKeys(storage2, base))
  ]);
  const settled2 = await Promise.all(
    items.map(
      async (item) => isDoubtful(storage2, item) ? settledItem(item, await storage2.getItemRaw(item.key)) : item
    )
  );
  return toSnapshot([...versions.filter(isStored), ...settled2], base);
}
function snapshotSync(given, givenBase) {
  checkStorage(given, "getKeysSync", "snapshotSync");
  const storage2 = plainOf(given);
  const base = normalizeBaseKey(givenBase);
  const keys = storage2.getKeysSync(base);
  const items = itemsOfSync(storage2, keys);
  const versions = itemsOfSync(storage2, versionKeys(storage2, base));
  const settled2 = items.map(
    (item) => isDoubtful(storage2, item) ? settledItem(item, storage2.getItemRawSync(item.key)) : item
  );
  return toSnapshot([...versions.filter(isStored), ...settled2], base);
}
async function restoreSnapshot(given, copy, base) {
  checkStorage(given, "setItem", "restoreSnapshot");
  const storage2 = plainOf(given);
  const { values, raw } = toItems(copy, normalizeBaseKey(base), "restoreSnapshot");
  const writes = raw.map(({ key, value }) => storage2.setItemRaw(key, value));
  if (typeof storage2.setItems === "function") writes.push(storage2.setItems(values));
  else writes.push(...values.map(({ key, value }) => storage2.setItem(key, value)));
  await Promise.all(writes);
}
function restoreSnapshotSync(given, copy, base) {
  checkStorage(given, "setItemSync", "restoreSnapshotSync");
  const storage2 = plainOf(given);
  const { values, raw } = toItems(copy, normalizeBaseKey(base), "restoreSnapshotSync");
  if (typeof storage2.setItemsSync === "function") storage2.setItemsSync(values);
  else for (const { key, value } of values) storage2.setItemSync(key, value);
  for (const { key, value } of raw) storage2.setItemRawSync(key, value);
}

// src/js/writer/memory.js
var bytes = new Uint8Array(core.scratch);
var view = new DataView(core.scratch);
var END = bytes.length - 64;
var BAIL = -1;
var OPEN_RECORD = 123;
var CLOSE_RECORD = 125;
var OPEN_LIST = 91;
var CLOSE_LIST = 93;
var COMMA = 44;
var COLON = 58;
var QUOTE = 34;
var BACKSLASH = 92;
var MINUS = 45;
var POINT = 46;
var ZERO = 48;
var wordOf = (text, at) => (codeAt(text, at) || 0) | (codeAt(text, at + 1) || 0) << 8 | (codeAt(text, at + 2) || 0) << 16 | (codeAt(text, at + 3) || 0) << 24;
var NULL_WORD = wordOf("null", 0);
var TRUE_WORD = wordOf("true", 0);
var FALSE_WORD = wordOf("fals", 0);
var LETTER_E = codeAt("e", 0);

// src/js/writer/strings.js
var LONGEST_UNITS_HERE = 256;
var FIRST_PRINTED = 32;
var FIRST_WIDE = 128;
var escapes = new Uint8Array(FIRST_PRINTED);
for (const text of ["\b", "	", "\n", "\f", "\r"])
  escapes[codeAt(text, 0)] = codeAt(stringify(text), 2);
function writeString(text, start) {
  const { length } = text;
  if (start + 2 + 3 * length > END) return BAIL;
  if (length > LONGEST_UNITS_HERE) return writeLongString(text, start);
  let at = start;
  bytes[at++] = QUOTE;
  for (let i = 0; i < length; i++) {
    const unit = codeAt(text, i);
    if (unit >= FIRST_PRINTED && unit < FIRST_WIDE) {
      if (unit === QUOTE || unit === BACKSLASH) bytes[at++] = BACKSLASH;
      bytes[at++] = unit;
    } else if (unit >= FIRST_WIDE) {
      const end = writeWide(text, i, bytes, at);
      if (end === BAIL) return BAIL;
      if (end === at + 4) i++;
      at = end;
    } else {
      const letter = escapes[unit];
      if (letter === 0) return BAIL;
      bytes[at++] = BACKSLASH;
      bytes[at++] = letter;
    }
  }
  bytes[at++] = QUOTE;
  return at;
}
function writeLongString(text, start) {
  if (encodeInto === void 0) return BAIL;
  const room = new Uint8ArrayType(core.scratch, start + 1, 3 * text.length);
  const { written } = encodeInto(encoder, text, room);
  const end = core.escapeScratch(start + 1, start + 1 + written, END);
  if (end < 0) return BAIL;
  bytes[start] = QUOTE;
  bytes[end] = QUOTE;
  return end + 1;
}
function writeWide(text, i, target, at) {
  const unit = codeAt(text, i);
  if (unit < 2048) {
    target[at] = 192 | unit >> 6;
    target[at + 1] = 128 | unit & 63;
    return at + 2;
  }
  if (unit < 55296 || unit > 57343) {
    target[at] = 224 | unit >> 12;
    target[at + 1] = 128 | unit >> 6 & 63;
    target[at + 2] = 128 | unit & 63;
    return at + 3;
  }
  const low = i + 1 < text.length ? codeAt(text, i + 1) : 0;
  if (unit > 56319 || low < 56320 || low > 57343) return BAIL;
  const point = (unit - 55296 << 10) + (low - 56320) + 65536;
  target[at] = 240 | point >> 18;
  target[at + 1] = 128 | point >> 12 & 63;
  target[at + 2] = 128 | point >> 6 & 63;
  target[at + 3] = 128 | point & 63;
  return at + 4;
}

// src/js/writer/names.js
var LONGEST_NAME_UNITS = 96;
var MOST_NAME_WORDS = 8192;
var Name = class _Name {
  // See the codec for why each class keeps one object.
  static kept = new _Name("", 0, 0, 0);
  constructor(name, from, to, length) {
    this.name = name;
    this.from = from;
    this.to = to;
    this.length = length;
    this.next = void 0;
  }
};
var names2 = new MapType();
var beforeFirst = new Name("", 0, 0, 0);
var nameWords = new Int32Array(MOST_NAME_WORDS);
var nameWordCount = 0;
var areNamesFull = false;
function utf8Of(text) {
  const encoded = [];
  for (let i = 0; i < text.length; i++) {
    const unit = codeAt(text, i);
    if (unit < 128) {
      encoded[encoded.length] = unit;
      continue;
    }
    const size = writeWide(text, i, encoded, encoded.length) - encoded.length;
    if (size === 4) i++;
  }
  return encoded;
}
function addName(name) {
  if (areNamesFull || name.length > LONGEST_NAME_UNITS) return void 0;
  const encoded = utf8Of(`,${stringify(name)}:`);
  const from = nameWordCount;
  const to = from + (encoded.length + 3 >> 2);
  areNamesFull = to > MOST_NAME_WORDS;
  if (areNamesFull) return void 0;
  for (let i = from; i < to; i++) {
    const at = (i - from) * 4;
    nameWords[i] = encoded[at] | encoded[at + 1] << 8 | encoded[at + 2] << 16 | encoded[at + 3] << 24;
  }
  nameWordCount = to;
  const added = new Name(name, from, to, encoded.length);
  mapSet(names2, name, added);
  return added;
}

// src/js/writer/numbers.js
function writeDigits(number, at, count) {
  let rest = number;
  for (let place = at + count - 1; place >= at; place--) {
    const next2 = rest / 10 | 0;
    bytes[place] = ZERO + rest - next2 * 10;
    rest = next2;
  }
  return at + count;
}
function digitCount(number) {
  let count = 1;
  for (let limit = 10; number >= limit; limit *= 10) count++;
  return count;
}
function writeNumber(number, start) {
  const size = number < 0 ? -number : number;
  if (!(size < 1e15) || floor(size) !== size || size === 0 && 1 / number < 0) {
    return writeOtherNumber(number, start);
  }
  let at = start;
  if (number < 0) bytes[at++] = MINUS;
  if (size < 1e9) return writeDigits(size, at, digitCount(size));
  const high = floor(size / 1e9);
  at = writeDigits(high, at, digitCount(high));
  return writeDigits(size - high * 1e9, at, 9);
}
var DECIMALS = 6;
var UNIT = 10 ** DECIMALS;
function writeOtherNumber(number, start) {
  if (number - number !== 0 || number === 0) return BAIL;
  const size = number < 0 ? -number : number;
  const scaled = floor(size * UNIT + 0.5);
  if (scaled < 1e15 && scaled / UNIT === size && size >= 1e-6) {
    return writeDecimals(number < 0, scaled, start);
  }
  const text = `${number}`;
  for (let i = 0; i < text.length; i++) bytes[start + i] = codeAt(text, i);
  return start + text.length;
}
function writeDecimals(isNegative, scaled, start) {
  let at = start;
  if (isNegative) bytes[at++] = MINUS;
  const whole = floor(scaled / UNIT);
  at = writeDigits(whole, at, digitCount(whole));
  bytes[at] = POINT;
  at = writeDigits(scaled - whole * UNIT, at + 1, DECIMALS);
  while (bytes[at - 1] === ZERO) at--;
  return at;
}

// src/js/writer/values.js
var FEW_CONTAINERS = 24;
var MOST_DEPTH2 = 24;
var met = new Array(FEW_CONTAINERS).fill(void 0);
var metCount = 0;
var metMany;
var depth = 0;
function meet(container) {
  if (metCount < FEW_CONTAINERS) {
    for (let i = 0; i < metCount; i++) if (met[i] === container) return false;
    met[metCount++] = container;
    return true;
  }
  if (metMany === void 0) {
    metMany = new SetType();
    for (let i = 0; i < FEW_CONTAINERS; i++) setAdd(metMany, met[i]);
  }
  const before = setSize(metMany);
  setAdd(metMany, container);
  return setSize(metMany) !== before;
}
function forgetMet() {
  for (let i = 0; i < metCount; i++) met[i] = void 0;
  metCount = 0;
  metMany = void 0;
  depth = 0;
}
function writeValue(value, at) {
  if (at > END) return BAIL;
  if (typeof value === "string") return writeString(value, at);
  if (typeof value === "number") return writeNumber(value, at);
  if (typeof value === "boolean") {
    setInt32(view, at, value ? TRUE_WORD : FALSE_WORD, true);
    if (value) return at + 4;
    bytes[at + 4] = LETTER_E;
    return at + 5;
  }
  if (typeof value !== "object") return BAIL;
  if (value !== null) return writeContainer(value, at);
  setInt32(view, at, NULL_WORD, true);
  return at + 4;
}
function writeContainer(value, at) {
  if (depth === MOST_DEPTH2 || !meet(value)) return BAIL;
  if (typeof value.toJSON === "function") return BAIL;
  depth++;
  let end;
  if (isArray(value)) {
    end = writeList(value, at);
  } else {
    const prototype = getPrototypeOf(value);
    if (prototype !== objectPrototype && prototype !== null) return BAIL;
    end = writeRecord(value, at);
  }
  depth--;
  return end;
}
function writeList(items, start) {
  const { length } = items;
  let at = start;
  bytes[at++] = OPEN_LIST;
  for (let i = 0; i < length; i++) {
    if (i > 0) bytes[at++] = COMMA;
    at = writeValue(items[i], at);
    if (at === BAIL) return BAIL;
  }
  bytes[at++] = CLOSE_LIST;
  return at;
}
function writeOtherName(name, at, start) {
  bytes[at] = at === start ? OPEN_RECORD : COMMA;
  const end = writeString(name, at + 1);
  if (end === BAIL) return BAIL;
  bytes[end] = COLON;
  return end + 1;
}
var last = beforeFirst;
function writeRecord(record, start) {
  let at = start;
  for (const name in record) {
    const value = record[name];
    let text = last.next;
    if (text === void 0 || text.name !== name) {
      text = mapGet(names2, name) ?? addName(name);
      if (text === void 0) {
        at = writeOtherName(name, at, start);
        if (at === BAIL) return BAIL;
        at = writeValue(value, at);
        if (at === BAIL) return BAIL;
        continue;
      }
      last.next = text;
    }
    last = text;
    if (at + text.length > END) return BAIL;
    const { from, to } = text;
    for (let i = from; i < to; i++) setInt32(view, at + (i - from) * 4, nameWords[i], true);
    if (at === start) bytes[at] = OPEN_RECORD;
    at = writeValue(value, at + text.length);
    if (at === BAIL) return BAIL;
  }
  if (at === start) bytes[at++] = OPEN_RECORD;
  bytes[at++] = CLOSE_RECORD;
  return at;
}
var ENVELOPE_START = '{"json":';
var START = ENVELOPE_START.length;
var START_WORD = wordOf(ENVELOPE_START, 0);
var SECOND_WORD = wordOf(ENVELOPE_START, 4);
function writeEnvelope(value, at) {
  setInt32(view, at, START_WORD, true);
  setInt32(view, at + 4, SECOND_WORD, true);
  last = beforeFirst;
  let end = BAIL;
  try {
    end = writeContainer(value, at + START);
  } finally {
    forgetMet();
  }
  if (end !== BAIL) bytes[end++] = CLOSE_RECORD;
  return end;
}

// src/js/writer/index.js
var MOST_SKIPPED = 15;
var MUCH = bytes.length / 8;
var MOST_AT_ONCE = 256;
var filled = 0;
var isBusy = false;
var misses = 0;
var skips = 0;
function isTried(value) {
  if (typeof value !== "object" || value === null) return false;
  if (skips > 0) {
    skips--;
    return false;
  }
  for (const _ in objectPrototype) return false;
  return true;
}
function write(value, rules2, operation, key, index) {
  if (!isTried(value)) return pack(value, rules2, operation, key, index);
  const end = writeEnvelope(value, filled);
  if (end === BAIL) {
    misses = misses < MOST_SKIPPED ? 2 * misses + 1 : MOST_SKIPPED;
    skips = misses;
    return pack(value, rules2, operation, key, index);
  }
  misses = 0;
  const length = end - filled;
  filled = end;
  return length;
}
function hand(value, rules2, operation, key) {
  if (isBusy) return pack(value, rules2, operation, key);
  isBusy = true;
  filled = 0;
  try {
    return write(value, rules2, operation, key);
  } finally {
    isBusy = false;
  }
}
function handAll(items, take, rules2, operation, keys) {
  const isFirst = !isBusy;
  isBusy = true;
  try {
    const { length } = items;
    let texts = [];
    for (let i = 0; i < length; i++) {
      if (isFirst && texts.length === 0) filled = 0;
      const { value } = items[i];
      if (value === void 0) texts[texts.length] = void 0;
      else if (isFirst) texts[texts.length] = write(value, rules2, operation, keys?.[i], i);
      else texts[texts.length] = pack(value, rules2, operation, keys?.[i], i);
      if (texts.length < MOST_AT_ONCE && filled < MUCH && i + 1 < length) continue;
      take(texts, i + 1 - texts.length);
      texts = [];
    }
  } finally {
    if (isFirst) isBusy = false;
  }
}

// src/js/storage/entry.js
function entryMethods({ handle, findValue, output, line }) {
  const begin = (start) => line === void 0 ? start() : line.run(start);
  const storedIn = (found, key) => found === void 0 ? void 0 : findValue(found[0], key);
  const entryOf2 = (found, value, key) => ({
    key: normalizeKey(key),
    value: value ?? null,
    etag: found === void 0 ? null : found[1]
  });
  return {
    async getEntry(key, opts) {
      const found = await located(begin(() => core.getEntry(handle, key, opts)));
      let value = storedIn(found, key);
      if (output !== void 0) {
        value = output(value, { key, operation: "getEntry", isSync: false });
        if (isThenable(value)) value = await value;
      }
      return entryOf2(found, value, key);
    },
    getEntrySync(key, opts) {
      const found = core.getEntrySync(handle, key, opts);
      let value = storedIn(found, key);
      if (output !== void 0) {
        value = output(value, { key, operation: "getEntrySync", isSync: true });
      }
      return entryOf2(found, value, key);
    }
  };
}

// src/js/storage/envelope.js
var MEMBERS = ["json", "meta", "expires", "fresh"];
var isEnvelope = (parsed3) => typeof parsed3 === "object" && parsed3 !== null && Object.hasOwn(parsed3, "json") && Object.keys(parsed3).every((name) => MEMBERS.includes(name));

// src/js/storage/stored-text.js
function timesIn(text) {
  if (!text.includes('"fresh":') && !text.includes('"expires":')) return {};
  const stored = JSON.parse(text);
  return isEnvelope(stored) ? stored : {};
}
function timesOf(text) {
  const { fresh, expires } = timesIn(text);
  return {
    fresh: typeof fresh === "number" ? fresh : void 0,
    expires: typeof expires === "number" ? expires : void 0
  };
}
var withMembers = (text, members) => members === "" ? text : `${text.slice(0, -1)}${members}}`;
async function readStored(handle, key, options) {
  const stored = await located(core.readText(handle, key, options));
  if (stored === void 0 || stored === null || stored === "") return void 0;
  if (typeof stored !== "string") return { value: stored };
  try {
    const text = stored.replace(/^\ufeff/, "");
    return { ...timesOf(text), text, value: decode(text) };
  } catch {
    core.noteCorrupt(handle, key);
    return void 0;
  }
}

// src/js/storage/get-or-set.js
var now2 = () => Date.now();
var optionOf = (options, name) => options && hasOwn(options, name) ? options[name] : void 0;
function readMs(options, name) {
  const ms = optionOf(options, name);
  if (ms === void 0 || ms === null || ms === 0 || ms === Infinity) return void 0;
  if (typeof ms === "number" && ms > 0) return ms;
  const given = typeof ms === "number" ? `${ms}` : `${typeof ms} ${String(ms)}`;
  throw Object.assign(
    new Error(
      `[electron-async-storage] Invalid option \`${name}\`: expected a number of ms from 0, got ${given}`
    ),
    { code: "EAS_INVALID_OPTION", operation: "getOrSet" }
  );
}
function emptyKey(key) {
  return Object.assign(
    new Error(
      `[electron-async-storage] Invalid key: ${JSON.stringify(key)}. A key must name an item; it has no segment left in normal form`
    ),
    { code: "EAS_INVALID_KEY", operation: "getOrSet", key }
  );
}
function readTimes(options) {
  if (options !== void 0 && options !== null && typeof options !== "object") {
    throw wrongArgument("options", "an object", options, "getOrSet");
  }
  const ttl = readMs(options, "ttl");
  const isForever = optionOf(options, "staleFor") === Infinity;
  const staleFor = readMs(options, "staleFor");
  if (ttl === void 0 || staleFor === void 0 && !isForever) {
    return { freshMs: void 0, lifeMs: ttl, writeOptions: options };
  }
  const lifeMs = staleFor === void 0 ? void 0 : ttl + staleFor;
  const { staleFor: _, ...others } = options;
  return { freshMs: ttl, lifeMs, writeOptions: { ...others, ttl: lifeMs } };
}
var textOf2 = (packed) => packed[0] === "\0" ? packed.slice(1) : `{"json":${packed}}`;
function getOrSetOf(parts) {
  const { handle, lossRules, hasTtl, check, output, line } = parts;
  const refreshes = /* @__PURE__ */ new Map();
  let ended = 0;
  const begin = (start) => line === void 0 ? start() : line.run(start);
  async function find(key, options) {
    const stored = await begin(() => readStored(handle, key, options));
    if (stored === void 0 || stored.expires <= now2()) return void 0;
    return { ...stored, hasCopy: true, isStale: stored.fresh <= now2() };
  }
  const isOther = (found, seen) => found !== void 0 && (found.text !== seen?.text || !found.text && found.value !== seen?.value);
  async function compute(key, fn, times, seen) {
    const computed = await fn();
    if (computed === void 0) return void 0;
    const packed = pack(computed, lossRules, "getOrSet", key);
    const wait = check?.(computed, { key, operation: "getOrSet", isSync: false });
    const found = await find(key);
    if (isOther(found, seen)) return found;
    const write2 = () => {
      const start = now2();
      let members = times.freshMs === void 0 ? "" : `,"fresh":${Math.ceil(start + times.freshMs)}`;
      if (times.lifeMs !== void 0 && !hasTtl(key)) {
        members += `,"expires":${Math.ceil(start + times.lifeMs)}`;
      }
      const given = members === "" ? packed : `\0${withMembers(textOf2(packed), members)}`;
      return core.setItem(handle, key, given, times.writeOptions);
    };
    await located(isThenable(wait) ? line.after(wait, write2) : begin(write2));
    return { text: textOf2(packed) };
  }
  function refresh(name, run) {
    const running2 = refreshes.get(name);
    if (running2 !== void 0) return running2;
    const started = run().finally(() => {
      refreshes.delete(name);
      ended += 1;
    });
    refreshes.set(name, started);
    return started;
  }
  async function lookUp(key, name, fn, times, options) {
    const before = ended;
    const found = await find(key, options);
    const run = async () => {
      if (ended === before) return compute(key, fn, times, found);
      const seen = await find(key, options);
      return seen === void 0 || seen.isStale ? compute(key, fn, times, seen) : seen;
    };
    if (found === void 0) return refresh(name, run);
    if (found.isStale) {
      refresh(name, run).catch((error) => {
        if (error?.code === "EAS_DISPOSED") return;
        warn(
          "EAS_REFRESH",
          `[electron-async-storage] getOrSet could not refresh ${JSON.stringify(name)}, which keeps its old value: ${messageOf(error)}`
        );
      });
    }
    return found;
  }
  function takeValue(found) {
    if (found.text === void 0) return found.value;
    if (!found.hasCopy) return decode(found.text);
    found.hasCopy = false;
    return found.value;
  }
  return async function getOrSet(key, fn, options) {
    if (typeof fn !== "function") {
      throw wrongArgument("argument `fn`", "a function", fn, "getOrSet");
    }
    const times = readTimes(options);
    const name = typeof key === "string" ? normalizeKey(key) : key;
    if (name === "") throw emptyKey(key);
    const found = await lookUp(key, name, fn, times, options);
    if (found === void 0) return null;
    const value = takeValue(found);
    if (output === void 0) return value;
    return output(value, { key, operation: "getOrSet", isSync: false });
  };
}

// src/js/storage/validation.js
var MOST_ISSUES_SHOWN = 3;
function issueText({ message, path }) {
  const place = (path ?? []).map(
    (segment) => String(typeof segment === "object" && segment !== null ? segment.key : segment)
  ).join(".");
  return place === "" ? message : `${place}: ${message}`;
}
function issuesText(issues) {
  const texts = issues.slice(0, MOST_ISSUES_SHOWN).map(issueText);
  return issues.length > texts.length ? `${texts.join("; ")}; …` : texts.join("; ");
}
function failure2(what, place, issues) {
  const { key: given, operation, index } = place;
  const key = normalizeKey(given);
  const item = index === void 0 ? "" : `item ${index} of the batch, `;
  const error = new Error(
    `[electron-async-storage] ${what} does not pass the schema of ${item}key ${JSON.stringify(key)}: ${issuesText(issues)}`
  );
  const about = { code: "EAS_INVALID_VALUE", operation, key, issues };
  return Object.assign(error, about, index === void 0 ? void 0 : { index });
}
function needsPromise(what, { key, operation }) {
  const name = normalizeKey(key);
  return Object.assign(
    new Error(
      `[electron-async-storage] ${what} of key ${JSON.stringify(name)} is asynchronous, and ${operation} cannot wait for it. Use the Promise form, or make it synchronous.`
    ),
    { code: "EAS_SYNC_UNSUPPORTED", operation, key: name }
  );
}
function next(result, what, place, goOn) {
  if (!isThenable(result)) return goOn(result);
  if (place.isSync) {
    result.then(ignore, ignore);
    throw needsPromise(what, place);
  }
  const settled2 = Promise.resolve(result).then(goOn);
  settled2.catch(ignore);
  return settled2;
}
function validation(rules2) {
  const { onInvalid, schemaOf, defaultOf } = rules2;
  function replacement(value, issues, place) {
    if (typeof onInvalid === "function") {
      const given = onInvalid(value, issues, normalizeKey(place.key));
      return next(given, "What `onInvalid` gives for the value", place, (own2) => own2 ?? null);
    }
    if (onInvalid === "keep") return value;
    if (onInvalid === "default") return defaultOf(place.key) ?? null;
    throw failure2("What is stored", place, issues);
  }
  return {
    /** Whether a value may be written: throws, or gives a Promise where the schema does. */
    check(value, place) {
      const schema = value === void 0 ? void 0 : schemaOf(place.key);
      if (schema === void 0) return void 0;
      return next(schema["~standard"].validate(value), "The schema", place, ({ issues }) => {
        if (issues) throw failure2("The value", place, issues);
      });
    },
    /** What a read gives for a stored value; undefined, for none, stays. May be a Promise. */
    output(value, place) {
      const schema = value === void 0 ? void 0 : schemaOf(place.key);
      if (schema === void 0) return value;
      return next(
        schema["~standard"].validate(value),
        "The schema",
        place,
        (result) => result.issues ? replacement(value, result.issues, place) : result.value ?? null
      );
    }
  };
}

// src/js/storage/group.js
var committed = (conflicts) => conflicts === void 0 ? { ok: true } : { ok: false, conflicts };
function refuseKey(key, operation) {
  if (typeof key !== "string") throw wrongArgument("key", "a string", key, operation);
}
var groupsOf = ({ handle, lossRules, check, line }) => function atomic() {
  const checks = [];
  const writes = [];
  const validations = [];
  let isCommitted = false;
  function refuseLate(operation) {
    if (!isCommitted) return;
    throw Object.assign(
      new Error(
        `[electron-async-storage] ${operation}() was called on a group that is committed. Make a new one with atomic().`
      ),
      { code: "EAS_INVALID_ARGUMENT", operation }
    );
  }
  function write2(operation, key, value, opts) {
    const text = value === void 0 ? void 0 : pack(value, lossRules, operation, key);
    const wait = check?.(value, { key, operation, isSync: false });
    if (isThenable(wait)) validations.push({ wait, key });
    writes.push(key, text, opts);
  }
  const commit = () => core.commit(handle, OPERATION.commit, checks, writes);
  const group = {
    check(key, etag) {
      refuseLate("check");
      refuseKey(key, "check");
      if (etag !== null && typeof etag !== "string") {
        throw wrongArgument("etag", "a string, or null for no item", etag, "check");
      }
      checks.push(...checkOfEtag(key, etag));
      return group;
    },
    set(key, value, opts) {
      refuseLate("set");
      refuseKey(key, "set");
      refuseCondition(opts, "set");
      write2("set", key, value, opts);
      return group;
    },
    remove(key) {
      refuseLate("remove");
      refuseKey(key, "remove");
      writes.push(key, void 0, void 0);
      return group;
    },
    async commit() {
      refuseLate("commit");
      isCommitted = true;
      if (line === void 0) return committed(await located(commit()));
      const wait = Promise.all(validations.map((each) => each.wait));
      const started = validations.length === 0 ? line.run(commit) : line.after(wait, commit);
      return committed(await located(started));
    },
    commitSync() {
      refuseLate("commitSync");
      if (validations.length > 0) {
        const { key } = validations[0];
        throw needsPromise("The schema", { key, operation: "commitSync" });
      }
      isCommitted = true;
      return committed(core.commitSync(handle, OPERATION.commitSync, checks, writes));
    }
  };
  return group;
};

// src/js/storage/update-turns.js
var running = [];
var waiting = /* @__PURE__ */ new Set();
var updatesAround = () => around().filter(({ isUpdate, isRunning }) => isUpdate && isRunning);
var isInsideUpdate = (handle) => running.includes(handle) || updatesAround().some((update) => update.handle === handle);
function newUpdate(handle) {
  return {
    isUpdate: true,
    handle,
    outer: updatesAround(),
    isRunning: false,
    isWaiting: false,
    line: void 0,
    abort: void 0
  };
}
async function runOf(update, run) {
  update.isRunning = true;
  try {
    return await new Promise((resolve, reject) => {
      update.abort = reject;
      runInside(update, run).then(resolve, reject);
    });
  } finally {
    update.abort = void 0;
    update.isRunning = false;
  }
}
function runSync(handle, fn, value) {
  running.push(handle);
  try {
    return fn(value);
  } finally {
    running.pop();
  }
}
function isWaitedFor(line, update) {
  const held = update.outer.map((outer) => outer.line);
  const seen = /* @__PURE__ */ new Set();
  const leadsBack = (next2) => {
    if (held.includes(next2)) return true;
    if (seen.has(next2)) return false;
    seen.add(next2);
    return [...waiting].some(
      (other) => other.outer.some((outer) => next2.updates.has(outer)) && leadsBack(other.line)
    );
  };
  return update.outer.length > 0 && leadsBack(line);
}
function makeTurns() {
  const lines = /* @__PURE__ */ new Map();
  return async function inTurn2(key, update, run) {
    if (!canTellCallers()) return run();
    let line = lines.get(key);
    if (line === void 0) {
      line = { updates: /* @__PURE__ */ new Set(), last: Promise.resolve() };
      lines.set(key, line);
    }
    update.line = line;
    if (isWaitedFor(line, update)) return run();
    const before = line.last;
    let leave = (_) => {
    };
    line.last = new Promise((resolve) => {
      leave = resolve;
    });
    const isFirst = line.updates.size === 0;
    line.updates.add(update);
    try {
      if (!isFirst) {
        update.isWaiting = true;
        if (update.outer.length > 0) waiting.add(update);
        await before;
        waiting.delete(update);
        update.isWaiting = false;
      }
      return await run();
    } finally {
      line.updates.delete(update);
      if (line.updates.size === 0) lines.delete(key);
      leave(void 0);
    }
  };
}

// src/js/templates.js
var DEEPEST = 64;
var RECORD = 0;
var LIST = 1;
var DATE = 2;
var SET = 3;
var MAP = 4;
var Template = class _Template {
  // See the codec for why each class keeps one object.
  static kept = new _Template(RECORD, {});
  #isTemplate = true;
  /** Whether an object is one. No driver's own value can pass for it, nor notices that it is asked. */
  static is(object) {
    return #isTemplate in object;
  }
  constructor(kind, source) {
    this.kind = kind;
    this.source = source;
    this.places = [];
    this.parts = [];
  }
};
var Survey = class _Survey {
  static kept = new _Survey();
  constructor() {
    this.met = new SetType();
  }
};
function templateOf(value) {
  if (typeof value !== "object" || value === null) return void 0;
  return templateIn(new Survey(), value, 0);
}
function templateIn(survey, value, depth2) {
  if (depth2 > DEEPEST || setHas(survey.met, value)) return void 0;
  setAdd(survey.met, value);
  if (isArray(value)) return withParts(survey, new Template(LIST, value), depth2);
  switch (getPrototypeOf(value)) {
    case objectPrototype:
      return withParts(survey, new Template(RECORD, value), depth2);
    case datePrototype:
      return new Template(DATE, timeOf(value));
    case setPrototype:
      return ofList(survey, SET, itemsOf2(value), depth2);
    case mapPrototype:
      return ofList(survey, MAP, pairsOf(value), depth2);
    default:
      return void 0;
  }
}
function withParts(survey, template, depth2) {
  const { kind, source, places, parts } = template;
  const names3 = kind === RECORD ? keysOf(source) : source;
  for (let i = 0; i < names3.length; i++) {
    const place = kind === RECORD ? names3[i] : i;
    const inner = source[place];
    if (typeof inner !== "object" || inner === null) continue;
    const part = templateIn(survey, inner, depth2 + 1);
    if (part === void 0) return void 0;
    places[places.length] = place;
    parts[parts.length] = part;
  }
  return template;
}
function ofList(survey, kind, items, depth2) {
  const list = withParts(survey, new Template(LIST, items), depth2);
  return list === void 0 ? void 0 : new Template(kind, list);
}
function itemsOf2(set) {
  const items = [];
  setEach(set, (item) => {
    items[items.length] = item;
  });
  return items;
}
function pairsOf(map) {
  const pairs = [];
  mapEach(map, (item, key) => {
    pairs[pairs.length] = key;
    pairs[pairs.length] = item;
  });
  return pairs;
}
function copyOf(template) {
  switch (template.kind) {
    case RECORD:
      return fill({ ...template.source }, template);
    case LIST:
      return fill(copyOfList(template.source), template);
    case DATE:
      return new DateType(template.source);
    case SET: {
      const items = copyOf(template.source);
      const set = new SetType();
      for (let i = 0; i < items.length; i++) setAdd(set, items[i]);
      return set;
    }
    default: {
      const pairs = copyOf(template.source);
      const map = new MapType();
      for (let i = 0; i < pairs.length; i += 2) mapSet(map, pairs[i], pairs[i + 1]);
      return map;
    }
  }
}
function fill(copy, { places, parts }) {
  for (let i = 0; i < places.length; i++) copy[places[i]] = copyOf(parts[i]);
  return copy;
}
function copyOfList(list) {
  if (ArrayType[species] === ArrayType && arrayPrototype.constructor === ArrayType) {
    return sliceArray(list);
  }
  const copy = [];
  for (let i = 0; i < list.length; i++) {
    const descriptor = (
      /** @type {PropertyDescriptor} */
      {
        __proto__: null,
        value: list[i],
        writable: true,
        enumerable: true,
        configurable: true
      }
    );
    defineProperty(copy, i, descriptor);
  }
  return copy;
}

// src/js/storage/values.js
var { parse: parse2 } = JSON;
function valueIn(text) {
  if (text.charCodeAt(0) !== 0) {
    try {
      return parse2(text);
    } catch {
      return decode(`{"json":${text}}`);
    }
  }
  return text.length === 1 ? null : decode(text.slice(1));
}
core.setTemplateMaker((text) => {
  try {
    return templateOf(valueIn(text));
  } catch {
    return void 0;
  }
});
var isReady = (stored) => typeof stored !== "object" || stored === null || Template.is(stored);
function valueReader(handle) {
  return function readValue(stored, key) {
    if (typeof stored === "string") {
      try {
        return valueIn(stored);
      } catch {
        core.noteCorrupt(handle, key);
        return null;
      }
    }
    if (typeof stored !== "object" || stored === null) return stored ?? null;
    return Template.is(stored) ? copyOf(stored) : stored;
  };
}
function finderWith(onUnreadable) {
  return function findValue(stored, key) {
    if (typeof stored === "string") {
      if (stored.length === 1 && stored.charCodeAt(0) === 0) return void 0;
      try {
        return valueIn(stored);
      } catch {
        onUnreadable(key);
        return void 0;
      }
    }
    if (typeof stored !== "object" || stored === null) return stored ?? void 0;
    return Template.is(stored) ? copyOf(stored) : stored;
  };
}
var valueFinder = (handle) => finderWith((key) => core.noteCorrupt(handle, key));
var peekValue = finderWith(() => void 0);

// src/js/storage/update.js
var MOST_RUNS = 100;
var MOST_MS = 5e3;
var { findForUpdateSync, swapSync } = core;
var lastNumber = 0;
function updatesOf(handle) {
  const running2 = /* @__PURE__ */ new Set();
  function disposed() {
    try {
      core.mountOf(handle, "");
    } catch (error) {
      return Object.assign(error, { operation: "update" });
    }
  }
  return {
    inTurn: makeTurns(),
    running: running2,
    /** Has those fail whose functions are running: the storage is disposed. */
    abort() {
      for (const update of running2) update.abort?.(disposed());
    },
    refuseDisposed() {
      const error = disposed();
      if (error !== void 0) throw error;
    },
    /** Fails for a call that is made by the function of an update. */
    refuseInside(operation) {
      if (!isInsideUpdate(handle)) return;
      throw Object.assign(
        new Error(
          `[electron-async-storage] ${operation}() was called by the function of an update. Call it when the update is done.`
        ),
        { code: "EAS_INSIDE_UPDATE", operation }
      );
    }
  };
}
function makeLimit() {
  let runs = 1;
  let end;
  return {
    isReached() {
      runs += 1;
      end ??= now() + MOST_MS;
      return runs > MOST_RUNS || now() > end;
    }
  };
}
function checkArguments(fn, opts, operation) {
  if (typeof fn !== "function") {
    throw wrongArgument("argument `fn`", "a function", fn, operation);
  }
  refuseCondition(opts, operation);
}
function needsPromise2(key) {
  return Object.assign(
    new Error(
      `[electron-async-storage] The function for key ${JSON.stringify(key)} gave a Promise, which updateSync cannot wait for. Use update.`
    ),
    { code: "EAS_SYNC_UNSUPPORTED", operation: "updateSync", key }
  );
}
function updateMethods(parts) {
  const { handle, findValue, lossRules, conflictAt, updates } = parts;
  const { check, valueFor = (value) => value ?? null, line } = parts;
  const begin = (start) => line === void 0 ? start() : line.run(start);
  const normal = (key) => typeof key === "string" ? normalizeKey(key) : key;
  const changed = (key, operation) => conflictAt(key, operation, "it was changed each time before the new value could be written");
  function change(key, number, next2, opts) {
    if (line === void 0) {
      const text2 = next2 === void 0 ? void 0 : hand(next2, lossRules, "update", key);
      return core.swap(number, text2, opts);
    }
    const text = next2 === void 0 ? void 0 : pack(next2, lossRules, "update", key);
    const wait = check(next2, { key, operation: "update", isSync: false });
    const write2 = () => core.swap(number, text, opts);
    return wait === void 0 ? line.run(write2) : line.after(wait, write2);
  }
  async function run(update, key, fn, opts) {
    const number = ++lastNumber;
    const limit = makeLimit();
    try {
      for (; ; ) {
        const found = begin(() => core.findForUpdate(handle, key, number, opts));
        const stored = isReady(found) ? found : await located(found);
        const place = { key, operation: "update", isSync: false };
        const value = await valueFor(findValue(stored, key), place);
        updates.refuseDisposed();
        const next2 = await runOf(update, () => fn(value));
        if (await located(change(key, number, next2, opts))) return next2;
        if (limit.isReached()) throw changed(key, "update");
      }
    } catch (error) {
      core.forget(number);
      throw error;
    }
  }
  return {
    async update(key, fn, opts) {
      checkArguments(fn, opts, "update");
      const update = newUpdate(handle);
      updates.running.add(update);
      try {
        return await updates.inTurn(normal(key), update, () => run(update, key, fn, opts));
      } finally {
        updates.running.delete(update);
      }
    },
    updateSync(key, fn, opts) {
      checkArguments(fn, opts, "updateSync");
      const place = { key, operation: "updateSync", isSync: true };
      const number = ++lastNumber;
      let limit;
      try {
        for (; ; ) {
          const stored = opts === void 0 ? findForUpdateSync(handle, key, number) : findForUpdateSync(handle, key, number, opts);
          const next2 = runSync(handle, fn, valueFor(findValue(stored, key), place));
          if (isThenable(next2)) {
            next2.then(ignore, ignore);
            throw needsPromise2(normal(key));
          }
          check?.(next2, place);
          const text = next2 === void 0 ? void 0 : hand(next2, lossRules, "updateSync", key);
          const isDone = opts === void 0 ? swapSync(number, text) : swapSync(number, text, opts);
          if (isDone) return next2;
          limit ??= makeLimit();
          if (limit.isReached()) throw changed(key, "updateSync");
        }
      } catch (error) {
        core.forget(number);
        throw error;
      }
    }
  };
}

// src/js/storage/watch-item.js
function keep(value) {
  try {
    return { text: pack(value) };
  } catch {
    return { value };
  }
}
var isSame = (one, other) => one.text === other.text && one.value === other.value;
var copyOf2 = ({ text, value }) => text === void 0 ? value : valueIn(text);
var watchItemOf = (storage2) => async function watchItem(key, callback) {
  if (typeof callback !== "function") {
    throw wrongArgument("listener", "a function", callback, "watchItem");
  }
  const watched = normalizeKey(key);
  let isOver = false;
  let last2;
  async function report(reading) {
    let value;
    try {
      value = await reading;
    } catch (error) {
      if (!isOver && error?.code !== "EAS_DISPOSED") {
        const message = `[electron-async-storage] watchItem could not read ${JSON.stringify(watched)} after a change: ${messageOf(error)}`;
        warn(error?.code ?? "EAS_WATCH", message);
      }
      return;
    }
    const found = keep(value);
    if (isOver || isSame(found, last2)) return;
    const previous = copyOf2(last2);
    last2 = found;
    try {
      const result = callback(value, previous);
      if (isThenable(result)) result.then(ignore, raise);
    } catch (error) {
      raise(error);
    }
  }
  const first = storage2.getItem(key).then((value) => {
    last2 = keep(value);
  });
  let reported = first.catch(ignore);
  const look = () => {
    const reading = storage2.getItem(key);
    reading.catch(ignore);
    reported = reported.then(() => report(reading));
  };
  const end = await storage2.watch((_, changed) => {
    if (changed === watched && !isOver) look();
  });
  const stop = async () => {
    isOver = true;
    await end();
  };
  try {
    await first;
  } catch (error) {
    await stop();
    throw error;
  }
  look();
  return stop;
};

// src/js/storage/daily.js
function dailyMethods(parts) {
  const { storage: storage2, found, shown: shown2 = storage2, readable = found } = parts;
  return {
    watchItem: watchItemOf(shown2),
    entries: entriesOf(shown2, readable),
    entriesSync: entriesSyncOf(shown2, readable),
    getOrSet: getOrSetOf(parts),
    ...entryMethods(parts),
    ...updateMethods(parts),
    atomic: groupsOf(parts)
  };
}

// src/js/storage/line.js
function makeLine() {
  let count = 0;
  let last2 = Promise.resolve();
  async function join2(wait, begin) {
    count += 1;
    const before = last2;
    let release = ignore;
    last2 = new Promise((resolve) => {
      release = () => resolve(void 0);
    });
    let begun;
    try {
      await before;
      await wait;
      begun = begin();
    } finally {
      count -= 1;
      release();
    }
    return begun;
  }
  return {
    /** Begins a call at once, or behind those that wait. */
    run: (begin) => count === 0 ? begin() : join2(void 0, begin),
    /** Begins a call when `wait` is fulfilled; does not begin it where `wait` fails. */
    after(wait, begin) {
      wait.then(ignore, ignore);
      return join2(wait, begin);
    },
    isFree: () => count === 0
  };
}

// src/js/storage/mounted-commit.js
var AS_READ2 = 2;
var isCheck = ({ type }) => type === "check";
var isWrite = ({ type }) => type !== "check";
var bytesOf = (view2) => Buffer.from(view2.buffer, view2.byteOffset, view2.byteLength);
function textFor(value) {
  if (value === void 0 || value === null) return null;
  if (typeof value === "string" || isView(value)) return value;
  try {
    return encode(value);
  } catch {
    return value;
  }
}
function isSame2(one, other) {
  if (isView(one) && isView(other)) return bytesOf(one).equals(bytesOf(other));
  return textFor(one) === textFor(other);
}
var answerOf2 = (conflicts) => conflicts === void 0 ? { ok: true } : { ok: false, conflicts };
function plainCommits({ handle, lossRules, findValue }) {
  const writesOf = (ops) => ops.filter(isWrite).flatMap(({ type, key, value, options }) => {
    const text = type === "remove" ? void 0 : pack(value, lossRules, "commit", key);
    return [key, text, options];
  });
  const isPlain = ({ value, etag }) => etag !== void 0 || value === null || typeof value === "string";
  const checkOfPlain = ({ key, value, etag }) => {
    if (etag !== void 0) return checkOfEtag(key, etag);
    if (value === null) return checkOfEntry(key, void 0);
    return [key, AS_READ2, pack(value, lossRules, "commit", key)];
  };
  function checkOf({ key, value }, entry) {
    const found = entry === void 0 ? void 0 : findValue(entry[0], key);
    return isSame2(found, value) ? checkOfEntry(key, entry) : void 0;
  }
  const isDoubtful2 = (op, conflicts) => !isPlain(op) || op.value === null && conflicts.includes(op.key);
  const mixed = (checks, found) => checks.map((op) => found.has(op) ? found.get(op) : checkOfPlain(op));
  const keysWithout = (checks, list) => checks.filter((_, index) => list[index] === void 0).map(({ key }) => key);
  async function commit(checks, writes, found) {
    const list = mixed(checks, found);
    const missed = keysWithout(checks, list);
    if (missed.length > 0) return missed;
    return located(core.commit(handle, OPERATION.commit, list.flat(), writes));
  }
  function commitSync(checks, writes, found) {
    const list = mixed(checks, found);
    const missed = keysWithout(checks, list);
    if (missed.length > 0) return missed;
    return core.commitSync(handle, OPERATION.commitSync, list.flat(), writes);
  }
  return {
    async commit(ops) {
      const checks = ops.filter(isCheck);
      const writes = writesOf(ops);
      const found = /* @__PURE__ */ new Map();
      const look = (doubtful) => Promise.all(
        doubtful.map(async (op) => {
          const entry = await located(core.getEntry(handle, op.key));
          found.set(op, checkOf(op, entry));
        })
      );
      const bytes2 = checks.filter((op) => !isPlain(op));
      if (bytes2.length > 0) await look(bytes2);
      let conflicts = await commit(checks, writes, found);
      const nulls = checks.filter((op) => isPlain(op) && isDoubtful2(op, conflicts ?? []));
      if (nulls.length > 0) {
        await look(nulls);
        conflicts = await commit(checks, writes, found);
      }
      return answerOf2(conflicts);
    },
    commitSync(ops) {
      const checks = ops.filter(isCheck);
      const writes = writesOf(ops);
      const found = /* @__PURE__ */ new Map();
      const look = (doubtful) => {
        for (const op of doubtful) {
          found.set(op, checkOf(op, core.getEntrySync(handle, op.key)));
        }
      };
      look(checks.filter((op) => !isPlain(op)));
      let conflicts = commitSync(checks, writes, found);
      const nulls = checks.filter((op) => isPlain(op) && isDoubtful2(op, conflicts ?? []));
      if (nulls.length > 0) {
        look(nulls);
        conflicts = commitSync(checks, writes, found);
      }
      return answerOf2(conflicts);
    }
  };
}
function checkedCommits(parts) {
  const { handle, lossRules, findValue, check, valueFor, line, textOf: textOf3, fromText } = parts;
  const shown2 = (entry, place) => valueFor(entry === void 0 ? void 0 : findValue(entry[0], place.key), place);
  const placeOf = ({ key }, operation, isSync) => ({ key, operation, isSync });
  function valuesOf(ops) {
    return ops.filter(isWrite).map((op) => {
      const value = op.type === "remove" ? void 0 : fromText(op.value);
      const text = value === void 0 ? void 0 : pack(value, lossRules, "commit", op.key);
      return { value, write: [op.key, text, op.options], op };
    });
  }
  const writesOf = (values) => values.flatMap(({ write: write2 }) => write2);
  return {
    async commit(ops) {
      const values = valuesOf(ops);
      const checks = [];
      const conflicts = [];
      const compare = async (op) => {
        if (op.etag !== void 0) {
          checks.push(...checkOfEtag(op.key, op.etag));
          return;
        }
        const entry = await located(core.getEntry(handle, op.key));
        const value = await shown2(entry, placeOf(op, "commit", false));
        if (isSame2(textOf3(value), op.value)) checks.push(...checkOfEntry(op.key, entry));
        else conflicts.push(op.key);
      };
      const before = line.run(ignore);
      const prepared = (async () => {
        await before;
        await Promise.all(
          values.map(({ value, op }) => check(value, placeOf(op, "commit", false)))
        );
        await Promise.all(ops.filter(isCheck).map(compare));
      })();
      const found = await line.after(
        prepared,
        () => conflicts.length > 0 ? conflicts : located(core.commit(handle, OPERATION.commit, checks, writesOf(values)))
      );
      return answerOf2(found);
    },
    commitSync(ops) {
      const values = valuesOf(ops);
      for (const { value, op } of values) check(value, placeOf(op, "commitSync", true));
      const isUnread = ({ etag }) => etag !== void 0;
      const unread = ops.filter((op) => isCheck(op) && isUnread(op));
      const entries = ops.filter((op) => isCheck(op) && !isUnread(op)).map((op) => {
        const entry = core.getEntrySync(handle, op.key);
        const value = shown2(entry, placeOf(op, "commitSync", true));
        return { key: op.key, entry, isSame: isSame2(textOf3(value), op.value) };
      });
      const conflicts = entries.filter((each) => !each.isSame).map(({ key }) => key);
      if (conflicts.length > 0) return answerOf2(conflicts);
      const checks = [
        ...entries.flatMap(({ key, entry }) => checkOfEntry(key, entry)),
        ...unread.flatMap(({ key, etag }) => checkOfEtag(key, etag))
      ];
      return answerOf2(core.commitSync(handle, OPERATION.commitSync, checks, writesOf(values)));
    }
  };
}

// src/js/storage/checked.js
var DEFAULTS2 = Symbol.for("electron-async-storage.defaults");
var IN_ORDER = [
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
  "getStorageVersion"
];
var settledAll = (list) => list.some(isThenable) ? Promise.all(list) : void 0;
function copyOfBytes(value) {
  if (Buffer.isBuffer(value)) return Buffer.from(value);
  return typedArrayName(value) === void 0 ? value : value.slice();
}
function readOnce(item) {
  if (item === null || typeof item !== "object") return item;
  const { key, value, options } = item;
  return { key, value, options };
}
function checkedStorage(parts, rules2) {
  const { storage: storage2, handle, found, lossRules, takeWrites, conditional } = parts;
  const { check, output } = validation(rules2);
  const line = makeLine();
  const orDefault = (value, key) => value ?? rules2.defaultOf(key) ?? null;
  const given = (value, key) => value === void 0 ? orDefault(value, key) : value;
  function valueFor(value, place) {
    const shown2 = output(value, place);
    return isThenable(shown2) ? shown2.then((settled2) => given(settled2, place.key)) : given(shown2, place.key);
  }
  function outputs(items, operation, isSync) {
    return items.map(({ key, value }) => output(value, { key, operation, isSync }));
  }
  const withValues = (items, values) => items.map(({ key }, index) => ({ key, value: values[index] }));
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
      return withValues(list, await settledAll(values) ?? values);
    },
    getItemsSync(items, commonOptions) {
      const list = found.getItemsSync(items, commonOptions);
      return withValues(list, outputs(list, "getItemsSync", true));
    }
  };
  const withDefaults = (items) => items.map(({ key, value }) => ({ key, value: given(value, key) }));
  function checkedWrites(given2, commonOptions, operation, isSync) {
    const items = Array.isArray(given2) ? given2.map(readOnce) : given2;
    const writes = takeWrites(items, commonOptions, operation);
    try {
      const { keys } = readBatch(items, commonOptions);
      const checks = items.map(
        ({ value }, index) => check(value, { key: keys[index], operation, index, isSync })
      );
      return { writes, wait: settledAll(checks) };
    } catch (error) {
      core.dropWrites(writes);
      throw error;
    }
  }
  function writeOf(key, value, opts) {
    if (hasCondition(opts)) {
      const commit = conditional.setting("setItem", key, value, opts);
      if (commit !== void 0) return () => conditional.commit(commit);
      return writeOf(key, value, withoutCondition(opts));
    }
    if (value === void 0) return () => storage2.removeItem(key, opts);
    const packed = pack(value, lossRules, "setItem", key);
    return () => located(core.setItem(handle, key, packed, opts));
  }
  const checked2 = {
    ...storage2,
    [DEFAULTS2]: rules2.defaults,
    async getItem(key, opts) {
      return given(await readable.getItem(key, opts), key);
    },
    getItemSync: (key, opts) => given(readable.getItemSync(key, opts), key),
    async getItems(items, commonOptions) {
      return withDefaults(await readable.getItems(items, commonOptions));
    },
    getItemsSync: (items, commonOptions) => withDefaults(readable.getItemsSync(items, commonOptions)),
    async setItem(key, value, opts) {
      const wait = check(value, { key, operation: "setItem", isSync: false });
      if (wait === void 0 && line.isFree()) return storage2.setItem(key, value, opts);
      const write2 = writeOf(key, value, opts);
      await (wait === void 0 ? line.run(write2) : line.after(wait, write2));
    },
    setItemSync(key, value, opts) {
      check(value, { key, operation: "setItemSync", isSync: true });
      storage2.setItemSync(key, value, opts);
    },
    async setItems(items, commonOptions) {
      const { writes, wait } = checkedWrites(items, commonOptions, "setItems", false);
      const write2 = () => located(core.setItems(handle, writes, commonOptions));
      if (wait === void 0) await line.run(write2);
      else {
        wait.catch(() => core.dropWrites(writes));
        await line.after(wait, write2);
      }
    },
    setItemsSync(items, commonOptions) {
      const { writes } = checkedWrites(items, commonOptions, "setItemsSync", true);
      core.setItemsSync(handle, writes, commonOptions);
    }
  };
  if (rules2.hasSchemas) {
    for (const name of IN_ORDER) {
      checked2[name] = async (...args) => line.run(() => storage2[name](...args));
    }
    checked2.setItemRaw = async (key, value, opts) => {
      const taken = line.isFree() ? value : copyOfBytes(value);
      await line.run(() => storage2.setItemRaw(key, taken, opts));
    };
    checked2.setMeta = async (key, value, opts) => {
      if (value === void 0) return checked2.removeMeta(key, opts);
      const packed = pack(value, lossRules, "setMeta", key);
      await line.run(() => located(core.setMeta(handle, key, packed, opts)));
    };
  }
  const own2 = { ...parts, shown: checked2, readable, check, output, valueFor, line };
  Object.assign(checked2, dailyMethods(own2));
  return { checked: checked2, asDriver: asDriver(own2, { checked: checked2, check, output, given, line }) };
}
function asDriver(parts, { checked: checked2, check, output, given, line }) {
  const { storage: storage2, handle } = parts;
  const textOf3 = (value) => {
    if (value === null || value === void 0) return null;
    if (typeof value === "string" && value.startsWith('{"json":')) return value;
    return encode(value);
  };
  const fromText = (text) => typeof text === "string" ? decode(text) : text;
  const textItems = (items) => items.map(({ key, value }) => ({ key, value: textOf3(value) }));
  const valueItems = (items) => items.map((item) => ({ ...item, value: fromText(item.value) }));
  return {
    ...checked2,
    flags: storage2.flags,
    ...checkedCommits({ ...parts, textOf: textOf3, fromText }),
    async getItem(key, opts) {
      const stored = await line.run(() => readStored(handle, key, opts));
      const place = { key, operation: "getItem", isSync: false };
      const text = textOf3(given(await output(stored?.value, place), key));
      const isTimed = text !== null && stored?.fresh !== void 0;
      return isTimed ? withMembers(text, `,"fresh":${stored.fresh}`) : text;
    },
    getItemSync: (key, opts) => textOf3(checked2.getItemSync(key, opts)),
    getItems: async (items, opts) => textItems(await checked2.getItems(items, opts)),
    getItemsSync: (items, opts) => textItems(checked2.getItemsSync(items, opts)),
    async setItem(key, text, opts) {
      const value = fromText(text);
      if (typeof text !== "string" || timesOf(text).fresh === void 0) {
        return checked2.setItem(key, value, opts);
      }
      const wait = check(value, { key, operation: "setItem", isSync: false });
      const write2 = () => located(core.setItem(handle, key, `\0${text}`, opts));
      return wait === void 0 ? line.run(write2) : line.after(wait, write2);
    },
    setItemSync: (key, text, opts) => checked2.setItemSync(key, fromText(text), opts),
    setItems: async (items, opts) => checked2.setItems(valueItems(items), opts),
    setItemsSync: (items, opts) => checked2.setItemsSync(valueItems(items), opts)
  };
}

// src/js/storage/conditional-writes.js
function conditionalWrites({ handle, lossRules, conflictAt }) {
  const changed = (key, operation) => conflictAt(
    key,
    operation,
    "it is no longer what `ifMatch` names. Read it again with getEntry, or use update"
  );
  async function commit(operation, key, etag, writes) {
    const conflicts = await located(
      core.commit(handle, OPERATION[operation], checkOfEtag(key, etag), writes)
    );
    if (conflicts !== void 0) throw changed(key, operation);
  }
  function commitSync(operation, key, etag, writes) {
    const check = checkOfEtag(key, etag);
    const conflicts = core.commitSync(handle, OPERATION[operation], check, writes);
    if (conflicts !== void 0) throw changed(key, operation);
  }
  function setting(operation, key, value, opts) {
    const etag = conditionOf(opts, operation);
    if (etag === void 0) return void 0;
    const text = value === void 0 ? void 0 : pack(value, lossRules, operation, key);
    return [operation, key, etag, [key, text, withoutCondition(opts)]];
  }
  function removal(operation, key, removeMeta, opts) {
    const etag = conditionOf(opts, operation);
    if (etag === void 0) return void 0;
    const others = withoutCondition(opts);
    const writes = [key, void 0, others];
    if (removeMeta) writes.push(`${normalizeKey(key)}$`, void 0, others);
    return [operation, key, etag, writes];
  }
  return {
    setting,
    removal,
    commit: (given) => commit(...given),
    commitSync: (given) => commitSync(...given)
  };
}

// src/js/storage/conflicts.js
function conflictFinder(mounted) {
  function driverAt(key) {
    const bases = [...mounted.keys()].filter((base2) => key.startsWith(base2));
    const base = bases.reduce((longest, each) => each.length > longest.length ? each : longest);
    const { name } = mounted.get(base).driver;
    return typeof name === "string" && name !== "" ? name : "custom";
  }
  return function conflictAt(given, operation, why) {
    const key = normalizeKey(given);
    const driver = driverAt(key);
    const error = new Error(
      `[electron-async-storage] [${driver}] Conflict at ${JSON.stringify(key)}: ${why}. Nothing was written`
    );
    return Object.assign(error, { code: "EAS_CONFLICT", driver, operation, key });
  };
}

// src/js/storage/finding-reads.js
function findingReads(handle, readItems, readManyItems) {
  const findValue = valueFinder(handle);
  return {
    async getItem(key, opts) {
      return findValue(await located(core.getItem(handle, key, opts)), key);
    },
    getItemSync: (key, opts) => findValue(core.getItemSync(handle, key, opts), key),
    async getItems(items, commonOptions) {
      const { keys, options } = readBatch(items, commonOptions);
      if (keys.length > SLICE) return readManyItems(keys, options, commonOptions, findValue);
      const stored = await located(core.getItems(handle, keys, options, commonOptions));
      return readItems(keys, stored, findValue);
    },
    getItemsSync(items, commonOptions) {
      const { keys, options } = readBatch(items, commonOptions);
      const stored = core.getItemsSync(handle, keys, options, commonOptions);
      return readItems(keys, stored, findValue);
    }
  };
}

// src/js/storage/key-patterns.js
function keyPattern(pattern) {
  const parts = pattern.split(":");
  if (parts.some((part) => part.includes("*") && part !== "*" && part !== "**")) return void 0;
  return (key) => fits(parts, key.split(":"));
}
function fits(parts, segments) {
  let part = 0;
  let segment = 0;
  let afterMany = -1;
  let nextStart = 0;
  while (segment < segments.length) {
    if (parts[part] === "**") {
      part += 1;
      segment += 1;
      afterMany = part;
      nextStart = segment;
    } else if (part < parts.length && (parts[part] === "*" || parts[part] === segments[segment])) {
      part += 1;
      segment += 1;
    } else if (afterMany !== -1) {
      nextStart += 1;
      part = afterMany;
      segment = nextStart;
    } else return false;
  }
  return part === parts.length;
}

// src/js/storage/item-rules.js
var CHOICES = ["throw", "default", "keep"];
function invalidOption(name, message) {
  return Object.assign(
    new Error(`[electron-async-storage] Invalid option \`${name}\`: ${message}`),
    { code: "EAS_INVALID_OPTION", operation: "createStorage" }
  );
}
var shown = (value) => typeof value === "string" ? JSON.stringify(value) : describe(value);
function entriesOf2(name, given) {
  if (given === void 0 || given === null) return [];
  if (typeof given !== "object" || Array.isArray(given)) {
    const type = Array.isArray(given) ? "an array" : shown(given);
    throw invalidOption(name, `expected an object of keys, got ${type}`);
  }
  const seen = /* @__PURE__ */ new Set();
  return Object.entries(given).map(([spelling, value]) => {
    const key = normalizeKey(spelling);
    if (key === "") throw invalidOption(name, `${JSON.stringify(spelling)} names no item`);
    if (seen.has(key)) throw invalidOption(name, `it has ${JSON.stringify(key)} twice`);
    seen.add(key);
    return [key, value];
  });
}
function copierOf(key, value, lossRules) {
  const packed = pack(value, lossRules, "createStorage", key);
  const template = templateOf(valueIn(packed));
  return template === void 0 ? () => valueIn(packed) : () => copyOf(template);
}
function checkedSchema(key, schema) {
  const isCallable = typeof schema === "function" || typeof schema === "object" && schema !== null;
  if (isCallable && typeof schema["~standard"]?.validate === "function") return schema;
  throw invalidOption(
    "schemas",
    `what it has for ${JSON.stringify(key)} is no Standard Schema, such as those of zod, valibot and arktype: got ${shown(schema)}`
  );
}
var isItem = (key) => typeof key === "string" && !key.endsWith("$") && key !== VERSION_KEY && !key.endsWith(`:${VERSION_KEY}`);
function itemRules({ defaults, schemas, onInvalid = "throw" }, lossRules) {
  if (typeof onInvalid !== "function" && !CHOICES.includes(onInvalid)) {
    throw invalidOption(
      "onInvalid",
      `expected "throw", "default", "keep" or a function, got ${shown(onInvalid)}`
    );
  }
  const copiers = /* @__PURE__ */ new Map();
  for (const [key, value] of entriesOf2("defaults", defaults)) {
    if (value !== void 0) copiers.set(key, copierOf(key, value, lossRules));
  }
  const exact = /* @__PURE__ */ new Map();
  const patterns = [];
  for (const [key, schema] of entriesOf2("schemas", schemas)) {
    if (schema === void 0) continue;
    checkedSchema(key, schema);
    if (!key.includes("*")) exact.set(key, schema);
    else {
      const matches = keyPattern(key);
      if (matches === void 0) {
        throw invalidOption(
          "schemas",
          `the pattern ${JSON.stringify(key)} has a \`*\` inside a segment. \`*\` stands for one whole segment, \`**\` for one or more`
        );
      }
      patterns.push({ matches, schema });
    }
  }
  if (copiers.size === 0 && exact.size === 0 && patterns.length === 0) return void 0;
  return {
    onInvalid,
    hasSchemas: exact.size > 0 || patterns.length > 0,
    /** Pairs of key and a new copy of its default. */
    defaults: () => [...copiers].map(([key, copy]) => [key, copy()]),
    /** A new copy of the default of a key; undefined where it has none. */
    defaultOf: (key) => copiers.get(typeof key === "string" ? normalizeKey(key) : key)?.(),
    /** The schema of a key: its own, or that of the first pattern that fits. */
    schemaOf(given) {
      const key = typeof given === "string" ? normalizeKey(given) : given;
      if (!isItem(key)) return void 0;
      return exact.get(key) ?? patterns.find(({ matches }) => matches(key))?.schema;
    }
  };
}

// src/js/storage/value-rules.js
var CHOICES2 = ["warn", "error", "ignore"];
var MOST_REPORTED = 1024;
function valueRules(onLossy = "warn") {
  if (typeof onLossy !== "string" || !CHOICES2.includes(onLossy)) {
    const given = typeof onLossy === "string" ? JSON.stringify(onLossy) : describe(onLossy);
    const error = new Error(
      `[electron-async-storage] Invalid option \`onLossy\`: expected "warn", "error" or "ignore", got ${given}`
    );
    throw Object.assign(error, { code: "EAS_INVALID_OPTION", operation: "createStorage" });
  }
  const reported = /* @__PURE__ */ new Set();
  return {
    onLossy,
    normalizeKey,
    isReported: (name) => reported.has(name),
    report(name, message) {
      if (reported.size >= MOST_REPORTED) reported.clear();
      reported.add(name);
      warn("EAS_LOSSY_VALUE", message);
    }
  };
}

// src/js/storage/index.js
var { getItem, getItemSync, setItem, setItemSync } = core;
function openDriver(driver, operation) {
  const opened = open(driver);
  if (opened === void 0) {
    throw wrongArgument("driver", "an object with at least a `getItem` method", driver, operation);
  }
  return { driver, ...opened };
}
function createStorage(options = {}) {
  if (options === null || typeof options !== "object") {
    throw wrongArgument("options", "an object", options, "createStorage");
  }
  if (isDriver(options)) {
    const error = new Error(
      "[electron-async-storage] createStorage takes options, not a driver: createStorage({ driver: … })"
    );
    throw Object.assign(error, { code: "EAS_INVALID_OPTION", operation: "createStorage" });
  }
  warnOfUnknown("createStorage", options);
  const rules2 = valueRules(options.onLossy);
  const root = openDriver(options.driver ?? factories.memory(), "createStorage");
  const handle = core.createStorage(root.handle);
  const mounted = /* @__PURE__ */ new Map([["", root]]);
  const watch = listeners(handle);
  const readValue = valueReader(handle);
  const conflictAt = conflictFinder(mounted);
  const conditional = conditionalWrites({ handle, lossRules: rules2, conflictAt });
  const updates = updatesOf(handle);
  let migrations;
  const refuseDisposed = () => void core.mountOf(handle, "");
  let disposed;
  let shown2;
  function readItems(keys, stored, read = readValue) {
    return keys.map((key, index) => ({
      key: normalizeKey(key),
      value: read(stored[index], key)
    }));
  }
  async function readManyItems(keys, itemOptions, commonOptions, read = readValue, isQuiet = false) {
    const batch = core.openBatch();
    const ask = (from, to) => {
      core.askFor(batch, keys.slice(from, to), itemOptions?.slice(from, to), commonOptions);
    };
    if (keys.length <= MANY) ask(0, keys.length);
    else await inTurns(keys.length, ask);
    await core.find(handle, batch, commonOptions, isQuiet);
    const items2 = [];
    await inTurns(keys.length, (from, to) => {
      items2.push(...readItems(keys.slice(from, to), core.takeFound(batch, from, to), read));
    });
    return items2;
  }
  function takeWrites(items2, commonOptions, operation) {
    const { keys, options: itemOptions } = readBatch(items2, commonOptions);
    refuseCondition(commonOptions, operation);
    itemOptions?.forEach((opts) => {
      refuseCondition(opts, operation);
    });
    const given = items2.map((item, index) => {
      if (item === null || typeof item !== "object") {
        throw wrongArgument(`item ${index}`, "{ key, value }", item, operation);
      }
      return item;
    });
    const writes = core.openWrites();
    try {
      const add = (texts, from) => {
        const to = from + texts.length;
        const options2 = itemOptions?.slice(from, to);
        core.addWrites(writes, keys.slice(from, to), texts, options2, commonOptions);
      };
      handAll(given, add, rules2, operation, keys);
    } catch (error) {
      core.dropWrites(writes);
      throw error;
    }
    return writes;
  }
  function mergeMeta(found, key) {
    const [native, custom] = found;
    const meta = Object.assign(/* @__PURE__ */ Object.create(null), readMeta(native));
    const stored = readValue(custom, `${key}$`);
    if (stored !== null && typeof stored === "object") {
      Object.assign(meta, stored);
      for (const name of ["atime", "mtime"]) {
        if (typeof meta[name] === "string") meta[name] = new Date(meta[name]);
      }
    }
    return meta;
  }
  const optionOf2 = (opts, name) => opts && hasOwn(opts, name) ? opts[name] : void 0;
  const metaOptions = (opts) => typeof opts === "boolean" ? { nativeOnly: opts } : opts;
  const removeOptions = (opts) => typeof opts === "boolean" ? { removeMeta: opts } : opts;
  function refuseWait(operation) {
    migrations.refuseWait(operation);
    updates.refuseInside(operation);
  }
  const storage2 = {
    async hasItem(key, opts) {
      return located(core.hasItem(handle, key, opts));
    },
    async getItem(key, opts) {
      const stored = opts === void 0 ? getItem(handle, key) : getItem(handle, key, opts);
      return readValue(isReady(stored) ? stored : await located(stored), key);
    },
    async getItems(items2, commonOptions) {
      const { keys, options: itemOptions } = readBatch(items2, commonOptions);
      if (keys.length > SLICE) return readManyItems(keys, itemOptions, commonOptions);
      return readItems(
        keys,
        await located(core.getItems(handle, keys, itemOptions, commonOptions))
      );
    },
    async getItemRaw(key, opts) {
      return await located(core.getItemRaw(handle, key, opts)) ?? null;
    },
    async setItem(key, value, opts) {
      if (hasCondition(opts)) {
        const commit = conditional.setting("setItem", key, value, opts);
        if (commit !== void 0) return conditional.commit(commit);
        opts = withoutCondition(opts);
      }
      const done = value === void 0 ? core.removeItem(handle, key, false, opts) : opts === void 0 ? setItem(handle, key, hand(value, rules2, "setItem", key)) : setItem(handle, key, hand(value, rules2, "setItem", key), opts);
      if (done === void 0) return;
      try {
        await done;
      } catch (error) {
        throw withCaller(error);
      }
    },
    async setItems(items2, commonOptions) {
      await located(
        core.setItems(handle, takeWrites(items2, commonOptions, "setItems"), commonOptions)
      );
    },
    async setItemRaw(key, value, opts) {
      refuseCondition(opts, "setItemRaw");
      await located(
        value === void 0 ? core.removeItem(handle, key, false, opts) : core.setItemRaw(handle, key, value, opts)
      );
    },
    async removeItem(key, opts) {
      let given = removeOptions(opts);
      if (hasCondition(given)) {
        const removeMeta = optionOf2(given, "removeMeta");
        const commit = conditional.removal("removeItem", key, removeMeta, given);
        if (commit !== void 0) return conditional.commit(commit);
        given = withoutCondition(given);
      }
      await located(core.removeItem(handle, key, optionOf2(given, "removeMeta"), given));
    },
    async getMeta(key, opts) {
      const given = metaOptions(opts);
      return mergeMeta(
        await located(core.getMeta(handle, key, optionOf2(given, "nativeOnly"), given)),
        key
      );
    },
    async setMeta(key, value, opts) {
      await located(
        value === void 0 ? core.removeMeta(handle, key, opts) : core.setMeta(handle, key, pack(value, rules2, "setMeta", key), opts)
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
      if (disposed === void 0) refuseWait("dispose");
      disposed ??= (async () => {
        if (migrations.isRunning()) await migrations.settled();
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
      const stored = opts === void 0 ? getItemSync(handle, key) : getItemSync(handle, key, opts);
      return readValue(stored, key);
    },
    getItemsSync(items2, commonOptions) {
      const { keys, options: itemOptions } = readBatch(items2, commonOptions);
      return readItems(keys, core.getItemsSync(handle, keys, itemOptions, commonOptions));
    },
    getItemRawSync(key, opts) {
      return core.getItemRawSync(handle, key, opts) ?? null;
    },
    setItemSync(key, value, opts) {
      if (hasCondition(opts)) {
        const commit = conditional.setting("setItemSync", key, value, opts);
        if (commit !== void 0) return conditional.commitSync(commit);
        opts = withoutCondition(opts);
      }
      if (value === void 0) core.removeItemSync(handle, key, false, opts);
      else if (opts === void 0) {
        setItemSync(handle, key, hand(value, rules2, "setItemSync", key));
      } else {
        setItemSync(handle, key, hand(value, rules2, "setItemSync", key), opts);
      }
    },
    setItemsSync(items2, commonOptions) {
      core.setItemsSync(handle, takeWrites(items2, commonOptions, "setItemsSync"), commonOptions);
    },
    setItemRawSync(key, value, opts) {
      refuseCondition(opts, "setItemRawSync");
      if (value === void 0) core.removeItemSync(handle, key, false, opts);
      else core.setItemRawSync(handle, key, value, opts);
    },
    removeItemSync(key, opts) {
      let given = removeOptions(opts);
      if (hasCondition(given)) {
        const removeMeta = optionOf2(given, "removeMeta");
        const commit = conditional.removal("removeItemSync", key, removeMeta, given);
        if (commit !== void 0) return conditional.commitSync(commit);
        given = withoutCondition(given);
      }
      core.removeItemSync(handle, key, optionOf2(given, "removeMeta"), given);
    },
    getMetaSync(key, opts) {
      const given = metaOptions(opts);
      return mergeMeta(core.getMetaSync(handle, key, optionOf2(given, "nativeOnly"), given), key);
    },
    setMetaSync(key, value, opts) {
      if (value === void 0) core.removeMetaSync(handle, key, opts);
      else core.setMetaSync(handle, key, pack(value, rules2, "setMetaSync", key), opts);
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
      return shown2;
    },
    async unmount(base, dispose = true) {
      const mount = core.mountOf(handle, base);
      const opened = mounted.get(mount);
      if (normalizeBaseKey(base) !== mount || mount === "") return;
      mounted.delete(mount);
      await core.unmount(handle, base, dispose);
      return void opened;
    },
    getMount(key = "") {
      const base = core.mountOf(handle, key);
      return { base, driver: mounted.get(base).driver };
    },
    getMounts(base = "", opts = {}) {
      const bases = core.mountBases(handle, base, opts?.parents);
      return bases.map((mount) => ({ base: mount, driver: mounted.get(mount).driver }));
    }
  };
  shown2 = storage2;
  if (isGuest) takeHome(storage2);
  showAs(storage2, () => storageText([...mounted].map(([base, { driver }]) => ({ base, driver }))));
  migrations = makeMigrations(handle, storage2, options);
  Object.assign(storage2, aliases(storage2), migrations.methods);
  const traits = (base = "") => {
    const bases = /* @__PURE__ */ new Set([core.mountOf(handle, base), ...core.mountBases(handle, base, false)]);
    return traitsOfAll([...bases].map((mount) => mounted.get(mount).traits));
  };
  const refusesClearOf = (key) => core.refusesClearOf(handle, key);
  const parts = {
    handle,
    storage: storage2,
    lossRules: rules2,
    takeWrites,
    conditional,
    conflictAt,
    updates,
    findValue: valueFinder(handle),
    found: findingReads(handle, readItems, readManyItems),
    hasTtl: (key) => Boolean(mounted.get(core.mountOf(handle, key)).traits.ttl)
  };
  const peek = {
    items: (keys) => readManyItems(keys, void 0, void 0, peekValue, true),
    itemsSync: (keys) => readItems(keys, core.getItemsSync(handle, keys, void 0, void 0, true), peekValue)
  };
  const items = itemRules(options, rules2);
  Object.assign(storage2, dailyMethods(parts));
  const commits = plainCommits(parts);
  own({ methods: { ...storage2 }, traits, refusesClearOf, peek, commits });
  if (items === void 0) return withGuideMethods(storage2);
  withGuideMethods(storage2);
  const { checked: checked2, asDriver: asDriver2 } = checkedStorage(parts, items);
  shown2 = checked2;
  Object.assign(shown2, aliases(shown2));
  showAs(shown2, () => storageText(storage2.getMounts()));
  own({ methods: { ...shown2 }, traits, refusesClearOf, plain: storage2, asDriver: asDriver2 });
  return withGuideMethods(shown2);
}
function aliases(storage2) {
  return {
    keys: storage2.getKeys,
    get: storage2.getItem,
    set: storage2.setItem,
    has: storage2.hasItem,
    del: storage2.removeItem,
    remove: storage2.removeItem,
    keysSync: storage2.getKeysSync,
    getSync: storage2.getItemSync,
    setSync: storage2.setItemSync,
    hasSync: storage2.hasItemSync,
    delSync: storage2.removeItemSync,
    removeSync: storage2.removeItemSync
  };
}

// src/js/text.js
var rules;
function stringify2(value) {
  rules ??= valueRules();
  const packed = pack(value, rules);
  return packed[0] === "\0" ? packed.slice(1) : `{"json":${packed}}`;
}
function parse3(text) {
  if (typeof text !== "string") throw wrongArgument("text", "a string", text, "parse");
  try {
    return decode(text.replace(/^\ufeff/, ""));
  } catch (cause) {
    throw Object.assign(
      new Error(
        `[electron-async-storage] Cannot parse value! It is no JSON text, or no value in the format of superjson: ${cause?.message}`,
        { cause }
      ),
      { code: "EAS_CORRUPT_VALUE", operation: "parse" }
    );
  }
}

// src/js/transfer/format.js
var FORMAT = "electron-async-storage";
var FORMAT_VERSION = 1;
var AT_ONCE = 64;

// src/js/transfer/export.js
function parsed(text) {
  try {
    return { json: JSON.parse(text) };
  } catch {
    return void 0;
  }
}
function textIn(bytes2) {
  const text = bytes2.toString();
  return Buffer.from(text).equals(bytes2) ? text.replace(/^\ufeff/, "") : void 0;
}
var bytesOf2 = (view2) => Buffer.from(view2.buffer, view2.byteOffset, view2.byteLength);
async function contentOf(storage2, key) {
  const stored = await storage2.getItemRaw(key);
  if (stored === void 0 || stored === null) return void 0;
  if (typeof stored !== "string" && !ArrayBuffer.isView(stored) && !(stored instanceof ArrayBuffer)) {
    return { value: JSON.parse(encode(stored)) };
  }
  const bytes2 = typeof stored === "string" ? void 0 : stored instanceof ArrayBuffer ? Buffer.from(stored) : bytesOf2(stored);
  const text = bytes2 === void 0 ? String(stored).replace(/^\ufeff/, "") : textIn(bytes2);
  const whole = text === void 0 ? void 0 : parsed(text);
  if (whole !== void 0) {
    const value = await valueForCopy(storage2, key);
    const isText = !ArrayBuffer.isView(value) && !(value instanceof ArrayBuffer);
    if (isText && isEnvelope(whole.json)) return { value: whole.json };
    if (isText && (bytes2 === void 0 || typeof whole.json === "object")) {
      return { value: JSON.parse(encode(value)) };
    }
  }
  return { raw: (bytes2 ?? Buffer.from(String(stored))).toString("base64") };
}
async function lineOf(storage2, key, relativeKey) {
  const content = await contentOf(storage2, key);
  if (content === void 0) return void 0;
  const { ttl } = await storage2.getMeta(key, { nativeOnly: true });
  const end = typeof ttl === "number" ? Math.ceil(Date.now() + ttl) : void 0;
  const line = { key: relativeKey };
  let expires = end;
  if (content.value === void 0) line.raw = content.raw;
  else {
    const { expires: own2, ...envelope } = content.value;
    line.value = envelope;
    if (typeof own2 === "number") expires = own2;
  }
  if (expires !== void 0) line.expires = expires;
  const metadata = await valueForCopy(storage2, `${key}$`);
  if (metadata !== null && metadata !== void 0) line.metadata = JSON.parse(encode(metadata));
  return JSON.stringify(line);
}
async function* linesOf(storage2, base, listing) {
  const version = await valueForCopy(storage2, base + VERSION_KEY);
  yield JSON.stringify({
    format: FORMAT,
    formatVersion: FORMAT_VERSION,
    storageVersion: typeof version === "number" ? version : null
  });
  const inner = versionKeys(storage2, base).filter((key) => key !== base + VERSION_KEY);
  const keys = [...inner, ...await listing];
  for (let at = 0; at < keys.length; at += AT_ONCE) {
    const slice2 = keys.slice(at, at + AT_ONCE);
    const lines = await Promise.all(
      slice2.map((key) => lineOf(storage2, key, key.slice(base.length)))
    );
    yield* lines.filter((line) => line !== void 0);
  }
}
function exportStorage(given, givenBase) {
  checkStorage(given, "getKeys", "exportStorage");
  const storage2 = plainOf(given);
  const base = normalizeBaseKey(givenBase);
  const listing = storage2.getKeys(base);
  listing.catch(ignore);
  return linesOf(storage2, base, listing);
}

// src/js/transfer/import.js
var CHOICES3 = ["error", "skip", "overwrite"];
var MEMBERS2 = ["key", "value", "raw", "expires", "metadata"];
var BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
var MOST_SHOWN = 80;
var isRecord = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
function unreadable(line, text, what, cause) {
  const shown2 = typeof text !== "string" ? describe(text) : JSON.stringify(text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text);
  const message = `[electron-async-storage] Line ${line} of the import does not read: ${what}. It is ${shown2}. The lines before it are imported.`;
  const error = cause === void 0 ? new Error(message) : new Error(message, { cause });
  return Object.assign(error, { code: "EAS_INVALID_IMPORT", operation: "importStorage", line });
}
function parsed2(line, text) {
  if (typeof text !== "string") throw unreadable(line, text, "it is no string");
  let record;
  try {
    record = JSON.parse(line === 1 ? text.replace(/^\ufeff/, "") : text);
  } catch (cause) {
    throw unreadable(line, text, "it is no JSON", cause);
  }
  if (!isRecord(record)) throw unreadable(line, text, "it is no JSON object");
  return record;
}
function readHeader(line, text) {
  const { format, formatVersion, storageVersion } = parsed2(line, text);
  if (format !== FORMAT) {
    throw unreadable(line, text, `the first line of an export has "format": "${FORMAT}"`);
  }
  if (formatVersion !== FORMAT_VERSION) {
    const what = `its format has version ${JSON.stringify(formatVersion)}, and this version of the package reads ${FORMAT_VERSION}`;
    throw unreadable(line, text, what);
  }
  const isVersion = storageVersion === null || Number.isSafeInteger(storageVersion) && storageVersion >= 0;
  if (!isVersion) throw unreadable(line, text, "`storageVersion` is no whole number and not null");
  return storageVersion;
}
function valueIn2(line, text, envelope, name) {
  if (!isRecord(envelope) || !isEnvelope(envelope)) {
    throw unreadable(line, text, `\`${name}\` is no envelope, such as {"json":1}`);
  }
  try {
    return decode(JSON.stringify(envelope));
  } catch (cause) {
    throw unreadable(line, text, `\`${name}\` holds no value`, cause);
  }
}
function readItem(line, text) {
  const record = parsed2(line, text);
  const unknown = Object.keys(record).find((name) => !MEMBERS2.includes(name));
  if (unknown !== void 0) throw unreadable(line, text, `it has an unknown member "${unknown}"`);
  const { key: given, value: envelope, raw, expires, metadata } = record;
  const key = typeof given === "string" ? normalizeKey(given) : "";
  if (key === "") throw unreadable(line, text, "`key` names no item");
  if (envelope === void 0 === (raw === void 0)) {
    throw unreadable(line, text, "it needs either `value` or `raw`");
  }
  if (raw !== void 0 && (typeof raw !== "string" || !BASE64.test(raw))) {
    throw unreadable(line, text, "`raw` is no base64");
  }
  if (expires !== void 0 && !Number.isFinite(expires)) {
    throw unreadable(line, text, "`expires` is no number of ms since 1970");
  }
  return {
    key,
    expires,
    fresh: envelope?.fresh,
    envelope,
    raw: raw === void 0 ? void 0 : Buffer.from(raw, "base64"),
    value: envelope === void 0 ? void 0 : valueIn2(line, text, envelope, "value"),
    metadata: metadata === void 0 ? void 0 : valueIn2(line, text, metadata, "metadata")
  };
}
function conflict(key, line) {
  return Object.assign(
    new Error(
      `[electron-async-storage] Line ${line} of the import is for ${JSON.stringify(key)}, where there is an item. Pass onConflict: "skip" or "overwrite", or import into an empty base. The lines before it are imported.`
    ),
    { code: "EAS_CONFLICT", operation: "importStorage", key, line }
  );
}
function readOptions(options) {
  if (options !== void 0 && (options === null || typeof options !== "object")) {
    throw wrongArgument("options", "an object", options, "importStorage");
  }
  const { base, onConflict = "error" } = options ?? {};
  if (!CHOICES3.includes(onConflict)) {
    const given = typeof onConflict === "string" ? JSON.stringify(onConflict) : describe(onConflict);
    throw Object.assign(
      new Error(
        `[electron-async-storage] Invalid option \`onConflict\`: expected "error", "skip" or "overwrite", got ${given}`
      ),
      { code: "EAS_INVALID_OPTION", operation: "importStorage" }
    );
  }
  return { base: normalizeBaseKey(base), onConflict };
}
var isIterable = (lines) => typeof lines === "object" && lines !== null && (typeof lines[Symbol.asyncIterator] === "function" || typeof lines[Symbol.iterator] === "function");
async function importStorage(given, lines, options) {
  checkStorage(given, "setItem", "importStorage");
  if (!isIterable(lines)) {
    throw wrongArgument("lines", "an iterable of lines", lines, "importStorage");
  }
  const { base, onConflict } = readOptions(options);
  const storage2 = plainOf(given);
  async function isFree(key, line2) {
    if (onConflict === "overwrite" || !await storage2.hasItem(key)) return true;
    if (onConflict === "skip") return false;
    throw conflict(key, line2);
  }
  async function takeVersion(version, line2) {
    const key = base + VERSION_KEY;
    if (version === null || await storage2.getItem(key) === version) return;
    if (await isFree(key, line2)) await storage2.setItem(key, version);
  }
  async function takeItem(item, line2) {
    const { key: relativeKey, expires, fresh, raw, envelope, value, metadata } = item;
    const key = base + relativeKey;
    if (!await isFree(key, line2)) return;
    const ttl = expires === void 0 ? void 0 : expires - Date.now();
    if (ttl !== void 0 && ttl <= 0) {
      if (onConflict === "overwrite") await storage2.removeItem(key, { removeMeta: true });
      return;
    }
    const opts = ttl === void 0 ? void 0 : { ttl };
    if (fresh !== void 0) {
      await storage2.setItemRaw(key, JSON.stringify({ expires, ...envelope }));
    } else if (raw === void 0) await storage2.setItem(key, value, opts);
    else await storage2.setItemRaw(key, raw, opts);
    if (metadata !== void 0) await storage2.setMeta(key, metadata);
    else if (onConflict === "overwrite") await storage2.removeMeta(key);
  }
  let line = 0;
  for await (const text of lines) {
    line += 1;
    if (line === 1) await takeVersion(readHeader(line, text), line);
    else if (text !== "") await takeItem(readItem(line, text), line);
  }
  if (line === 0) throw unreadable(1, "", "there is no first line");
}

// src/js/utils.js
function defineDriver(factory2) {
  return factory2;
}
function createError(driver, message, options) {
  const { cause, ...place } = options ?? {};
  const error = new Error(
    `[electron-async-storage] [${driver}] ${message}`,
    cause === void 0 ? void 0 : { cause }
  );
  Error.captureStackTrace?.(error, createError);
  return Object.assign(error, { driver }, place);
}
function createRequiredError(driver, name) {
  const message = Array.isArray(name) ? `Missing some of the required options ${name.map((one) => `\`${one}\``).join(", ")}` : `Missing required option \`${name}\`.`;
  const error = createError(driver, message, { code: "EAS_REQUIRED_OPTION" });
  Error.captureStackTrace?.(error, createRequiredError);
  return error;
}
var utils = {
  defineDriver,
  createError,
  createRequiredError,
  normalizeKey: (key, separator = ":") => normalizeKey(key).replaceAll(":", separator),
  joinKeys
};

// src/js/facade.js
Object.assign(api, {
  createStorage,
  normalizeKey,
  normalizeBaseKey,
  joinKeys,
  filterKeyByDepth,
  filterKeyByBase,
  defineDriver,
  builtinDrivers,
  prefixStorage,
  snapshot,
  snapshotSync,
  restoreSnapshot,
  restoreSnapshotSync,
  stringify: stringify2,
  parse: parse3,
  exportStorage,
  importStorage,
  drivers: factories,
  utils
});
})
//# sourceURL=electron-async-storage/facade.js
