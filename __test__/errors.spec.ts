// What an error says, and where.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folder } from "./helpers/folders.js";
import { plainDriver, promiseDriver } from "./helpers/js-drivers.js";
import { callsOf, failureOf, type Mode } from "./helpers/modes.js";
import { builtin, createStorage, isBuiltin, utils } from "./helpers/package.js";

const PREFIX = /^\[electron-async-storage\] /;

describe.each<Mode>(["async", "sync"])("an error, %s", (mode) => {
  const name = (method: string) => (mode === "sync" ? `${method}Sync` : method);

  it("of an empty key names the operation and the key as given", async () => {
    const calls = callsOf(createStorage<any>(), mode);
    for (const [call, operation] of [
      [calls.setItem(":?", 1), "setItem"],
      [calls.setItemRaw(":?", "x"), "setItemRaw"],
      [calls.setItems([{ key: ":?", value: 1 }]), "setItems"],
    ] as const) {
      const error = await failureOf(call);
      expect(error).toBeInstanceOf(Error);
      expect(error.message).toMatch(PREFIX);
      expect(error.message).toContain('":?"');
      expect(error.code).toBe("EAS_INVALID_KEY");
      expect(error.operation).toBe(name(operation));
      expect(error.key).toBe(":?");
    }
  });

  it("of an argument is a TypeError that says what was given and what is expected", async () => {
    const calls = callsOf(createStorage<any>(), mode);
    for (const [key, shown] of [
      [undefined, "undefined"],
      [null, "null"],
      [7, "the number 7"],
      [true, "true"],
      [1n, "a bigint"],
      [Symbol("s"), "a symbol"],
      [() => 1, "a function"],
      [[], "an array"],
      [{}, "an object"],
    ] as const) {
      const error = await failureOf(calls.getItem(key));
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toBe(
        `[electron-async-storage] Invalid key: expected a string, got ${shown}`,
      );
      expect(error.code).toBe("EAS_INVALID_ARGUMENT");
    }
  });

  it("of a value says where in the value and what to do", async () => {
    class Account extends Promise<void> {}
    const calls = callsOf(createStorage<any>(), mode);
    const error = await failureOf(
      calls.setItem("/a/key", { users: [{ account: Account.resolve() }] }),
    );
    expect(error.message).toBe(
      '[electron-async-storage] Cannot stringify value! For key "a:key": At users[0].account it holds ' +
        "an instance of Account. Await it first.",
    );
    expect(error).toMatchObject({
      code: "EAS_INVALID_VALUE",
      key: "a:key",
      operation: mode === "sync" ? "setItemSync" : "setItem",
      path: "users[0].account",
    });
    expect("index" in error).toBe(false);
  });

  it.each([2, 5000])("of a value in a batch of %i names its index too", async (count) => {
    const storage = createStorage<any>();
    const items = Array.from({ length: count }, (_, id) => ({
      key: `k${id}`,
      value: { id } as any,
    }));
    items[count - 1] = { key: "odd/key", value: [Symbol.iterator, new WeakMap()] };
    const error = await failureOf(callsOf(storage, mode).setItems(items));
    expect(error).toMatchObject({
      code: "EAS_INVALID_VALUE",
      key: "odd:key",
      index: count - 1,
      operation: mode === "sync" ? "setItemsSync" : "setItems",
      path: "[1]",
    });
    expect(error.message).toContain(`item ${count - 1} of the batch, key "odd:key"`);
    expect(storage.getKeysSync()).toEqual([]);
  });

  it("of metadata names the key that it is of", async () => {
    const calls = callsOf(createStorage<any>(), mode);
    expect(await failureOf(calls.setMeta("a/b", (() => 1) as any))).toMatchObject({
      code: "EAS_INVALID_VALUE",
      key: "a:b",
      operation: mode === "sync" ? "setMetaSync" : "setMeta",
    });
  });

  it("of a value has the line of its caller in its stack, however deep the value is", async () => {
    const storage = createStorage<any>();
    let deep: any = new WeakMap();
    for (let i = 0; i < 40; i++) deep = [{ deep }];
    for (const value of [() => 1, deep]) {
      const error = await failureOf(
        mode === "sync" ? () => storage.setItemSync("key", value) : storage.setItem("key", value),
      );
      expect(error.stack).toContain("errors.spec.");
      expect(error.stack?.startsWith(`Error: ${error.message}\n`)).toBe(true);
    }
  });

  it("of a raw value that the driver cannot keep names driver, operation and key", async () => {
    const driver = {
      ...promiseDriver(),
      getItemSync: () => null,
      setItemSync() {},
      getKeysSync: () => [],
    };
    const error = await failureOf(
      callsOf(createStorage<any>({ driver }), mode).setItemRaw("a:b", { a: 1 }),
    );
    expect(error.message).toMatch(/^\[electron-async-storage\] \[promising\] /);
    expect(error.code).toBe("EAS_INVALID_VALUE");
    expect(error.driver).toBe("promising");
    expect(error.operation).toBe(name("setItemRaw"));
    expect(error.key).toBe("a:b");
  });

  it("of an unnamed driver calls it custom", async () => {
    for (const named of [undefined, "", 7, null]) {
      const list = () => null as any;
      const driver = { ...plainDriver(), name: named as any, getKeys: list, getKeysSync: list };
      const error = await failureOf(callsOf(createStorage<any>({ driver }), mode).getKeys());
      expect(error.driver, String(named)).toBe("custom");
      expect(error.message).toMatch(/^\[electron-async-storage\] \[custom\] /);
    }
  });
});

describe("what drivers are made with", () => {
  it.each(["fs", "fs-lite"].filter(isBuiltin))("%s needs a base", (driver) => {
    for (const options of [undefined, {}, { base: undefined }, { base: null }, { base: "" }]) {
      const make = () => builtin(driver, options as any);
      expect(make, JSON.stringify(options)).toThrow(
        `[electron-async-storage] [${driver}] Missing required option \`base\`.`,
      );
      expect(make).toThrow(expect.objectContaining({ code: "EAS_REQUIRED_OPTION", driver }));
    }
  });

  it.each(["fs", "fs-lite"].filter(isBuiltin))("%s refuses options of a wrong type", (driver) => {
    const base = folder();
    for (const options of [
      { base: 7 },
      { base: {} },
      { base, readOnly: "yes" },
      { base, noClear: 1 },
      { base, ignore: 7 },
      { base, durability: "most" },
    ]) {
      expect(() => builtin(driver, options as any), JSON.stringify(options)).toThrow(
        expect.objectContaining({ code: "EAS_INVALID_OPTION", driver }),
      );
    }
  });

  it.each(["queue"].filter(isBuiltin))("%s needs a driver", (driver) => {
    for (const options of [undefined, {}, { driver: undefined }]) {
      expect(() => builtin(driver, options as any), JSON.stringify(options)).toThrow(
        expect.objectContaining({ code: "EAS_REQUIRED_OPTION", driver }),
      );
    }
  });

  it.each(["memory", "fs", "fs-lite", "queue"].filter(isBuiltin))(
    "%s refuses options that are no object",
    (driver) => {
      for (const options of [7, "./data", true, []]) {
        expect(() => builtin(driver, options as any), String(options)).toThrow(TypeError);
        expect(() => builtin(driver, options as any)).toThrow(PREFIX);
      }
    },
  );
});

describe("errors of drivers that users write", () => {
  it("createError says the driver and keeps the cause", () => {
    const cause = new Error("refused");
    const error = utils.createError("redis", "Cannot connect.", { cause, code: "MINE", key: "a" });
    expect(error).toBeInstanceOf(Error);
    expect(error.message).toBe("[electron-async-storage] [redis] Cannot connect.");
    expect(error.cause).toBe(cause);
    expect(error).toMatchObject({ driver: "redis", code: "MINE", key: "a" });
    expect(error.stack).toContain("errors.spec");
  });

  it("createRequiredError names the option, or the options", () => {
    const one = utils.createRequiredError("redis", "host");
    expect(one.message).toBe("[electron-async-storage] [redis] Missing required option `host`.");
    expect(one.code).toBe("EAS_REQUIRED_OPTION");
    const two = utils.createRequiredError("redis", ["host", "url"]);
    expect(two.message).toContain("`host`");
    expect(two.message).toContain("`url`");
  });

  it("reach the caller of the storage as they are", async () => {
    const error = utils.createError("mine", "No.");
    const driver = {
      ...plainDriver(),
      getItem() {
        throw error;
      },
    };
    expect(await failureOf(createStorage({ driver }).getItem("a"))).toBe(error);
  });
});

describe("the stack of an error", () => {
  it("of a Promise method has the line that awaits it", async () => {
    const base = join(folder(), "file");
    writeFileSync(base, "x");
    const driver = builtin("fs", { base });
    const storage = createStorage<any>({ driver: builtin("fs", { base }) });
    const calls: [string, () => Promise<unknown>][] = [
      ["setItem", async () => await storage.setItem("a", 1)],
      ["setItems", async () => await storage.setItems([{ key: "a", value: 1 }])],
      ["setItemRaw", async () => await storage.setItemRaw("a", "x")],
      ["setMeta", async () => await storage.setMeta("a", { b: 1 })],
      ["of the driver", async () => await driver.setItem("a", "x", {})],
      ["caught by then", async () => throwing(await storage.setItem("a", 1).catch((e) => e))],
    ];
    for (const [title, call] of calls) {
      const error = await failureOf(call());
      expect(error.code, title).toMatch(/^E[A-Z]+$/);
      expect(error.stack.startsWith(`Error: ${error.message}\n`), title).toBe(true);
      expect(error.stack, title).toContain("errors.spec.");
    }
  });

  it("that a driver threw is the driver's own", async () => {
    const thrown = new Error("mine");
    const { stack } = thrown;
    const driver = { ...promiseDriver(), getItem: async () => Promise.reject(thrown) };
    const error = await failureOf(createStorage<any>({ driver }).getItem("a"));
    expect(error).toBe(thrown);
    expect(error.stack).toBe(stack);
  });
});

function throwing(error: unknown) {
  throw error;
}
