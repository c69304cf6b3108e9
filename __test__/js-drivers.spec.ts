// Drivers that users write: every shape that the guide allows, and those that it does not.

import { createContext, runInContext } from "node:vm";
import { describe, expect, it } from "vitest";
import type { Driver, Storage } from "../index.js";
import {
  callsTo,
  plainDriver,
  promiseDriver,
  recorder,
  syncMethodsDriver,
} from "./helpers/js-drivers.js";
import { callsOf, failureOf, type Mode } from "./helpers/modes.js";
import { createStorage, defineDriver, memoryDriver } from "./helpers/package.js";

const MODES: Mode[] = ["async", "sync"];

/** A driver with every method in both forms, those that give values. */
function completeDriver(data = new Map<string, any>()): Driver {
  return {
    ...plainDriver(data),
    ...syncMethodsDriver(data),
    name: "complete",
    getMeta: () => ({ size: 1 }),
    getMetaSync: () => ({ size: 1 }),
  };
}

describe("what a driver is called with", () => {
  describe.each(MODES)("%s", (mode) => {
    const name = (method: string) => (mode === "sync" ? `${method}Sync` : method);

    const CASES: [
      storageMethod: string,
      args: unknown[],
      driverMethod: string,
      driverArgs: unknown[],
    ][] = [
      ["hasItem", ["/a/b"], "hasItem", ["a:b"]],
      ["getItem", ["/a/b"], "getItem", ["a:b"]],
      ["getItemRaw", ["/a/b"], "getItemRaw", ["a:b"]],
      ["getMeta", ["/a/b"], "getMeta", ["a:b"]],
      ["setItem", ["/a/b", [1]], "setItem", ["a:b", '{"json":[1]}']],
      ["setItemRaw", ["/a/b", "raw"], "setItemRaw", ["a:b", "raw"]],
      ["removeItem", ["/a/b"], "removeItem", ["a:b"]],
      ["getKeys", ["/a"], "getKeys", ["a:"]],
      ["getKeys", [], "getKeys", [""]],
      ["clear", [], "clear", [""]],
    ];

    it.each(CASES)(
      "%s(...%j) is %s(...%j) with an empty options object",
      async (method, args, called, expected) => {
        const { driver, calls } = recorder(completeDriver());
        await (callsOf(createStorage<any>({ driver }), mode) as any)[method](...args);
        const [call] = callsTo(calls, name(called));
        expect(call.args.slice(0, -1)).toEqual(expected);
        expect(call.args.at(-1)).toEqual({});
      },
    );

    it.each(CASES)(
      "%s(...%j) hands its options to %s as the same object",
      async (method, args, called, driverArgs) => {
        const { driver, calls } = recorder(completeDriver());
        const opts = { consistency: "strong", nested: { a: 1 }, call: () => 1 };
        const padded = called === "getKeys" || called === "clear" ? [args[0] ?? ""] : args;
        await (callsOf(createStorage<any>({ driver }), mode) as any)[method](...padded, opts);
        const [call] = callsTo(calls, name(called));
        expect(call.args[driverArgs.length]).toBe(opts);
        expect(Object.keys(opts)).toEqual(["consistency", "nested", "call"]);
      },
    );

    it("a driver in a mount gets its keys and bases without the mount's", async () => {
      const { driver, calls } = recorder(completeDriver());
      const storage = createStorage<any>().mount("m:n", driver);
      const methods = callsOf(storage, mode);
      await methods.setItem("m:n:a", 1);
      await methods.getKeys("m:n:b");
      await methods.getKeys("m");
      expect(callsTo(calls, name("setItem"))[0].args[0]).toBe("a");
      expect(callsTo(calls, name("getKeys")).map(({ args }) => args[0])).toEqual(["b:", ""]);
    });

    it("methods are called on the driver object", async () => {
      class Store {
        data = new Map<string, string>();
        has(key: string) {
          return this.data.has(key);
        }
        hasItem(key: string) {
          return this.has(key);
        }
        hasItemSync(key: string) {
          return this.has(key);
        }
        getItem(key: string) {
          return this.data.get(key) ?? null;
        }
        getItemSync(key: string) {
          return this.getItem(key);
        }
        getKeys() {
          return [...this.data.keys()];
        }
        getKeysSync() {
          return this.getKeys();
        }
        setItem(key: string, value: string) {
          this.data.set(key, value);
        }
        setItemSync(key: string, value: string) {
          this.setItem(key, value);
        }
        removeItem(key: string) {
          this.data.delete(key);
        }
        removeItemSync(key: string) {
          this.removeItem(key);
        }
        clear() {
          for (const key of this.getKeys()) this.removeItem(key);
        }
        clearSync() {
          this.clear();
        }
      }
      const driver = new Store();
      const calls = callsOf(createStorage<any>({ driver }), mode);
      await calls.setItem("a", 1);
      await calls.setItem("b", 1);
      expect(await calls.getItem("a")).toBe(1);
      expect(await calls.hasItem("a")).toBe(true);
      expect((await calls.getKeys()).sort()).toEqual(["a", "b"]);
      await calls.removeItem("a");
      await calls.clear();
      expect(driver.data.size).toBe(0);
    });

    it("what a driver throws reaches the caller as the same object", async () => {
      const thrownValues = [
        new Error("mine"),
        new (class Custom extends Error {})(),
        "text",
        7,
        null,
        undefined,
        { a: 1 },
        Symbol("s"),
      ];
      for (const thrown of thrownValues) {
        const fail = () => {
          throw thrown;
        };
        const names = Object.keys(completeDriver()).filter(
          (key) => typeof (completeDriver() as any)[key] === "function",
        );
        const driver = {
          ...Object.fromEntries(names.map((key) => [key, fail])),
          name: "failing",
          dispose: undefined,
          flush: undefined,
        } as unknown as Driver;
        const calls = callsOf(createStorage<any>({ driver }), mode);
        const outcomes: [string, Promise<unknown>][] = [
          ["getItem", calls.getItem("a")],
          ["getItems", calls.getItems(["a"])],
          ["getItemRaw", calls.getItemRaw("a")],
          ["hasItem", calls.hasItem("a")],
          ["getMeta", calls.getMeta("a")],
          ["getKeys", calls.getKeys()],
          ["setItem", calls.setItem("a", 1)],
          ["setItems", calls.setItems([{ key: "a", value: 1 }])],
          ["setItemRaw", calls.setItemRaw("a", "x")],
          ["removeItem", calls.removeItem("a")],
          ["setMeta", calls.setMeta("a", {})],
          ["clear", calls.clear()],
          ["clear of a base", calls.clear("a")],
        ];
        for (const [method, outcome] of outcomes) {
          const settled = await outcome.then(
            () => "it succeeds",
            (error) => ({ error }),
          );
          expect(settled, method).toHaveProperty("error");
          expect((settled as any).error, method).toBe(thrown);
        }
      }
    });

    it("answers of a wrong kind are the driver's fault, by name and operation", async () => {
      const give = (answer: unknown) => ({
        ...completeDriver(),
        getKeys: () => answer as any,
        getKeysSync: () => answer as any,
      });
      for (const answer of [null, undefined, "keys", 1, {}, [1], ["a", null], new Set(["a"])]) {
        const calls = callsOf(createStorage<any>({ driver: give(answer) }), mode);
        for (const call of [calls.getKeys("b"), calls.clear("b")]) {
          const error = await failureOf(call);
          expect(error.code, String(answer)).toBe("EAS_DRIVER_RESULT");
          expect(error.driver).toBe("complete");
          expect(error.operation).toBe(name("getKeys"));
          expect(error.message).toMatch(
            /^\[electron-async-storage\] \[complete\] the driver gave /,
          );
        }
      }
    });

    it("an answer whose getter throws gives that very error", async () => {
      const thrown = new Error("from a getter");
      const trap = {
        get key(): string {
          throw thrown;
        },
        value: null,
      };
      const keys = Object.defineProperty(["a"], 0, {
        get() {
          throw thrown;
        },
      });
      const driver = {
        ...completeDriver(),
        getItems: () => [trap],
        getItemsSync: () => [trap],
        getKeys: () => keys,
        getKeysSync: () => keys,
      };
      const calls = callsOf(createStorage<any>({ driver }), mode);
      expect(await failureOf(calls.getItems(["a"]))).toBe(thrown);
      expect(await failureOf(calls.getKeys())).toBe(thrown);
      await calls.setItem("a", 1);
      expect(await calls.getItem("a")).toBe(1);
    });

    it("truth and falsehood of any kind answer hasItem", async () => {
      for (const [answer, expected] of [
        [1, true],
        ["yes", true],
        [{}, true],
        [0, false],
        ["", false],
        [null, false],
        [undefined, false],
      ] as const) {
        const has = () => answer as any;
        const driver = { ...completeDriver(), hasItem: has, hasItemSync: has };
        expect(await callsOf(createStorage<any>({ driver }), mode).hasItem("a")).toBe(expected);
      }
    });

    it("values that are no text come through getItem as they are", async () => {
      for (const answer of [7, true, { parsed: 1 }, [1], new Date(0)]) {
        const get = () => answer as any;
        const driver = { ...completeDriver(), getItem: get, getItemSync: get };
        expect(await callsOf(createStorage<any>({ driver }), mode).getItem("a")).toBe(answer);
      }
    });

    it("keys are normalised, filtered by base and by depth", async () => {
      const list = () => ["/a/b/", "a::c:d", "ab:x", "a:meta$", "", "other"];
      const driver = { ...completeDriver(), getKeys: list, getKeysSync: list };
      const storage = createStorage<any>({ driver });
      const calls = callsOf(storage, mode);
      expect((await calls.getKeys("a")).sort()).toEqual(["a:b", "a:c:d"]);
      expect((await calls.getKeys("", { maxDepth: 1 })).sort()).toEqual(["a:b", "ab:x", "other"]);
      storage.mount("m", driver);
      expect((await calls.getKeys("m:a")).sort()).toEqual(["m:a:b", "m:a:c:d"]);
    });
  });
});

describe("methods that are missing", () => {
  const readOnly: Driver = {
    name: "reader",
    hasItem: (key) => key === "a",
    getItem: (key) => (key === "a" ? '{"json":1}' : null),
    getKeys: () => ["a"],
    hasItemSync: (key) => key === "a",
    getItemSync: (key) => (key === "a" ? '{"json":1}' : null),
    getKeysSync: () => ["a"],
  };

  it("without setItem, removeItem and clear async writes do nothing", async () => {
    const storage = createStorage<any>({ driver: readOnly });
    await storage.setItem("a", 2);
    await storage.setItems([
      { key: "a", value: 2 },
      { key: "b", value: undefined },
    ]);
    await storage.setItemRaw("a", "x");
    await storage.setMeta("a", { b: 1 });
    await storage.removeItem("a", true);
    await storage.removeMeta("a");
    await storage.clear();
    await storage.clear("a");
    expect(await storage.getItem("a")).toBe(1);
    expect(await storage.getKeys()).toEqual(["a"]);
  });

  it.each([
    ["setItem", (storage: Storage<any>) => storage.setItemSync("a", 2), "setItemSync"],
    [
      "setItems",
      (storage: Storage<any>) => storage.setItemsSync([{ key: "a", value: 2 }]),
      "setItemSync",
    ],
    ["setItemRaw", (storage: Storage<any>) => storage.setItemRawSync("a", "x"), "setItemSync"],
    ["removeItem", (storage: Storage<any>) => storage.removeItemSync("a"), "removeItemSync"],
    ["clear", (storage: Storage<any>) => storage.clearSync(), "clearSync"],
  ])("a Sync %s of it throws an error that names driver and method", async (_, call, method) => {
    const error = await failureOf(() => call(createStorage<any>({ driver: readOnly })));
    expect(error.code).toBe("EAS_SYNC_UNSUPPORTED");
    expect(error.driver).toBe("reader");
    expect(error.message).toContain("reader");
    expect(error.message).toContain(`\`${method}\``);
  });

  it("a driver without hasItem or getKeys serves the calls that do without", async () => {
    const data = new Map<string, any>();
    const { setItem } = plainDriver(data);
    const driver = {
      name: "minimal",
      getItem: (key: string) => data.get(key) ?? null,
      setItem,
    } as any;
    const storage = createStorage<any>({ driver });
    await storage.setItem("a", 1);
    expect(await storage.getItem("a")).toBe(1);
    expect(await storage.hasItem("a")).toBe(true);
    expect(await storage.hasItem("b")).toBe(false);
    const error = await failureOf(storage.getKeys());
    expect(error.driver).toBe("minimal");
    expect(error.message).toContain("`getKeys`");
  });

  it("clear falls back to getKeys and removeItem", async () => {
    const { clear, ...rest } = plainDriver();
    const { driver, calls } = recorder(rest);
    const storage = createStorage<any>({ driver });
    for (const key of ["a", "b:c"]) await storage.setItem(key, 1);
    await storage.clear();
    expect(await storage.getKeys()).toEqual([]);
    expect(callsTo(calls, "removeItem").map(({ args }) => args[0])).toEqual(
      expect.arrayContaining(["a", "b:c"]),
    );
  });

  it("a clear of a base inside the mount does not use the driver's own, which may ignore its base", async () => {
    const { driver, calls } = recorder(plainDriver());
    const storage = createStorage<any>({ driver }).mount("other", memoryDriver());
    for (const key of ["a:x", "b:x"]) await storage.setItem(key, 1);
    await storage.clear("a");
    expect(await storage.getKeys()).toEqual(["b:x"]);
    expect(callsTo(calls, "clear")).toEqual([]);
  });

  it("a clear of a whole mount uses the driver's own", async () => {
    const { driver, calls } = recorder(plainDriver());
    const storage = createStorage<any>().mount("m", driver);
    await storage.setItem("m:x", 1);
    await storage.clear("m");
    expect(callsTo(calls, "clear").map(({ args }) => args)).toEqual([["", {}]]);
    expect(callsTo(calls, "removeItem")).toEqual([]);
  });

  it("a method that is there but undefined is missing", async () => {
    const driver = { ...plainDriver(), setItem: undefined, setItems: undefined };
    const storage = createStorage<any>({ driver });
    await storage.setItem("a", 1);
    expect(await storage.getItem("a")).toBeNull();
  });
});

type Settle = (value: unknown) => void;

/** A Promise of another library's make, as far as its `then`. */
function thenable(then: (resolve: Settle, reject: Settle) => void): any {
  return { then };
}

describe("Promises of a driver", () => {
  it("that reject give the very value they reject with", async () => {
    for (const thrown of [new Error("mine"), "text", undefined, null, { a: 1 }]) {
      const reject = () => Promise.reject(thrown);
      const driver = { ...promiseDriver(), getItem: reject, setItem: reject, getKeys: reject };
      const storage = createStorage<any>({ driver });
      for (const call of [
        storage.getItem("a"),
        storage.setItem("a", 1),
        storage.setItems([{ key: "a", value: 1 }]),
        storage.getItems(["a"]),
        storage.getKeys(),
        storage.clear(),
      ]) {
        const settled = await call.then(
          () => "it succeeds",
          (error) => ({ error }),
        );
        expect(settled).toEqual({ error: thrown });
        expect((settled as any).error).toBe(thrown);
      }
    }
  });

  it("may be thenables of any make", async () => {
    const thenables = [
      thenable((resolve) => resolve('{"json":1}')),
      thenable((resolve) => void setImmediate(resolve, '{"json":1}')),
      Object.assign(
        () => {},
        thenable((resolve) => resolve('{"json":1}')),
      ),
      runInContext(`Promise.resolve('{"json":1}')`, createContext()),
    ];
    for (const answer of thenables) {
      const driver = { ...promiseDriver(), getItem: () => answer };
      expect(await createStorage<any>({ driver }).getItem("a")).toBe(1);
    }
  });

  it("that settle more than once count once", async () => {
    const driver = {
      ...promiseDriver(),
      getItem: () =>
        thenable((resolve, reject) => {
          resolve('{"json":1}');
          reject(new Error("too late"));
          resolve('{"json":2}');
        }),
    };
    const storage = createStorage<any>({ driver });
    expect(await storage.getItem("a")).toBe(1);
    expect(await storage.getItem("a")).toBe(1);
  });

  it("may settle in any order", async () => {
    const waiting = new Map<string, (text: string) => void>();
    const driver: Driver = {
      ...promiseDriver(),
      getItem: (key) => new Promise((resolve) => waiting.set(key, resolve)),
    };
    const storage = createStorage<any>({ driver });
    const keys = Array.from({ length: 100 }, (_, index) => `k${index}`);
    const reads = keys.map((key) => storage.getItem(key));
    for (const key of [...keys].reverse()) waiting.get(key)?.(JSON.stringify({ json: key }));
    expect(await Promise.all(reads)).toEqual(keys);
  });

  it("keep the process from reporting rejections of Sync methods as unhandled", async () => {
    const driver = {
      ...syncMethodsDriver(),
      getItemSync: () => Promise.reject(new Error("late")) as any,
    };
    const storage = createStorage<any>({ driver });
    const error = await failureOf(() => storage.getItemSync("a"));
    expect(error.code).toBe("EAS_SYNC_UNSUPPORTED");
    await new Promise((resolve) => setImmediate(resolve));
  });

  it.each([
    "hasItem",
    "getItem",
    "getItemRaw",
    "getKeys",
    "getMeta",
    "setItem",
    "setItemRaw",
    "removeItem",
    "clear",
    "getItems",
    "setItems",
  ])("from a Sync method are an error: %sSync", async (method) => {
    const driver = { ...completeDriver(), [`${method}Sync`]: async () => null };
    const storage = createStorage<any>({ driver }) as any;
    const args: Record<string, unknown[]> = {
      getItems: [["a"]],
      setItems: [[{ key: "a", value: 1 }]],
      setItem: ["a", 1],
      setItemRaw: ["a", "x"],
      getKeys: [],
      clear: [],
    };
    const error = await failureOf(() => storage[`${method}Sync`](...(args[method] ?? ["a"])));
    expect(error.code).toBe("EAS_SYNC_UNSUPPORTED");
    expect(error.driver).toBe("complete");
    expect(error.operation).toBe(`${method}Sync`);
    expect(error.message).toContain(`\`${method}Sync\``);
    expect(error.message).toContain("Promise");
  });
});

describe("drivers that refer to a storage", () => {
  it("may call the storage that they serve", async () => {
    const audit = createStorage<any>();
    const storage: Storage<any> = createStorage<any>({
      driver: {
        ...plainDriver(),
        async removeItem(key) {
          await storage.setItem("log:removed", key);
        },
        getItem: (key) => (key === "sum" ? storage.getItem("log:removed") : null) as any,
      },
    }).mount("log", audit);
    await storage.removeItem("a");
    expect(await storage.getItem("log:removed")).toBe("a");
  });

  it("may call it from a Sync method", () => {
    const log: string[] = [];
    const storage: Storage<any> = createStorage<any>({
      driver: {
        ...syncMethodsDriver(),
        setItemSync(key) {
          log.push(key);
          if (key === "a") storage.setItemSync("b", 1);
        },
      },
    });
    storage.setItemSync("a", 1);
    expect(log).toEqual(["a", "b"]);
  });

  it("may mount and unmount while they are asked", async () => {
    const storage: Storage<any> = createStorage<any>({
      driver: {
        ...plainDriver(),
        getItem(key) {
          storage.mount(key, memoryDriver());
          return null;
        },
        getKeys() {
          storage.mount("late", memoryDriver());
          return ["x"];
        },
      },
    });
    expect(await storage.getItem("a")).toBeNull();
    expect(await storage.getKeys()).toEqual(["x"]);
    expect(storage.getMounts()).toHaveLength(3);
  });
});

describe("wrappers of built-in drivers", () => {
  it("a spread with a method replaced uses the replacement", async () => {
    const memory = memoryDriver();
    const storage = createStorage<any>({
      driver: {
        ...memory,
        setItem: (key, value, opts) => memory.setItem(key, value.toUpperCase(), opts),
        setItemSync: (key, value, opts) => memory.setItemSync(key, value.toLowerCase(), opts),
      },
    });
    await storage.setItemRaw("raw", "Text");
    await storage.setItem("a", "Text");
    storage.setItemSync("b", "Text");
    expect(memory.getItemSync("a")).toBe('{"JSON":"TEXT"}');
    expect(memory.getItemSync("b")).toBe('{"json":"text"}');
    expect(await storage.getItemRaw("raw")).toBe("Text");
  });

  it("a built-in driver whose method is replaced in place uses the replacement", async () => {
    const driver = memoryDriver();
    const setItem = driver.setItem;
    const seen: string[] = [];
    driver.setItem = async (key, value, opts) => {
      seen.push(key);
      await setItem(key, value, opts);
    };
    const storage = createStorage<any>({ driver });
    await storage.setItem("a", 1);
    expect(seen).toEqual(["a"]);
    expect(await storage.getItem("a")).toBe(1);
  });

  it("a driver that holds another and delegates, as the guide's encryption does", async () => {
    const memory = memoryDriver();
    const encode = (text: string) => Buffer.from(text).toString("base64");
    const decode = (text: string) => Buffer.from(text, "base64").toString();
    const encrypting = defineDriver<{ driver: typeof memory }>(({ driver }) => ({
      name: `encrypted-${driver.name}`,
      hasItem: (key, opts) => driver.hasItem(key, opts),
      async getItem(key, opts) {
        const text = await driver.getItem(key, opts);
        return text ? decode(text as string) : null;
      },
      setItem: (key, value, opts) => driver.setItem(key, encode(value), opts),
      removeItem: driver.removeItem.bind(driver),
      getKeys: driver.getKeys.bind(driver),
      clear: driver.clear.bind(driver),
      dispose: driver.dispose.bind(driver),
    }));
    const storage = createStorage<any>({ driver: encrypting({ driver: memory }) });
    await storage.setItem("a:b", { secret: new Date(1) });
    expect(memory.getItemSync("a:b")).toMatch(/^[\w+/=]+$/);
    expect(await storage.getItem("a:b")).toEqual({ secret: new Date(1) });
    await storage.setItemRaw("raw", new Uint8Array([1, 2]));
    expect([...((await storage.getItemRaw("raw")) as Uint8Array)]).toEqual([1, 2]);
    await storage.clear("a");
    expect(await storage.getKeys()).toEqual(["raw"]);
    await storage.dispose();
  });

  it("a getInstance of a driver is reached through its mount", () => {
    const memory = memoryDriver();
    const storage = createStorage<any>({ driver: memory });
    storage.setItemSync("a", { b: 1 });
    const map = storage.getMount().driver.getInstance();
    expect(map.size).toBe(1);
    expect(map.get("a")).toBe('{"json":{"b":1}}');
    expect(map.has("a")).toBe(true);
    expect(map.has("b")).toBe(false);
    expect([...map]).toEqual([["a", '{"json":{"b":1}}']]);
    expect([...map.keys()]).toEqual(["a"]);
    expect([...map.values()]).toEqual(['{"json":{"b":1}}']);
    storage.removeItemSync("a");
    expect(map.size).toBe(0);
    expect(memory.getInstance?.()).toBe(map);
  });
});

describe("watching over a JavaScript driver", () => {
  it("passes on what the driver reports, in full keys, until it is stopped", async () => {
    let report: ((event: any, key: string) => void) | undefined;
    let stops = 0;
    const driver: Driver = {
      ...plainDriver(),
      watch(callback) {
        report = callback;
        return () => void stops++;
      },
    };
    const storage = createStorage<any>().mount("m", driver);
    const events: string[] = [];
    const unwatch = await storage.watch((event, key) => events.push(`${event} ${key}`));
    report?.("update", "a/b");
    report?.("remove", "c");
    expect(events).toEqual(["update m:a:b", "remove m:c"]);
    // The driver reports: the storage adds nothing of its own.
    await storage.setItem("m:x", 1);
    expect(events).toHaveLength(2);
    await unwatch();
    await unwatch();
    expect(stops).toBe(1);
  });

  it("reports the storage's own writes for a driver that does not", async () => {
    const storage = createStorage<any>({ driver: promiseDriver() });
    const events: string[] = [];
    await storage.watch((event, key) => events.push(`${event} ${key}`));
    await storage.setItem("/a/b", 1);
    await storage.removeItem("a:b");
    await storage.setItemRaw("c", "x");
    await storage.clear();
    expect(events).toEqual(["update a:b", "remove a:b", "update c", "remove c"]);
  });
});
