// A queue in front of a driver that is written in JavaScript: its timers and its clock are those of the
// program, which tests replace, and what waits expires by them.

import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { Driver, TransactionOptions } from "../index.js";
import { plainDriver, syncMethodsDriver } from "./helpers/js-drivers.js";
import { builtin, createStorage, memoryDriver } from "./helpers/package.js";
import { realm } from "./helpers/realm.js";

/** A driver that keeps the options of each write. */
function noting(base: Driver = plainDriver(), flags: Driver["flags"] = { ttl: true }) {
  const writes: { method: string; key: string; opts: any }[] = [];
  const driver: any = { ...base, flags };
  for (const name of ["setItem", "setItemSync", "setItemRaw", "setItemRawSync"]) {
    if (!driver[name]) continue;
    driver[name] = (key: string, value: any, opts: TransactionOptions) => {
      writes.push({ method: name, key, opts });
      return (base as any)[name](key, value, opts);
    };
  }
  if (driver.setItems) {
    driver.setItems = (items: any[], common: any) => {
      for (const { key, options } of items) writes.push({ method: "setItems", key, opts: options });
      return base.setItems?.(items, common);
    };
  }
  return { driver: driver as Driver, writes };
}

function queued(driver: Driver, options: object = {}) {
  const storage = createStorage<any>({ driver: builtin("queue", { driver, ...options }) });
  onTestFinished(async () => {
    vi.useRealTimers();
    await storage.dispose();
  });
  return storage;
}

describe("with the timers of a test", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it.each([
    ["a driver in JavaScript", () => plainDriver()],
    ["a spread of a built-in driver", () => ({ ...memoryDriver(), getInstance: undefined })],
    [
      "a built-in driver with a spy on it",
      () => {
        const driver = memoryDriver();
        vi.spyOn(driver, "setItem");
        return driver;
      },
    ],
    [
      "a queue over a driver in JavaScript",
      () => builtin("queue", { driver: plainDriver(), flushInterval: 0 }),
    ],
    ["a storage", () => createStorage({ driver: plainDriver() })],
  ])("a queue over %s is flushed when its interval is over by them", async (_, open) => {
    const driver = open() as Driver;
    const storage = queued(driver, { flushInterval: 1000 });
    const before = vi.getTimerCount();
    await storage.setItem("a", 1);
    expect(vi.getTimerCount()).toBeGreaterThan(before);
    vi.advanceTimersByTime(999);
    expect(await driver.getItem("a", {})).toBeNull();
    await vi.advanceTimersByTimeAsync(1);
    expect(await driver.getItem("a", {})).not.toBeNull();
  });

  it("a queue over memory is not", async () => {
    const storage = queued(memoryDriver(), { flushInterval: 1000 });
    await storage.setItem("a", 1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("an item expires in the queue by the clock of the test", async () => {
    const { driver, writes } = noting();
    const storage = queued(driver);
    await storage.setItem("a", "old");
    await storage.flush();
    await storage.setItem("a", "new", { ttl: 500 });
    vi.setSystemTime(Date.now() + 499);
    expect(await storage.getItem("a")).toBe("new");
    vi.setSystemTime(Date.now() + 1);
    expect(await storage.getItem("a")).toBeNull();
    expect(await storage.hasItem("a")).toBe(false);
    expect(await storage.getKeys()).toEqual([]);
    await storage.flush();
    expect(writes).toHaveLength(1);
    expect(await driver.getItem("a", {})).toBeNull();
    expect(await storage.getItem("a")).toBeNull();
  });

  it.each([
    ["a single write", 1, {}],
    ["a batch", 3, {}],
    ["every update", 2, { mergeUpdates: false }],
  ])("what is left of the time to live reaches the driver with %s", async (_, count, options) => {
    const { driver, writes } = noting();
    const storage = queued(driver, { ...options, flushInterval: 10_000 });
    const opts = { ttl: 1000, mine: Symbol("mine") };
    for (let i = 0; i < count; i++) await storage.setItem(`k${i}`, i, opts);
    vi.setSystemTime(Date.now() + 400);
    await storage.flush();
    expect(writes).toHaveLength(count);
    for (const { opts: given } of writes) {
      expect(given).toEqual({ ttl: 600, mine: opts.mine });
    }
    expect(opts.ttl).toBe(1000);
  });

  it("raw values too, and those that a driver of text alone keeps", async () => {
    for (const base of [plainDriver(), { ...plainDriver(), setItemRaw: undefined }]) {
      const { driver, writes } = noting(base as Driver);
      const storage = queued(driver, { flushInterval: 10_000 });
      await storage.setItemRaw("a", "old");
      await storage.flush();
      await storage.setItemRaw("a", "new", { ttl: 1000 });
      await storage.setItemRaw("b", "new", { ttl: 300 });
      vi.setSystemTime(Date.now() + 400);
      await storage.flush();
      expect(writes.slice(1)).toMatchObject([{ key: "a", opts: { ttl: 600 } }]);
      expect(await driver.getItem("b", {})).toBeNull();
    }
  });

  it("by the Sync methods it is the same", async () => {
    const { driver, writes } = noting(syncMethodsDriver());
    const storage = queued(driver, { flushInterval: 10_000 });
    await storage.setItem("a", 1, { ttl: 1000 });
    await storage.setItem("b", 1, { ttl: 100 });
    driver.setItemSync?.("b", "older", {});
    writes.length = 0;
    vi.setSystemTime(Date.now() + 400);
    storage.flushSync();
    expect(writes).toMatchObject([{ method: "setItemSync", key: "a", opts: { ttl: 600 } }]);
    expect(driver.getItemSync?.("b", {})).toBeNull();
  });

  it("an item whose time is over does not come back with a flush that failed before", async () => {
    const { driver, writes } = noting();
    const { setItem: set } = driver as Required<Driver>;
    let fails = true;
    driver.setItem = (...args) => {
      if (fails) throw new Error("not now");
      return set(...args);
    };
    const storage = queued(driver, { flushInterval: 10_000 });
    await storage.setItem("a", 1, { ttl: 300 });
    await expect(storage.flush()).rejects.toThrow("not now");
    fails = false;
    vi.setSystemTime(Date.now() + 300);
    await storage.flush();
    expect(writes).toEqual([]);
    expect(await driver.getItem("a", {})).toBeNull();
  });
});

it("options without a time to live reach the driver as the same object", async () => {
  const { driver, writes } = noting();
  const storage = queued(driver);
  const opts = { mine: 1 };
  await storage.setItem("a", 1, opts);
  await storage.flush();
  expect(writes[0]?.opts).toBe(opts);
  const direct = createStorage<any>({ driver });
  const timed = { ttl: 1000.5 };
  await direct.setItem("b", 1, timed);
  expect(writes[1]?.opts).toBe(timed);
});

it("in another realm, as in Jest, they are the timers of that realm", async () => {
  const other = realm();
  const timers: (() => void)[] = other.run("globalThis.timers = []");
  other.run("globalThis.setTimeout = (fired) => void timers.push(fired)");
  const { createStorage } = other.require("./index.js");
  const driver = plainDriver();
  const queue = other.require("./drivers/queue.js")({ driver });
  const storage = createStorage({ driver: queue });
  await storage.setItem("a", 1);
  expect(timers).toHaveLength(1);
  timers[0]?.();
  expect(await driver.getItem("a", {})).toBe('{"json":1}');
  await storage.dispose();
});
