// Mounting, unmounting and asking which mount is in charge.

import { describe, expect, it } from "vitest";
import { callsTo, plainDriver, recorder } from "./helpers/js-drivers.js";
import { failureOf } from "./helpers/modes.js";
import { createStorage, memoryDriver } from "./helpers/package.js";

describe("mount", () => {
  it("returns the storage", () => {
    const storage = createStorage();
    expect(storage.mount("a", memoryDriver())).toBe(storage);
  });

  it("refuses a base that has a mount, in any spelling", () => {
    const storage = createStorage().mount("a:b", memoryDriver());
    for (const base of ["a:b", "a/b", "/a/b/", "a:b:", "a:b?x"]) {
      expect(() => storage.mount(base, memoryDriver()), base).toThrow("already mounted at a:b:");
      expect(() => storage.mount(base, memoryDriver())).toThrow(
        expect.objectContaining({ code: "EAS_ALREADY_MOUNTED" }),
      );
    }
    expect(storage.getMounts().map(({ base }) => base)).toEqual(["a:b:", ""]);
  });

  it("keeps the items of a mount that it refused to replace", () => {
    const storage = createStorage<any>().mount("a", memoryDriver());
    storage.setItemSync("a:x", 1);
    expect(() => storage.mount("a", memoryDriver())).toThrow();
    expect(storage.getItemSync("a:x")).toBe(1);
  });

  it("refuses a base that is no string and a driver that is none, and mounts nothing", () => {
    const storage = createStorage();
    for (const base of [undefined, null, 1, {}, Symbol("base")]) {
      expect(() => storage.mount(base as any, memoryDriver()), String(base)).toThrow(TypeError);
    }
    for (const driver of [undefined, null, 1, "fs", {}, () => memoryDriver()]) {
      expect(() => storage.mount("a", driver as any), String(driver)).toThrow(
        /^\[electron-async-storage\] Invalid driver/,
      );
    }
    expect(() => storage.mount("a\ud800", memoryDriver())).toThrow(
      expect.objectContaining({ code: "EAS_INVALID_KEY" }),
    );
    expect(storage.getMounts().map(({ base }) => base)).toEqual([""]);
  });

  it("mounts one driver at several bases", () => {
    const driver = memoryDriver();
    const storage = createStorage<any>().mount("a", driver).mount("b", driver);
    storage.setItemSync("a:x", 1);
    expect(storage.getItemSync("b:x")).toBe(1);
    expect(storage.getKeysSync().sort()).toEqual(["a:x", "b:x"]);
  });

  it("touches nothing of the driver", () => {
    const { driver, calls } = recorder(plainDriver());
    createStorage().mount("a", driver);
    expect(calls).toEqual([]);
  });
});

describe("getMount and getMounts", () => {
  const root = memoryDriver();
  const [a, ab, c] = [memoryDriver(), plainDriver(), memoryDriver()];
  const storage = createStorage({ driver: root }).mount("a", a).mount("a:b", ab).mount("c:d:e", c);

  it.each([
    ["", "", root],
    ["x", "", root],
    ["a:x", "a:", a],
    ["a/x", "a:", a],
    ["a:b:x", "a:b:", ab],
    ["a:bc", "a:", a],
    ["c:d:e:f:g", "c:d:e:", c],
    ["c:d:x", "", root],
  ])("the mount of %j is %j", (key, base, driver) => {
    const mount = storage.getMount(key);
    expect(mount.base).toBe(base);
    expect(mount.driver).toBe(driver);
  });

  it("the mount of a base is the mount itself", () => {
    for (const base of ["a:b", "a:b:", "a/b"]) expect(storage.getMount(base).driver).toBe(ab);
    expect(storage.getMount().driver).toBe(root);
  });

  it("lists mounts, longest base first, with the very drivers", () => {
    const mounts = storage.getMounts();
    expect(mounts.map(({ base }) => base)).toEqual(["c:d:e:", "a:b:", "a:", ""]);
    expect(mounts.map(({ driver }) => driver)).toEqual([c, ab, a, root]);
  });

  it.each([
    ["a", undefined, ["a:b:", "a:"]],
    ["a:b", undefined, ["a:b:"]],
    ["a:b", { parents: true }, ["a:b:", "a:", ""]],
    ["a:b", { parents: false }, ["a:b:"]],
    ["c", undefined, ["c:d:e:"]],
    ["c:d:e:f", { parents: true }, ["c:d:e:", ""]],
    ["nowhere", undefined, []],
  ])("under %j with %j: %j", (base, options, expected) => {
    expect(storage.getMounts(base, options).map((mount) => mount.base)).toEqual(expected);
  });

  it("refuse what is no string", () => {
    for (const wrong of [1, {}, Symbol("base")]) {
      expect(() => storage.getMount(wrong as any), String(wrong)).toThrow(TypeError);
      expect(() => storage.getMounts(wrong as any), String(wrong)).toThrow(TypeError);
    }
  });
});

describe("unmount", () => {
  it("takes the driver away and disposes it", async () => {
    const { driver, calls } = recorder(plainDriver());
    const storage = createStorage<any>().mount("a", driver);
    const done = storage.unmount("a");
    expect(done).toBeInstanceOf(Promise);
    expect(await done).toBeUndefined();
    expect(callsTo(calls, "dispose")).toHaveLength(1);
    expect(storage.getMounts().map(({ base }) => base)).toEqual([""]);
  });

  it("leaves the driver alone when it is told so", async () => {
    const { driver, calls } = recorder(plainDriver());
    const storage = createStorage<any>().mount("a", driver);
    await storage.setItem("a:x", 1);
    await storage.unmount("a", false);
    expect(callsTo(calls, "dispose")).toEqual([]);
    expect(await storage.getItem("a:x")).toBeNull();
    storage.mount("a", driver);
    expect(await storage.getItem("a:x")).toBe(1);
  });

  it("leaves the root, and does nothing where nothing is mounted", async () => {
    const { driver, calls } = recorder(plainDriver());
    const storage = createStorage<any>({ driver }).mount("a:b", memoryDriver());
    await storage.setItem("x", 1);
    for (const base of ["", ":", "a", "a:b:c", "nowhere"]) await storage.unmount(base);
    expect(callsTo(calls, "dispose")).toEqual([]);
    expect(await storage.getItem("x")).toBe(1);
    expect(storage.getMounts()).toHaveLength(2);
  });

  it("lets the base be mounted again at once", async () => {
    const storage = createStorage<any>().mount("a", memoryDriver());
    storage.setItemSync("a:x", "old");
    const done = storage.unmount("a");
    storage.mount("a", memoryDriver());
    await done;
    expect(storage.getItemSync("a:x")).toBeNull();
    storage.setItemSync("a:x", "new");
    expect(storage.getMount("a").base).toBe("a:");
    expect(storage.getItemSync("a:x")).toBe("new");
  });

  it("gives the error of the driver's dispose as it is, the driver being gone", async () => {
    const thrown = new Error("cannot close");
    const driver = {
      ...plainDriver(),
      dispose() {
        throw thrown;
      },
    };
    const storage = createStorage().mount("a", driver);
    expect(await failureOf(storage.unmount("a"))).toBe(thrown);
    expect(storage.getMounts()).toHaveLength(1);
  });

  it("flushes before it disposes", async () => {
    const order: string[] = [];
    const driver = {
      ...plainDriver(),
      flush: async () => void order.push("flush"),
      dispose: async () => void order.push("dispose"),
    };
    await createStorage().mount("a", driver).unmount("a");
    expect(order).toEqual(["flush", "dispose"]);
  });

  it.each([
    [true, ["flush", "dispose"]],
    [false, ["flush"]],
  ])(
    "ends with the driver although its watch fails to stop (dispose: %s)",
    async (dispose, calls) => {
      const thrown = new Error("cannot stop");
      const order: string[] = [];
      const driver = {
        ...plainDriver(),
        watch: () => () => {
          throw thrown;
        },
        flush: async () => void order.push("flush"),
        dispose: async () => void order.push("dispose"),
      };
      const storage = createStorage().mount("a", driver);
      await storage.watch(() => {});
      expect(await failureOf(storage.unmount("a", dispose))).toBe(thrown);
      expect(order).toEqual(calls);
    },
  );

  it("refuses a base that is no string", async () => {
    const error = await failureOf(createStorage().unmount(7 as any));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.code).toBe("EAS_INVALID_ARGUMENT");
  });
});

describe("flush and dispose", () => {
  it("flush reaches the mounts under its base and the one around it", async () => {
    const seen: string[] = [];
    const flushing = (name: string) => ({
      ...plainDriver(),
      flush: () => void seen.push(name),
      flushSync: () => void seen.push(name),
    });
    const storage = createStorage({ driver: flushing("root") })
      .mount("a", flushing("a"))
      .mount("a:b", flushing("a:b"))
      .mount("c", flushing("c"));
    for (const [base, expected] of [
      [undefined, ["a", "a:b", "c", "root"]],
      ["a", ["a", "a:b"]],
      ["a:b:x", ["a:b"]],
      ["a:x", ["a"]],
      ["x", ["root"]],
    ] as const) {
      await storage.flush(base);
      expect(seen.splice(0).sort(), `${base}`).toEqual(expected);
      storage.flushSync(base);
      expect(seen.splice(0).sort(), `${base}`).toEqual(expected);
    }
  });

  it("dispose ends every mount once, also when one of them fails", async () => {
    const thrown = new Error("cannot close");
    const seen: string[] = [];
    const ending = (name: string, fail = false) => ({
      ...plainDriver(),
      async dispose() {
        seen.push(name);
        if (fail) throw thrown;
      },
    });
    const storage = createStorage({ driver: ending("root") })
      .mount("a", ending("a", true))
      .mount("b", ending("b"));
    expect(await failureOf(storage.dispose())).toBe(thrown);
    expect(seen.sort()).toEqual(["a", "b", "root"]);
    await storage.dispose().catch(() => {});
    expect(seen).toHaveLength(3);
  });
});

describe.each(["async", "sync"])(
  "a driver may mount and unmount inside its methods (%s)",
  (mode) => {
    const suffix = mode === "sync" ? "Sync" : "";
    const ways: Record<string, (storage: any) => unknown> = {
      hasItem: (storage) => storage[`hasItem${suffix}`]("key"),
      getItem: (storage) => storage[`getItem${suffix}`]("key"),
      getItemRaw: (storage) => storage[`getItemRaw${suffix}`]("key"),
      getItems: (storage) => storage[`getItems${suffix}`](["key", "other"]),
      getKeys: (storage) => storage[`getKeys${suffix}`](),
      getMeta: (storage) => storage[`getMeta${suffix}`]("key"),
      setItem: (storage) => storage[`setItem${suffix}`]("key", 1),
      setItemRaw: (storage) => storage[`setItemRaw${suffix}`]("key", "text"),
      setItems: (storage) => storage[`setItems${suffix}`]([{ key: "key", value: 1 }]),
      removeItem: (storage) => storage[`removeItem${suffix}`]("key"),
      clear: (storage) => storage[`clear${suffix}`](),
      flush: (storage) => storage[`flush${suffix}`](),
    };
    it.each(Object.keys(ways))("%s", async (name) => {
      let calls = 0;
      const entered = () => {
        calls += 1;
        storage.mount(`new${calls}`, memoryDriver());
        storage.unmount("old", false).catch(() => {});
      };
      const answers: Record<string, unknown> = { getKeys: ["key"], getItems: [], hasItem: true };
      const method = (call: string) => () => {
        entered();
        return answers[call] ?? null;
      };
      const names = Object.keys(ways).flatMap((call) => [call, `${call}Sync`]);
      const driver: any = Object.fromEntries(
        names.map((call) => [call, method(call.replace(/Sync$/, ""))]),
      );
      const storage = createStorage<any>({ driver: { name: "mounting", ...driver } });
      storage.mount("old", memoryDriver());
      await ways[name]?.(storage);
      expect(calls).toBeGreaterThan(0);
      expect(storage.getMount("new1:x").base).toBe("new1:");
      expect(storage.getMount("old:x").base).toBe("");
      storage.setItemSync("new1:x", 1);
      expect(storage.getItemSync("new1:x")).toBe(1);
    });
  },
);
