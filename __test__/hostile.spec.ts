// Input meant to break things: nothing crashes, nothing is half done, no prototype changes.

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { plainDriver } from "./helpers/js-drivers.js";
import { callsOf, failureOf, type Mode } from "./helpers/modes.js";
import { createStorage, memoryDriver, normalizeKey } from "./helpers/package.js";

const before = Object.getOwnPropertyNames(Object.prototype).sort();

afterEach(() => {
  expect(Object.getOwnPropertyNames(Object.prototype).sort()).toEqual(before);
  expect(({} as any).polluted).toBeUndefined();
});

describe.each<Mode>(["async", "sync"])("hostile values, %s", (mode) => {
  it("own __proto__ properties stay own properties or are refused", async () => {
    const calls = callsOf(createStorage<any>(), mode);
    const value = JSON.parse('{"__proto__":{"polluted":1},"a":1}');
    await calls.setItem("key", value).catch(() => {});
    const read = await calls.getItem("key");
    expect(read?.polluted).toBeUndefined();
  });

  it("a Proxy whose traps throw gives that error and nothing is written", async () => {
    const storage = createStorage<any>();
    const calls = callsOf(storage, mode);
    const thrown = new Error("trap");
    const fail = () => {
      throw thrown;
    };
    for (const traps of [
      { get: fail },
      { ownKeys: fail },
      { getPrototypeOf: fail },
      { has: fail, get: fail },
    ]) {
      const value = new Proxy({ a: 1 }, traps);
      for (const given of [value, { inside: value }]) {
        const error = await failureOf(calls.setItem("key", given));
        expect([error, error.cause]).toContain(thrown);
      }
      await failureOf(calls.setItem("key", 1, new Proxy({}, { get: fail })));
    }
    expect(storage.getKeysSync()).toEqual([]);
  });

  it("a batch whose items throw gives that error and nothing is written", async () => {
    const storage = createStorage<any>();
    const calls = callsOf(storage, mode);
    const thrown = new Error("getter");
    const trap = {
      key: "b",
      get value() {
        throw thrown;
      },
    };
    expect(await failureOf(calls.setItems([{ key: "a", value: 1 }, trap]))).toBe(thrown);
    const keyTrap = {
      get key() {
        throw thrown;
      },
    };
    expect(await failureOf(calls.getItems(["a", keyTrap]))).toBe(thrown);
    expect(storage.getKeysSync()).toEqual([]);
  });

  it("a list with holes is no batch", async () => {
    const calls = callsOf(createStorage<any>(), mode);
    const items: unknown[] = [{ key: "a", value: 1 }];
    items[2] = { key: "b", value: 1 };
    expect(await failureOf(calls.setItems(items))).toBeInstanceOf(TypeError);
    expect(await failureOf(calls.getItems(items))).toBeInstanceOf(TypeError);
    expect(await calls.getKeys()).toEqual([]);
  });

  it("a toJSON that writes to the storage, or grows the value, does no harm", async () => {
    const storage = createStorage<any>();
    const calls = callsOf(storage, mode);
    await calls.setItem("key", {
      toJSON() {
        storage.setItemSync("inner", 1);
        return { done: true };
      },
    });
    expect(await calls.getItem("key")).toEqual({ done: true });
    expect(await calls.getItem("inner")).toBe(1);
  });

  it("String objects are no keys", async () => {
    const calls = callsOf(createStorage<any>(), mode);
    expect(await failureOf(calls.setItem(new String("a"), 1))).toBeInstanceOf(TypeError);
    expect(await failureOf(calls.setItem({ toString: () => "a" }, 1))).toBeInstanceOf(TypeError);
  });

  it("a key of a million characters does no harm", async () => {
    const calls = callsOf(createStorage<any>(), mode);
    const key = "k".repeat(1_000_000);
    await calls.setItem(key, 1);
    expect(await calls.getItem(key)).toBe(1);
    const deep = "a:".repeat(500_000);
    await calls.setItem(deep, 2);
    expect(await calls.getItem(deep)).toBe(2);
    expect((await calls.getKeys()).sort()).toEqual([normalizeKey(deep), key]);
  });

  it("a driver that removes its own methods is asked once it is mounted, and fails by name", async () => {
    const driver = { ...plainDriver(), getItemSync: () => null };
    const calls = callsOf(createStorage<any>({ driver }), mode);
    (driver as any).getItem = undefined;
    (driver as any).getItemSync = undefined;
    expect(await failureOf(calls.getItem("a"))).toBeInstanceOf(Error);
  });
});

describe("a facade in a hostile environment", () => {
  it("works when Object.prototype has a setter for its property names", async () => {
    Object.defineProperty(Object.prototype, "options", {
      configurable: true,
      get: () => undefined,
      set() {
        throw new Error("reached");
      },
    });
    try {
      const storage = createStorage<any>({ driver: memoryDriver() });
      await storage.setItem("a", { b: 1 });
      expect(await storage.getItems(["a"])).toEqual([{ key: "a", value: { b: 1 } }]);
    } finally {
      delete (Object.prototype as any).options;
    }
  });
});

describe("many calls at once", () => {
  it("100,000 reads and writes that are not awaited all settle", async () => {
    const storage = createStorage<any>({ driver: plainDriver() });
    const writes = Array.from({ length: 50_000 }, (_, index) =>
      storage.setItem(`k${index}`, index),
    );
    const reads = Array.from({ length: 50_000 }, (_, index) => storage.getItem(`k${index}`));
    await Promise.all(writes);
    expect(await Promise.all(reads)).toEqual(Array.from({ length: 50_000 }, (_, index) => index));
  });

  it("Sync calls inside listeners inside writes do not upset each other", async () => {
    const storage = createStorage<any>();
    await storage.watch((event, key) => {
      if (event === "update" && key === "a") storage.setItemSync("b", storage.getItemSync("a"));
    });
    storage.setItemSync("a", 1);
    await storage.setItem("a", 2);
    expect(storage.getItemSync("b")).toBe(2);
  });
});

describe("builtins replaced before the package was loaded", () => {
  it("cannot make it store memory that was given away", () => {
    const source = `
      const Original = DataView;
      let memory;
      globalThis.DataView = class extends Original {
        constructor(given) {
          super(given);
          memory ??= given;
        }
      };
      DataView.prototype.setInt32 = Original.prototype.setInt32;
      const { createStorage } = require("./index.js");
      globalThis.DataView = Original;
      const storage = createStorage();
      const list = [1, 2];
      Object.defineProperty(list, 0, {
        enumerable: true,
        get() {
          if (memory?.byteLength > 0) structuredClone(memory, { transfer: [memory] });
          return 1;
        },
      });
      storage.setItemSync("batch", "old");
      try { storage.setItemsSync([{ key: "batch", value: list }]); } catch {}
      memory = undefined;
      console.log(storage.getItemSync("batch"));`;
    const cwd = join(__dirname, "..");
    const stored = execFileSync(process.execPath, ["-e", source], { cwd, encoding: "utf8" });
    expect(stored.trim()).toBe("old");
  });
});
