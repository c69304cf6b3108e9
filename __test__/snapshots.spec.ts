// Copies of what lies under a base, and their way back.

import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import type { Storage } from "../index.js";
import { folder } from "./helpers/folders.js";
import { promiseDriver } from "./helpers/js-drivers.js";
import { failureOf, type Mode } from "./helpers/modes.js";
import { builtin, createStorage } from "./helpers/package.js";

const require = createRequire(import.meta.url);
const { prefixStorage, snapshot, snapshotSync, restoreSnapshot, restoreSnapshotSync } =
  require("../index.js") as typeof import("../index.js");

type Any = Storage<any>;

const queueOver = (driver: unknown) => builtin("queue", { driver });

/** A storage of the user's own: a class with the few methods that copies need. */
class OwnStorage {
  data = new Map<string, unknown>();
  async getKeys(base = "") {
    return this.getKeysSync(base);
  }
  getKeysSync(base = "") {
    return [...this.data.keys()].filter((key) => key.startsWith(base));
  }
  async getItem(key: string) {
    return this.getItemSync(key);
  }
  getItemSync(key: string) {
    return this.data.get(key) ?? null;
  }
  async setItem(key: string, value: unknown) {
    this.setItemSync(key, value);
  }
  setItemSync(key: string, value: unknown) {
    this.data.set(key, value);
  }
}

const STORAGES: [title: string, open: () => Any][] = [
  ["memory", () => createStorage<any>()],
  ["fs", () => createStorage<any>({ driver: builtin("fs", { base: folder() }) })],
  ["a prefix", () => prefixStorage<any>(createStorage<any>(), "outer")],
  ["a mount inside", () => createStorage<any>().mount("a:m", builtin("memory"))],
  ["a storage of the user", () => new OwnStorage() as unknown as Any],
];

const VALUES: Record<string, unknown> = {
  one: 1,
  "deep:er": { at: new Date(3), set: new Set([1]) },
  "m:inner": "text",
  empty: "",
  none: null,
  no: false,
};

const copy = async (mode: Mode, storage: Any, base: string) =>
  mode === "sync" ? snapshotSync(storage, base) : await snapshot(storage, base);

async function restore(mode: Mode, storage: Any, from: Record<string, any>, base?: string) {
  if (mode === "sync") restoreSnapshotSync(storage, from, base);
  else await restoreSnapshot(storage, from, base);
}

describe.each<Mode>(["async", "sync"])("%s", (mode) => {
  describe.each(STORAGES)("of %s", (_title, open) => {
    async function filled(): Promise<Any> {
      const storage = open();
      for (const [key, value] of Object.entries(VALUES)) await storage.setItem(`a:${key}`, value);
      await storage.setItem("ab", "beside");
      await storage.setItem("b:one", "elsewhere");
      return storage;
    }

    it("a snapshot has the values under its base, by their keys without it", async () => {
      const storage = await filled();
      for (const base of ["a", "a:", "/a/"]) {
        expect(await copy(mode, storage, base), base).toEqual(VALUES);
      }
      expect(Object.keys(await copy(mode, storage, "")).sort()).toEqual(
        [...Object.keys(VALUES).map((key) => `a:${key}`), "ab", "b:one"].sort(),
      );
      expect(await copy(mode, storage, "nothing")).toEqual({});
    });

    it("a snapshot is a plain object that later writes leave alone", async () => {
      const storage = await filled();
      const taken = await copy(mode, storage, "a");
      await storage.setItem("a:one", 2);
      expect(taken.one).toBe(1);
      expect(Object.getPrototypeOf(taken)).toBe(Object.prototype);
    });

    it("a restored snapshot has the old values, and other keys stay", async () => {
      const storage = await filled();
      const taken = await copy(mode, storage, "a");
      await storage.setItem("a:one", "changed");
      await storage.setItem("a:more", "stays");
      await restore(mode, storage, taken, "a");
      expect(await copy(mode, storage, "a")).toEqual({ ...VALUES, more: "stays" });
      expect(await storage.getItem("ab")).toBe("beside");
    });

    it("a snapshot goes to another base, and without one to the root", async () => {
      const storage = await filled();
      const taken = await copy(mode, storage, "a");
      await restore(mode, storage, taken, "c/d");
      expect(await copy(mode, storage, "c:d")).toEqual(VALUES);
      const other = open();
      await restore(mode, other, { x: 1, "y:z": 2 });
      expect(await copy(mode, other, "")).toEqual({ x: 1, "y:z": 2 });
    });

    it("a key such as __proto__ is a key like any other", async () => {
      const storage = open();
      await storage.setItem("p:__proto__", { polluted: true });
      await storage.setItem("p:constructor", 1);
      const taken = await copy(mode, storage, "p");
      expect(Object.getPrototypeOf(taken)).toBe(Object.prototype);
      expect(Object.keys(taken).sort()).toEqual(["__proto__", "constructor"]);
      await restore(mode, storage, taken, "q");
      expect(await storage.getItem("q:__proto__")).toEqual({ polluted: true });
      expect(({} as any).polluted).toBeUndefined();
    });
  });

  describe.each([
    ["fs", () => createStorage<any>({ driver: builtin("fs", { base: folder() }) })],
    ["fs-lite", () => createStorage<any>({ driver: builtin("fs-lite", { base: folder() }) })],
    ["memory", () => createStorage<any>()],
    [
      "a prefix",
      () => prefixStorage<any>(createStorage({ driver: builtin("fs", { base: folder() }) }), "p"),
    ],
    [
      "a queue",
      () =>
        createStorage<any>({
          driver: builtin("queue", { driver: builtin("fs", { base: folder() }) }),
        }),
    ],
  ])("with raw values in %s", (_title, open) => {
    const image = Buffer.from([0xff, 0xd8, 0, 1, 0x80, 0xfe]);

    it("what is no value comes as a Buffer, and goes back byte for byte", async () => {
      const storage = open();
      await storage.setItemRaw("a:image", image);
      await storage.setItemRaw("a:empty", Buffer.alloc(0));
      await storage.setItemRaw("a:text", "no JSON");
      await storage.setItemRaw("a:json", '{"json":{"at":1}}');
      await storage.setItem("a:none", null);
      await storage.setItem("a:bytes", new Uint8Array([1, 2]));
      await storage.setItem("a:value", { at: new Date(5) });
      const taken = await copy(mode, storage, "a");
      expect(taken).toStrictEqual({
        image,
        empty: Buffer.alloc(0),
        text: Buffer.from("no JSON"),
        json: { at: 1 },
        none: null,
        bytes: new Uint8Array([1, 2]),
        value: { at: new Date(5) },
      });
      expect(Buffer.isBuffer(taken.image)).toBe(true);
      expect(Buffer.isBuffer(taken.bytes)).toBe(false);
      await storage.clear("a");
      await restore(mode, storage, taken, "b");
      expect(Buffer.from((await storage.getItemRaw("b:image")) as any).equals(image)).toBe(true);
      expect(Buffer.from((await storage.getItemRaw("b:empty")) as any)).toHaveLength(0);
      expect(Buffer.from((await storage.getItemRaw("b:text")) as any).toString()).toBe("no JSON");
      expect(await storage.getItem("b:none")).toBeNull();
      expect(await storage.hasItem("b:none")).toBe(true);
      expect(await storage.getItem("b:bytes")).toStrictEqual(new Uint8Array([1, 2]));
      expect(await copy(mode, storage, "b")).toStrictEqual(taken);
    });

    it("a Uint8Array that is no Buffer is restored as a value", async () => {
      const storage = open();
      await restore(mode, storage, { bytes: new Uint8Array([7]) });
      expect(await storage.getItem("bytes")).toStrictEqual(new Uint8Array([7]));
      expect(String(await storage.getItemRaw("bytes"))).toContain("typed-array");
    });
  });

  it("keys that went while it was taken are left out", async () => {
    const data = new Map<string, string>([
      ["stays", '{"json":1}'],
      ["none", '{"json":null}'],
    ]);
    const keys = ["stays", "gone", "none"];
    const driver = {
      hasItem: (key: string) => data.has(key),
      getItem: (key: string) => data.get(key) ?? null,
      getKeys: () => keys,
      hasItemSync: (key: string) => data.has(key),
      getItemSync: (key: string) => data.get(key) ?? null,
      getKeysSync: () => keys,
    };
    const taken = await copy(mode, createStorage<any>({ driver }), "");
    expect(taken).toEqual({ stays: 1, none: null });
    expect(Object.keys(taken)).toEqual(["stays", "none"]);
  });

  it("metadata and times to live are no part of a snapshot", async () => {
    const storage = createStorage<any>();
    await storage.setItem("a:key", 1, { ttl: 3_600_000 });
    await storage.setMeta("a:key", { owner: "ann" });
    const taken = await copy(mode, storage, "a");
    expect(taken).toEqual({ key: 1 });
    await restore(mode, storage, taken, "a");
    expect(await storage.getMeta("a:key")).toEqual({ owner: "ann" });
  });

  it("undefined in a snapshot removes the key", async () => {
    const storage = createStorage<any>();
    await storage.setItem("key", 1);
    await restore(mode, storage, { key: undefined });
    expect(await storage.hasItem("key")).toBe(false);
  });
});

it("the Sync forms need a storage whose drivers have Sync methods", async () => {
  const storage = createStorage<any>({ driver: promiseDriver() });
  expect((await failureOf(() => snapshotSync(storage, ""))).code).toBe("EAS_SYNC_UNSUPPORTED");
  expect((await failureOf(() => restoreSnapshotSync(storage, { a: 1 }))).code).toBe(
    "EAS_SYNC_UNSUPPORTED",
  );
});

it("the Promise forms reject and do not throw", async () => {
  for (const call of [
    () => snapshot(undefined as any, ""),
    () => restoreSnapshot(createStorage<any>(), null as any),
  ]) {
    let promise: unknown;
    expect(() => {
      promise = call();
    }).not.toThrow();
    expect(await failureOf(promise as Promise<unknown>)).toBeInstanceOf(Error);
  }
});

describe.each<[title: string, open: () => Any]>([
  ["a storage in a storage", () => createStorage<any>({ driver: createStorage<any>() as any })],
  [
    "a prefix of a storage in a storage",
    () => createStorage<any>({ driver: prefixStorage(createStorage<any>(), "in") as any }),
  ],
  ["a queue over a storage", () => createStorage<any>({ driver: queueOver(createStorage<any>()) })],
])("through %s", (_, open) => {
  it("null and typed arrays come as the values that they are", async () => {
    const storage = open();
    const values = {
      none: null,
      bytes: Uint8Array.from([1, 2]),
      empty: new Uint8Array(),
      text: "null",
    };
    await storage.setItems(Object.entries(values).map(([key, value]) => ({ key, value })));
    await storage.setItemRaw("raw", Buffer.from([0xff, 1]));
    await storage.flush();
    const copy = await snapshot(storage, "");
    expect(copy).toEqual({ ...values, raw: Buffer.from([0xff, 1]) });
    expect(Buffer.isBuffer(copy.bytes)).toBe(false);
    const other = createStorage<any>();
    await restoreSnapshot(other, copy);
    for (const [key, value] of Object.entries(values)) {
      expect(await other.getItem(key), key).toEqual(value);
    }
    await storage.dispose();
  });
});

it("typed arrays keep what a replaced getItem makes of them", async () => {
  const seal = (text: string) => `sealed:${text}`;
  const inner = builtin("memory");
  const storage = createStorage<any>({
    driver: {
      ...inner,
      setItem: (key, value, opts) => inner.setItem?.(key, seal(value), opts),
      getItem: async (key, opts) => {
        const text = await inner.getItem(key, opts);
        return typeof text === "string" ? text.slice(seal("").length) : null;
      },
    },
  });
  await storage.setItem("bytes", Uint8Array.from([1, 2]));
  const copy = await snapshot(storage, "");
  expect(Buffer.isBuffer(copy.bytes)).toBe(false);
  expect(copy).toEqual({ bytes: Uint8Array.from([1, 2]) });
});

it.each<Mode>(["async", "sync"])(
  "a null under a wrapper that replaces getItem alone is a null (%s)",
  async (mode) => {
    const inner = builtin("fs", { base: folder() }) as any;
    const turned = (text: any) => (text === null ? null : [...text].reverse().join(""));
    const driver = {
      ...inner,
      setItem: async (key: string, text: string, opts: object) =>
        inner.setItem(key, turned(text), opts),
      getItem: async (key: string, opts: object) => turned(await inner.getItem(key, opts)),
      setItemSync: (key: string, text: string, opts: object) =>
        inner.setItemSync(key, turned(text), opts),
      getItemSync: (key: string, opts: object) => turned(inner.getItemSync(key, opts)),
    };
    const storage = createStorage<any>({ driver });
    await storage.setItems([
      { key: "none", value: null },
      { key: "value", value: { none: null } },
    ]);
    expect(await copy(mode, storage, "")).toStrictEqual({ none: null, value: { none: null } });
    await storage.dispose();
  },
);

describe.each<unknown>([undefined, null, 5, "text", {}])("given %j for a storage", (given) => {
  const storage = given as any;
  const calls: Record<string, () => unknown> = {
    snapshot: () => snapshot(storage, ""),
    snapshotSync: () => snapshotSync(storage, ""),
    restoreSnapshot: () => restoreSnapshot(storage, {}),
    restoreSnapshotSync: () => restoreSnapshotSync(storage, {}),
    prefixStorage: () => prefixStorage(storage, "base"),
  };
  it.each(Object.keys(calls))("%s says so", async (name) => {
    const error = await failureOf(() => calls[name]?.());
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({ code: "EAS_INVALID_ARGUMENT", operation: name });
    expect(error.message).toContain("expected a storage");
  });
});

it.each<unknown>([undefined, null, 5, "text"])("a copy that is %j is refused", async (copy) => {
  const storage: Any = createStorage();
  const errors = [
    await failureOf(() => restoreSnapshot(storage, copy as any)),
    await failureOf(() => restoreSnapshotSync(storage, copy as any)),
  ];
  for (const error of errors) expect(error).toMatchObject({ code: "EAS_INVALID_ARGUMENT" });
  expect(await storage.getKeys()).toEqual([]);
});
