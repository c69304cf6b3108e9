// The stored version is no item: listings and clears leave it alone, snapshots carry it.

import { describe, expect, it, onTestFinished } from "vitest";
import type { Driver, Storage } from "../index.js";
import { folder } from "./helpers/folders.js";
import { plainDriver, promiseDriver, syncMethodsDriver } from "./helpers/js-drivers.js";
import {
  builtin,
  createStorage,
  isBuiltin,
  memoryDriver,
  prefixStorage,
  restoreSnapshot,
  restoreSnapshotSync,
  snapshot,
  snapshotSync,
} from "./helpers/package.js";

type Any = Storage<any>;

const VERSION = "__storage_version__";
const fs = (options = {}) => builtin("fs", { base: folder(), ...options });

/** A driver in JavaScript without a `clear` of its own. */
function withoutClear(): Driver {
  const { clear: _, ...driver } = promiseDriver();
  return driver as Driver;
}

const DRIVERS: [title: string, open: () => Driver][] = [
  ["memory", memoryDriver],
  ["fs", fs],
  ["fs with an ignore", () => fs({ ignore: ["**/left"] })],
  ["fs-lite", () => builtin("fs-lite", { base: folder() })],
  ["fs-lite with an ignore", () => builtin("fs-lite", { base: folder(), ignore: () => false })],
  ["a spread of fs", () => ({ ...fs() })],
  ["a driver of Promises", () => promiseDriver()],
  ["a driver of values", () => plainDriver()],
  ["a driver with Sync methods", () => syncMethodsDriver()],
  ["a driver without clear", withoutClear],
  ["a storage over fs", () => createStorage<any>({ driver: fs() }) as Driver],
  ["a storage over a driver", () => createStorage<any>({ driver: promiseDriver() }) as Driver],
  ["a prefix", () => prefixStorage(createStorage<any>({ driver: fs() }), "deep:down") as Driver],
  [
    "a prefix of a driver",
    () => prefixStorage(createStorage<any>({ driver: plainDriver() }), "deep:down") as Driver,
  ],
];
if (isBuiltin("queue")) {
  for (const mergeUpdates of [true, false]) {
    const queue = (driver: Driver) => builtin("queue", { driver, mergeUpdates });
    DRIVERS.push(
      [`a queue over fs, merging ${mergeUpdates}`, () => queue(fs())],
      [`a queue over memory, merging ${mergeUpdates}`, () => queue(memoryDriver())],
      [`a queue over a driver, merging ${mergeUpdates}`, () => queue(promiseDriver())],
      [`a queue over a driver of values, merging ${mergeUpdates}`, () => queue(plainDriver())],
    );
  }
}

const steps = () => ({ 1: (storage: Any) => storage.setItem("settings:theme", "dark") });

function opened(options: object): Any {
  const storage = createStorage<any>(options);
  onTestFinished(() => storage.dispose());
  return storage;
}

/** Ways to empty a storage; each must leave the version. */
const CLEARS: Record<string, (storage: Any) => unknown> = {
  clear: (storage) => storage.clear(),
  'clear("")': (storage) => storage.clear(""),
  'clear(":")': (storage) => storage.clear(":"),
  clearSync: (storage) => storage.clearSync(),
  "clear, twice at the same time": (storage) => Promise.all([storage.clear(), storage.clear()]),
  "clear that is watched": async (storage) => {
    await storage.watch(() => {});
    await storage.clear();
  },
  "clear of all that is listed": async (storage) => {
    for (const key of await storage.getKeys()) await storage.removeItem(key, true);
  },
};

describe.each(DRIVERS)("%s", (title, open) => {
  const isAsync = /Promises|of values|without clear|over a driver|of a driver/.test(title);
  const clears = Object.entries(CLEARS).filter(([name]) => !(isAsync && name === "clearSync"));

  it.each(clears)("%s leaves the version and takes the items", async (_name, clear) => {
    for (const flushed of [false, true]) {
      const storage = opened({ driver: open(), version: 1, migrations: steps() });
      await storage.setItem("a:b", 1);
      await storage.setMeta("a:b", { owner: "ann" });
      await storage.migrate();
      if (flushed) await storage.flush();
      await clear(storage);
      expect(await storage.getStorageVersion()).toBe(1);
      await storage.flush();
      expect(await storage.getKeys()).toEqual([]);
      expect(await storage.getItem("settings:theme")).toBeNull();
      expect((await storage.getMeta("a:b")).owner).toBeUndefined();
      expect(await storage.getStorageVersion()).toBe(1);
      expect(await storage.getItem(VERSION)).toBe(1);
      expect(await storage.hasItem(VERSION)).toBe(true);
      await storage.migrate();
      expect(await storage.getKeys()).toEqual([]);
    }
  });

  it("a clear in a step leaves it", async () => {
    const driver = open();
    await opened({ driver, version: 1, migrations: steps() }).migrate();
    let seen: unknown;
    const storage = opened({
      driver,
      version: 2,
      migrations: {
        2: async (migrated: Any) => {
          await migrated.clear();
          seen = await migrated.getStorageVersion();
        },
      },
    });
    await storage.migrate();
    expect(seen).toBe(1);
    expect(await storage.getKeys()).toEqual([]);
    expect(await storage.getStorageVersion()).toBe(2);
  });

  it("does not list it, alone or at a mount, but reads it", async () => {
    const storage = opened({});
    const inner = opened({ driver: open(), version: 1, migrations: steps() });
    await inner.migrate();
    storage.mount("m", inner as Driver);
    await storage.setItem("a", 1);
    expect(await inner.getKeys()).toEqual(["settings:theme"]);
    expect(await inner.getKeys("", { maxDepth: 5 })).toEqual(["settings:theme"]);
    expect((await storage.getKeys()).sort()).toEqual(["a", "m:settings:theme"]);
    expect(await storage.getKeys("m")).toEqual(["m:settings:theme"]);
    expect(await storage.getItem(`m:${VERSION}`)).toBe(1);
    expect(await storage.getItems([VERSION, `m:${VERSION}`])).toEqual([
      { key: VERSION, value: null },
      { key: `m:${VERSION}`, value: 1 },
    ]);
    await storage.clear("m");
    await storage.flush();
    expect(await inner.getStorageVersion()).toBe(1);
    await storage.clear();
    await storage.flush();
    expect(await inner.getStorageVersion()).toBe(1);
    expect(await storage.getKeys()).toEqual([]);
  });

  it("is left at a mount of the driver itself, and taken by removeItem", async () => {
    const driver = open();
    const inner = createStorage<any>({ driver, version: 1, migrations: steps() });
    await inner.migrate();
    await inner.flush();
    const storage = opened({}).mount("m", driver);
    await storage.clear("m");
    await storage.clear();
    await storage.flush();
    expect(await storage.getItem(`m:${VERSION}`)).toBe(1);
    expect(await storage.getKeys()).toEqual([]);
    await storage.removeItem(`m:${VERSION}`);
    await storage.flush();
    expect(await inner.getStorageVersion()).toBeNull();
  });

  it("a snapshot carries it, and a restore brings it back", async () => {
    const old = opened({ driver: open(), version: 1, migrations: steps() });
    await old.migrate();
    const copy = await snapshot(old, "");
    expect(copy).toEqual({ [VERSION]: 1, "settings:theme": "dark" });
    expect(Object.keys(await snapshot(old, "settings"))).toEqual(["theme"]);
    const ran: number[] = [];
    const storage = opened({
      driver: open(),
      version: 2,
      migrations: { 1: () => void ran.push(1), 2: () => void ran.push(2) },
    });
    await storage.migrate();
    expect(ran).toEqual([1, 2]);
    await restoreSnapshot(storage, copy);
    expect(await storage.getStorageVersion()).toBe(1);
    await storage.migrate();
    expect(ran).toEqual([1, 2, 2]);
  });

  it("a listener does not hear of it", async () => {
    const storage = opened({ driver: open(), version: 1, migrations: steps() });
    const events: string[] = [];
    await storage.watch((event, key) => events.push(`${event} ${key}`));
    await storage.migrate();
    await storage.clear();
    await storage.setItem("last", 1);
    await storage.flush();
    await expect.poll(() => events).toContain("update last");
    expect(events.filter((event) => event.includes("__storage_"))).toEqual([]);
  });
});

it("a snapshot of no version has none", async () => {
  const storage = opened({});
  await storage.setItem("a", 1);
  expect(await snapshot(storage, "")).toEqual({ a: 1 });
  expect(snapshotSync(storage, "")).toEqual({ a: 1 });
});

it("a snapshot carries the versions of the mounts below its base", async () => {
  const driver = memoryDriver();
  await createStorage<any>({ driver, version: 3, migrations: {} }).migrate();
  const storage = opened({}).mount("m", driver);
  await storage.setItem("m:a", 1);
  const copy = await snapshot(storage, "");
  expect(copy).toEqual({ [`m:${VERSION}`]: 3, "m:a": 1 });
  expect(await snapshot(storage, "m")).toEqual({ [VERSION]: 3, a: 1 });
  expect(snapshotSync(storage, "")).toEqual(copy);
  const fresh = memoryDriver();
  restoreSnapshotSync(opened({}).mount("m", fresh), copy);
  expect(await createStorage<any>({ driver: fresh }).getStorageVersion()).toBe(3);
});

it.each([
  ["fs", () => fs()],
  ["fs with an ignore", () => fs({ ignore: ["**/left"] })],
  ["memory", memoryDriver],
  ["a queue over fs", () => builtin("queue", { driver: fs() })],
  ["a queue over a driver", () => builtin("queue", { driver: plainDriver() })],
])("the clear of %s itself leaves it", async (_title, open) => {
  const driver = open() as any;
  await driver.setItem(VERSION, '{"json":1}', {});
  await driver.setItem("a", '{"json":1}', {});
  await driver.clear("", {});
  await driver.flush?.();
  expect(await driver.getItem(VERSION, {})).toBe('{"json":1}');
  expect(await driver.hasItem("a", {})).toBe(false);
});

it("a version that is written while a clear waits stays", async () => {
  for (const driver of [fs(), builtin("queue", { driver: fs() }), promiseDriver()]) {
    const storage = opened({ driver });
    for (let index = 0; index < 50; index += 1) await storage.setItem(`k:${index}`, index);
    await Promise.all([
      storage.setItem(VERSION, 1),
      storage.clear(),
      storage.setItem("after", 1),
      storage.clear("k"),
    ]);
    await storage.flush();
    expect(await storage.getStorageVersion()).toBe(1);
    expect(await storage.getKeys()).toEqual(["after"]);
  }
});
