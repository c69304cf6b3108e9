// The face of a storage: which methods there are, and what holds of all of them.

import { describe, expect, expectTypeOf, it } from "vitest";
import type { Storage } from "../index.js";
import { callsOf, failureOf, type Mode, methods } from "./helpers/modes.js";
import { createStorage, memoryDriver } from "./helpers/package.js";

const ALIASES = {
  keys: "getKeys",
  get: "getItem",
  set: "setItem",
  has: "hasItem",
  del: "removeItem",
  remove: "removeItem",
  keysSync: "getKeysSync",
  getSync: "getItemSync",
  setSync: "setItemSync",
  hasSync: "hasItemSync",
  delSync: "removeItemSync",
  removeSync: "removeItemSync",
} as const;

const PROMISE_ONLY = [
  "watch",
  "watchItem",
  "unwatch",
  "entries",
  "getOrSet",
  "dispose",
  "unmount",
  "migrate",
  "getStorageVersion",
];
const SYNC_ONLY = ["mount", "getMount", "getMounts", "entriesSync", "atomic"];
const CONDITIONAL = ["getEntry", "getEntrySync", "update", "updateSync"];

describe("the storage object", () => {
  it("has every method of the contract and nothing else", () => {
    const expected = [
      ...methods,
      ...methods.map((name) => `${name}Sync`),
      ...Object.keys(ALIASES),
      ...PROMISE_ONLY,
      ...SYNC_ONLY,
      ...CONDITIONAL,
    ];
    expect(Object.keys(createStorage()).sort()).toEqual(expected.sort());
  });

  it("is a plain object whose methods are its own properties, and show but for two", () => {
    const storage = createStorage();
    expect(Object.getPrototypeOf(storage)).toBe(Object.prototype);
    for (const [name, value] of Object.entries(Object.getOwnPropertyDescriptors(storage))) {
      const isHidden = ["_getItemInternal", "_setItemInternal"].includes(name);
      expect(value.enumerable, name).toBe(!isHidden);
      expect(typeof value.value, name).toBe("function");
    }
  });

  it("needs no `this`: it survives destructuring and spreading", async () => {
    const { setItem, getItem, setItemSync, getItemSync, getKeys, mount, getMount, set, get } =
      createStorage();
    await setItem("a", 1);
    setItemSync("b", 2);
    await set("c", 3);
    expect(await getItem("a")).toBe(1);
    expect(getItemSync("b")).toBe(2);
    expect(await get("c")).toBe(3);
    mount("m", memoryDriver());
    expect(getMount("m:x").base).toBe("m:");
    expect((await getKeys()).sort()).toEqual(["a", "b", "c"]);
    const spread = { ...createStorage() };
    await spread.setItem("a", 1);
    expect(await spread.getItem("a")).toBe(1);
  });

  it("has short names for its methods", async () => {
    const storage = createStorage<any>();
    for (const [alias, name] of Object.entries(ALIASES)) {
      expect(storage[alias as keyof Storage], alias).toBe(storage[name as keyof Storage]);
    }
    await storage.set("a", 1);
    storage.setSync("b", 2);
    expect(await storage.get("a")).toBe(1);
    expect(storage.getSync("b")).toBe(2);
    expect(await storage.has("a")).toBe(true);
    expect(storage.hasSync("b")).toBe(true);
    expect((await storage.keys()).sort()).toEqual(storage.keysSync().sort());
    await storage.del("a");
    storage.delSync("b");
    expect(storage.keysSync()).toEqual([]);
    storage.setSync("a", 1);
    storage.setSync("b", 1);
    await storage.remove("a");
    storage.removeSync("b");
    expect(storage.keysSync()).toEqual([]);
  });

  it("keeps its items in memory when no driver is given", async () => {
    for (const options of [undefined, {}, { driver: undefined }]) {
      const storage = createStorage(options);
      expect(storage.getMount().driver.name).toBe("memory");
      storage.setItemSync("a", 1);
      expect(await storage.getItem("a")).toBe(1);
    }
  });

  it("shares nothing with another storage", async () => {
    const [one, two] = [createStorage(), createStorage()];
    one.setItemSync("a", 1);
    expect(two.getItemSync("a")).toBeNull();
  });

  it("can be mounted at two places of another storage", async () => {
    const inner = createStorage<any>();
    const outer = createStorage<any>();
    outer.mount("x", inner).mount("y", inner);
    await outer.setItem("x:a", { at: new Date(1) });
    expect(await outer.getItem("y:a")).toEqual({ at: new Date(1) });
    expect((await outer.getKeys()).sort()).toEqual(["x:a", "y:a"]);
    expect(outer.getItemSync("y:a")).toEqual({ at: new Date(1) });
  });
});

describe.each<Mode>(["async", "sync"])("arguments of a wrong type, %s", (mode) => {
  const WRONG_KEYS = [
    undefined,
    null,
    0,
    1,
    true,
    {},
    [],
    Symbol("key"),
    1n,
    () => "key",
    new Date(),
  ];

  it.each(methods.filter((name) => !/Items|getKeys|clear|flush/.test(name)))(
    "%s refuses a key that is no string and changes nothing",
    async (name) => {
      const storage = createStorage<any>();
      storage.setItemSync("kept", 1);
      const rest = name.startsWith("set") ? [{ value: 1 }] : [];
      for (const key of WRONG_KEYS) {
        const error = await failureOf(callsOf(storage, mode)[name](key, ...rest));
        expect(error, String(key)).toBeInstanceOf(TypeError);
        expect(error.code).toBe("EAS_INVALID_ARGUMENT");
        expect(error.message).toMatch(
          /^\[electron-async-storage\] Invalid key: expected a string, got /,
        );
      }
      expect(storage.getKeysSync()).toEqual(["kept"]);
    },
  );

  it.each(["getKeys", "clear", "flush"] as const)(
    "%s refuses a base that is no string",
    async (name) => {
      const storage = createStorage<any>();
      storage.setItemSync("kept", 1);
      for (const base of [0, 7, true, {}, [], Symbol("base"), 1n]) {
        const error = await failureOf(callsOf(storage, mode)[name](base));
        expect(error, String(base)).toBeInstanceOf(TypeError);
        expect(error.code).toBe("EAS_INVALID_ARGUMENT");
        expect(error.message).toMatch(
          /^\[electron-async-storage\] Invalid base: expected a string, got /,
        );
      }
      expect(storage.getKeysSync()).toEqual(["kept"]);
    },
  );

  it("options that are no object are refused and nothing is written", async () => {
    const storage = createStorage<any>();
    storage.setItemSync("kept", 1);
    const calls = callsOf(storage, mode);
    for (const opts of [1, "text", Symbol("opts"), 1n]) {
      for (const call of [
        calls.setItem("new", 1, opts),
        calls.setItems([{ key: "new", value: 1 }], opts),
        calls.setItems([{ key: "new", value: 1, options: opts }]),
        calls.setItemRaw("new", "x", opts),
        calls.setMeta("new", { a: 1 }, opts),
        calls.setItem("kept", undefined, opts),
        calls.removeItem("kept", opts),
        calls.removeMeta("kept", opts),
        calls.getItem("kept", opts),
        calls.getItems(["kept"], opts),
        calls.getItemRaw("kept", opts),
        calls.getMeta("kept", opts),
        calls.hasItem("kept", opts),
        calls.getKeys("", opts),
        calls.clear("", opts),
      ]) {
        const error = await failureOf(call);
        expect(error, String(opts)).toBeInstanceOf(TypeError);
        expect(error.code).toBe("EAS_INVALID_ARGUMENT");
        expect(error.message).toMatch(
          /^\[electron-async-storage\] Invalid options: expected an object/,
        );
      }
    }
    expect(storage.getItemSync("kept")).toBe(1);
    expect(storage.getKeysSync()).toEqual(["kept"]);
  });

  it("null stands for no options", async () => {
    const calls = callsOf(createStorage<any>(), mode);
    await calls.setItem("a", 1, null);
    await calls.setItems([{ key: "b", value: 1, options: null }], null);
    expect(await calls.getItem("a", null)).toBe(1);
    expect(await calls.getItems(["a", { key: "b", options: null }], null)).toHaveLength(2);
    expect((await calls.getKeys(null, null)).sort()).toEqual(["a", "b"]);
    expect(await calls.getMeta("a", null)).toEqual({});
    await calls.removeItem("a", null);
    await calls.clear(null, null);
    expect(await calls.getKeys()).toEqual([]);
  });

  it("a ttl that is no number of milliseconds is refused and nothing is written", async () => {
    const storage = createStorage<any>();
    const calls = callsOf(storage, mode);
    for (const ttl of [-1, Number.NaN, "1000", {}, true, 1n]) {
      for (const call of [
        calls.setItem("a", 1, { ttl }),
        calls.setItems([
          { key: "b", value: 1 },
          { key: "a", value: 1, options: { ttl } },
        ]),
        calls.setItems([{ key: "a", value: 1 }], { ttl }),
        calls.setItemRaw("a", "x", { ttl }),
      ]) {
        const error = await failureOf(call);
        expect(error.code, String(ttl)).toBe("EAS_INVALID_OPTION");
        expect(error.message).toContain("`ttl`");
      }
    }
    expect(storage.getKeysSync()).toEqual([]);
  });

  it("a maxDepth that is no number is refused", async () => {
    const calls = callsOf(createStorage<any>(), mode);
    for (const maxDepth of ["1", {}, true, Number.NaN]) {
      const error = await failureOf(calls.getKeys("", { maxDepth }));
      expect(error.code, String(maxDepth)).toBe("EAS_INVALID_OPTION");
      expect(error.message).toContain("`maxDepth`");
    }
  });

  it("an options object whose getter throws gives that very error, and nothing is written", async () => {
    const storage = createStorage<any>();
    const thrown = new Error("from a getter");
    const opts = {
      get ttl() {
        throw thrown;
      },
    };
    expect(await failureOf(callsOf(storage, mode).setItem("a", 1, opts))).toBe(thrown);
    expect(storage.getKeysSync()).toEqual([]);
    // The storage goes on as before.
    storage.setItemSync("a", 2);
    expect(storage.getItemSync("a")).toBe(2);
  });
});

describe("createStorage", () => {
  it("refuses options that are no object", () => {
    for (const options of [null, 1, "text", true, () => 1]) {
      expect(() => createStorage(options as any), String(options)).toThrow(TypeError);
      expect(() => createStorage(options as any)).toThrow(
        expect.objectContaining({ code: "EAS_INVALID_ARGUMENT" }),
      );
    }
  });

  it("refuses a driver that is none", () => {
    for (const driver of [
      1,
      "memory",
      true,
      {},
      [],
      { getItem: 1 },
      memoryDriver,
      () => memoryDriver(),
    ]) {
      const make = () => createStorage({ driver: driver as any });
      expect(make, String(driver)).toThrow(TypeError);
      expect(make).toThrow(/^\[electron-async-storage\] Invalid driver: expected an object/);
      expect(make).toThrow(expect.objectContaining({ code: "EAS_INVALID_ARGUMENT" }));
    }
  });
});

it("the types of the helpers are those of the package", () => {
  expectTypeOf(createStorage()).toEqualTypeOf<Storage>();
});
