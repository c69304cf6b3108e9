// Read-only drivers, drivers that refuse `clear` and those with a time to live are so through each wrapper.

import { describe, expect, it, onTestFinished } from "vitest";
import type { Driver, Storage } from "../index.js";
import { folder } from "./helpers/folders.js";
import { plainDriver, syncMethodsDriver } from "./helpers/js-drivers.js";
import { builtin, createStorage, memoryDriver, prefixStorage } from "./helpers/package.js";

type Any = any;
type Flags = { readOnly?: boolean | "error"; noClear?: boolean };

/** A driver with the items `a`, `b:c` and what is under `in:`, and with such flags. */
const drivers: Record<string, (flags: Flags) => Driver> = {
  fs: (flags) => filled("fs", flags),
  "fs-lite": (flags) => filled("fs-lite", flags),
  "a spread of fs": (flags) => ({ ...filled("fs", flags), getInstance: undefined }),
  "a driver in JavaScript": (flags) => {
    const data = new Map([
      ["a", '{"json":1}'],
      ["b:c", '{"json":2}'],
      ["in:a", '{"json":3}'],
    ]);
    return { ...syncMethodsDriver(data), flags };
  },
};

function filled(name: string, flags: Flags): Driver {
  const base = folder();
  const writer = builtin(name, { base, durability: "none" });
  writer.setItemSync("a", '{"json":1}', {});
  writer.setItemSync("b:c", '{"json":2}', {});
  writer.setItemSync("in:a", '{"json":3}', {});
  return builtin(name, { base, ...flags });
}

/** What can stand around a driver. */
const wrappers: Record<string, (driver: Driver) => Driver> = {
  nothing: (driver) => driver,
  "a queue": (driver) => builtin("queue", { driver }),
  "two queues": (driver) => builtin("queue", { driver: builtin("queue", { driver }) }),
  "a spread of a queue": (driver) => ({ ...builtin("queue", { driver }), getInstance: undefined }),
  "a storage": (driver) => createStorage({ driver }) as Driver,
  "a spread of a storage": (driver) => ({ ...createStorage({ driver }) }) as Driver,
  "a prefix of a storage": (driver) => {
    const storage = createStorage();
    storage.mount("below", driver);
    return prefixStorage(storage, "below") as unknown as Driver;
  },
  "a queue over a storage": (driver) =>
    builtin("queue", { driver: createStorage({ driver }) as Driver }),
  "a wrapper in JavaScript": (driver) => ({
    ...driver,
    name: "wrapper",
    flags: driver.flags,
    getItem: (key, opts) => driver.getItem(key, opts),
  }),
};

const cases = Object.keys(drivers).flatMap((driver) =>
  Object.keys(wrappers).map((wrapper) => [driver, wrapper] as const),
);

interface Setting {
  storage: Storage<any>;
  events: string[];
  keys(): Promise<string[]>;
}

async function open(
  driver: string,
  wrapper: string,
  flags: Flags,
  { watched, inner }: { watched: boolean; inner: boolean },
): Promise<Setting> {
  const wrapped = wrappers[wrapper]?.(drivers[driver]?.(flags));
  const storage = createStorage<any>({ driver: wrapped });
  onTestFinished(() => storage.dispose());
  const events: string[] = [];
  if (watched) await storage.watch((event, key) => void events.push(`${event} ${key}`));
  if (inner) storage.mount("in", memoryDriver());
  return { storage, events, keys: async () => (await storage.getKeys()).sort() };
}

const settings = [
  { watched: false, inner: false },
  { watched: true, inner: false },
  { watched: false, inner: true },
  { watched: true, inner: true },
];

const pause = () => new Promise((resolve) => setTimeout(resolve, 150));

describe.each(cases)("over %s, through %s", (driver, wrapper) => {
  it.each(settings)("noClear holds, %o", async (setting) => {
    const { storage, events, keys } = await open(driver, wrapper, { noClear: true }, setting);
    const before = await keys();
    for (const base of [undefined, "b", ""]) {
      await storage.clear(base);
      storage.clearSync(base);
    }
    await storage.flush();
    if (setting.watched) await pause();
    expect(await keys()).toEqual(before);
    expect(events).toEqual([]);
    await storage.removeItem("a");
    await storage.flush();
    expect(await storage.hasItem("a"), "it can be written").toBe(false);
  });

  it.each(settings)("readOnly holds, %o", async (setting) => {
    const { storage, events, keys } = await open(driver, wrapper, { readOnly: true }, setting);
    const before = await keys();
    await storage.setItem("a", 9);
    await storage.setItem("new", 9);
    await storage.setItems([{ key: "new2", value: 9 }]);
    await storage.setItemRaw("new3", "raw");
    await storage.setMeta("a", { of: "a" });
    await storage.removeItem("a");
    await storage.removeMeta("a");
    await storage.clear();
    await storage.clear("b");
    storage.setItemSync("a", 9);
    storage.setItemsSync([{ key: "new2", value: 9 }]);
    storage.removeItemSync("a");
    storage.clearSync();
    await storage.flush();
    if (setting.watched) await pause();
    expect(await keys()).toEqual(before);
    expect(await storage.getItem("a")).toBe(1);
    expect(await storage.getItem("a$")).toBeNull();
    expect(events).toEqual([]);
  });

  it("a read-only driver is not migrated", async () => {
    for (const readOnly of [true, "error"] as const) {
      const inner = wrappers[wrapper]?.(drivers[driver]?.({ readOnly }));
      let runs = 0;
      const storage = createStorage<any>({
        driver: inner,
        version: 1,
        migrations: { 1: async () => void runs++ },
      });
      onTestFinished(() => storage.dispose());
      await expect(storage.migrate()).rejects.toMatchObject({ code: "EAS_READ_ONLY" });
      expect(runs).toBe(0);
    }
  });

  it('readOnly: "error" makes each write an error', async () => {
    const setting = { watched: true, inner: false };
    const { storage, events, keys } = await open(driver, wrapper, { readOnly: "error" }, setting);
    const before = await keys();
    const writes: Record<string, (() => unknown)[]> = {
      setItem: [() => storage.setItem("a", 9), () => storage.setItemSync("a", 9)],
      setItems: [
        () => storage.setItems([{ key: "n", value: 9 }]),
        () => storage.setItemsSync([{ key: "n", value: 9 }]),
      ],
      setItemRaw: [() => storage.setItemRaw("n", "raw"), () => storage.setItemRawSync("n", "raw")],
      setMeta: [() => storage.setMeta("a", { b: 1 }), () => storage.setMetaSync("a", { b: 1 })],
      removeMeta: [() => storage.removeMeta("a"), () => storage.removeMetaSync("a")],
      removeItem: [() => storage.removeItem("a"), () => storage.removeItemSync("a")],
      clear: [() => storage.clear(), () => storage.clearSync()],
      "clear of a base": [() => storage.clear("b"), () => storage.clearSync("b")],
    };
    const refused = expect.objectContaining({ code: "EAS_READ_ONLY" });
    for (const [name, [write, writeSync]] of Object.entries(writes)) {
      await expect(write?.(), name).rejects.toEqual(refused);
      expect(writeSync, name).toThrow(refused);
    }
    await storage.flush();
    expect(await keys()).toEqual(before);
    expect(await storage.getItem("a")).toBe(1);
    expect(await storage.getItem("nothing")).toBeNull();
    expect(events).toEqual([]);
  });
});

it("a batch or a clear that one mount refuses changes nothing at the others", async () => {
  const storage = createStorage<any>();
  onTestFinished(() => storage.dispose());
  await storage.setItem("a", 1);
  storage.mount("z", memoryDriver());
  await storage.setItem("z:a", 1);
  storage.mount("ro", drivers["fs-lite"]({ readOnly: "error" }));
  const items = ["a", "ro:a", "z:a"].map((key) => ({ key, value: 9 }));
  const refused = expect.objectContaining({ code: "EAS_READ_ONLY" });
  await expect(storage.setItems(items)).rejects.toEqual(refused);
  expect(() => storage.setItemsSync(items)).toThrow(refused);
  await expect(storage.clear()).rejects.toEqual(refused);
  expect(() => storage.clearSync()).toThrow(refused);
  for (const key of ["a", "ro:a", "z:a"]) expect(await storage.getItem(key), key).toBe(1);
});

describe("flags", () => {
  it("say what a driver is, through a queue and a spread", () => {
    const base = folder();
    for (const [options, flags] of [
      [{}, { readOnly: false, noClear: false, ttl: true }],
      [{ readOnly: true }, { readOnly: true, noClear: false, ttl: true }],
      [{ readOnly: "error" }, { readOnly: "error", noClear: false, ttl: true }],
      [{ noClear: true }, { readOnly: false, noClear: true, ttl: true }],
    ] as const) {
      for (const name of ["fs", "fs-lite"]) {
        const driver = builtin(name, { base, ...options });
        expect(driver.flags).toMatchObject(flags);
        expect(builtin("queue", { driver }).flags).toMatchObject(flags);
        expect({ ...driver }.flags).toMatchObject(flags);
        const storage = createStorage({ driver });
        expect(builtin("queue", { driver: storage as Driver }).flags).toMatchObject(flags);
      }
    }
    const none = { readOnly: false, noClear: false, ttl: false };
    expect(builtin("queue", { driver: plainDriver() }).flags).toMatchObject(none);
  });

  it("of what is no boolean are wrong options", () => {
    for (const readOnly of ["yes", "Error", 1, {}]) {
      expect(() => builtin("fs", { base: "x", readOnly })).toThrow(
        expect.objectContaining({ code: "EAS_INVALID_OPTION" }),
      );
    }
  });
});

describe("a driver of its user", () => {
  it("without some of the writes gives no events for those", async () => {
    for (const [name, wrap] of Object.entries(wrappers)) {
      if (!["nothing", "a queue", "a wrapper in JavaScript"].includes(name)) continue;
      const { setItem, setItems, setItemRaw, ...reader } = plainDriver(new Map([["a", "1"]]));
      const storage = createStorage<any>({ driver: wrap(reader) });
      onTestFinished(() => storage.dispose());
      const events: string[] = [];
      await storage.watch((event, key) => void events.push(`${event} ${key}`));
      await storage.setItem("b", 1);
      await storage.setItems([{ key: "c", value: 1 }]);
      await storage.setItemRaw("d", "raw");
      await storage.flush();
      expect(events).toEqual([]);
      await storage.removeItem("a");
      expect(events).toEqual(["remove a"]);
      void [setItem, setItems, setItemRaw];
    }
  });

  it("that only reads gives no events, of a clear neither", async () => {
    for (const wrap of Object.values(wrappers)) {
      const { hasItem, getItem, getKeys } = plainDriver(new Map([["a", '{"json":1}']]));
      const storage = createStorage<any>({ driver: wrap({ hasItem, getItem, getKeys }) });
      onTestFinished(() => storage.dispose());
      const events: string[] = [];
      await storage.watch((event, key) => void events.push(`${event} ${key}`));
      await storage.clear();
      await storage.clear("a");
      await storage.setItem("a", 2);
      await storage.removeItem("a");
      await storage.flush();
      expect(events).toEqual([]);
      expect(await storage.getItem("a")).toBe(1);
    }
  });

  it("that takes writes for nothing without a word is not migrated", async () => {
    const driver = { ...plainDriver(), setItem() {}, setItems: undefined } as Driver;
    const storage = createStorage<any>({
      driver,
      version: 1,
      migrations: { 1: (s) => s.setItem("a", 1) },
    });
    await expect(storage.migrate()).rejects.toMatchObject({ code: "EAS_READ_ONLY" });
  });

  it("read-only at a mount makes a step that writes there fail, and undoes the rest", async () => {
    const storage = createStorage<any>({
      version: 1,
      migrations: {
        1: async (s) => {
          await s.setItem("a", 1);
          await s.setItem("ro:a", 2);
        },
      },
    });
    storage.mount("ro", drivers["fs-lite"]?.({ readOnly: true }));
    await expect(storage.migrate()).rejects.toMatchObject({ code: "EAS_READ_ONLY" });
    expect(await storage.getItem("a")).toBeNull();
    expect(await storage.getItem("ro:a")).toBe(1);
  });
});

describe("a storage of which one mount refuses clears, mounted with a mount inside of it", () => {
  const around: Record<string, (inner: Any) => Driver> = {
    "the storage": (inner) => inner,
    "a spread of it": (inner) => ({ ...inner }),
    "a queue over it": (inner) => builtin("queue", { driver: inner }),
    "a storage with it": (inner) => createStorage({ driver: inner }) as Any,
    "a prefix of a storage with it": (inner) =>
      prefixStorage(createStorage<any>().mount("p:q", inner), "p:q") as Any,
    "a storage with defaults": (inner) =>
      createStorage({ driver: inner, defaults: { z: 1 } }) as Any,
  };

  it.each(
    Object.entries(around).flatMap(([name, wrap]) =>
      (["clear", "clearSync"] as const).map((method) => [name, method, wrap] as const),
    ),
  )("%s: %s leaves what lies there", async (_name, method, wrap) => {
    for (const flags of [{ noClear: true }, { readOnly: true }]) {
      const inner = createStorage<any>();
      inner.mount("keep", drivers.fs?.(flags));
      const outer = createStorage<any>().mount("m", wrap(inner));
      outer.mount("m:keep:in", memoryDriver());
      onTestFinished(() => outer.dispose());
      const kept = ["keep:a", "keep:b:c", "keep:in:a"];
      const events: string[] = [];
      await outer.watch((event, key) => void events.push(`${event} ${key}`));
      for (const base of ["", "m", "m:keep", "m:keep:b"]) {
        inner.setItemSync("gone", 1);
        outer.setItemSync("m:keep:in:x", 1);
        await outer[method](base);
        await outer.flush();
        expect(
          inner
            .getKeysSync()
            .filter((key) => key !== "gone")
            .sort(),
        ).toEqual(kept);
        expect(inner.hasItemSync("gone")).toBe(base.length > 1);
        expect(outer.hasItemSync("m:keep:in:x")).toBe(base === "m:keep:b");
      }
      await outer.flush();
      expect(
        inner
          .getKeysSync()
          .filter((key) => key !== "gone")
          .sort(),
      ).toEqual(kept);
      expect(events.filter((event) => /remove m:keep:(a|b)/.test(event))).toEqual([]);
    }
  });
});
