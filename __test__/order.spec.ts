// The one order of the calls of a storage: what a read sees of calls that nobody awaited, what flush and
// dispose wait for, and what a storage that was disposed answers.

import { describe, expect, it, onTestFinished } from "vitest";
import type { Driver, Storage } from "../index.js";
import { folder } from "./helpers/folders.js";
import { plainDriver, syncMethodsDriver } from "./helpers/js-drivers.js";
import { builtin, createStorage, memoryDriver, prefixStorage } from "./helpers/package.js";

const COUNT = 60;
const keys = Array.from({ length: COUNT }, (_, index) => `k:${index}`);
const items = (value: unknown) =>
  keys.map((key) => ({ key, value })) as { key: string; value: any }[];

interface Row {
  title: string;
  make(base: string): Storage;
}

const fs = (base: string) => builtin("fs", { base, durability: "none" });
const lite = (base: string) =>
  builtin("fs-lite", {
    base,
    durability: "none",
    ignore: (path: string) => path.includes("skipped"),
  });
const queued = (driver: Driver) => builtin("queue", { driver, maxQueueSize: 10_000 } as any);

const ROWS: Row[] = [
  { title: "fs", make: (base) => createStorage({ driver: fs(base) }) },
  {
    title: "fs-lite with a function to ignore",
    make: (base) => createStorage({ driver: lite(base) }),
  },
  { title: "a queue over fs", make: (base) => createStorage({ driver: queued(fs(base)) }) },
  {
    title: "a queue over fs-lite with a function to ignore",
    make: (base) => createStorage({ driver: queued(lite(base)) }),
  },
  {
    title: "fs with a mount inside",
    make: (base) => createStorage({ driver: fs(base) }).mount("k:inner", memoryDriver()),
  },
  {
    title: "a queue over fs with a mount inside",
    make: (base) => createStorage({ driver: queued(fs(base)) }).mount("k:inner", memoryDriver()),
  },
  {
    title: "a storage over fs, mounted",
    make: (base) => createStorage().mount("k", createStorage({ driver: fs(base) }) as any),
  },
];

const watched = async (storage: Storage) => {
  await storage.watch(() => {});
  return storage;
};

const CLEARS: [string, (storage: Storage) => void][] = [
  ["clear()", (storage) => void storage.clear()],
  ["clear(base)", (storage) => void storage.clear("k")],
  ["clear() of a prefix", (storage) => void prefixStorage(storage, "k").clear()],
  ["two clears", (storage) => void [storage.clear("k"), storage.clear()]],
];

const WAITS: [string, (storage: Storage) => unknown][] = [
  ["flush", (storage) => storage.flush()],
  ["flush of another base", (storage) => storage.flush("other")],
  ["flushSync", (storage) => storage.flushSync()],
  ["dispose", (storage) => storage.dispose()],
];

describe.each(ROWS)("over $title", ({ make }) => {
  describe.each([false, true])("watched: %s", (isWatched) => {
    it.each(WAITS)("%s waits for a clear that was not awaited", async (name, wait) => {
      // Nobody can block for the Promises of a storage that is mounted.
      for (const [, clear] of CLEARS) {
        const base = folder();
        const storage = make(base);
        if (isWatched) await watched(storage);
        await storage.setItems(items("old"));
        clear(storage);
        const waited = wait(storage);
        if (name !== "flushSync") await waited;
        const next = make(base);
        const left = await next.getKeys("k");
        expect(left).toEqual([]);
        await next.setItems(items("new").slice(0, 50));
        await new Promise((resolve) => setTimeout(resolve, 1));
        expect(await next.getKeys("k")).toHaveLength(50);
        await next.dispose();
        await storage.dispose();
      }
    });
  });
});

describe("flush and dispose", () => {
  it("wait for batches, removals and raw writes that nobody awaited", async () => {
    for (const { make } of ROWS) {
      for (const [, wait] of WAITS.slice(2)) {
        const base = folder();
        const storage = make(base);
        void storage.setItems(items("first"));
        void storage.removeItem("k:1");
        void storage.setItemRaw("k:2", Buffer.from("raw"));
        void storage.setItem("k:3", "last");
        await wait(storage);
        const next = make(base);
        expect((await next.getKeys("k")).length).toBe(COUNT - 1);
        expect(await next.getItem("k:3")).toBe("last");
        expect(String(await next.getItemRaw("k:2"))).toBe("raw");
        await next.dispose();
        await storage.dispose();
      }
    }
  });

  it("wait for the Promises of a driver in JavaScript", async () => {
    const done: string[] = [];
    const slow = (name: string) => async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      done.push(name);
    };
    const driver: Driver = {
      ...plainDriver(),
      setItem: slow("setItem"),
      removeItem: slow("removeItem"),
      setItems: slow("setItems"),
      clear: slow("clear"),
      flush: () => void done.push("flush"),
      dispose: () => void done.push("dispose"),
    } as any;
    const storage = createStorage({ driver });
    void storage.setItem("a", 1);
    void storage.removeItem("b");
    void storage.setItems([{ key: "c", value: 1 }]);
    await storage.flush();
    expect(done.splice(0).slice(-1)).toEqual(["flush"]);
    void storage.setItem("a", 1);
    void storage.clear();
    await storage.dispose();
    expect(done).toEqual(expect.arrayContaining(["setItem", "clear"]));
    expect(done.slice(-2)).toEqual(["flush", "dispose"]);
  });

  it("flushSync clears by the Sync methods of a driver whose listing is a Promise", () => {
    const data = new Map<string, any>([["a", "1"]]);
    const driver: Driver = { ...syncMethodsDriver(data), getKeys: async () => [...data.keys()] };
    const storage = createStorage({ driver });
    void storage.clear();
    storage.flushSync();
    expect(data.size).toBe(0);
  });

  it("wait for a migration that was not awaited", async () => {
    const base = folder();
    for (const name of ["flush", "dispose"] as const) {
      const storage = createStorage({
        driver: fs(base),
        version: name === "flush" ? 1 : 2,
        migrations: Object.fromEntries(
          [1, 2].map((version) => [
            version,
            async (migrated: Storage) => {
              await migrated.clear();
              await migrated.setItem("version", version);
            },
          ]),
        ),
      });
      void storage.migrate();
      await storage[name]();
      const next = createStorage({ driver: fs(base) });
      expect(await next.getItem("version")).toBe(name === "flush" ? 1 : 2);
      await next.dispose();
      await storage.dispose();
    }
  });

  it("unmount waits for what was asked for before", async () => {
    const base = folder();
    const storage = createStorage().mount("m", fs(base));
    await storage.setItems(items("old").map((item) => ({ ...item, key: `m:${item.key}` })));
    void storage.clear("m");
    await storage.unmount("m");
    expect(await createStorage({ driver: fs(base) }).getKeys()).toEqual([]);
  });
});

const STORES: [string, () => Driver][] = [
  ["memory", memoryDriver],
  ["fs", () => fs(folder())],
  ["fs-lite with a function to ignore", () => lite(folder())],
  ["a queue over fs", () => queued(fs(folder()))],
  ["a queue over memory", () => queued(memoryDriver())],
  ["sqlite", () => builtin("sqlite", { base: folder() })],
  ["a queue over sqlite", () => queued(builtin("sqlite", { base: folder() }))],
];

describe.each(STORES)("a read of %s sees what nobody awaited", (title, open) => {
  const opened = () => {
    const storage = createStorage({ driver: open() });
    onTestFinished(() => storage.dispose());
    return storage;
  };
  const everyRead: [string, (storage: Storage, key: string) => unknown][] = [
    ["hasItemSync", (storage, key) => storage.hasItemSync(key)],
    ["hasItem", (storage, key) => storage.hasItem(key)],
    ["getItemSync", (storage, key) => storage.getItemSync(key)],
    ["getItem", (storage, key) => storage.getItem(key)],
    ["getItemsSync", (storage, key) => storage.getItemsSync([key, "other"])],
    ["getItems", (storage, key) => storage.getItems([key, "other"])],
    ["getItemRawSync", async (storage, key) => String(storage.getItemRawSync(key))],
    ["getItemRaw", async (storage, key) => String(await storage.getItemRaw(key))],
    ["getKeysSync", (storage) => storage.getKeysSync().sort()],
    ["getKeys", async (storage) => (await storage.getKeys()).sort()],
    ["getMetaSync size", (storage, key) => (storage.getMetaSync(key) as any).size],
    ["getMeta size", async (storage, key) => ((await storage.getMeta(key)) as any).size],
    [
      "getMetaSync times",
      (storage, key) => {
        const meta = storage.getMetaSync(key) as any;
        return ["atime", "mtime", "ctime", "birthtime"].map((time) => meta[time] !== undefined);
      },
    ],
    [
      "getItemRawSync kind",
      (storage, key) => Object.prototype.toString.call(storage.getItemRawSync(key)),
    ],
    ["getMetaSync of its own", (storage, key) => (storage.getMetaSync(key) as any).note],
  ];

  it.each(everyRead)("%s", async (_, read) => {
    const changes: ((storage: Storage) => unknown)[] = [
      (storage) => storage.setItem("a", "new"),
      (storage) => storage.removeItem("a"),
      (storage) =>
        storage.setItems([
          { key: "a", value: [1] },
          { key: "b:c", value: 2 },
        ]),
      (storage) => storage.setItemRaw("a", "raw text"),
      (storage) => storage.setItemRaw("a", Buffer.from('{"json":"bytes"}')),
      (storage) => storage.setItem("a", "kept", { ttl: 60_000 }),
      (storage) => storage.setItems([{ key: "a", value: "kept" }], { ttl: 60_000 }),
      (storage) => storage.setItemRaw("a", "kept", { ttl: 60_000 }),
      (storage) => storage.setItemRaw("a", Buffer.from([0xff]), { ttl: 60_000 }),
      (storage) => storage.setItemRaw("a", Buffer.from("\x89EAS\r\n\x1a\nlike a header", "latin1")),
      (storage) => storage.setMeta("a", { note: "new" }),
      (storage) => storage.removeItem("a", true),
      (storage) => storage.setItem("a", undefined),
    ];
    for (const change of changes) {
      const storage = opened();
      await storage.setItem("a", "old value");
      await storage.setItem("other", 0);
      void change(storage);
      const pending = await read(storage, "a");
      await storage.flush();
      expect(pending, String(change)).toEqual(await read(storage, "a"));
    }
  });

  it("the last of many calls, whatever they are", async () => {
    const storage = opened();
    for (let round = 0; round < 50; round += 1) {
      void storage.setItem("k", round);
      expect(storage.getItemSync("k")).toBe(round);
      void storage.removeItem("k");
      expect(storage.hasItemSync("k")).toBe(false);
      void storage.setItems([{ key: "k", value: -round }]);
      const read = storage.getItem("k");
      storage.setItemSync("k", `sync ${round}`);
      expect(storage.getItemSync("k")).toBe(`sync ${round}`);
      expect(title === "memory" ? -round : await read).toEqual(
        title === "memory" ? await read : expect.anything(),
      );
    }
    expect(await storage.getItem("k")).toBe("sync 49");
  });

  it("no key that the driver ignores", () => {
    const storage = opened();
    if (!title.includes("ignore")) return;
    void storage.setItem("skipped", 1);
    expect(storage.getKeysSync()).toEqual([]);
  });
});

it("a listing leaves out what is pending below an ignored folder", () => {
  const storage = createStorage({ driver: fs(folder()) });
  onTestFinished(() => storage.dispose());
  void storage.setItem("node_modules:x", 1);
  void storage.setItem("seen", 1);
  expect(storage.getKeysSync()).toEqual(["seen"]);
});

const CALLS: [string, (storage: any) => unknown][] = [
  ...["hasItem", "getItem", "getItemRaw", "removeItem", "getMeta", "removeMeta"].map(
    (name) => [name, (storage: any) => storage[name]("a")] as [string, (storage: any) => unknown],
  ),
  ["getItems", (storage) => storage.getItems(["a"])],
  ["getKeys", (storage) => storage.getKeys()],
  ["clear", (storage) => storage.clear()],
  ["flush", (storage) => storage.flush()],
  ["setItem", (storage) => storage.setItem("a", "1")],
  ["setItems", (storage) => storage.setItems([{ key: "a", value: "1" }])],
  ["setItemRaw", (storage) => storage.setItemRaw("a", "1")],
  ["setMeta", (storage) => storage.setMeta("a", { b: 1 })],
];

const sync = (storage: any) =>
  new Proxy(storage, { get: (target, name) => target[`${String(name)}Sync`] });

const codeOf = async (call: () => unknown) => {
  try {
    await call();
  } catch (error: any) {
    return error.code;
  }
  return "no error";
};

describe("after dispose", () => {
  const OPEN: [string, () => Driver][] = [
    ...STORES,
    ["a driver in JavaScript", () => syncMethodsDriver()],
  ];

  it.each(OPEN)("every call of a storage over %s is an error", async (_title, open) => {
    const storage = createStorage({ driver: open() });
    const prefixed = prefixStorage(storage, "p");
    const outer = createStorage().mount("m", storage as any);
    const done = storage.dispose();
    for (const each of [storage, prefixed]) {
      for (const [name, call] of CALLS) {
        expect(await codeOf(() => call(each)), name).toBe("EAS_DISPOSED");
        expect(await codeOf(() => call(sync(each))), `${name}Sync`).toBe("EAS_DISPOSED");
      }
    }
    for (const name of [
      "watch",
      "unwatch",
      "migrate",
      "getStorageVersion",
      "unmount",
      "getMount",
    ]) {
      const call = () => (storage as any)[name](name === "watch" ? () => {} : "a");
      expect(await codeOf(call), name).toBe("EAS_DISPOSED");
    }
    expect(await codeOf(() => storage.mount("n", memoryDriver()))).toBe("EAS_DISPOSED");
    await done;
    await storage.dispose();
    expect(await codeOf(() => outer.getItem("m:a"))).toBe("EAS_DISPOSED");
    expect(await codeOf(() => outer.setItemSync("m:a", 1))).toBe("EAS_DISPOSED");
    await outer.dispose();
  });

  it.each(STORES)("every call of %s itself is an error", async (_title, open) => {
    const driver: any = open();
    const [first, second] = [createStorage({ driver }), createStorage({ driver })];
    await first.setItem("a", 1);
    await first.dispose();
    for (const each of [driver, second]) {
      for (const [name, call] of CALLS) {
        if (each[name] === undefined || (each === driver && name === "clear")) continue;
        expect(await codeOf(() => call(each)), name).toBe("EAS_DISPOSED");
        if (each[`${name}Sync`] === undefined) continue;
        expect(await codeOf(() => call(sync(each))), `${name}Sync`).toBe("EAS_DISPOSED");
      }
    }
    await second.dispose();
    await driver.dispose();
  });

  it("a watch that is stopped late is no error", async () => {
    const storage = createStorage({ driver: fs(folder()) });
    const unwatch = await storage.watch(() => {});
    await storage.dispose();
    await unwatch();
  });

  it("calls before it are done, in order", async () => {
    const base = folder();
    const storage = createStorage({ driver: fs(base) });
    const write = storage.setItem("a", 1);
    const done = storage.dispose();
    const late = storage.setItem("a", 2).catch((error) => error.code);
    await Promise.all([write, done]);
    expect(await late).toBe("EAS_DISPOSED");
    expect(await createStorage({ driver: fs(base) }).getItem("a")).toBe(1);
  });
});

describe("mount", () => {
  it("at the root is an error, as at any other base", () => {
    const driver = memoryDriver();
    const storage = createStorage({ driver });
    for (const base of ["", ":", "/"]) {
      expect(() => storage.mount(base, memoryDriver())).toThrow(/already mounted at/);
    }
    expect(storage.getMount("").driver).toBe(driver);
  });

  it("may be made in whatever call of a driver", async () => {
    const names = [
      "getItem",
      "setItem",
      "removeItem",
      "getKeys",
      "hasItem",
      "clear",
      "flush",
      "dispose",
    ];
    for (const suffix of ["", "Sync"]) {
      for (const name of names) {
        let count = 0;
        const method = `${name}${suffix}`;
        const inner: any = syncMethodsDriver();
        const driver: any = {
          ...inner,
          [method](...args: any[]) {
            storage.mount(`in:${method}:${count++}`, memoryDriver());
            return inner[method]?.(...args);
          },
        };
        const storage: any = createStorage({ driver }).mount("beside", memoryDriver());
        await storage[`setItem${suffix}`]("a", 1);
        await storage[`getItem${suffix}`]("a");
        await storage[`hasItem${suffix}`]("a");
        await storage[`getKeys${suffix}`]();
        await storage[`removeItem${suffix}`]("a");
        await storage[`clear${suffix}`]();
        await storage[`flush${suffix}`]();
        if (suffix === "") await storage.unmount("beside");
        const seen = count;
        await storage.dispose().catch((error: any) => expect(error.code).toBe("EAS_DISPOSED"));
        // Beside mounts inside, keys are removed one by one.
        const isCalled = name !== "clear" && method !== "disposeSync";
        expect(seen > 0 || count > 0, method).toBe(isCalled || seen > 0);
      }
    }
  });

  it("may be made by a listener, a function to ignore and a getter of options", async () => {
    const driver = builtin("fs-lite", {
      base: folder(),
      ignore: () => {
        mount();
        return false;
      },
    });
    let count = 0;
    const storage = createStorage({ driver });
    const mount = () => void storage.mount(`in:${count++}`, memoryDriver());
    await storage.watch(() => mount());
    await storage.setItem("a", 1, {
      get ttl() {
        mount();
        return undefined;
      },
    } as any);
    await storage.getKeys();
    storage.getKeysSync();
    await storage.clear();
    storage.clearSync();
    expect(count).toBeGreaterThan(4);
    await storage.dispose();
  });
});
