// The drivers of unstorage mount as they are, alone and under a queue.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createStorage as createUnstorage, type Driver as UnstorageDriver } from "unstorage";
import fsDriver from "unstorage/drivers/fs";
import fsLiteDriver from "unstorage/drivers/fs-lite";
import httpDriver from "unstorage/drivers/http";
import localStorageDriver from "unstorage/drivers/localstorage";
import lruCacheDriver from "unstorage/drivers/lru-cache";
import memoryDriver from "unstorage/drivers/memory";
import nullDriver from "unstorage/drivers/null";
import overlayDriver from "unstorage/drivers/overlay";
import { createStorageServer } from "unstorage/server";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { Driver, Storage } from "../index.js";
import { folder } from "./helpers/folders.js";
import { builtin, createStorage } from "./helpers/package.js";

/** What a page has as `localStorage`. */
class WebStorage {
  getItem(key: string) {
    return Object.hasOwn(this, key) ? (this as any)[key] : null;
  }
  setItem(key: string, value: string) {
    (this as any)[key] = String(value);
  }
  removeItem(key: string) {
    delete (this as any)[key];
  }
  clear() {
    for (const key of Object.keys(this)) this.removeItem(key);
  }
}

/** A server of unstorage, which the http driver talks to; each driver gets an empty storage behind it. */
const serve = () => createStorageServer(createUnstorage()).handle;
let handle = serve();
const server = createServer((request, response) => handle(request, response));

beforeAll(async () => {
  await once(server.listen(0, "127.0.0.1"), "listening");
});
afterAll(() => {
  server.closeAllConnections?.();
  server.close();
});

function overHttp() {
  const { port } = server.address() as AddressInfo;
  handle = serve();
  return httpDriver({ base: `http://127.0.0.1:${port}` });
}

/** As the drivers whose clients parse the JSON that they get: upstash, vercel-kv, mongodb and others. */
function parsing(driver: UnstorageDriver, name: string): UnstorageDriver {
  const parsed = (text: unknown) => {
    try {
      return JSON.parse(text as string);
    } catch {
      return text;
    }
  };
  const { getItemRaw: _, setItemRaw: __, ...rest } = driver;
  return { ...rest, name, getItem: async (key) => parsed(await driver.getItem(key)) as any };
}

/** As db0: raw values are kept apart from texts, in a column of their own. */
function apart(name: string): UnstorageDriver {
  const texts = memoryDriver();
  const raw = new Map<string, unknown>();
  return {
    ...texts,
    name,
    hasItem: async (key) => (await texts.hasItem(key, {})) || raw.has(key),
    getItemRaw: (key) => raw.get(key) ?? null,
    setItemRaw: (key, value) => void raw.set(key, value),
    removeItem(key) {
      raw.delete(key);
      return texts.removeItem?.(key, {});
    },
  };
}

const DRIVERS: [name: string, open: () => UnstorageDriver][] = [
  ["memory", () => memoryDriver()],
  ["lru-cache", () => lruCacheDriver({ max: 10_000 })],
  ["fs", () => fsDriver({ base: folder() })],
  ["fs-lite", () => fsLiteDriver({ base: folder() })],
  ["overlay", () => overlayDriver({ layers: [memoryDriver(), memoryDriver()] })],
  ["localstorage", () => localStorageDriver({ localStorage: new WebStorage() as any })],
  ["http", overHttp],
  ["db0", () => apart("db0")],
  ["upstash", () => parsing(memoryDriver(), "upstash")],
];

const WAYS: [way: string, wrap: (driver: Driver) => Driver][] = [
  ["alone", (driver) => driver],
  ["under a queue", (driver) => builtin("queue", { driver })],
];

const VALUES: Record<string, unknown> = {
  date: new Date(5),
  nested: { map: new Map([[1, new Set([2n])]]), list: [undefined, null, Number.NaN] },
  text: "plain text",
  digits: "123",
  word: "true",
  empty: "",
  zero: 0,
  no: false,
  nothing: null,
  "deep:down:here": /a+/g,
};

function opened(driver: Driver, base = ""): Storage<any> {
  const storage = createStorage<any>(base === "" ? { driver } : {});
  if (base !== "") storage.mount(base, driver);
  onTestFinished(() => storage.dispose());
  return storage;
}

describe.each(DRIVERS)("%s of unstorage", (name, open) => {
  describe.each(WAYS)("%s", (_way, wrap) => {
    it("gives back every value with its type", async () => {
      const storage = opened(wrap(open() as Driver));
      for (const [key, value] of Object.entries(VALUES)) await storage.setItem(key, value);
      for (const flushed of [false, true]) {
        if (flushed) await storage.flush();
        for (const [key, value] of Object.entries(VALUES)) {
          expect(await storage.getItem(key), key).toEqual(value);
          expect(await storage.hasItem(key), key).toBe(true);
        }
        expect((await storage.getKeys()).sort()).toEqual(Object.keys(VALUES).sort());
        expect(await storage.getKeys("deep")).toEqual(["deep:down:here"]);
        expect(await storage.getKeys("", { maxDepth: 0 })).not.toContain("deep:down:here");
      }
      expect(await storage.getItem("absent")).toBeNull();
      expect(await storage.hasItem("absent")).toBe(false);
    });

    it("takes batches, and answers in the order asked", async () => {
      const storage = opened(wrap(open() as Driver));
      const items = Object.entries(VALUES).map(([key, value]) => ({ key, value }));
      await storage.setItems(items);
      await storage.flush();
      const asked = [...Object.keys(VALUES).reverse(), "absent"];
      expect(await storage.getItems(asked)).toEqual(
        asked.map((key) => ({ key, value: VALUES[key] ?? null })),
      );
    });

    it("removes one item, and clears the items below a base alone", async () => {
      const storage = opened(wrap(open() as Driver));
      for (const key of ["a", "b:c", "b:d:e", "bc"]) await storage.setItem(key, key);
      await storage.flush();
      await storage.removeItem("a");
      expect(await storage.hasItem("a")).toBe(false);
      await storage.clear("b");
      await storage.flush();
      expect(await storage.getKeys()).toEqual(["bc"]);
      expect(await storage.getItem("b:c")).toBeNull();
      await storage.clear();
      await storage.flush();
      expect(await storage.getKeys()).toEqual([]);
    });

    it("keeps metadata beside the item, out of the listing", async () => {
      const storage = opened(wrap(open() as Driver));
      await storage.setItem("a", 1);
      await storage.setMeta("a", { owner: "ann", seen: new Date(3) });
      await storage.flush();
      const meta = await storage.getMeta("a");
      expect([meta.owner, meta.seen]).toEqual(["ann", new Date(3)]);
      expect(await storage.getKeys()).toEqual(["a"]);
      await storage.removeItem("a", true);
      await storage.flush();
      expect(await storage.hasItem("a")).toBe(false);
      await storage.setItem("a", 2);
      await storage.flush();
      expect((await storage.getMeta("a")).owner).toBeUndefined();
    });

    it("keeps raw bytes", async () => {
      const storage = opened(wrap(open() as Driver));
      await storage.setItemRaw("raw", Buffer.from([0, 255, 1]));
      await storage.flush();
      const bytes = (await storage.getItemRaw("raw")) as ArrayBuffer | Uint8Array;
      expect([...new Uint8Array(bytes)]).toEqual([0, 255, 1]);
    });

    it("works at a mount, and is told of in a watch", async () => {
      const storage = opened(wrap(open() as Driver), "m");
      const events: string[] = [];
      await storage.watch((event, key) => events.push(`${event} ${key}`));
      await storage.setItem("m:a", { at: new Date(1) });
      await storage.setItem("outside", 1);
      await storage.flush();
      expect(await storage.getItem("m:a")).toEqual({ at: new Date(1) });
      expect((await storage.getKeys()).sort()).toEqual(["m:a", "outside"]);
      // Web storage reports only what other pages write.
      const reported = name === "localstorage" ? "update outside" : "update m:a";
      await expect.poll(() => events).toContain(reported);
    });

    it("a migration that fails is undone, and one that does not is kept", async () => {
      const driver = open() as Driver;
      const storage = opened(wrap(driver));
      for (const [key, value] of Object.entries(VALUES)) await storage.setItem(key, value);
      await storage.flush();
      const migrated = (step: (given: Storage<any>) => unknown) =>
        createStorage<any>({ driver: wrap(driver), version: 1, migrations: { 1: step as any } });
      const change = async (given: Storage<any>) => {
        await given.setItem("date", "changed");
        await given.clear("deep");
        await given.setItem("new", 1);
      };
      const failing = migrated(async (given) => {
        await change(given);
        throw new Error("not this time");
      });
      await expect(failing.migrate()).rejects.toThrow("not this time");
      for (const [key, value] of Object.entries(VALUES)) {
        expect(await storage.getItem(key), key).toEqual(value);
      }
      expect((await storage.getKeys()).sort()).toEqual(Object.keys(VALUES).sort());
      const working = migrated(change);
      await working.migrate();
      await working.flush();
      expect(await storage.getItem("date")).toBe("changed");
      expect(await storage.getStorageVersion()).toBe(1);
      await storage.clear();
      await storage.flush();
      expect(await storage.getKeys()).toEqual([]);
      expect(await storage.getStorageVersion()).toBe(1);
    });

    it("has the Sync methods of no driver", () => {
      const storage = opened(open() as Driver);
      expect(() => storage.getItemSync("a")).toThrow(new RegExp(`${name}.*getItemSync`));
    });
  });
});

describe("null of unstorage", () => {
  it.each(WAYS)("holds nothing, %s", async (_way, wrap) => {
    const storage = opened(wrap(nullDriver() as Driver));
    await storage.setItem("a", 1);
    await storage.setItems([{ key: "b", value: 2 }]);
    await storage.flush();
    expect(await storage.getItem("a")).toBeNull();
    expect(await storage.getItems(["a", "b"])).toEqual([
      { key: "a", value: null },
      { key: "b", value: null },
    ]);
    expect(await storage.getItemRaw("a")).toBeNull();
    expect(await storage.hasItem("a")).toBe(false);
    expect(await storage.getKeys()).toEqual([]);
    expect(await storage.getMeta("a")).toEqual({});
    await storage.clear();
  });
});

describe("overlay of unstorage", () => {
  it("writes to the first layer, and hides what is removed below", async () => {
    const lower = memoryDriver();
    await createStorage<any>({ driver: lower as Driver }).setItem("a", "below");
    const storage = opened(overlayDriver({ layers: [memoryDriver(), lower] }) as Driver);
    expect(await storage.getItem("a")).toBe("below");
    await storage.removeItem("a");
    expect(await storage.getItem("a")).toBeNull();
    expect(await storage.getKeys()).toEqual([]);
    await storage.setItem("a", "above");
    expect(await storage.getItem("a")).toBe("above");
    expect(await lower.getItem("a")).toBe('{"json":"below"}');
  });

  it("lies over the drivers of this package as well", async () => {
    const base = folder();
    const layers = [builtin("memory"), builtin("fs", { base })] as any[];
    await createStorage<any>({ driver: layers[1] }).setItem("a", new Date(7));
    const storage = opened(overlayDriver({ layers }) as Driver);
    expect(await storage.getItem("a")).toEqual(new Date(7));
    await storage.setItem("b", 1);
    expect((await storage.getKeys()).sort()).toEqual(["a", "b"]);
  });
});

it.each([
  ["fs", fsDriver],
  ["fs-lite", fsLiteDriver],
])("what %s of unstorage wrote, the driver of that name here reads", async (name, open) => {
  const base = folder();
  const theirs = createStorage<any>({ driver: open({ base }) as Driver });
  for (const [key, value] of Object.entries(VALUES)) await theirs.setItem(key, value);
  await theirs.dispose();
  const ours = opened(builtin(name, { base }));
  for (const [key, value] of Object.entries(VALUES)) {
    expect(await ours.getItem(key), key).toEqual(value);
  }
  expect((await ours.getKeys()).sort()).toEqual(Object.keys(VALUES).sort());
});

it("JSON that a storage of unstorage wrote reads as that JSON", async () => {
  const driver = memoryDriver();
  const theirs = createUnstorage({ driver });
  await theirs.setItem("object", { a: [1, "two"] });
  await theirs.setItem("number", 5);
  const storage = opened(driver as Driver);
  expect(await storage.getItem("object")).toEqual({ a: [1, "two"] });
  expect(await storage.getItem("number")).toBe(5);
});

it("an object that a driver gives is not changed, and is the value unless it is an envelope", async () => {
  const own = {
    envelope: { json: "1970-01-01T00:00:00.005Z", meta: { values: ["Date"], v: 1 } },
    plain: { json: 1, more: 2 },
    other: { a: new Date(3) },
  };
  const before = structuredClone(own);
  const driver: Driver = {
    name: "objects",
    hasItem: (key) => key in own,
    getItem: (key) => (own as any)[key] ?? null,
    getKeys: () => Object.keys(own),
  };
  const storage = opened(driver);
  expect(await storage.getItem("envelope")).toEqual(new Date(5));
  expect(await storage.getItem("plain")).toBe(own.plain);
  expect(await storage.getItem("other")).toBe(own.other);
  expect(own).toEqual(before);
});
