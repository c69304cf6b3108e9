// Live views of a driver, for `getInstance`. They are real Maps whose methods read the driver.

import { showAs } from "../inspect.js";

const isKey = (key) => typeof key === "string";

// A Map of what `methods` give. Its class stays Map, by which test runners tell whether two values are equal.
function liveMap(methods) {
  const { get, has, entries } = methods;
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
      if (!has(key)) map.set(key, value);
      return get(key);
    },
    getOrInsertComputed(key, compute) {
      if (!has(key)) map.set(key, compute(key));
      return get(key);
    },
    [Symbol.iterator]: entries,
  };
  const prototype = Object.create(Map.prototype);
  for (const part of [methods, others]) {
    for (const name of Reflect.ownKeys(part)) {
      const descriptor = Object.getOwnPropertyDescriptor(part, name);
      Object.defineProperty(prototype, name, { ...descriptor, enumerable: false });
    }
  }
  showAs(prototype, (options, inspect) => inspect(new Map(map), options));
  const map = Object.setPrototypeOf(new Map(), prototype);
  return map;
}

// A live view of a memory driver's items.
function memoryView(handle) {
  const list = () => core.listDriverSync(handle);
  const get = (key) => (isKey(key) ? core.getItemRawSync(handle, key) : undefined);
  const has = (key) => isKey(key) && core.hasItemSync(handle, key);
  return liveMap({
    get size() {
      return list().length;
    },
    get,
    has,
    set(key, value) {
      core.setItemRawSync(handle, key, value);
      return this;
    },
    delete(key) {
      const isThere = has(key);
      if (isThere) core.removeItemSync(handle, key, false);
      return isThere;
    },
    clear() {
      for (const key of list()) core.removeItemSync(handle, key, false);
    },
    // What goes meanwhile is passed over.
    *entries() {
      for (const key of list()) if (has(key)) yield [key, get(key)];
    },
  });
}

function refuse() {
  throw Object.assign(
    new TypeError(
      "[electron-async-storage] [queue] The view of a queue is read only: write by the methods of the driver.",
    ),
    { code: "EAS_READ_ONLY", driver: "queue" },
  );
}

// A live view of a queue: of each key the newest operation that waits, in the order of the calls.
function queueView(handle) {
  const operations = () => core.queueOperations(handle);
  const get = (key) => (isKey(key) ? core.queueOperation(handle, key) : undefined);
  // Without merging, one key may have several.
  const byKey = () => {
    const newest = new Map();
    for (const operation of operations()) newest.set(operation.key, operation);
    return newest;
  };
  const queue = liveMap({
    get size() {
      return byKey().size;
    },
    get,
    has: (key) => get(key) !== undefined,
    set: refuse,
    delete: refuse,
    clear: refuse,
    entries: () => byKey().entries(),
  });
  const view = {
    queue,
    get flushing() {
      return core.queueStatus(handle)[1];
    },
    get disposed() {
      return core.queueStatus(handle)[2];
    },
  };
  showAs(view, (options, inspect) => inspect({ ...view }, options));
  return Object.freeze(view);
}

export const instances = { memory: memoryView, queue: queueView };
