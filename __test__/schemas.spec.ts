// Values against schemas: what is written, what is read, and what does not pass.

import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { callsOf, failureOf } from "./helpers/modes.js";
import {
  builtin,
  createStorage,
  prefixStorage,
  restoreSnapshot,
  restoreSnapshotSync,
  snapshot,
  snapshotSync,
} from "./helpers/package.js";

const made = (options: any, driver = builtin("memory")) =>
  createStorage<any>({ driver, ...options });

/** A schema whose answers come as Promises, when they are let through. */
function slowSchema() {
  const waiting: (() => void)[] = [];
  return {
    release: () => {
      for (const go of waiting.splice(0)) go();
    },
    schema: {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: (value: unknown) =>
          new Promise((resolve) => {
            waiting.push(() =>
              resolve(value === "bad" ? { issues: [{ message: "it is bad" }] } : { value }),
            );
          }),
      },
    },
  };
}

const asyncSchema = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: async (value: unknown) =>
      value === "bad" ? { issues: [{ message: "it is bad" }] } : { value },
  },
};

describe.each(["async", "sync"] as const)("%s", (mode) => {
  describe.each<[library: string, schema: any]>([
    ["zod", z.object({ name: z.string(), visits: z.number().default(0) })],
    ["valibot", v.object({ name: v.string(), visits: v.optional(v.number(), 0) })],
    ["arktype", type({ name: "string", visits: "number = 0" })],
  ])("%s", (_library, schema) => {
    it("a write is stored as given, a read gives the output", async () => {
      const driver = builtin("memory");
      const calls = callsOf(made({ schemas: { user: schema } }, driver), mode);
      await calls.setItem("user", { name: "Ann" });
      expect(await driver.getItem("user")).toBe('{"json":{"name":"Ann"}}');
      expect(await calls.getItem("user")).toEqual({ name: "Ann", visits: 0 });
      expect(await calls.getItems(["user", "none"])).toEqual([
        { key: "user", value: { name: "Ann", visits: 0 } },
        { key: "none", value: null },
      ]);
    });

    it("a write that does not pass is an error with the issues, and changes nothing", async () => {
      const calls = callsOf(made({ schemas: { user: schema } }), mode);
      await calls.setItem("user", { name: "Ann" });
      const error = await failureOf(calls.setItem("/user", { name: 1 }));
      expect(error).toMatchObject({
        code: "EAS_INVALID_VALUE",
        key: "user",
        operation: mode === "sync" ? "setItemSync" : "setItem",
      });
      expect(error.issues).toHaveLength(1);
      expect(error.message).toContain('"user"');
      expect(error.message).toContain("name");
      expect(await calls.getItem("user")).toEqual({ name: "Ann", visits: 0 });
    });
  });

  it("a batch is checked whole before its first write", async () => {
    const calls = callsOf(made({ schemas: { "n:*": z.number() } }), mode);
    const items = Array.from({ length: 300 }, (_, index) => ({
      key: `n:${index}`,
      value: index === 299 ? "last" : index,
    }));
    const error = await failureOf(calls.setItems(items));
    expect(error).toMatchObject({ code: "EAS_INVALID_VALUE", key: "n:299", index: 299 });
    expect(error.issues).toHaveLength(1);
    expect(await calls.getKeys()).toEqual([]);
    await calls.setItems(items.slice(0, 299));
    expect(await calls.getKeys()).toHaveLength(299);
  });

  it("undefined removes, in a batch too", async () => {
    const calls = callsOf(made({ schemas: { a: z.number() } }), mode);
    await calls.setItem("a", 1);
    await calls.setItem("a", undefined);
    expect(await calls.hasItem("a")).toBe(false);
    await calls.setItem("a", 1);
    await calls.setItems([{ key: "a", value: undefined }]);
    expect(await calls.hasItem("a")).toBe(false);
  });

  it("null is checked like any value", async () => {
    const calls = callsOf(made({ schemas: { a: z.number(), b: z.number().nullable() } }), mode);
    expect((await failureOf(calls.setItem("a", null))).code).toBe("EAS_INVALID_VALUE");
    await calls.setItem("b", null);
    expect(await calls.getItem("b")).toBeNull();
    expect(await calls.hasItem("b")).toBe(true);
  });

  it("an exact key wins, then the first pattern that fits", async () => {
    const calls = callsOf(
      made({
        schemas: {
          "users:*": z.literal("any user"),
          "users:**": z.literal("below users"),
          "users:me": z.literal("me"),
          "*:end": z.literal("end"),
          "a:**:z": z.literal("a to z"),
        },
      }),
      mode,
    );
    for (const [key, value] of [
      ["users:me", "me"],
      ["users:you", "any user"],
      ["users:end", "any user"],
      ["users:you:x", "below users"],
      ["users:you:x:y", "below users"],
      ["x:end", "end"],
      ["a:b:z", "a to z"],
      ["a:b:z:c:z", "a to z"],
    ]) {
      await calls.setItem(key, value);
      expect((await failureOf(calls.setItem(key, "other"))).key).toBe(key);
    }
    for (const key of ["users", "a:z", "x:y:end", "a:b:zz", "b:users:me"]) {
      await calls.setItem(key, "anything");
    }
  });

  it.each<[choice: any, given: unknown]>([
    ["default", { w: 1 }],
    ["keep", "old form"],
    [() => "made up", "made up"],
    [() => undefined, null],
  ])("what is stored and does not pass follows onInvalid: %s", async (onInvalid, given) => {
    const driver = builtin("memory");
    await driver.setItem("a", '{"json":"old form"}');
    const options = {
      schemas: { a: z.object({ w: z.number() }) },
      defaults: { a: { w: 1 } },
      onInvalid,
    };
    const calls = callsOf(made(options, driver), mode);
    expect(await calls.getItem("a")).toEqual(given);
    expect(await calls.getItems(["a"])).toEqual([{ key: "a", value: given }]);
    expect(await driver.getItem("a")).toBe('{"json":"old form"}');
  });

  it("without onInvalid the read is an error", async () => {
    const driver = builtin("memory");
    await driver.setItem("a", '{"json":"old form"}');
    const calls = callsOf(made({ schemas: { a: z.number() } }, driver), mode);
    for (const read of [() => calls.getItem("a"), () => calls.getItems(["b", "a"])]) {
      const error = await failureOf(read);
      expect(error).toMatchObject({ code: "EAS_INVALID_VALUE", key: "a" });
      expect(error.issues).toHaveLength(1);
    }
    expect(await driver.getItem("a")).toBe('{"json":"old form"}');
  });

  it('"default" without a default gives null', async () => {
    const driver = builtin("memory");
    await driver.setItem("a", '{"json":"old form"}');
    const options = { schemas: { a: z.number() }, onInvalid: "default" };
    expect(await callsOf(made(options, driver), mode).getItem("a")).toBeNull();
  });

  it("the function gets the value, the issues and the key; what it throws is the error", async () => {
    const driver = builtin("memory");
    await driver.setItem("a:b", '{"json":"old form"}');
    const onInvalid = vi.fn(() => {
      throw failed;
    });
    const failed = new Error("no");
    const calls = callsOf(made({ schemas: { "a:*": z.number() }, onInvalid }, driver), mode);
    expect(await failureOf(calls.getItem("a/b"))).toBe(failed);
    expect(onInvalid).toHaveBeenCalledWith("old form", [expect.anything()], "a:b");
  });

  it("raw values, metadata and what the package keeps for itself are not checked", async () => {
    const storage = made({ schemas: { "**": z.number() }, version: 1, migrations: { 1() {} } });
    const calls = callsOf(storage, mode);
    await calls.setItemRaw("a", "text");
    expect(await calls.getItemRaw("a")).toBe("text");
    await calls.setItem("b", 1);
    await calls.setMeta("b", { note: "text" });
    expect(await calls.getMeta("b")).toMatchObject({ note: "text" });
    await storage.migrate();
    expect(await storage.getStorageVersion()).toBe(1);
    expect(await calls.getItem("__storage_version__")).toBe(1);
  });

  it("snapshots and restores carry what does not pass", async () => {
    const driver = builtin("memory");
    await driver.setItem("a", '{"json":"old form"}');
    const storage = made({ schemas: { a: z.number() } }, driver);
    for (const view of [storage, { ...storage }]) {
      const copy = mode === "async" ? await snapshot(view, "") : snapshotSync(view, "");
      expect(copy).toEqual({ a: "old form" });
      await calls(view, mode).clear();
      if (mode === "async") await restoreSnapshot(view, copy);
      else restoreSnapshotSync(view, copy);
      expect(await driver.getItem("a")).toBe('{"json":"old form"}');
    }
    const prefixed = prefixStorage(made({ schemas: { "p:a": z.number() } }, driver), "p");
    const copy = { a: "old form" };
    if (mode === "async") await restoreSnapshot(prefixed, copy);
    else restoreSnapshotSync(prefixed, copy);
    expect(await snapshot(prefixed, "")).toEqual(copy);
  });

  it("a prefix and a storage that it is mounted in are checked", async () => {
    const storage = made({ schemas: { "n:*": z.number().transform((n) => n + 1) } });
    const prefixed = callsOf(prefixStorage(storage, "n"), mode);
    await prefixed.setItem("a", 1);
    expect(await prefixed.getItem("a")).toBe(2);
    expect((await failureOf(prefixed.setItem("a", "x"))).code).toBe("EAS_INVALID_VALUE");
    const outer = createStorage<any>();
    outer.mount("in", storage);
    const mounted = callsOf(outer, mode);
    expect(await mounted.getItem("in:n:a")).toBe(2);
    const error = await failureOf(mounted.setItem("in:n:a", "x"));
    expect(error).toMatchObject({ code: "EAS_INVALID_VALUE", issues: [expect.anything()] });
    outer.mount("part", prefixStorage(storage, "n"));
    await mounted.setItem("part:c", 1);
    expect(await mounted.getItem("part:c")).toBe(2);
    expect((await failureOf(mounted.setItem("part:c", "x"))).code).toBe("EAS_INVALID_VALUE");
    expect(await storage.getItem("n:c")).toBe(2);
    await mounted.setItems([{ key: "in:n:b", value: 5 }]);
    expect(await storage.getItem("n:b")).toBe(6);
    expect(await mounted.getItems(["in:n:b"])).toEqual([{ key: "in:n:b", value: 6 }]);
  });
});

const calls = callsOf;

it("a stored value that codes as an instance comes to the schema as what it is", async () => {
  const storage = made({ schemas: { at: z.date(), tags: z.set(z.string()) } });
  await storage.setItem("at", new Date(5));
  await storage.setItem("tags", new Set(["a"]));
  expect(await storage.getItem("at")).toEqual(new Date(5));
  expect(storage.getItemSync("tags")).toEqual(new Set(["a"]));
});

it("migrations and their hooks pass schemas by, by every method", async () => {
  const storage = made({
    schemas: { a: z.number() },
    version: 1,
    migrations: {
      1: async (old: any) => {
        await old.setItem("a", "old");
        await old._setItemInternal("a", `${await old.getItem("a")} form`);
        old.setItemSync("b", old.getItemSync("a"));
      },
    },
  });
  await storage.migrate();
  expect(await storage.getItem("b")).toBe("old form");
  expect((await failureOf(storage.getItem("a"))).code).toBe("EAS_INVALID_VALUE");
});

describe("a schema that is asynchronous", () => {
  it("is waited for by the Promise forms", async () => {
    const storage = made({ schemas: { a: asyncSchema } });
    await storage.setItem("a", 1);
    expect(await storage.getItem("a")).toBe(1);
    expect(await storage.getItems(["a"])).toEqual([{ key: "a", value: 1 }]);
    const error = await failureOf(storage.setItem("a", "bad"));
    expect(error).toMatchObject({ code: "EAS_INVALID_VALUE", issues: [{ message: "it is bad" }] });
    const batch = storage.setItems([
      { key: "b", value: 1 },
      { key: "a", value: "bad" },
    ]);
    expect((await failureOf(batch)).index).toBe(1);
    expect(await storage.getKeys()).toEqual(["a"]);
  });

  it("is an error in a Sync call, which writes nothing", async () => {
    const storage = made({ schemas: { a: asyncSchema } });
    const write = await failureOf(() => storage.setItemSync("a", 1));
    expect(write).toMatchObject({
      code: "EAS_SYNC_UNSUPPORTED",
      operation: "setItemSync",
      key: "a",
    });
    const batch = await failureOf(() =>
      storage.setItemsSync([
        { key: "b", value: 1 },
        { key: "a", value: 1 },
      ]),
    );
    expect(batch.code).toBe("EAS_SYNC_UNSUPPORTED");
    expect(await storage.getKeys()).toEqual([]);
    await storage.setItem("a", 1);
    expect((await failureOf(() => storage.getItemSync("a"))).code).toBe("EAS_SYNC_UNSUPPORTED");
    expect((await failureOf(() => storage.getItemsSync(["a"]))).code).toBe("EAS_SYNC_UNSUPPORTED");
  });

  it("stores the value of the call, in the order of the calls", async () => {
    const { schema, release } = slowSchema();
    const storage = made({ schemas: { slow: schema } });
    const value = { n: 1 };
    const done = [
      storage.setItem("slow", value),
      storage.setItem("plain", "first"),
      storage.setItems([{ key: "plain", value: "second" }]),
    ];
    value.n = 2;
    const read = storage.getItem("plain");
    const keys = storage.getKeys();
    const cleared = storage.clear();
    done.push(storage.setItem("after", 1));
    const flushed = storage.flush();
    expect(storage.getItemSync("plain")).toBeNull();
    release();
    await Promise.all([...done, flushed]);
    expect(await read).toBe("second");
    expect((await keys).sort()).toEqual(["plain", "slow"]);
    await cleared;
    expect(await storage.getKeys()).toEqual(["after"]);
  });

  it("holds up nothing once a write did not pass", async () => {
    const { schema, release } = slowSchema();
    const storage = made({ schemas: { slow: schema } });
    const refused = failureOf(storage.setItem("slow", "bad"));
    const written = storage.setItem("plain", 1);
    release();
    expect((await refused).code).toBe("EAS_INVALID_VALUE");
    await written;
    expect(storage.getItemSync("plain")).toBe(1);
    expect(await storage.hasItem("slow")).toBe(false);
  });

  it("onInvalid may give a Promise, but not in a Sync call", async () => {
    const driver = builtin("memory");
    await driver.setItem("a", '{"json":"old"}');
    const storage = made({ schemas: { a: z.number() }, onInvalid: async () => 7 }, driver);
    expect(await storage.getItem("a")).toBe(7);
    expect((await failureOf(() => storage.getItemSync("a"))).code).toBe("EAS_SYNC_UNSUPPORTED");
  });
});

describe("a schema that answers at once and one that does not, in one call", () => {
  const refusing = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: () => ({ issues: [{ message: "refused" }] }),
    },
  };

  const CALLS: [name: string, call: (storage: any) => unknown][] = [
    [
      "setItems",
      (storage) =>
        storage.setItems([
          { key: "slow", value: "bad" },
          { key: "a", value: 1 },
        ]),
    ],
    ["getItems", (storage) => storage.getItems(["slow", "a"])],
    ["entries", (storage) => storage.entries()],
    [
      "a group of the storage around it",
      (storage) =>
        createStorage<any>()
          .mount("m", storage)
          .atomic()
          .set("m:slow", "bad")
          .set("m:a", 1)
          .commit(),
    ],
  ];
  it.each(CALLS)("%s rejects, and nothing else does", async (_name, call) => {
    const driver = builtin("memory");
    const plain = createStorage<any>({ driver });
    plain.setItemSync("slow", "bad");
    plain.setItemSync("a", 1);
    const storage = made({ schemas: { slow: asyncSchema, a: refusing } }, driver);
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    try {
      expect((await failureOf(async () => call(storage))).code).toBe("EAS_INVALID_VALUE");
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      process.off("unhandledRejection", unhandled);
    }
  });
});

it.each(["async", "sync"] as const)(
  "a batch checks the very values that it stores, whatever getters give next (%s)",
  async (mode) => {
    const storage = made({ schemas: { a: z.string() } });
    let reads = 0;
    const item = {
      key: "a",
      get value() {
        reads += 1;
        return reads === 1 ? 5 : "fine";
      },
    };
    const error = await failureOf(callsOf(storage, mode).setItems([item]));
    expect(error.code).toBe("EAS_INVALID_VALUE");
    expect(storage.hasItemSync("a")).toBe(false);
  },
);

describe("behind a write whose schema has yet to answer", () => {
  it("raw values and metadata are those of the call", async () => {
    const { schema, release } = slowSchema();
    const storage = made({ schemas: { slow: schema } });
    const written = [storage.setItem("slow", 1)];
    const bytes = Buffer.from("old");
    const words = new Uint16Array([1, 2]);
    const meta = { owner: "old" };
    written.push(storage.setItemRaw("bytes", bytes), storage.setItemRaw("words", words));
    written.push(storage.setMeta("bytes", meta));
    bytes.write("new");
    words.fill(9);
    meta.owner = "new";
    release();
    await Promise.all(written);
    expect(await storage.getItemRaw("bytes")).toEqual(Buffer.from("old"));
    expect(await storage.getItemRaw("words")).toEqual(new Uint16Array([1, 2]));
    expect(await storage.getMeta("bytes")).toMatchObject({ owner: "old" });
  });

  it("a mount stays until the write is in it", async () => {
    const { schema, release } = slowSchema();
    const storage = made({ schemas: { "**": schema } });
    const mounted = builtin("memory");
    storage.mount("m", mounted);
    const written = storage.setItem("m:a", 1);
    const unmounted = storage.unmount("m", false);
    release();
    await Promise.all([written, unmounted]);
    expect(await mounted.getKeys("", {})).toEqual(["a"]);
    expect(await storage.getKeys()).toEqual([]);
  });
});

describe("bad input is refused when the storage is made", () => {
  it.each<[title: string, options: object, text: string]>([
    ["schemas that are a list", { schemas: [z.number()] }, "an array"],
    ["schemas that are a schema", { schemas: z.number() }, "no Standard Schema"],
    ["a schema that is none", { schemas: { a: { parse() {} } } }, '"a"'],
    ["a schema that is a number", { schemas: { a: 1 } }, '"a"'],
    ["a schema that is null", { schemas: { a: null } }, '"a"'],
    ["a * inside a segment", { schemas: { "user-*": z.number() } }, '"user-*"'],
    ["an onInvalid that is unknown", { onInvalid: "ignore" }, '"ignore"'],
    ["an onInvalid that is a number", { onInvalid: 1 }, "number"],
    ["an onInvalid that is null", { onInvalid: null }, "null"],
  ])("%s", async (_title, options, text) => {
    const error = await failureOf(() => createStorage(options as any));
    expect(error).toMatchObject({ code: "EAS_INVALID_OPTION", operation: "createStorage" });
    expect(error.message).toContain(text);
  });
});

it("a storage without defaults and schemas is the plain one", () => {
  const plain = createStorage();
  const bare = createStorage<any>({ defaults: {}, schemas: {}, onInvalid: "keep" });
  expect(Object.keys(bare)).toEqual(Object.keys(plain));
  expect(Object.keys(made({ defaults: { a: 1 } })).sort()).toEqual(Object.keys(plain).sort());
});
