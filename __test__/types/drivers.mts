// What may be mounted, and what the built-in drivers give.

import {
  type BuiltinDriver,
  type BuiltinDriverName,
  type BuiltinDriverOptions,
  builtinDrivers,
  createStorage,
  type Driver,
  type DriverFactory,
  defineDriver,
  type GetKeysOptions,
  type MaybePromise,
  type Storage,
  type StorageMount,
  type StorageValue,
  type TransactionOptions,
  type Unwatch,
} from "electron-async-storage";
import fsDriver from "electron-async-storage/drivers/fs";
import fsLiteDriver from "electron-async-storage/drivers/fs-lite";
import memoryDriver from "electron-async-storage/drivers/memory";
import queueDriver, { type QueueContext } from "electron-async-storage/drivers/queue";
import * as utils from "electron-async-storage/drivers/utils";
import { expectTypeOf } from "expect-type";

// The three methods of the guide make a driver; without one of them it is none.
{
  const least: Driver = {
    hasItem: () => true,
    getItem: () => Promise.resolve("text"),
    getKeys: () => [],
  };
  createStorage({ driver: least }).mount("base", least);
  // @ts-expect-error getKeys is missing
  const noKeys: Driver = { hasItem: () => true, getItem: () => null };
  const wrongKeys: Driver = {
    hasItem: () => true,
    getItem: () => null,
    // @ts-expect-error keys are strings
    getKeys: () => [1],
  };
  // @ts-expect-error a storage is made over a driver
  createStorage({ driver: noKeys.name });
  // @ts-expect-error a base is needed
  createStorage().mount(wrongKeys);
  const wrongSync: Driver = {
    ...least,
    // @ts-expect-error a Sync method gives no Promise
    getKeysSync: async () => [],
  };
  expectTypeOf(wrongSync).toEqualTypeOf<Driver>();
}

// defineDriver types the options, every argument and `this`.
{
  const factory = defineDriver<{ host: string; port?: number }, Map<string, string>>((options) => {
    expectTypeOf(options).toEqualTypeOf<{ host: string; port?: number }>();
    const data = new Map<string, string>();
    return {
      name: "custom",
      options,
      getInstance: () => data,
      hasItem: (key) => data.has(key),
      getItem: (key) => data.get(key) ?? null,
      getKeys(base, opts) {
        expectTypeOf(base).toEqualTypeOf<string>();
        expectTypeOf(opts).toEqualTypeOf<GetKeysOptions>();
        expectTypeOf(opts.maxDepth).toEqualTypeOf<number | undefined>();
        return [...data.keys()];
      },
      async setItem(key, value, opts) {
        expectTypeOf(value).toEqualTypeOf<string>();
        expectTypeOf(opts).toEqualTypeOf<TransactionOptions>();
        expectTypeOf(opts.ttl).toEqualTypeOf<number | undefined>();
        data.set(key, value);
      },
      async clear(base) {
        const keys = await this.getKeys(base);
        expectTypeOf(keys).toEqualTypeOf<string[]>();
      },
    };
  });
  expectTypeOf(factory).toEqualTypeOf<
    DriverFactory<{ host: string; port?: number }, Map<string, string>>
  >();
  const driver = factory({ host: "localhost" });
  expectTypeOf(driver).toEqualTypeOf<
    Driver<{ host: string; port?: number }, Map<string, string>>
  >();
  expectTypeOf(driver.getInstance?.()).toEqualTypeOf<Map<string, string> | undefined>();
  expectTypeOf(driver.options?.host).toEqualTypeOf<string | undefined>();
  // @ts-expect-error host is needed
  factory({});
  // @ts-expect-error host is needed
  factory();

  const least = { hasItem: () => true, getItem: () => null, getKeys: () => [] };
  const withoutOptions = defineDriver<void>(() => least);
  expectTypeOf(withoutOptions()).toEqualTypeOf<Driver<void, any>>();
  const optional = defineDriver((options: { base?: string } = {}) => ({ ...least, options }));
  optional();
  optional({ base: "x" });
  // @ts-expect-error base is a string
  optional({ base: 1 });
  defineDriver<void, Map<string, string>>(
    // @ts-expect-error the instance is of another type
    () => ({ ...least, getInstance: () => new Set<string>() }),
  );

  expectTypeOf(utils.defineDriver).toEqualTypeOf<typeof defineDriver>();
}

// A wrapper holds a driver and hands calls on to it.
{
  const wrap = defineDriver<{ driver: Driver }>(({ driver }) => ({
    name: `wrapped-${driver.name || "unknown"}`,
    flags: driver.flags,
    hasItem: (key, opts) => driver.hasItem(key, opts),
    async getItem(key, opts) {
      const text = await driver.getItem(key, opts);
      expectTypeOf(text).toEqualTypeOf<StorageValue>();
      return typeof text === "string" ? text.slice(1) : null;
    },
    async setItem(key, value, opts) {
      await driver.setItem?.(key, `!${value}`, opts);
    },
    getKeys: driver.getKeys.bind(driver),
    ...(driver.clear && { clear: driver.clear.bind(driver) }),
    dispose: () => driver.dispose?.(),
  }));
  for (const driver of [
    memoryDriver(),
    fsDriver({ base: "x" }),
    fsLiteDriver({ base: "x" }),
    queueDriver({ driver: memoryDriver() }),
    wrap({ driver: memoryDriver() }),
  ]) {
    createStorage({ driver: wrap({ driver }) });
  }
  // @ts-expect-error no driver
  wrap({ driver: createStorage });
}

// A spread of a built-in driver with a method replaced is a driver.
{
  const spread = {
    ...memoryDriver(),
    async setItem(_key: string, _value: string) {},
  };
  expectTypeOf(spread).toExtend<Driver>();
  createStorage({ driver: spread });
  // @ts-expect-error the replacement takes a number as its key
  createStorage({ driver: { ...memoryDriver(), getItem: (key: number) => `${key}` } });
}

// A storage, typed or not, can be mounted.
{
  expectTypeOf<Storage>().toExtend<Driver>();
  expectTypeOf<Storage<any>>().toExtend<Driver>();
  const typed = createStorage<{ items: { a: number } }>();
  const values = createStorage<{ name: string }>();
  createStorage({ driver: typed }).mount("inner", createStorage()).mount("values", values);
}

// Built-in drivers have every method, without options, and their Promises are real.
{
  const memory = memoryDriver();
  expectTypeOf(memory).toExtend<BuiltinDriver<void, Map<string, any>>>();
  expectTypeOf(memory.setItem("a", "b", {})).toEqualTypeOf<Promise<void>>();
  memory.setItem("a", "b").catch(console.error);
  memory.setItemSync("a", "b");
  expectTypeOf(memory.getItem("a")).toEqualTypeOf<Promise<StorageValue>>();
  expectTypeOf(memory.getKeys()).toEqualTypeOf<Promise<string[]>>();
  expectTypeOf(memory.getKeysSync("base", { maxDepth: 1 })).toEqualTypeOf<string[]>();
  expectTypeOf(memory.getItems([{ key: "a" }])).resolves.toEqualTypeOf<
    { key: string; value: StorageValue }[]
  >();
  expectTypeOf(memory.getInstance()).toEqualTypeOf<Map<string, any>>();
  expectTypeOf(memory.getInstance().size).toEqualTypeOf<number>();
  // @ts-expect-error the memory driver has no options
  memoryDriver({ base: "x" });
  // @ts-expect-error drivers take text
  memory.setItemSync("a", { b: 1 });

  const queue = queueDriver({ driver: memory, batchSize: 1, flushInterval: 2, maxQueueSize: 3 });
  expectTypeOf(queue.getInstance()).toEqualTypeOf<QueueContext>();
  expectTypeOf(queue.flush()).toEqualTypeOf<Promise<void>>();
  expectTypeOf(queue.getInstance().queue.get("a")?.type).toEqualTypeOf<
    "set" | "remove" | undefined
  >();
  // @ts-expect-error the wrapped driver is needed
  queueDriver({ batchSize: 1 });
  // @ts-expect-error no such option
  queueDriver({ driver: memory, batchLength: 1 });

  const fs = fsDriver({ base: "x" });
  expectTypeOf(fs.watch((event, key) => [event, key])).toEqualTypeOf<Promise<Unwatch>>();
  expectTypeOf(fs.options?.base).toEqualTypeOf<string | undefined>();
  // @ts-expect-error fs-lite may not watch
  fsLiteDriver({ base: "x" }).watch(() => {});
  fs.hasItem("a") satisfies MaybePromise<boolean>;
}

// The table of drivers names every one of them.
expectTypeOf<BuiltinDriverName>().toEqualTypeOf<
  "memory" | "fs" | "fs-lite" | "fsLite" | "queue" | "sqlite"
>();
expectTypeOf<keyof BuiltinDriverOptions>().toEqualTypeOf<BuiltinDriverName>();
expectTypeOf(builtinDrivers.fsLite).toEqualTypeOf<"electron-async-storage/drivers/fs-lite">();
expectTypeOf<BuiltinDriverOptions["fs"]>().toEqualTypeOf<
  NonNullable<Parameters<typeof fsDriver>[0]>
>();
expectTypeOf<BuiltinDriverOptions["fs-lite"]>().toEqualTypeOf<
  NonNullable<Parameters<typeof fsLiteDriver>[0]>
>();
expectTypeOf<BuiltinDriverOptions["queue"]>().toEqualTypeOf<Parameters<typeof queueDriver>[0]>();

// A mount gives its driver back, with its instance.
{
  const storage = createStorage({ driver: memoryDriver() });
  expectTypeOf(storage.getMount()).toEqualTypeOf<StorageMount>();
  expectTypeOf(storage.getMount("key").base).toEqualTypeOf<string>();
  expectTypeOf(storage.getMounts("base", { parents: true })).toEqualTypeOf<StorageMount[]>();
  expectTypeOf(storage.getMount().driver).toExtend<Driver>();
  expectTypeOf(storage.getMount().driver.getInstance()).toBeAny();
  expectTypeOf(storage.unmount("base", false)).toEqualTypeOf<Promise<void>>();
}
