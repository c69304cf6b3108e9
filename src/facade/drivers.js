// Drivers as JavaScript objects: the built-in ones, and how those of users are called.
(function makeDrivers(core) {
  "use strict";

  const { names, syncNames } = methodNames(core.calls);
  const CALL = Object.fromEntries(names.map((name, index) => [name, index]));

  // By driver object: the handle of a built-in driver and what the object looked like when made.
  const builtIns = new WeakMap();

  function methodNames(calls) {
    return { names: calls, syncNames: calls.map((name) => `${name}Sync`) };
  }

  function isThenable(value) {
    return (
      value !== null &&
      (typeof value === "object" || typeof value === "function") &&
      typeof value.then === "function"
    );
  }

  function ignore() {}

  // Calls a method of a user's driver. `number` is that of the call, plus 16 for its Sync form.
  function call(driver, number, first, second, third) {
    const index = number & 15;
    const method = number > 15 ? syncNames[index] : names[index];
    switch (index) {
      case CALL.setItem:
      case CALL.setItemRaw:
        return driver[method](first, second, third === undefined ? {} : third);
      case CALL.getItems:
      case CALL.setItems: {
        const common = second === undefined ? {} : second;
        for (const item of first) {
          if (item.options === undefined) item.options = common;
        }
        return driver[method](first, common);
      }
      case CALL.watch:
        // Without a callback the second argument is the function that stops the watch.
        return first === undefined ? second() : driver.watch(first);
      case CALL.flush:
      case CALL.dispose:
        return driver[method]();
      default:
        return driver[method](first, second === undefined ? {} : second);
    }
  }

  // The function that the native core calls. It returns itself when the method gave a Promise: that
  // is the one value which no method can give.
  function invoker(driver) {
    const invoke = (number, ticket, first, second, third) => {
      const result = call(driver, number, first, second, third);
      if (!isThenable(result)) return result;
      // A thenable of another library may settle within `then`, before the native core waits for it.
      const promise = Promise.resolve(result);
      if (number > 15) {
        promise.then(ignore, ignore);
      } else {
        promise.then(
          (value) => core.settle(ticket, false, value),
          (error) => core.settle(ticket, true, error),
        );
      }
      return invoke;
    };
    return invoke;
  }

  function capabilities(driver) {
    return names.flatMap((name, index) => [
      typeof driver[name] === "function",
      typeof driver[syncNames[index]] === "function",
    ]);
  }

  function isDriver(value) {
    return (
      value !== null &&
      (typeof value === "object" || typeof value === "function") &&
      typeof value.getItem === "function"
    );
  }

  function isUnchanged(driver, made) {
    const keys = Object.keys(driver);
    return (
      keys.length === Object.keys(made).length && keys.every((key) => driver[key] === made[key])
    );
  }

  // The native handle of a driver, and what must stay alive for as long as the handle is in use.
  // A changed built-in driver, or a spread of one, is a driver of its user.
  function open(driver) {
    if (!isDriver(driver)) return undefined;
    const builtIn = builtIns.get(driver);
    if (builtIn !== undefined && isUnchanged(driver, builtIn.made)) {
      return { handle: builtIn.handle, keep: builtIn };
    }
    const invoke = invoker(driver);
    const { name, flags } = driver;
    const handle = core.jsDriver(
      invoke,
      typeof name === "string" && name !== "" ? name : "custom",
      Boolean(flags?.maxDepth),
      Boolean(flags?.ttl),
      capabilities(driver),
    );
    return { handle, keep: invoke };
  }

  const META_NAMES = ["atime", "mtime", "ctime", "birthtime", "size", "ttl"];

  // Metadata as the native core gives it: an array of numbers, or a user's driver's own object.
  function readMeta(native) {
    if (!Array.isArray(native)) return native ?? null;
    const meta = {};
    META_NAMES.forEach((name, index) => {
      const value = native[index];
      if (value !== undefined) meta[name] = index < 4 ? new Date(value) : value;
    });
    return meta;
  }

  function readBatch(items, commonOptions) {
    if (!Array.isArray(items)) {
      throw Object.assign(
        new TypeError(
          `[electron-async-storage] Invalid items: expected an array, got ${describe(items)}`,
        ),
        { code: "EAS_INVALID_ARGUMENT" },
      );
    }
    let options;
    const keys = items.map((item, index) => {
      if (typeof item === "string") return item;
      if (item === null || typeof item !== "object") return item;
      if (item.options !== undefined && item.options !== null) {
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

  // The methods of a built-in driver. Texts go through as they are; other values are kept as raw.
  function methods(handle) {
    const write = (name) => {
      const set = core[`writeText${name}`];
      const setRaw = core[`setItemRaw${name}`];
      return (key, value, opts) =>
        typeof value === "string"
          ? set(handle, key, value, opts)
          : setRaw(handle, key, value, opts);
    };
    const setItem = write("");
    const setItemSync = write("Sync");
    const items = (keys, values) =>
      keys.map((key, index) => ({ key, value: values[index] ?? null }));
    const texts = (list) => list.map((item) => item.value);
    return {
      async hasItem(key, opts) {
        return core.hasItem(handle, key, opts);
      },
      async getItem(key, opts) {
        return (await core.readText(handle, key, opts)) ?? null;
      },
      async getItems(list, commonOptions) {
        const { keys, options } = readBatch(list, commonOptions);
        return items(keys, await core.readTexts(handle, keys, options, commonOptions));
      },
      async getItemRaw(key, opts) {
        return (await core.getItemRaw(handle, key, opts)) ?? null;
      },
      async getKeys(base, opts) {
        return core.listDriver(handle, base, opts);
      },
      async getMeta(key, opts) {
        return readMeta((await core.getMeta(handle, key, true, opts))[0]);
      },
      async setItem(key, value, opts) {
        await setItem(key, value, opts);
      },
      async setItems(list, commonOptions) {
        const { keys, options } = readBatch(list, commonOptions);
        await core.writeTexts(handle, keys, texts(list), options, commonOptions);
      },
      async setItemRaw(key, value, opts) {
        await core.setItemRaw(handle, key, value, opts);
      },
      async removeItem(key, opts) {
        await core.removeItem(handle, key, false, opts);
      },
      async clear(base, opts) {
        await core.clear(handle, base, opts);
      },
      async flush() {
        await core.flush(handle);
      },
      async dispose() {
        await core.dispose(handle);
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
        setItemSync(key, value, opts);
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
      flushSync() {
        core.flushSync(handle);
      },
    };
  }

  // Listeners of one handle. An error of one does not stop the others and becomes uncaught.
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
    // The native side holds `emit` weakly and keeps it alive while a driver watches.
    const stop = async () => {
      const started = watching;
      watching = undefined;
      list = [];
      // A failure to start was told to those who listen, and leaves nothing to stop.
      const id = await started?.catch(ignore);
      if (id !== undefined) await core.unwatch(handle, id);
    };
    return {
      async watch(callback) {
        if (typeof callback !== "function") {
          throw Object.assign(
            new TypeError(
              `[electron-async-storage] Invalid listener: expected a function, got ${describe(callback)}`,
            ),
            { code: "EAS_INVALID_ARGUMENT", operation: "watch" },
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
          // It may have been given up, and another one started, meanwhile.
          if (watching === started) watching = undefined;
          list = list.filter((other) => other !== entry);
          throw error;
        }
        return async () => {
          if (!list.includes(entry)) return;
          list = list.filter((other) => other !== entry);
          if (list.length === 0) await stop();
        };
      },
      stop,
    };
  }

  function raise(error) {
    queueMicrotask(() => {
      throw error;
    });
  }

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

  const instances = { memory: mapView, queue: queueView };

  function prepare(options) {
    if (options === null || typeof options !== "object" || Array.isArray(options)) {
      return { given: options, keep: undefined };
    }
    const given = { ...options };
    let keep;
    if ("driver" in given) {
      const inner = open(given.driver);
      if (inner !== undefined) {
        given.driver = inner.handle;
        keep = [given.driver, inner.keep, options.driver];
      }
    }
    for (const holder of [given, given.watchOptions]) {
      if (holder?.ignored !== undefined) {
        const ignored = tests(holder.ignored);
        if (holder === given) given.ignored = ignored;
        else given.watchOptions = { ...holder, ignored };
      }
    }
    return { given, keep };
  }

  // RegExps become functions; the rest stays as it is.
  function tests(ignored) {
    if (Array.isArray(ignored)) return ignored.map(tests);
    if (!(ignored instanceof RegExp)) return ignored;
    const stateless = new RegExp(ignored.source, ignored.flags.replace(/[gy]/g, ""));
    return (path) => stateless.test(path);
  }

  function factory(name) {
    const make = (options) => {
      const { given, keep } = prepare(options);
      const handle = core.openDriver(name, given);
      const [maxDepth, ttl, watches] = core.describeDriver(handle);
      const driver = { name, flags: { maxDepth, ttl }, options, ...methods(handle) };
      if (watches) driver.watch = (callback) => listeners(handle).watch(callback);
      const instance = instances[name]?.(handle);
      if (instance !== undefined) driver.getInstance = () => instance;
      builtIns.set(driver, { handle, keep, made: { ...driver } });
      return driver;
    };
    return Object.defineProperty(make, "name", { value: `${name}Driver` });
  }

  const factories = Object.fromEntries(core.driverNames.map((name) => [name, factory(name)]));

  return { open, readMeta, readBatch, describe, listeners, factories };
});
