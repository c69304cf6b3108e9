// A part of a storage as a storage of its own.

import { createRequire } from "node:module";
import { types } from "node:util";
import { describe, expect, it } from "vitest";
import type { Driver, Storage } from "../index.js";
import { folder } from "./helpers/folders.js";
import { callsOf, failureOf, type Mode } from "./helpers/modes.js";
import { builtin, createStorage, isBuiltin, memoryDriver } from "./helpers/package.js";

const require = createRequire(import.meta.url);
const { prefixStorage } = require("../index.js") as typeof import("../index.js");

type Any = Storage<any>;

/** A storage of the user's own: a class, whose methods need their `this`. */
class OwnStorage {
  inner: Any;
  isDisposed = false;
  constructor(inner: Any) {
    this.inner = inner;
    for (const name of Object.keys(inner)) {
      if (name in OwnStorage.prototype) continue;
      Object.defineProperty(OwnStorage.prototype, name, {
        configurable: true,
        value(this: OwnStorage, ...args: unknown[]) {
          return (this.inner as any)[name](...args);
        },
      });
    }
  }
}

const STORAGES: [title: string, open: () => Any][] = [
  ["memory", () => createStorage<any>()],
  ["fs", () => createStorage<any>({ driver: builtin("fs", { base: folder() }) })],
  ["another prefix", () => prefixStorage<any>(createStorage<any>(), "outer:most")],
  ["a class of the user", () => new OwnStorage(createStorage<any>()) as unknown as Any],
];
if (isBuiltin("queue")) {
  STORAGES.push([
    "queue",
    () => createStorage<any>({ driver: builtin("queue", { driver: memoryDriver() }) }),
  ]);
}

describe.each(STORAGES)("over %s", (_title, open) => {
  const part = (base = "p:q") => {
    const storage = open();
    return { storage, view: prefixStorage<any>(storage, base) };
  };

  it("has every method of a storage", () => {
    const { view } = part();
    const names = Object.keys(createStorage());
    expect(Object.keys(view)).toEqual(expect.arrayContaining(names));
    for (const name of names) expect(typeof (view as any)[name], name).toBe("function");
  });

  describe.each<Mode>(["async", "sync"])("%s", (mode) => {
    it.each(["p:q", "p/q", "/p:q/", "p:q?x"])("writes under the base %s", async (base) => {
      const { storage, view } = part(base);
      await callsOf(view, mode).setItem("a/b", { v: 1 });
      expect(await storage.getItem("p:q:a:b")).toEqual({ v: 1 });
      expect(await callsOf(view, mode).getItem("a:b")).toEqual({ v: 1 });
      expect(await callsOf(view, mode).hasItem("a:b")).toBe(true);
      expect(await callsOf(view, mode).hasItem("p:q:a:b")).toBe(false);
    });

    it("lists its own keys without the base, and no others", async () => {
      const { storage, view } = part();
      await storage.setItem("p:q", "the key of the base itself");
      await storage.setItem("p:qq", "beside");
      await storage.setItem("outside", 1);
      await callsOf(view, mode).setItems([
        { key: "a", value: 1 },
        { key: "b:c", value: 2 },
      ]);
      expect((await callsOf(view, mode).getKeys()).sort()).toEqual(["a", "b:c"]);
      expect((await callsOf(view, mode).getKeys("")).sort()).toEqual(["a", "b:c"]);
      expect(await callsOf(view, mode).getKeys("b")).toEqual(["b:c"]);
      expect(await callsOf(view, mode).getKeys("/b/")).toEqual(["b:c"]);
    });

    it("counts depth from its own keys", async () => {
      const { view } = part();
      const keys = ["a", "a:b", "a:b:c"];
      await callsOf(view, mode).setItems(keys.map((key) => ({ key, value: 1 })));
      for (const maxDepth of [0, 1, 2]) {
        const listed = await callsOf(view, mode).getKeys("", { maxDepth });
        expect(listed.sort(), `maxDepth ${maxDepth}`).toEqual(keys.slice(0, maxDepth + 1));
      }
      expect(await callsOf(view, mode).getKeys("a", { maxDepth: 1 })).toEqual(["a:b"]);
    });

    it("reads and writes batches", async () => {
      const { storage, view } = part();
      const calls = callsOf(view, mode);
      await calls.setItems([{ key: "a", value: 1, options: { any: 1 } }], { common: 1 });
      await storage.setItem("a", "outside");
      expect(await calls.getItems(["a", { key: "b" }, { key: "a", options: {} }])).toEqual([
        { key: "a", value: 1 },
        { key: "b", value: null },
        { key: "a", value: 1 },
      ]);
      await calls.setItems([{ key: "a", value: undefined }]);
      expect(await storage.getKeys()).toEqual(["a"]);
    });

    it("keeps raw values and metadata under the base", async () => {
      const { storage, view } = part();
      const calls = callsOf(view, mode);
      await calls.setItemRaw("raw", Buffer.from([1, 255]));
      expect([...(await calls.getItemRaw("raw"))]).toEqual([1, 255]);
      expect([...(await storage.getItemRaw("p:q:raw"))]).toEqual([1, 255]);
      await calls.setMeta("raw", { owner: "ann" });
      expect((await calls.getMeta("raw")).owner).toBe("ann");
      expect((await storage.getMeta("p:q:raw")).owner).toBe("ann");
      await calls.removeMeta("raw");
      expect((await calls.getMeta("raw")).owner).toBeUndefined();
      await calls.setMeta("raw", { owner: "bob" });
      await calls.removeItem("raw", true);
      expect(await calls.hasItem("raw")).toBe(false);
      expect((await storage.getMeta("p:q:raw")).owner).toBeUndefined();
    });

    it("clears its own keys alone, or a part of them", async () => {
      const { storage, view } = part();
      await storage.setItem("outside", 1);
      await storage.setItem("p:qq", 1);
      const calls = callsOf(view, mode);
      await calls.setItems(["a", "b:c", "b:d"].map((key) => ({ key, value: 1 })));
      await calls.clear("b");
      expect(await calls.getKeys()).toEqual(["a"]);
      await calls.clear();
      expect((await storage.getKeys()).sort()).toEqual(["outside", "p:qq"]);
      await calls.flush();
      await calls.flush("a");
    });

    it("refuses a key that names nothing", async () => {
      const { storage, view } = part();
      for (const key of ["", ":", "?x", "/"]) {
        const error = await failureOf(callsOf(view, mode).setItem(key, 1));
        expect(error.code, JSON.stringify(key)).toBe("EAS_INVALID_KEY");
        expect(await callsOf(view, mode).getItem(key)).toBeNull();
      }
      expect(await storage.getKeys()).toEqual([]);
    });

    it("takes short names as the long ones", async () => {
      const { view } = part();
      const suffix = mode === "sync" ? "Sync" : "";
      const short = async (name: string, ...args: unknown[]) => {
        const result = (view as any)[name + suffix](...args);
        expect(types.isPromise(result)).toBe(mode === "async");
        return result;
      };
      await short("set", "a", 1);
      expect(await short("get", "a")).toBe(1);
      expect(await short("has", "a")).toBe(true);
      expect(await short("keys")).toEqual(["a"]);
      await short("del", "a");
      await short("set", "b", 1);
      await short("remove", "b");
      expect(await short("keys")).toEqual([]);
    });

    it("has times to live", async () => {
      const { view } = part();
      await callsOf(view, mode).setItem("a", 1, { ttl: 3_600_000 });
      expect((await callsOf(view, mode).getMeta("a")).ttl).toBeGreaterThan(0);
    });
  });

  it("hears of its own keys, without the base", async () => {
    const { storage, view } = part();
    const events: string[] = [];
    const unwatch = await view.watch((event, key) => events.push(`${event} ${key}`));
    await storage.setItem("outside", 1);
    await view.setItem("a:b", 1);
    // A file that comes and goes between two looks of the system is no change.
    await expect.poll(() => events).toEqual(["update a:b"]);
    await view.removeItem("a:b");
    await expect.poll(() => events).toEqual(["update a:b", "remove a:b"]);
    expect(events.join()).not.toContain("outside");
    await unwatch();
  });

  it("mounts under the base", async () => {
    const { storage, view } = part();
    const driver = memoryDriver();
    expect(view.mount("m", driver)).toBe(view);
    await view.setItem("m:a", 1);
    expect(await driver.getItem("a")).toBe('{"json":1}');
    expect(view.getMount("m:a")).toEqual({ base: "m:", driver });
    expect(view.getMounts()).toEqual([{ base: "m:", driver }]);
    expect(storage.getMount("p:q:m:a").driver).toBe(driver);
    await view.unmount("m");
    expect(view.getMounts()).toEqual([]);
  });

  it("can be prefixed again", async () => {
    const { storage, view } = part();
    const inner = prefixStorage<any>(view, "r");
    await inner.setItem("a", 1);
    expect(await storage.getKeys()).toEqual(["p:q:r:a"]);
    expect(await view.getKeys()).toEqual(["r:a"]);
    expect(await inner.getKeys("", { maxDepth: 0 })).toEqual(["a"]);
  });

  it("serves as a driver", async () => {
    const { storage, view } = part();
    const over = createStorage<any>({ driver: view as Driver });
    await over.setItem("a", new Date(3));
    expect(over.getItemSync("a")).toEqual(new Date(3));
    expect(await storage.getKeys()).toEqual(["p:q:a"]);
  });

  it("its life is that of the whole storage", async () => {
    const { view } = part();
    expect(await view.getStorageVersion()).toBeNull();
    await view.migrate();
    await view.unwatch();
    await view.dispose();
  });
});

it("what is no list and no listener is refused as the storage itself does", async () => {
  const storage = createStorage<any>();
  const view: any = prefixStorage<any>(storage, "p");
  for (const given of [undefined, null, 5, "a", {}]) {
    for (const name of ["getItems", "setItems", "getItemsSync", "setItemsSync"]) {
      const error = await failureOf(async () => view[name](given));
      expect(error, `${name} ${given}`).toMatchObject({ code: "EAS_INVALID_ARGUMENT" });
    }
    const error = await failureOf(async () => view.watch(given));
    expect(error).toMatchObject({ code: "EAS_INVALID_ARGUMENT", operation: "watch" });
  }
});

it("an empty base gives the storage itself", () => {
  const storage = createStorage();
  for (const base of ["", ":", "/", undefined as any]) {
    expect(prefixStorage(storage, base)).toBe(storage);
  }
});

it("a storage without Sync methods gives none", () => {
  const { getItem, setItem, getKeys } = createStorage<any>();
  const view = prefixStorage<any>({ getItem, setItem, getKeys } as Any, "p");
  expect(Object.keys(view).sort()).toEqual(["getItem", "getKeys", "setItem"]);
});
