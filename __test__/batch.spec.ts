// How batches reach drivers: one call for each mount, options item by item.

import { describe, expect, it } from "vitest";
import type { Storage } from "../index.js";
import {
  callsTo,
  plainDriver,
  promiseDriver,
  recorder,
  syncMethodsDriver,
} from "./helpers/js-drivers.js";
import { callsOf, failureOf, type Mode } from "./helpers/modes.js";
import { createStorage, memoryDriver } from "./helpers/package.js";

const keysOf = (items: any) => items.map(({ key }: { key: string }) => key);

describe.each<Mode>(["async", "sync"])("a batch, %s", (mode) => {
  const name = (method: string) => (mode === "sync" ? `${method}Sync` : method);

  /** A driver with both batch methods in the mode. */
  function batching() {
    return recorder({ ...plainDriver(), ...syncMethodsDriver() });
  }

  it("is one driver call for each mount", async () => {
    const [root, inner] = [batching(), batching()];
    const storage = createStorage<any>({ driver: root.driver }).mount("m", inner.driver);
    const calls = callsOf(storage, mode);
    await calls.setItems(["m:a", "b", "m:c", "d"].map((key) => ({ key, value: key })));
    await calls.getItems(["b", "m:a", "d", "m:c"]);
    for (const [{ calls }, keys] of [
      [root, ["b", "d"]],
      [inner, ["a", "c"]],
    ] as const) {
      for (const method of ["setItems", "getItems"]) {
        const made = callsTo(calls, name(method));
        expect(made, method).toHaveLength(1);
        expect(keysOf(made[0].args[0]), method).toEqual(keys);
      }
      expect(calls.map(({ method }) => method)).not.toContain(name("setItem"));
      expect(calls.map(({ method }) => method)).not.toContain(name("getItem"));
    }
  });

  it("falls back to single calls where the driver has no batch methods", async () => {
    const { getItems, setItems, getItemsSync, setItemsSync, ...rest } = batching().driver;
    const { driver, calls: made } = recorder(rest);
    const calls = callsOf(createStorage<any>({ driver }), mode);
    await calls.setItems([
      { key: "a", value: 1 },
      { key: "b", value: 2 },
    ]);
    expect(await calls.getItems(["b", "a"])).toEqual([
      { key: "b", value: 2 },
      { key: "a", value: 1 },
    ]);
    expect(callsTo(made, name("setItem")).map(({ args }) => args[0])).toEqual(["a", "b"]);
    expect(callsTo(made, name("getItem")).map(({ args }) => args[0])).toEqual(["b", "a"]);
  });

  it("passes the common options, and those of an item over them", async () => {
    const { driver, calls: made } = batching();
    const calls = callsOf(createStorage<any>({ driver }), mode);
    const common = { region: "eu", shared: 1 };
    await calls.setItems(
      [
        { key: "a", value: 1 },
        { key: "b", value: 2, options: { region: "us" } },
      ],
      common,
    );
    await calls.getItems(["a", { key: "b", options: { region: "us" } }], common);
    for (const method of ["setItems", "getItems"]) {
      const [items, given] = callsTo(made, name(method))[0].args as any;
      expect(given, method).toBe(common);
      expect(items[0].options, method).toBe(common);
      expect(items[1].options, method).toEqual({ region: "us", shared: 1 });
    }
  });

  it("passes an item's own options as the same object", async () => {
    const { driver, calls: made } = batching();
    const calls = callsOf(createStorage<any>({ driver }), mode);
    const options = { region: "us" };
    await calls.setItems([{ key: "a", value: 1, options }]);
    await calls.getItems([{ key: "a", options }]);
    for (const method of ["setItems", "getItems"]) {
      const [items, common] = callsTo(made, name(method))[0].args as any;
      expect(items[0].options, method).toBe(options);
      expect(common, method).toEqual({});
    }
  });

  it("removes what is undefined with removeItem and writes the rest", async () => {
    const { driver, calls: made } = batching();
    const calls = callsOf(createStorage<any>({ driver }), mode);
    await calls.setItems([
      { key: "a", value: 1 },
      { key: "gone", value: undefined },
    ]);
    expect(keysOf(callsTo(made, name("setItems"))[0].args[0])).toEqual(["a"]);
    expect(callsTo(made, name("removeItem")).map(({ args }) => args[0])).toEqual(["gone"]);
  });

  it("makes no driver call when it is empty", async () => {
    const { driver, calls: made } = batching();
    const calls = callsOf(createStorage<any>({ driver }), mode);
    await calls.setItems([]);
    await calls.getItems([]);
    expect(made).toEqual([]);
  });

  it("takes the answers of a driver in any order, by their keys", async () => {
    const answer = (items: any) =>
      items
        .filter(({ key }: any) => key !== "lost")
        .map(({ key }: any) => ({ key, value: JSON.stringify({ json: key }) }))
        .reverse();
    const driver = { ...batching().driver, getItems: answer, getItemsSync: answer };
    const calls = callsOf(createStorage<any>({ driver }), mode);
    expect(await calls.getItems(["a", "lost", "b", "a"])).toEqual([
      { key: "a", value: "a" },
      { key: "lost", value: null },
      { key: "b", value: "b" },
      { key: "a", value: "a" },
    ]);
  });

  it("refuses an answer that is no list of items", async () => {
    for (const answer of [
      null,
      undefined,
      1,
      "text",
      {},
      [null],
      ["text"],
      [{ value: 1 }],
      [{ key: 1 }],
    ]) {
      const give = () => answer as any;
      const driver = { ...batching().driver, getItems: give, getItemsSync: give };
      const error = await failureOf(callsOf(createStorage<any>({ driver }), mode).getItems(["a"]));
      expect(error.code, JSON.stringify(answer)).toBe("EAS_DRIVER_RESULT");
      expect(error.driver).toBe("two-faced");
      expect(error.operation).toBe(name("getItems"));
    }
  });

  it("writes on after one item failed, and reports that failure", async () => {
    const failure = new Error("no room");
    const data = new Map<string, any>();
    const { setItems, setItemsSync, ...base } = syncMethodsDriver(data);
    const write = (key: string, value: string) => {
      if (key === "bad") throw failure;
      data.set(key, value);
    };
    const driver = { ...base, setItem: write, setItemSync: write };
    const calls = callsOf(createStorage<any>({ driver }), mode);
    const items = ["a", "bad", "b"].map((key) => ({ key, value: key }));
    expect(await failureOf(calls.setItems(items))).toBe(failure);
    expect([...data.keys()]).toEqual(["a", "b"]);
  });

  it("emits one event for each key", async () => {
    for (const driver of [memoryDriver(), syncMethodsDriver(), promiseDriver()]) {
      if (mode === "sync" && driver.setItemSync === undefined) continue;
      const storage = createStorage<any>({ driver });
      const events = await eventsOf(storage);
      await callsOf(storage, mode).setItems([
        { key: "a/b", value: 1 },
        { key: "c", value: 2 },
        { key: "d", value: undefined },
      ]);
      expect(events.sort()).toEqual(["remove d", "update a:b", "update c"]);
      await storage.dispose();
    }
  });

  async function eventsOf(storage: Storage<any>): Promise<string[]> {
    const events: string[] = [];
    await storage.watch((event, key) => events.push(`${event} ${key}`));
    return events;
  }
});

describe("a large read", () => {
  it.each([300, 3000])("of %d items sees what was there at the call", async (count) => {
    const storage = createStorage<any>({ driver: memoryDriver() });
    const items = Array.from({ length: count }, (_, i) => ({ key: `a:${i}`, value: { i } }));
    storage.setItemsSync(items);
    const read = storage.getItems(items.map(({ key }) => key));
    storage.clearSync();
    expect(await read).toEqual(items);
    expect(storage.getKeysSync()).toEqual([]);
  });

  it("of very many items gives each its own, in the order asked, with those that are missing", async () => {
    const storage = createStorage<any>({ driver: memoryDriver() }).mount("m", memoryDriver());
    const items = Array.from({ length: 10_000 }, (_, i) => ({
      key: `${i % 3 === 0 ? "m" : "a"}:${i}`,
      value: i % 7 === 0 ? null : { i, at: new Date(i) },
    }));
    storage.setItemsSync(items.filter(({ value }) => value !== null));
    expect(await storage.getItems(items.map(({ key }) => key))).toEqual(items);
  });

  it("with a key that is none among many rejects", async () => {
    const storage = createStorage<any>({ driver: memoryDriver() });
    const keys: any[] = Array.from({ length: 9000 }, (_, i) => `a:${i}`);
    keys[8500] = 5;
    await expect(storage.getItems(keys)).rejects.toThrow(/Invalid key: expected a string/);
  });
});
