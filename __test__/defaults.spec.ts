// What reads give where there is no item.

import { describe, expect, it } from "vitest";
import { callsOf, failureOf } from "./helpers/modes.js";
import {
  builtin,
  createStorage,
  prefixStorage,
  snapshot,
  snapshotSync,
} from "./helpers/package.js";

describe.each(["async", "sync"] as const)("%s", (mode) => {
  const made = (defaults: Record<string, unknown>, driver = builtin("memory")) => {
    const storage = createStorage<any>({ driver, defaults });
    return { storage, driver, calls: callsOf(storage, mode) };
  };

  it("a missing item reads as its default, by every spelling of the key", async () => {
    const { calls } = made({ theme: "dark", "a/b": 0 });
    expect(await calls.getItem("theme")).toBe("dark");
    expect(await calls.getItem("/theme?x")).toBe("dark");
    expect(await calls.getItem("a:b")).toBe(0);
    expect(await calls.getItem("other")).toBeNull();
  });

  it("each read gives a copy of its own", async () => {
    const defaults = { list: [1], at: new Date(5), map: new Map([["a", new Set([1])]]) };
    const { calls } = made(defaults);
    for (const key of Object.keys(defaults) as (keyof typeof defaults)[]) {
      const first = await calls.getItem(key);
      expect(first).toEqual(defaults[key]);
      expect(first).not.toBe(defaults[key]);
      expect(await calls.getItem(key)).not.toBe(first);
    }
    (await calls.getItem("list")).push(2);
    expect(await calls.getItem("list")).toEqual([1]);
  });

  it("a default that is changed after the storage was made is not meant", async () => {
    const defaults: Record<string, any> = { settings: { zoom: 1 } };
    const { calls } = made(defaults);
    defaults.settings.zoom = 2;
    defaults.other = 1;
    expect(await calls.getItem("settings")).toEqual({ zoom: 1 });
    expect(await calls.getItem("other")).toBeNull();
  });

  it("a stored null is an item", async () => {
    const { calls } = made({ a: 1 });
    await calls.setItem("a", null);
    expect(await calls.getItem("a")).toBeNull();
    expect(await calls.getItems(["a"])).toEqual([{ key: "a", value: null }]);
    await calls.removeItem("a");
    expect(await calls.getItem("a")).toBe(1);
  });

  it.each([false, 0, "", Number.NaN])("a stored %j is an item", async (value) => {
    const { calls } = made({ a: 1 });
    await calls.setItem("a", value);
    expect(await calls.getItem("a")).toBe(value);
  });

  it("batches know them, small and large", async () => {
    const { calls } = made({ k5: "five", k999: "last" });
    await calls.setItem("k1", 1);
    for (const count of [10, 1000]) {
      const keys = Array.from({ length: count }, (_, index) => `k${index}`);
      const items = await calls.getItems(keys);
      expect(items.map((item: any) => item.key)).toEqual(keys);
      expect(items[1].value).toBe(1);
      expect(items[2].value).toBeNull();
      expect(items[5].value).toBe("five");
      if (count > 999) expect(items[999].value).toBe("last");
    }
  });

  it("hasItem, getKeys, getItemRaw, metadata and snapshots know nothing of them", async () => {
    const { calls, storage, driver } = made({ a: 1 });
    expect(await calls.hasItem("a")).toBe(false);
    expect(await calls.getKeys()).toEqual([]);
    expect(await calls.getItemRaw("a")).toBeNull();
    expect(await snapshot(storage, "")).toEqual({});
    expect(snapshotSync(storage, "")).toEqual({});
    expect(await driver.getKeys()).toEqual([]);
  });

  it("an item that does not read as a value reads as its default, and its text stays", async () => {
    const driver = builtin("memory");
    await driver.setItem("a", "{oops");
    const { calls } = made({ a: 1 }, driver);
    expect(await calls.getItem("a")).toBe(1);
    expect(await driver.getItem("a")).toBe("{oops");
  });

  it("aliases, a spread and single methods know them", async () => {
    const { storage } = made({ a: 1 });
    const { get, getSync, getItem, getItemSync } = { ...storage };
    expect(await get("a")).toBe(1);
    expect(await getItem("a")).toBe(1);
    expect([getSync("a"), getItemSync("a")]).toEqual([1, 1]);
  });

  it("a prefix and a storage that it is mounted in know them", async () => {
    const { storage } = made({ "ui:theme": "dark", "ui:size": { w: 1 } });
    const prefixed = callsOf(prefixStorage(storage, "ui"), mode);
    expect(await prefixed.getItem("theme")).toBe("dark");
    expect(await prefixed.getItems(["size", "none"])).toEqual([
      { key: "size", value: { w: 1 } },
      { key: "none", value: null },
    ]);
    const outer = createStorage<any>();
    outer.mount("in", storage);
    const mounted = callsOf(outer, mode);
    expect(await mounted.getItem("in:ui:theme")).toBe("dark");
    await mounted.setItem("in:ui:size", { w: 2 });
    expect(await storage.getItem("ui:size")).toEqual({ w: 2 });
    expect(await mounted.getItem("in:ui:size")).toEqual({ w: 2 });
    expect(await mounted.getKeys()).toEqual(["in:ui:size"]);
  });
});

it("migrations and their hooks pass them by", async () => {
  const seen: unknown[] = [];
  const storage = createStorage({
    defaults: { a: "default" },
    version: 1,
    migrations: {
      1: async (old) => void seen.push(await old.getItem("a")),
    },
    migrationHooks: {
      beforeMigration: async (_from, _to, old) => void seen.push(await old.getItem("a")),
      afterMigration: async (_from, _to, old) => void seen.push(old.getItemSync("a")),
    },
  });
  await storage.migrate();
  expect(seen).toEqual([null, null, null]);
  expect(await storage.getItem("a")).toBe("default");
  expect(await storage.getStorageVersion()).toBe(1);
});

describe("bad input is refused when the storage is made", () => {
  it.each<[title: string, defaults: unknown, code: string, text: string]>([
    ["a list", [1], "EAS_INVALID_OPTION", "an array"],
    ["a string", "dark", "EAS_INVALID_OPTION", '"dark"'],
    ["a number", 1, "EAS_INVALID_OPTION", "number"],
    ["a key that names nothing", { "": 1 }, "EAS_INVALID_OPTION", '""'],
    ["one key in two spellings", { "a:b": 1, "a/b": 2 }, "EAS_INVALID_OPTION", '"a:b"'],
    ["a function", { a: () => 1 }, "EAS_INVALID_VALUE", '"a"'],
    ["a Promise", { a: Promise.resolve(1) }, "EAS_INVALID_VALUE", '"a"'],
  ])("%s", async (_title, defaults, code, text) => {
    const error = await failureOf(() => createStorage({ defaults } as any));
    expect(error).toMatchObject({ code, operation: "createStorage" });
    expect(error.message).toContain(text);
  });
});

it("undefined and null are no defaults", async () => {
  const storage = createStorage<any>({ defaults: { a: undefined, b: null } });
  expect(await storage.getItems(["a", "b"])).toEqual([
    { key: "a", value: null },
    { key: "b", value: null },
  ]);
  for (const defaults of [undefined, null] as any[]) {
    expect(await createStorage<any>({ defaults }).getItem("a")).toBeNull();
  }
});
