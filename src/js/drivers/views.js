// Live views of a driver, for `getInstance`.

// A live view of a driver's items that reads like a Map.
function mapView(handle) {
  const keys = () => core.listDriverSync(handle);
  const get = (key) => core.getItemRawSync(handle, key);
  return Object.freeze({
    get size() {
      return keys().length;
    },
    get,
    has: (key) => core.hasItemSync(handle, key),
    keys: () => keys()[Symbol.iterator](),
    values: () => keys().map(get)[Symbol.iterator](),
    entries: () =>
      keys()
        .map((key) => [key, get(key)])
        [Symbol.iterator](),
    forEach(callback, self) {
      for (const [key, value] of this) callback.call(self, value, key, this);
    },
    [Symbol.iterator]() {
      return this.entries();
    },
    [Symbol.toStringTag]: "Map",
  });
}

// A live view of a queue: what waits reads like a Map, in the order of the calls.
function queueView(handle) {
  const operations = () => core.queueOperations(handle);
  const get = (key) => core.queueOperation(handle, key);
  const queue = Object.freeze({
    get size() {
      return core.queueStatus(handle)[0];
    },
    get,
    has: (key) => get(key) !== undefined,
    keys: () =>
      operations()
        .map((operation) => operation.key)
        [Symbol.iterator](),
    values: () => operations()[Symbol.iterator](),
    entries: () =>
      operations()
        .map((operation) => [operation.key, operation])
        [Symbol.iterator](),
    forEach(callback, self) {
      for (const operation of operations()) callback.call(self, operation, operation.key, this);
    },
    [Symbol.iterator]() {
      return this.entries();
    },
    [Symbol.toStringTag]: "Map",
  });
  return Object.freeze({
    queue,
    get flushing() {
      return core.queueStatus(handle)[1];
    },
    get disposed() {
      return core.queueStatus(handle)[2];
    },
  });
}

export const instances = { memory: mapView, queue: queueView };
