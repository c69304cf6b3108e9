// `getInstance`: live views of drivers, which are real Maps.

import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { promiseDriver } from "./helpers/js-drivers.js";
import { failureOf } from "./helpers/modes.js";
import { builtin, createStorage, prefixStorage } from "./helpers/package.js";

describe("memory", () => {
  const open = () => {
    const driver = builtin("memory");
    const storage = createStorage<any>({ driver });
    return { storage, map: driver.getInstance?.() as Map<string, any> };
  };

  it("is a Map that shows the items of now", () => {
    const { storage, map } = open();
    expect(map).toBeInstanceOf(Map);
    expect(Object.prototype.toString.call(map)).toBe("[object Map]");
    storage.setItemSync("b", 1);
    storage.setItemSync("a", 2);
    const texts = { b: '{"json":1}', a: '{"json":2}' };
    expect(map.size).toBe(2);
    expect([...map]).toEqual(Object.entries(texts));
    expect([...map.keys()]).toEqual(["b", "a"]);
    expect([...map.values()]).toEqual(Object.values(texts));
    expect([...map.entries()]).toEqual(Object.entries(texts));
    expect(new Map(map)).toEqual(new Map(Object.entries(texts)));
    expect(map).toEqual(new Map(Object.entries(texts)));
    expect(Object.fromEntries(map)).toEqual(texts);
    const seen: unknown[] = [];
    const self = {};
    map.forEach(function (this: unknown, ...args) {
      seen.push([this, ...args]);
    }, self);
    expect(seen).toEqual([
      [self, texts.b, "b", map],
      [self, texts.a, "a", map],
    ]);
    storage.removeItemSync("b");
    expect(map.has("b")).toBe(false);
    expect(map.get("b")).toBeUndefined();
    expect(map.size).toBe(1);
  });

  it("writes through", async () => {
    const { storage, map } = open();
    expect(map.set("a", '{"json":{"x":1}}').set("b", '{"json":2}')).toBe(map);
    expect(await storage.getItem("a")).toEqual({ x: 1 });
    const object = { any: "thing" };
    map.set("raw", object);
    expect(map.get("raw")).toBe(object);
    expect(storage.getItemRawSync("raw")).toBe(object);
    expect(map.delete("a")).toBe(true);
    expect(map.delete("a")).toBe(false);
    expect(await storage.hasItem("a")).toBe(false);
    storage.setMetaSync("b", { tag: 1 } as any);
    map.clear();
    expect(map.size).toBe(0);
    expect(await storage.getKeys()).toEqual([]);
    expect(storage.getMetaSync("b")).toEqual({});
  });

  it("knows no keys but strings", () => {
    const { map } = open();
    expect([map.get(1 as any), map.has(1 as any), map.delete({} as any)]).toEqual([
      undefined,
      false,
      false,
    ]);
    expect(() => map.set(1 as any, "x")).toThrow("string");
    expect(map.size).toBe(0);
  });

  it("passes over what is deleted while it is read", () => {
    const { map } = open();
    for (const key of ["a", "b", "c"]) map.set(key, key);
    const seen: string[] = [];
    for (const [key] of map) {
      seen.push(key);
      map.delete(key === "a" ? "b" : key);
    }
    expect(seen).toEqual(["a", "c"]);
    expect([...map.keys()]).toEqual(["a"]);
  });

  it("has each method that a Map has", () => {
    const { map } = open();
    const own = Object.getPrototypeOf(map);
    for (const name of Object.getOwnPropertyNames(Map.prototype)) {
      if (name !== "constructor") expect(Object.hasOwn(own, name), name).toBe(true);
    }
    map.set("a", 1);
    expect([(map as any).getOrInsert("a", 2), (map as any).getOrInsert("b", 2)]).toEqual([1, 2]);
    expect((map as any).getOrInsertComputed("c", (key: string) => `${key}!`)).toBe("c!");
    expect(map.get("c")).toBe("c!");
  });

  it("prints as the Map of what it holds", () => {
    const { map } = open();
    map.set("a", "text");
    expect(inspect(map)).toBe("Map(1) { 'a' => 'text' }");
    expect(inspect({ map })).toBe("{ map: Map(1) { 'a' => 'text' } }");
  });
});

describe("the keys of memory", () => {
  it.each(["storage", "driver", "view"])("of the %s keep the order of insertion", async (which) => {
    const driver = builtin("memory");
    const storage = createStorage<any>({ driver });
    const list = async (base?: string) => {
      if (which === "storage") return storage.getKeys(base);
      if (which === "driver") return driver.getKeys(base ?? "", {});
      const keys = driver.getInstance?.().keys() as Iterable<string>;
      return [...keys].filter((key) => key.startsWith(base ?? ""));
    };
    for (const key of ["z:2", "m", "z:1", "a", "z:3"]) storage.setItemSync(key, 1);
    for (let round = 0; round < 12; round++) {
      expect(await list()).toEqual(["z:2", "m", "z:1", "a", "z:3"]);
      expect(await list("z:")).toEqual(["z:2", "z:1", "z:3"]);
      storage.setItemSync("z:2", round);
    }
    storage.removeItemSync("z:2");
    storage.setItemSync("z:2", 1);
    expect(await list()).toEqual(["m", "z:1", "a", "z:3", "z:2"]);
    expect(await list("z:")).toEqual(["z:1", "z:3", "z:2"]);
    await storage.clear("z");
    await storage.setItems([
      { key: "z:9", value: 1 },
      { key: "b", value: 1 },
      { key: "z:1", value: 1 },
    ]);
    expect(await list()).toEqual(["m", "a", "z:9", "b", "z:1"]);
  });
});

describe("queue", () => {
  const open = (options: object = {}) => {
    const driver = builtin("queue", { driver: builtin("memory"), flushInterval: 1e6, ...options });
    return { storage: createStorage<any>({ driver }), state: driver.getInstance?.() as any };
  };

  it("is a Map of what waits, in the order of the calls", async () => {
    const { storage, state } = open();
    expect(state.queue).toBeInstanceOf(Map);
    await storage.setItem("b", 1);
    await storage.removeItem("a");
    expect(state.queue.size).toBe(2);
    expect([...state.queue.keys()]).toEqual(["b", "a"]);
    expect([...state.queue.values()].map((operation: any) => operation.type)).toEqual([
      "set",
      "remove",
    ]);
    expect(state.queue.get("b")).toMatchObject({ type: "set", key: "b", value: '{"json":1}' });
    expect(new Map(state.queue)).toEqual(state.queue);
    await storage.flush();
    expect(state.queue.size).toBe(0);
    expect({ ...state }).toMatchObject({ flushing: false, disposed: false });
    await storage.dispose();
    expect(state.disposed).toBe(true);
  });

  it("has the newest operation of a key, also without merging", async () => {
    const { storage, state } = open({ mergeUpdates: false });
    await storage.setItem("a", 1);
    await storage.setItem("b", 1);
    await storage.setItem("a", 2);
    expect(state.queue.size).toBe(2);
    expect([...state.queue].map(([key, { value }]: any) => [key, value])).toEqual([
      ["a", '{"json":2}'],
      ["b", '{"json":1}'],
    ]);
    await storage.dispose();
  });

  it("cannot be written", async () => {
    const { storage, state } = open();
    await storage.setItem("a", 1);
    for (const write of [
      () => state.queue.set("a", {}),
      () => state.queue.delete("a"),
      () => state.queue.clear(),
    ]) {
      expect(await failureOf(write)).toMatchObject({ code: "EAS_READ_ONLY", driver: "queue" });
    }
    expect(() => {
      state.flushing = true;
    }).toThrow(TypeError);
    expect(state.queue.size).toBe(1);
    await storage.dispose();
  });

  it("prints as what it holds", async () => {
    const { storage, state } = open();
    await storage.setItem("a", 1);
    expect(inspect(state)).toMatch(/^\{\n? +queue: Map\(1\) \{\n? *'a' => \{/);
    expect(inspect(state)).toContain("flushing: false");
    await storage.dispose();
  });
});

describe("console.log of", () => {
  it("a driver shows its name and options", () => {
    const memory = builtin("memory");
    expect(inspect(memory)).toBe("memory");
    const options = { base: "./data", ignore: ["a/**"], watchOptions: { ignored: /x/g } };
    expect(inspect(builtin("fs", options))).toBe(
      'fs { base: "./data", ignore: ["a/**"], watchOptions: { ignored: /x/g } }',
    );
    expect(inspect(builtin("fs-lite", { base: "x", ignore: () => false }))).toBe(
      'fs-lite { base: "x", ignore: [Function] }',
    );
    const queue = builtin("queue", { driver: builtin("fs", { base: "x" }), batchSize: 5 });
    expect(inspect(queue)).toBe('queue { driver: fs { base: "x" }, batchSize: 5 }');
    expect(inspect({ memory })).toBe("{ memory: memory }");
    expect(Object.keys(memory)).not.toContain("inspect");
  });

  it("a storage shows a line for each mount", () => {
    const storage = createStorage<any>({ driver: builtin("fs", { base: "x" }) })
      .mount("cache", builtin("memory"))
      .mount("cache:deep", promiseDriver());
    expect(inspect(storage).split("\n")).toEqual([
      "Storage cache:deep: → promising",
      "Storage cache: → memory",
      'Storage (root) → fs { base: "x" }',
    ]);
  });

  it("a prefix of a storage shows the mounts that it has", () => {
    const storage = createStorage<any>({ driver: builtin("fs", { base: "x" }) })
      .mount("a:b", builtin("memory"))
      .mount("c", builtin("memory"));
    expect(inspect(prefixStorage(storage, "a")).split("\n")).toEqual([
      'Storage (root) → fs { base: "x" }',
      "Storage b: → memory",
    ]);
  });

  it("neither shows secrets", () => {
    class Client {
      password = "hush";
    }
    const driver = {
      ...promiseDriver(),
      name: "remote",
      options: {
        url: "redis://user:hush@host:1/0",
        secretKey: "hush",
        apiToken: "hush",
        client: new Client(),
        tls: { passphrase: "hush", port: 5 },
        servers: [{ host: "a", auth: "hush" }],
      },
    };
    const text = inspect(createStorage<any>({ driver }));
    expect(text).not.toContain("hush");
    expect(text).toBe(
      'Storage (root) → remote { url: "redis://host:1/0", client: [Client], tls: { port: 5 }, servers: [{ host: "a" }] }',
    );
  });
});
