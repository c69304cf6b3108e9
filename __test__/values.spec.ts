// What happens to values on their way into a driver and back. The format itself has specs of its own.

import superjson from "superjson";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Driver } from "../index.js";
import { plainDriver } from "./helpers/js-drivers.js";
import { callsOf, failureOf, type Mode } from "./helpers/modes.js";
import { createStorage, memoryDriver } from "./helpers/package.js";

function withTexts(texts: Record<string, unknown>): Driver {
  return plainDriver(new Map(Object.entries(texts)));
}

describe("the text that a driver sees", () => {
  it.each([
    ["plain data", { a: [1, "two", null] }],
    ["a Date", new Date(0)],
    ["a Map inside", { m: new Map([["k", 1]]) }],
    ["undefined inside", [undefined]],
    ["null", null],
  ])("is that of superjson: %s", async (_, value) => {
    const text = superjson.stringify(value);
    const data = new Map();
    const storage = createStorage<any>({ driver: plainDriver(data) });
    await storage.setItem("key", value);
    expect(data.get("key")).toBe(text);
    await storage.setItems([{ key: "batched", value }]);
    expect(data.get("batched")).toBe(text);
    const memory = memoryDriver();
    createStorage<any>({ driver: memory }).setItemSync("key", value);
    expect(memory.getItemSync("key")).toBe(text);
  });
});

describe("a long text", () => {
  const KINDS: Record<string, (length: number) => string> = {
    ASCII: (length) => "plain \n\0 text ".repeat(length).slice(0, length),
    "Latin-1 at its end": (length) => `${"a".repeat(length - 1)}é`,
    "Latin-1 at its start": (length) => `ÿ${"a".repeat(length - 1)}`,
    "two bytes at its end": (length) => `${"a".repeat(length - 1)}я`,
    "two bytes throughout": (length) => "я".repeat(length),
    "half a pair": (length) => `${"a".repeat(length - 1)}\ud800`,
  };
  // Around the sizes of the memory that strings are read into.
  const LENGTHS = [4080, 4094, 4095, 4096, 4097, 5000, 600_000];

  it.each(Object.keys(KINDS))("of %s comes back as it was, in each form", async (kind) => {
    const storage = createStorage<any>();
    const data = new Map();
    const javascript = createStorage<any>({ driver: plainDriver(data) });
    for (const length of LENGTHS) {
      const text = KINDS[kind]?.(length) ?? "";
      for (const value of [text, { text }, { text, at: new Date(0) }, [text, undefined]]) {
        storage.setItemSync("key", value);
        expect(storage.getItemSync("key")).toEqual(value);
        await storage.setItems([{ key: "batched", value }]);
        expect(await storage.getItem("batched")).toEqual(value);
        await javascript.setItem("key", value);
        expect(data.get("key")).toBe(superjson.stringify(value));
        expect(await javascript.getItem("key")).toEqual(value);
      }
      storage.setItemRawSync("raw", text);
      expect(storage.getItemRawSync("raw")).toBe(text);
    }
  });
});

describe("text without an envelope", () => {
  it.each([
    ["true", true],
    ["12.5", 12.5],
    ['"text"', "text"],
    ["[1,2]", [1, 2]],
    ['{"a":{"b":1}}', { a: { b: 1 } }],
    ["null", null],
    [' \n{"json":[1]}\n', [1]],
    ['{"json":1,"expires":99999999999999}', 1],
  ])("%s reads as its JSON value", async (text, value) => {
    const storage = createStorage<any>({ driver: withTexts({ key: text }) });
    expect(await storage.getItem("key")).toEqual(value);
    expect(await storage.getItems(["key"])).toEqual([{ key: "key", value }]);
    const memory = memoryDriver();
    memory.setItemSync("key", text);
    expect(createStorage<any>({ driver: memory }).getItemSync("key")).toEqual(value);
  });

  it("cannot change a prototype", async () => {
    const driver = withTexts({
      bare: '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
      wrapped: '{"json":{"__proto__":{"polluted":1},"a":1}}',
      annotated: '{"json":{"a":1},"meta":{"values":{"__proto__.polluted":["undefined"]}}}',
      shared: '{"json":{"a":{"polluted":1}},"meta":{"referentialEqualities":{"a":["__proto__"]}}}',
    });
    const storage = createStorage<any>({ driver });
    for (const key of ["bare", "wrapped", "annotated", "shared"]) {
      const value = await storage.getItem(key).catch(() => null);
      expect(value?.polluted, key).toBeUndefined();
      expect(({} as any).polluted, key).toBeUndefined();
    }
  });
});

describe.each<Mode>(["async", "sync"])("text that is no value, %s", (mode) => {
  it("reads as null, warns once by its key and stays where it is", async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on("warning", note);
    onTestFinished(() => void process.off("warning", note));

    const driver = memoryDriver();
    const storage = createStorage<any>({ driver });
    const calls = callsOf(storage, mode);
    const key = `torn:${mode}`;
    await driver.setItem(key, '{"json":{"a"');
    expect(await calls.getItem(key)).toBeNull();
    expect(await calls.getItem(key)).toBeNull();
    expect(await calls.getItems([key])).toEqual([{ key, value: null }]);
    await new Promise((resolve) => setImmediate(resolve));
    const seen = warnings.filter(
      (warning: any) => warning.code === "EAS_CORRUPT_VALUE" && warning.message.includes(key),
    );
    expect(seen).toHaveLength(1);
    expect(seen[0].message).toMatch(/^\[electron-async-storage\] \[memory\] /);
    expect(await driver.getItem(key)).toBe('{"json":{"a"');
    expect(await calls.getItemRaw(key)).toBe('{"json":{"a"');
  });
});

describe("values at the time of the call", () => {
  it("are written as they were, whatever happens to them afterwards", async () => {
    const storage = createStorage<any>({
      driver: { ...plainDriver(), setItem: undefined, setItems: undefined, ...delayed() },
    });
    const value = { list: [1] };
    const written = storage.setItem("a", value);
    const batch = storage.setItems([{ key: "b", value }]);
    value.list.push(2);
    await Promise.all([written, batch]);
    expect(await storage.getItem("a")).toEqual({ list: [1] });
    expect(await storage.getItem("b")).toEqual({ list: [1] });
  });

  function delayed(): Driver {
    const data = new Map<string, string>();
    return {
      hasItem: (key) => data.has(key),
      getItem: (key) => data.get(key) ?? null,
      getKeys: () => [...data.keys()],
      async setItem(key, text) {
        await new Promise((resolve) => setImmediate(resolve));
        data.set(key, text);
      },
    };
  }
});

describe("values that fight back", () => {
  it("a getter or toJSON that throws gives that very error and nothing is written", async () => {
    const storage = createStorage<any>();
    storage.setItemSync("a", "old");
    const thrown = new Error("mine");
    const values = [
      {
        get a() {
          throw thrown;
        },
      },
      {
        toJSON() {
          throw thrown;
        },
      },
    ];
    for (const value of values) {
      const error = await failureOf(storage.setItem("a", value));
      expect([error, error.cause]).toContain(thrown);
      expect(() => storage.setItemSync("a", value)).toThrow();
    }
    expect(storage.getItemSync("a")).toBe("old");
  });

  it("a value too deep for the stack is refused, not a crash", async () => {
    const storage = createStorage<any>();
    let deep: any = {};
    for (let level = 0; level < 1_000_000; level++) deep = { deep };
    const error = await failureOf(storage.setItem("a", deep));
    expect(error).toBeInstanceOf(Error);
    expect(storage.getKeysSync()).toEqual([]);
    storage.setItemSync("a", 1);
    expect(storage.getItemSync("a")).toBe(1);
  });

  it("text nested too deep to read is null, not a crash", async () => {
    const driver = memoryDriver();
    driver.setItemSync("a", `{"json":${"[".repeat(5_000_000)}`);
    expect(createStorage<any>({ driver }).getItemSync("a")).toBeNull();
  });
});
