// Spreads of built-in drivers, and all else that replaces a method of one: each operation uses the
// object's own method of its name, and nothing of the package goes past it.

import { readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Driver } from "../index.js";
import { folder } from "./helpers/folders.js";
import { namesIn } from "./helpers/fs/names.js";
import {
  builtin,
  createStorage,
  memoryDriver,
  prefixStorage,
  restoreSnapshot,
  snapshot,
} from "./helpers/package.js";

const seal = (text: unknown) => `sealed:${[...String(text)].reverse().join("")}`;
const unseal = (text: unknown) =>
  typeof text === "string" && text.startsWith("sealed:")
    ? [...text.slice("sealed:".length)].reverse().join("")
    : (text ?? null);

const makers: Record<string, () => any> = {
  memory: () => memoryDriver(),
  fs: () => builtin("fs", { base: folder() }),
  "fs-lite": () => builtin("fs-lite", { base: folder() }),
  queue: () => builtin("queue", { driver: memoryDriver() }),
};

/** The methods that seal what they write, over those of a driver. */
function sealing(inner: any): any {
  return {
    setItem: (key: string, value: string, opts: any) => inner.setItem(key, seal(value), opts),
    getItem: async (key: string, opts: any) => unseal(await inner.getItem(key, opts)),
    setItemSync: (key: string, value: string, opts: any) =>
      inner.setItemSync(key, seal(value), opts),
    getItemSync: (key: string, opts: any) => unseal(inner.getItemSync(key, opts)),
  };
}

/** The ways in which a program puts methods of its own in place of a built-in driver's. */
const ways: Record<string, (inner: any) => any> = {
  "a spread": (inner) => ({ ...inner, ...sealing(inner) }),
  "an object that inherits": (inner) => Object.assign(Object.create(inner), sealing(inner)),
  "a class that extends": (inner) => {
    class Base {
      constructor() {
        Object.assign(this, inner);
      }
    }
    class Sealing extends Base {
      constructor() {
        super();
        Object.assign(this, sealing(inner));
      }
    }
    return new Sealing();
  },
  "a Proxy": (inner) => {
    const own = sealing(inner);
    return new Proxy(inner, {
      get: (target, name, self) => own[name] ?? Reflect.get(target, name, self),
    });
  },
  "the object itself, changed": (inner) => Object.assign(inner, sealing({ ...inner })),
  "spies on the object itself": (inner) => {
    const own = sealing({ ...inner });
    for (const name of Object.keys(own)) vi.spyOn(inner, name).mockImplementation(own[name]);
    return inner;
  },
};

const cases = Object.keys(makers).flatMap((driver) =>
  Object.keys(ways).map((way) => [driver, way]),
);

describe.each(cases)("over %s, by %s", (driver, way) => {
  function sealed(): { inner: any; driver: Driver; stored: () => Promise<string[]> } {
    const inner = makers[driver]?.();
    const plain = { ...inner };
    const stored = async () => {
      const keys: string[] = await plain.getKeys("", {});
      return Promise.all(keys.map(async (key) => String(await plain.getItem(key, {}))));
    };
    return { inner, driver: ways[way]?.(inner), stored };
  }

  async function expectSealed(stored: () => Promise<string[]>, count: number) {
    const texts = await stored();
    expect(texts.filter((text) => text.startsWith("sealed:"))).toHaveLength(count);
    expect(texts).toHaveLength(count);
  }

  it("single writes, batches, metadata and snapshots use the methods of the object", async () => {
    const { driver, stored } = sealed();
    const storage = createStorage<any>({ driver });
    onTestFinished(() => storage.dispose());
    await storage.setItem("a", 1);
    await storage.setItems([
      { key: "b", value: 2 },
      { key: "c", value: 3 },
    ]);
    storage.setItemSync("d", 4);
    storage.setItemsSync([
      { key: "e", value: 5 },
      { key: "f", value: 6 },
    ]);
    await storage.setMeta("a", { of: "a" });
    await storage.flush();
    await expectSealed(stored, 7);
    expect(await storage.getItems(["a", "b", "c"])).toEqual([
      { key: "a", value: 1 },
      { key: "b", value: 2 },
      { key: "c", value: 3 },
    ]);
    expect(storage.getItemsSync(["d", "e"]).map(({ value }) => value)).toEqual([4, 5]);
    expect(await storage.getMeta("a")).toMatchObject({ of: "a" });
    const saved = await snapshot(storage, "");
    expect(saved).toMatchObject({ a: 1, b: 2, f: 6 });
    await storage.clear();
    expect(await stored()).toEqual([]);
    await restoreSnapshot(storage, saved);
    await storage.flush();
    expect(await storage.getItem("f")).toBe(6);
    for (const text of await stored()) expect(text).toMatch(/^sealed:/);
  });

  it("a queue above writes through the methods of the object", async () => {
    const { driver, stored } = sealed();
    const storage = createStorage<any>({ driver: builtin("queue", { driver }) });
    onTestFinished(() => storage.dispose());
    await storage.setItems([
      { key: "a", value: 1 },
      { key: "b", value: 2 },
    ]);
    await storage.setItem("c", 3);
    await storage.flush();
    storage.setItemSync("d", 4);
    await storage.setItem("e", 5);
    storage.flushSync();
    await storage.flush();
    await expectSealed(stored, 5);
    expect((await storage.getItems(["a", "d", "e"])).map(({ value }) => value)).toEqual([1, 4, 5]);
  });

  it("mounted, and under a prefix, it is the same", async () => {
    const { driver, stored } = sealed();
    const outer = createStorage<any>();
    onTestFinished(() => outer.dispose());
    outer.mount("in", driver);
    await prefixStorage<any>(outer, "in").setItems([
      { key: "a", value: 1 },
      { key: "b", value: 2 },
    ]);
    await outer.flush();
    await expectSealed(stored, 2);
    expect((await outer.getItems(["in:a", "in:b"])).map(({ value }) => value)).toEqual([1, 2]);
  });

  it("raw calls use the raw methods of the object, which are those of the driver", async () => {
    const { driver } = sealed();
    const storage = createStorage<any>({ driver });
    onTestFinished(() => storage.dispose());
    const bytes = Buffer.from([0, 255, 1]);
    await storage.setItemRaw("raw", bytes);
    expect(await storage.getItemRaw("raw")).toEqual(bytes);
  });
});

describe.each(Object.keys(makers))("clear over %s", (name) => {
  it("uses a removeItem that was replaced, and getKeys", async () => {
    const inner = makers[name]?.();
    const removed: string[] = [];
    const driver = {
      ...inner,
      removeItem(key: string, opts: any) {
        removed.push(key);
        return inner.removeItem(key, opts);
      },
      removeItemSync(key: string, opts: any) {
        removed.push(key);
        inner.removeItemSync(key, opts);
      },
    };
    const storage = createStorage<any>({ driver });
    onTestFinished(() => storage.dispose());
    for (const clear of [() => storage.clear(), async () => storage.clearSync()]) {
      removed.length = 0;
      await storage.setItems(["a", "b:c"].map((key) => ({ key, value: key })));
      await clear();
      expect(removed.filter((key) => !key.endsWith("$")).sort()).toEqual(["a", "b:c"]);
      expect(await inner.getKeys("", {})).toEqual([]);
    }
  });

  it("leaves what a getKeys that was replaced keeps back", async () => {
    const inner = makers[name]?.();
    const shown = (keys: string[]) => keys.filter((key) => !key.startsWith("kept"));
    const driver = {
      ...inner,
      getKeys: async (base: string, opts: any) => shown(await inner.getKeys(base, opts)),
      getKeysSync: (base: string, opts: any) => shown(inner.getKeysSync(base, opts)),
    };
    const storage = createStorage<any>({ driver });
    onTestFinished(() => storage.dispose());
    await storage.setItems(["a", "kept"].map((key) => ({ key, value: key })));
    await storage.clear();
    expect(await inner.getKeys("", {})).toEqual(["kept"]);
    await storage.setItem("a", 1);
    storage.clearSync();
    expect(await inner.getKeys("", {})).toEqual(["kept"]);
    await inner.dispose?.();
  });
});

describe("a method that is replaced after mounting", () => {
  it("counts in batches and clears from then on", async () => {
    const inner = memoryDriver();
    const driver: any = { ...inner };
    const storage = createStorage<any>({ driver });
    await storage.setItems([{ key: "plain", value: 1 }]);
    Object.assign(driver, sealing(inner));
    await storage.setItems([{ key: "a", value: 1 }]);
    storage.setItemsSync([{ key: "b", value: 2 }]);
    expect(await inner.getItem("a", {})).toMatch(/^sealed:/);
    expect(await inner.getItem("b", {})).toMatch(/^sealed:/);
    expect((await storage.getItems(["a", "b"])).map(({ value }) => value)).toEqual([1, 2]);
    expect(storage.getItemsSync(["a", "b"]).map(({ value }) => value)).toEqual([1, 2]);
    const removed: string[] = [];
    driver.removeItem = (key: string, opts: any) => {
      removed.push(key);
      return inner.removeItem(key, opts);
    };
    await storage.clear();
    expect(removed).toEqual(expect.arrayContaining(["plain", "a", "b"]));
    expect(await inner.getKeys("", {})).toEqual([]);
  });
});

describe("a driver of which one form of a method was replaced", () => {
  it("has each form used for the calls of its name", async () => {
    const inner = memoryDriver();
    const { setItem, getItem } = sealing(inner);
    const storage = createStorage<any>({ driver: { ...inner, setItem, getItem } as Driver });
    await storage.setItem("async", 1);
    storage.setItemSync("sync", 2);
    expect(await inner.getItem("async", {})).toMatch(/^sealed:/);
    expect(storage.getItemSync("sync")).toBe(2);
    expect(await storage.getItem("async")).toBe(1);
  });

  it("is never written by the other form, though a queue has to be emptied at once", async () => {
    const inner = memoryDriver();
    const { setItem, getItem } = sealing(inner);
    const driver = { ...inner, setItem, getItem } as Driver;
    const storage = createStorage<any>({ driver: builtin("queue", { driver }) });
    await storage.setItem("a", 1);
    expect(() => storage.flushSync()).toThrow(
      expect.objectContaining({ code: "EAS_SYNC_UNSUPPORTED" }),
    );
    expect(await inner.getItem("a", {})).toBeNull();
    await storage.flush();
    expect(await inner.getItem("a", {})).toMatch(/^sealed:/);
    await storage.dispose();
  });
});

describe("a driver that only counts", () => {
  it("sees each single call once and mangles no bytes", async () => {
    const inner = memoryDriver();
    let count = 0;
    const driver = {
      ...inner,
      getItem(key: string, opts: any) {
        count++;
        return inner.getItem(key, opts);
      },
    } as Driver;
    const storage = createStorage<any>({ driver });
    await storage.setItemRaw("raw", Buffer.from([255]));
    await storage.setItems([{ key: "a", value: 1 }]);
    await storage.getItems(["a", "b"]);
    expect(count).toBe(2);
    expect(await storage.getItemRaw("raw")).toEqual(Buffer.from([255]));
    expect(count).toBe(2);
  });
});

describe("a driver with a method replaced over files", () => {
  it.each(["spread", "queue over a spread"])(
    "keeps the bytes of a text that is no value: %s",
    async (way) => {
      const base = folder();
      writeFileSync(join(base, "a"), "no value");
      const inner = builtin("fs", { base });
      const spread = {
        ...inner,
        setItem: (key: string, value: string, opts: any) => inner.setItem(key, value, opts),
      } as Driver;
      const driver = way === "spread" ? spread : builtin("queue", { driver: spread });
      const storage = createStorage<any>({ driver });
      onTestFinished(() => storage.dispose());
      expect(await storage.getItem("a")).toBeNull();
      await storage.setItem("a", 1);
      await storage.flush();
      const texts = namesIn(base).map((name) => readFileSync(join(base, name), "utf8"));
      expect(texts.sort()).toEqual(["no value", '{"json":1}']);
    },
  );
});

describe("a queue over what is no driver", () => {
  it("refuses an External of somebody else", async () => {
    const server = net.createServer().listen(0);
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once("listening", resolve));
    const socket = net.connect((server.address() as net.AddressInfo).port);
    onTestFinished(() => void socket.destroy());
    await new Promise((resolve) => socket.once("connect", resolve));
    const external = (socket as any)._handle._externalStream;
    expect(typeof external).toBe("object");
    const refused = expect.objectContaining({ code: "EAS_INVALID_OPTION", driver: "queue" });
    expect(() => builtin("queue", { driver: external })).toThrow(refused);
    expect(() => builtin("fs", { base: external })).toThrow(
      expect.objectContaining({ code: "EAS_INVALID_OPTION", driver: "fs" }),
    );
    for (const options of [
      { base: "x", watchOptions: external },
      { base: "x", watchOptions: { ignored: [external] } },
      { base: "x", ignore: [external] },
    ]) {
      expect(() => builtin("fs", options)).toThrow(
        expect.objectContaining({ code: "EAS_INVALID_OPTION" }),
      );
    }
  });
});
