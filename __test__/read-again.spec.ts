// A value that is read again, as the same text, is a copy of what the text stood for: nobody may be
// able to tell it from one that was parsed.

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { syncMethodsDriver } from "./helpers/js-drivers.js";
import { createStorage, memoryDriver } from "./helpers/package.js";
import { describeValue, storable } from "./helpers/values.js";
import { waitFor } from "./helpers/waiting.js";

/** Takes everything out of a value that can be taken out, at any depth. */
function empty(value: unknown, met = new Set<unknown>()): void {
  if (typeof value !== "object" || value === null || met.has(value)) return;
  met.add(value);
  for (const inner of Object.values(value)) empty(inner, met);
  if (value instanceof Map) {
    for (const [key, inner] of value) {
      empty(key, met);
      empty(inner, met);
    }
    value.clear();
  } else if (value instanceof Set) {
    for (const inner of value) empty(inner, met);
    value.clear();
  } else if (value instanceof Date) {
    value.setTime(0);
  } else if (Array.isArray(value)) {
    value.length = 0;
  } else {
    for (const name of Object.keys(value)) Reflect.deleteProperty(value, name);
  }
}

describe("a value that is read again", () => {
  it("is the same, whatever was done to those that were read before", async () => {
    const storage = createStorage<any>();
    await fc.assert(
      fc.asyncProperty(storable(), async (value) => {
        storage.setItemSync("key", value);
        const expected = describeValue(storage.getItemSync("key"));
        for (let i = 0; i < 4; i++) {
          const read = i % 2 === 0 ? storage.getItemSync("key") : await storage.getItem("key");
          expect(describeValue(read)).toEqual(expected);
          empty(read);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("shares no container with another one", () => {
    const storage = createStorage<any>();
    const value = {
      list: [[1], { a: 1 }],
      record: { inner: { b: [2] } },
      set: new Set([[3]]),
      map: new Map([[{ k: 4 }, { v: [5] }]]),
      date: new Date(6),
    };
    storage.setItemSync("key", value);
    const containers = (read: any) => [
      read,
      read.list,
      ...read.list,
      read.record,
      read.record.inner,
      read.record.inner.b,
      read.set,
      ...read.set,
      read.map,
      ...read.map.keys(),
      ...read.map.values(),
      [...read.map.values()][0].v,
      read.date,
    ];
    const all = Array.from({ length: 4 }, () => containers(storage.getItemSync("key"))).flat();
    expect(new Set(all).size).toBe(all.length);
    for (const read of [storage.getItemSync("key"), storage.getItemSync("key")]) {
      expect(read).toEqual(value);
    }
  });

  it("shares nothing with the same text under another key or in another storage", () => {
    const value = { list: [1], inner: { at: new Date(5) } };
    const places = [createStorage<any>(), createStorage<any>()].flatMap((storage) =>
      ["one", "two"].map((key) => ({ storage, key })),
    );
    for (const { storage, key } of places) storage.setItemSync(key, value);
    for (let turn = 0; turn < 3; turn++) {
      const read = places.map(({ storage, key }) => storage.getItemSync(key));
      expect(
        new Set(read.flatMap((each) => [each, each.list, each.inner, each.inner.at])).size,
      ).toBe(4 * places.length);
      for (const each of read) {
        expect(each).toEqual(value);
        empty(each);
      }
    }
  });

  it("is what a driver of the user gives, also where that is no text", async () => {
    const given = [new Proxy({}, {}), 5, Number.NaN, true, { kind: 0, source: {} }, [1]];
    const trapped = new Proxy(
      {},
      {
        get(_, name) {
          if (name !== "then") throw new Error(`asked for ${String(name)}`);
        },
        getPrototypeOf() {
          throw new Error("asked for the prototype");
        },
      },
    );
    for (const value of [...given, trapped]) {
      const get = () => value;
      const storage = createStorage<any>({ driver: { getItem: get, getItemSync: get } as any });
      for (let turn = 0; turn < 3; turn++) {
        expect(Object.is(storage.getItemSync("key"), value)).toBe(true);
        expect(Object.is(await storage.getItem("key"), value)).toBe(true);
      }
    }
  });

  it("is null, with a warning for each key, where the text is no value", () => {
    const warned: string[] = [];
    const note = (warning: Error) => warned.push(warning.message);
    process.on("warning", note);
    onTestFinished(() => void process.off("warning", note));
    const torn = '{"json":{"torn":[1,2}}';
    const texts = new Map([
      ["torn:one", torn],
      ["torn:two", torn],
    ]);
    const storage = createStorage<any>({ driver: syncMethodsDriver(texts) });
    for (let turn = 0; turn < 3; turn++) {
      for (const key of texts.keys()) expect(storage.getItemSync(key)).toBeNull();
    }
    return waitFor(() => {
      for (const key of texts.keys()) {
        expect(warned.filter((message) => message.includes(`"${key}"`))).toHaveLength(1);
      }
    });
  });

  it.each([
    ["a name that would be a prototype", '{"json":{"__proto__":{"a":[1]},"b":{"__proto__":2}}}'],
    ["names like indexes", '{"json":{"b":[],"2":{},"1":[{}],"a":0}}'],
    ["no envelope", '{"a":{"b":[1,{"c":null}]}}'],
    [
      "an annotation",
      '{"json":{"a":[null,"1"]},"meta":{"values":{"a.0":["undefined"],"a.1":["bigint"]},"v":1}}',
    ],
    [
      "many names",
      JSON.stringify(Object.fromEntries(Array.from({ length: 1500 }, (_, i) => [`n${i}`, [i]]))),
    ],
    ["a deep list", "[".repeat(5000) + "]".repeat(5000)],
    ["text that is no value", '{"json":{"a":1}'],
  ])("is the same with %s", (_, text) => {
    const texts = new Map([["key", text]]);
    const storage = createStorage<any>({ driver: syncMethodsDriver(texts) });
    const expected = describeValue(storage.getItemSync("key"));
    for (let i = 0; i < 4; i++) {
      const read = storage.getItemSync("key");
      expect(describeValue(read)).toEqual(expected);
      if (read !== null && Object.hasOwn(read, "__proto__")) {
        expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
      }
    }
  });

  it("is the new one once the text changes, whoever changes it", () => {
    const texts = new Map<string, string>();
    const storage = createStorage<any>({ driver: syncMethodsDriver(texts) });
    for (let i = 0; i < 20; i++) {
      texts.set("key", `{"json":{"count":[${i % 3}]}}`);
      for (let again = 0; again <= i % 4; again++) {
        expect(storage.getItemSync("key")).toEqual({ count: [i % 3] });
      }
    }
    texts.delete("key");
    expect(storage.getItemSync("key")).toBeNull();
  });

  it("is its own among more of them than are remembered", () => {
    const driver = memoryDriver();
    const storage = createStorage<any>({ driver });
    const text = "x".repeat(10_000);
    for (let turn = 0; turn < 3; turn++) {
      for (let i = 0; i < 500; i++) {
        if (turn === 0) storage.setItemSync(`key:${i}`, { i, text, list: [i] });
        for (let again = 0; again < 2; again++) {
          const read = storage.getItemSync(`key:${i}`);
          expect(read.i).toBe(i);
          expect(read.list).toEqual([i]);
        }
      }
    }
  });

  it("keeps neither what its key was cut from nor many long keys", () => {
    const source = `
      const { createStorage } = require("./index.js");
      const storage = createStorage();
      const used = () => (gc(), process.memoryUsage().heapUsed / 1e6);
      const start = used();
      for (let i = 0; i < 100; i++) {
        const key = "some:customer:" + i;
        storage.setItemSync(key, { i });
        const line = Buffer.from(key + "," + "x".repeat(1e6)).toString("latin1");
        storage.getItemSync(line.split(",")[0]);
      }
      for (let i = 0; i < 500; i++) {
        const key = "k".repeat(100_000) + i;
        storage.setItemSync(key, { i });
        storage.getItemSync(Buffer.from(key).toString("latin1"));
        storage.removeItemSync(key);
      }
      console.log(used() - start);`;
    const grown = execFileSync(process.execPath, ["--expose-gc", "-e", source], {
      cwd: join(__dirname, ".."),
      encoding: "utf8",
    });
    expect(Number(grown)).toBeLessThan(15);
  });

  it("does not need what other code puts in place of builtins", () => {
    const storage = createStorage<any>();
    const value = { list: [1], set: new Set([1]), map: new Map([[1, 2]]), date: new Date(5) };
    storage.setItemSync("key", value);
    const places = [
      [Array.prototype, "slice"],
      [Set.prototype, "add"],
      [Map.prototype, "set"],
      [Date.prototype, "getTime"],
    ] as const;
    const originals = places.map(([holder, name]) => (holder as any)[name]);
    const restore = () => {
      for (const [at, [holder, name]] of places.entries()) (holder as any)[name] = originals[at];
    };
    onTestFinished(restore);
    for (const [holder, name] of places) {
      (holder as any)[name] = () => {
        throw new Error(`${name} is not to be called`);
      };
    }
    const read = Array.from({ length: 4 }, () => storage.getItemSync("key"));
    restore();
    for (const each of read) expect(each).toEqual(value);
  });

  it("has plain arrays, whatever other code has arrays make of themselves", () => {
    class Other extends Array {}
    const species = Object.getOwnPropertyDescriptor(Array, Symbol.species) as PropertyDescriptor;
    const restore = () => {
      Object.defineProperty(Array, Symbol.species, species);
      (Array.prototype as any).constructor = Array;
    };
    onTestFinished(restore);
    const storage = createStorage<any>();
    storage.setItemSync("key", { list: [1] });
    for (const change of [
      () => Object.defineProperty(Array, Symbol.species, { configurable: true, value: Other }),
      () => {
        (Array.prototype as any).constructor = { [Symbol.species]: Other };
      },
    ]) {
      change();
      const read = Array.from({ length: 4 }, () => storage.getItemSync("key"));
      restore();
      for (const { list } of read) expect(Object.getPrototypeOf(list)).toBe(Array.prototype);
    }
  });
});
