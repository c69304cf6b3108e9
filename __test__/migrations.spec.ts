// Migrations: the steps in order, all of them or none.

import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { CreateStorageOptions, Driver, Storage } from "../index.js";
import { folder } from "./helpers/folders.js";
import { plainDriver, promiseDriver, syncMethodsDriver } from "./helpers/js-drivers.js";
import { failureOf } from "./helpers/modes.js";
import { builtin, createStorage, isBuiltin, memoryDriver } from "./helpers/package.js";

type Any = Storage<any>;

const fs = (options = {}) => builtin("fs", { base: folder(), ...options });

const DRIVERS: [title: string, open: () => Driver][] = [
  ["memory", memoryDriver],
  ["fs", fs],
  ["fs-lite", () => builtin("fs-lite", { base: folder() })],
  ["sqlite", () => builtin("sqlite", { base: folder() })],
  ["a driver of Promises", () => promiseDriver()],
  ["a driver with Sync methods", () => syncMethodsDriver()],
  ["a storage over fs", () => createStorage<any>({ driver: fs() }) as Driver],
];
if (isBuiltin("queue")) {
  DRIVERS.push(["queue over fs", () => builtin("queue", { driver: fs() })]);
  DRIVERS.push(["queue over memory", () => builtin("queue", { driver: memoryDriver() })]);
}

function opened(options: CreateStorageOptions<any>): Any {
  const storage = createStorage<any>(options);
  onTestFinished(() => storage.dispose());
  return storage;
}

const boom = new Error("the step fails");
const fail = () => {
  throw boom;
};

/** All that can be read of a storage. */
async function contentOf(storage: Any): Promise<Record<string, unknown>> {
  const content: Record<string, unknown> = {};
  for (const key of (await storage.getKeys()).sort()) {
    const { owner, ttl } = await storage.getMeta(key);
    const isRaw = key.includes("raw");
    const value = isRaw ? [...(await storage.getItemRaw(key))] : await storage.getItem(key);
    content[key] = { value, owner, hasTtl: ttl !== undefined };
  }
  return content;
}

async function fill(storage: Any): Promise<void> {
  await storage.setItem("value", { at: new Date(5) });
  await storage.setItem("removed", "r");
  await storage.setMeta("removed", { owner: "ann" });
  await storage.setItem("cleared:a", 1);
  await storage.setItem("cleared:b:c", new Set([2]));
  await storage.setMeta("cleared:a", { owner: "bob" });
  await storage.setItemRaw("cleared:raw", Buffer.from([0, 255, 1]));
  await storage.setItem("meta", 1);
  await storage.setMeta("meta", { owner: "eve" });
  await storage.setItem("timed", 1, { ttl: 3_600_000 });
}

/** One thing that a step does, each of which must be undone. */
const CHANGES: Record<string, (storage: Any) => unknown> = {
  setItem: (storage) => storage.setItem("value", "new"),
  "setItem of a new key": (storage) => storage.setItem("new:deep", 1),
  "setItem twice": async (storage) => {
    await storage.setItem("value", 1);
    await storage.setItem("value", 2);
  },
  "setItem of undefined": (storage) => storage.setItem("removed", undefined),
  "setItem with a ttl": (storage) => storage.setItem("value", 1, { ttl: 3_600_000 }),
  "setItem that ends a ttl": (storage) => storage.setItem("timed", 2),
  removeItem: (storage) => storage.removeItem("removed"),
  "removeItem with metadata": (storage) => storage.removeItem("removed", true),
  "removeItem and setItem": async (storage) => {
    await storage.removeItem("value");
    await storage.setItem("value", 3);
  },
  setItems: (storage) =>
    storage.setItems([
      { key: "value", value: 1 },
      { key: "removed", value: undefined },
      { key: "fresh", value: 2, options: { ttl: 1000 } },
    ]),
  setItemRaw: (storage) => storage.setItemRaw("cleared:raw", Buffer.from([7])),
  "setItemRaw over a value": (storage) => storage.setItemRaw("value", Buffer.from([7, 255])),
  setMeta: (storage) => storage.setMeta("value", { owner: "new" }),
  "setMeta over metadata": (storage) => storage.setMeta("meta", { owner: "new" }),
  removeMeta: (storage) => storage.removeMeta("meta"),
  "clear of a base": (storage) => storage.clear("cleared"),
  "clear of all": (storage) => storage.clear(),
  "a value in place of a folder": async (storage) => {
    await storage.setItem("cleared", 1);
    await storage.setItem("value:below", 1);
  },
  "writes that are not awaited": (storage) => {
    storage.setItem("value", 1).catch(() => {});
    storage.removeItem("removed").catch(() => {});
    storage.setItem("new", 1).catch(() => {});
  },
  "writes at the same time": (storage) =>
    Promise.all([
      storage.setItem("value", 1),
      storage.setItem("value", 2),
      storage.removeItem("removed", true),
      storage.clear("cleared"),
    ]),
  restoreSnapshot: async (storage) => {
    for (const key of await storage.getKeys()) await storage.setItem(key, "all new");
  },
};

/** The same through Sync methods. */
const SYNC_CHANGES: Record<string, (storage: Any) => unknown> = {
  setItemSync: (storage) => storage.setItemSync("value", "new"),
  setItemsSync: (storage) =>
    storage.setItemsSync([
      { key: "value", value: 1 },
      { key: "removed", value: undefined },
    ]),
  setItemRawSync: (storage) => storage.setItemRawSync("cleared:raw", Buffer.from([7])),
  removeItemSync: (storage) => storage.removeItemSync("removed", true),
  setMetaSync: (storage) => storage.setMetaSync("meta", { owner: "new" }),
  removeMetaSync: (storage) => storage.removeMetaSync("meta"),
  clearSync: (storage) => storage.clearSync(),
  "Sync writes between awaited ones": async (storage) => {
    await storage.setItem("value", 1);
    storage.setItemSync("value", 2);
    await storage.removeItem("value");
    storage.setItemSync("new", 1);
  },
};

describe.each(DRIVERS)("%s", (title, open) => {
  // The changes of a driver that has no Sync methods are made with those that it has.
  const changes = title.includes("Promises") ? CHANGES : { ...CHANGES, ...SYNC_CHANGES };

  it.each(Object.entries(changes))("undoes %s", async (name, change) => {
    let seen: Record<string, unknown> = {};
    const storage = opened({
      driver: open(),
      version: 2,
      migrations: {
        1: async (migrated) => void (await change(migrated)),
        async 2(migrated) {
          seen = await contentOf(migrated);
          fail();
        },
      },
    });
    await fill(storage);
    const before = await contentOf(storage);
    expect(await failureOf(storage.migrate())).toBe(boom);
    expect(await contentOf(storage)).toEqual(before);
    expect((await storage.getMeta("removed")).owner).toBe("ann");
    expect((await storage.getMeta("cleared:a")).owner).toBe("bob");
    expect((await storage.getMeta("value")).owner).toBeUndefined();
    expect(await storage.getStorageVersion()).toBeNull();
    if (!/Meta|ttl|awaited/.test(name)) expect(seen).not.toEqual(before);
    await storage.setItem("value", "goes on");
    expect(await storage.getItem("value")).toBe("goes on");
  });

  it("keeps a clear that is not awaited at its place among the writes of a step", async () => {
    const storage = opened({
      driver: open(),
      version: 1,
      migrations: {
        async 1(migrated) {
          await Promise.all([
            migrated.setItem("cleared:new", "before"),
            migrated.clear("cleared"),
            migrated.setItem("cleared:a", "after"),
            migrated.setItems([{ key: "cleared:b:c", value: "after" }]),
            migrated.setItemRaw("cleared:raw", Buffer.from([7])),
          ]);
        },
      },
    });
    await fill(storage);
    await storage.setItem("cleared:gone", 1);
    await storage.migrate();
    const left = ["cleared:a", "cleared:b:c", "cleared:raw"];
    expect((await storage.getKeys("cleared")).sort()).toEqual(left);
    expect(await storage.getItem("cleared:a")).toBe("after");
    expect(await storage.getItem("cleared:b:c")).toBe("after");
    expect([...(await storage.getItemRaw("cleared:raw"))]).toEqual([7]);
    expect((await storage.getMeta("cleared:a")).owner).toBeUndefined();
  });

  it("undoes a clear that a failing step does not await", async () => {
    const storage = opened({
      driver: open(),
      version: 1,
      migrations: {
        1(migrated) {
          migrated.clear("cleared").catch(() => {});
          throw boom;
        },
      },
    });
    await fill(storage);
    const before = await contentOf(storage);
    expect(await failureOf(storage.migrate())).toBe(boom);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await contentOf(storage)).toEqual(before);
  });

  it("is over when a clear that a step does not await is", async () => {
    const storage = opened({
      driver: open(),
      version: 1,
      migrations: { 1: (migrated) => void migrated.clear("cleared") },
    });
    await fill(storage);
    await storage.migrate();
    expect(await storage.getKeys("cleared")).toEqual([]);
  });

  it("keeps what every step wrote when none fails", async () => {
    const storage = opened({
      driver: open(),
      version: 3,
      migrations: {
        1: (migrated) => migrated.setItem("one", 1),
        2: (migrated) => migrated.clear("cleared"),
        3: (migrated) => migrated.setItemRaw("raw", Buffer.from([1])),
      },
    });
    await fill(storage);
    await storage.migrate();
    expect(await storage.getItem("one")).toBe(1);
    expect(await storage.getKeys("cleared")).toEqual([]);
    expect((await storage.getMeta("cleared:a")).owner).toBeUndefined();
    expect([...(await storage.getItemRaw("raw"))]).toEqual([1]);
    expect(await storage.getStorageVersion()).toBe(3);
  });

  it("leaves nothing of its own behind", async () => {
    const driver = open();
    const make = (step: (storage: Any) => unknown) =>
      opened({ driver, version: 1, migrations: { 1: step as any } });
    await failureOf(
      make(async (storage) => {
        await storage.setItem("a", 1);
        fail();
      }).migrate(),
    );
    const storage = make((migrated) => migrated.setItem("a", 1));
    await storage.migrate();
    await storage.flush();
    for (const number of [0, 1, 2]) {
      expect(await driver.hasItem(`__storage_journal__:${number}$`, {})).toBe(false);
    }
    expect(await driver.hasItem("__storage_journal__:open$", {})).toBe(false);
    const listed = await driver.getKeys("", {});
    expect(listed.filter((key) => key.startsWith("__storage_journal__"))).toEqual([]);
  });
});

describe("the steps", () => {
  it("above the stored version run in order, up to the version", async () => {
    const ran: number[] = [];
    const step = (version: number) => () => void ran.push(version);
    const storage = opened({
      version: 10,
      migrations: { 10: step(10), 2: step(2), 9: step(9), 1: step(1), 11: step(11), 3: step(3) },
    });
    await storage.setItem("__storage_version__", 2);
    await storage.migrate();
    expect(ran).toEqual([3, 9, 10]);
    expect(await storage.getStorageVersion()).toBe(10);
    await storage.migrate();
    expect(ran).toHaveLength(3);
  });

  it("of a version that is stored already do not run, nor those of a lower one", async () => {
    for (const stored of [3, 4, 100]) {
      const storage = opened({ version: 3, migrations: { 3: fail, 2: fail } });
      await storage.setItem("__storage_version__", stored);
      await storage.migrate();
      expect(await storage.getStorageVersion()).toBe(stored);
    }
  });

  it("get the storage itself, and so do the hooks", async () => {
    const given: unknown[] = [];
    const note = (...args: unknown[]) => void given.push(args.at(-1));
    const storage = opened({
      version: 1,
      migrations: { 1: note },
      migrationHooks: { beforeMigration: note, afterMigration: note },
    });
    await storage.migrate();
    expect(given).toHaveLength(3);
    for (const one of given) expect(one).toBe(storage);
  });

  it("run once for calls at the same time", async () => {
    let ran = 0;
    const storage = opened({
      driver: fs(),
      version: 1,
      migrations: {
        async 1(migrated) {
          ran += 1;
          await migrated.setItem("a", 1);
        },
      },
    });
    await Promise.all([storage.migrate(), storage.migrate(), storage.migrate()]);
    expect(ran).toBe(1);
  });

  it.each(["fs", "sqlite"] as const)(
    "run once for many storages over one base of %s",
    async (over) => {
      const base = folder();
      let ran = 0;
      const storages = Array.from({ length: 12 }, () =>
        opened({
          driver: builtin(over, { base }),
          version: 1,
          migrations: {
            async 1(migrated) {
              ran += 1;
              for (let index = 0; index < 5; index += 1) await migrated.setItem(`k${index}`, index);
            },
          },
        }),
      );
      await Promise.all(storages.map((storage) => storage.migrate()));
      expect(ran).toBe(1);
    },
  );

  it("without a version, or without migrations, are none", async () => {
    const bare = opened({ migrations: { 1: fail } });
    await bare.migrate();
    const none = opened({ version: 1 });
    await none.migrate();
    expect(await none.getStorageVersion()).toBeNull();
  });

  it.each([-1, 1.5, Number.NaN, "1", Number.POSITIVE_INFINITY])(
    "a version of %s is refused",
    async (version) => {
      const storage = opened({ version: version as number, migrations: { 1: fail } });
      const error = await failureOf(storage.migrate());
      expect(error.code).toBe("EAS_INVALID_OPTION");
      expect(error.message).toContain("version");
    },
  );

  it("a stored version that is no number is an error, and no step runs", async () => {
    const base = folder();
    const storage = opened({
      driver: builtin("fs", { base }),
      version: 1,
      migrations: { 1: fail },
    });
    for (const text of ['{"json":"1"}', "null", "{torn"]) {
      writeFileSync(join(base, "__storage_version__"), text);
      const error = await failureOf(storage.migrate());
      expect(error.code, text).toBe("EAS_MIGRATION");
      expect(error.message, text).toContain("__storage_version__");
    }
  });

  it("a version that another process stores while it is looked for is no error", async () => {
    const data = new Map<string, any>();
    const driver = plainDriver(data);
    let looks = 0;
    const storage = opened({
      driver: {
        ...driver,
        hasItem(key, options) {
          // The other process is done just before this look, and after the read that found nothing.
          if (key === "__storage_version__" && ++looks === 1) data.set(key, '{"json":1}');
          return driver.hasItem(key, options);
        },
      },
      version: 1,
      migrations: { 1: fail },
    });
    await storage.migrate();
    expect(looks).toBe(1);
    expect(await storage.getStorageVersion()).toBe(1);
  });

  it("can write items that end, and those that end while it runs stay away", async () => {
    const storage = opened({
      driver: fs(),
      version: 1,
      migrations: {
        async 1(migrated) {
          await migrated.setItem("ends", "new");
          await expect.poll(() => Date.now()).toBeGreaterThan(until);
          fail();
        },
      },
    });
    await storage.setItem("ends", 1, { ttl: 300 });
    const until = Date.now() + 300;
    expect(await failureOf(storage.migrate())).toBe(boom);
    expect(await storage.hasItem("ends")).toBe(false);
    expect(await storage.getKeys()).toEqual([]);
  });

  it("a Sync write behind an async one that is under way is an error that says so", async () => {
    let error: any;
    const storage = opened({
      driver: promiseDriverWithSync(),
      version: 1,
      migrations: {
        async 1(migrated) {
          const written = migrated.setItem("a", 1);
          error = await failureOf(() => migrated.setItemSync("b", 1));
          await written;
        },
      },
    });
    await storage.migrate();
    expect(error.code).toBe("EAS_MIGRATION");
    expect(error.message).toContain("await");
    expect(await storage.getItem("a")).toBe(1);
  });
});

function promiseDriverWithSync(): Driver {
  const data = new Map<string, any>();
  return { ...syncMethodsDriver(data), getItemRaw: undefined, setItemRaw: undefined };
}

describe("a failure", () => {
  it("undoes no write that was asked for before the migration and is still under way", async () => {
    const data = new Map<string, any>([["a", '{"json":"old"}']]);
    const driver = promiseDriver(data);
    driver.setItem = async (key, value) => {
      // It gets there among the writes of the steps, which do not wait for it.
      const turns = value.includes("asked for") ? 40 : 1;
      for (let turn = 0; turn < turns; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      data.set(key, value);
    };
    const storage = opened({
      driver,
      version: 1,
      migrations: {
        async 1(migrated) {
          await migrated.setItem("a", "of the step");
          for (let other = 0; other < 40; other++) await migrated.setItem(`b:${other}`, other);
          throw boom;
        },
      },
    });
    const asked = storage.setItem("a", "asked for");
    expect(await failureOf(storage.migrate())).toBe(boom);
    await asked;
    expect(await storage.getItem("a")).toBe("asked for");
  });

  const HOOKS = ["beforeMigration", "afterMigration"] as const;

  it.each(HOOKS)("of the hook %s undoes everything", async (name) => {
    const told: unknown[][] = [];
    const storage = opened({
      driver: fs(),
      version: 2,
      migrations: { 1: (migrated) => migrated.setItem("step", 1) },
      migrationHooks: {
        async [name](_from: number, _to: number, migrated: Any) {
          await migrated.setItem("hook", 1);
          fail();
        },
        onMigrationError: (...args) => void told.push(args),
      },
    });
    expect(await failureOf(storage.migrate())).toBe(boom);
    expect(await storage.getKeys()).toEqual([]);
    expect(await storage.getStorageVersion()).toBeNull();
    expect(told).toEqual([[boom, 0, 2, storage]]);
  });

  it.each([1, 2, 3])("of step %i undoes the steps before it", async (failing) => {
    const step = (version: number) => async (migrated: Any) => {
      await migrated.setItem(`step-${version}`, version);
      await migrated.setItem("count", version);
      if (version === failing) fail();
    };
    const storage = opened({
      driver: fs(),
      version: 3,
      migrations: { 1: step(1), 2: step(2), 3: step(3) },
    });
    await storage.setItem("count", 0);
    expect(await failureOf(storage.migrate())).toBe(boom);
    expect(await contentOf(storage)).toEqual({
      count: { value: 0, owner: undefined, hasTtl: false },
    });
  });

  it("is followed by a run from the start", async () => {
    let attempts = 0;
    const storage = opened({
      version: 1,
      migrations: {
        async 1(migrated) {
          attempts += 1;
          const count = (await migrated.getItem("count")) ?? 0;
          await migrated.setItem("count", count + 1);
          if (attempts === 1) fail();
        },
      },
    });
    expect(await failureOf(storage.migrate())).toBe(boom);
    await storage.migrate();
    expect(await storage.getItem("count")).toBe(1);
  });

  it("of onMigrationError itself does not hide the error of the step", async () => {
    const warnings: string[] = [];
    const listen = (warning: Error) => void warnings.push(warning.message);
    process.on("warning", listen);
    onTestFinished(() => void process.off("warning", listen));
    const storage = opened({
      version: 1,
      migrations: { 1: fail },
      migrationHooks: {
        onMigrationError() {
          throw new Error("the hook fails");
        },
      },
    });
    expect(await failureOf(storage.migrate())).toBe(boom);
    await expect.poll(() => warnings.join()).toContain("the hook fails");
  });

  it.each([
    ["text", "text"],
    ["a symbol", Symbol("s")],
    ["nothing", undefined],
    ["an object without text", Object.create(null)],
  ])(
    "that is no Error reaches the caller as it is, and the hook as an Error: %s",
    async (_title, thrown) => {
      let told: any;
      const storage = opened({
        version: 1,
        migrations: {
          1() {
            throw thrown;
          },
        },
        migrationHooks: {
          onMigrationError: (error) => {
            told = error;
          },
        },
      });
      // The migration is over: another one runs.
      for (const _attempt of [1, 2]) {
        told = undefined;
        expect(await failureOf(storage.migrate())).toBe(thrown);
        expect(told).toBeInstanceOf(Error);
        expect(told.cause).toBe(thrown);
      }
    },
  );

  it("of the undo is said, and the next migrate() undoes the rest", async () => {
    const data = new Map<string, any>([["a", '{"json":"old"}']]);
    let isBroken = false;
    const driver = promiseDriver(data);
    const { setItem } = driver;
    driver.setItem = async (...args) => {
      if (isBroken) throw new Error("the disk is gone");
      return setItem?.(...args);
    };
    let attempts = 0;
    const seen: unknown[] = [];
    const storage = opened({
      driver,
      version: 1,
      migrations: {
        async 1(migrated) {
          seen.push(await migrated.getItem("a"));
          attempts += 1;
          if (attempts > 1) return;
          await migrated.setItem("a", "new");
          isBroken = true;
          fail();
        },
      },
    });
    const error = await failureOf(storage.migrate());
    expect(error.code).toBe("EAS_MIGRATION");
    expect(error.cause).toBe(boom);
    expect(error.message).toContain("the disk is gone");
    isBroken = false;
    await storage.migrate();
    expect(seen).toEqual(["old", "old"]);
  });
});

describe("mounts", () => {
  it("are all undone, each in its own driver", async () => {
    const base = folder();
    const [memory, plain] = [memoryDriver(), promiseDriver()];
    const storage = opened({
      driver: builtin("fs", { base }),
      version: 1,
      migrations: {
        async 1(migrated) {
          for (const key of ["a", "m:a", "p:a"]) await migrated.setItem(key, "new");
          await migrated.setItems(["b", "m:b", "p:b"].map((key) => ({ key, value: "new" })));
          await migrated.clear();
          fail();
        },
      },
    });
    storage.mount("m", memory).mount("p", plain);
    for (const key of ["a", "m:a", "p:a"]) await storage.setItem(key, "old");
    const before = await contentOf(storage);
    expect(await failureOf(storage.migrate())).toBe(boom);
    expect(await contentOf(storage)).toEqual(before);
    expect(readdirSync(base).filter((name) => !name.startsWith("%~"))).toEqual(["a"]);
    expect(await memory.getKeys("", {})).toEqual(["a"]);
    expect(await plain.getKeys("", {})).toEqual(["a"]);
  });

  it("that a step takes out are undone too", async () => {
    const driver = memoryDriver();
    const storage = opened({
      version: 1,
      migrations: {
        async 1(migrated) {
          await migrated.setItem("m:a", "new");
          await migrated.unmount("m", false);
          await migrated.setItem("m:a", "in the root");
          fail();
        },
      },
    });
    storage.mount("m", driver);
    await storage.setItem("m:a", "old");
    expect(await failureOf(storage.migrate())).toBe(boom);
    expect(await driver.getItem("a")).toBe('{"json":"old"}');
    expect(await driver.getKeys("", {})).toEqual(["a"]);
    expect(await storage.hasItem("m:a")).toBe(false);
  });

  it("with noClear keep their items when a step clears", async () => {
    const storage = opened({
      version: 1,
      migrations: { 1: (migrated) => migrated.clear() },
    });
    storage.mount("m", fs({ noClear: true }));
    await storage.setItem("m:a", 1);
    await storage.setItem("b", 1);
    await storage.migrate();
    expect(await storage.getKeys("m")).toEqual(["m:a"]);
    expect(await storage.hasItem("b")).toBe(false);
  });
});

describe("a store that takes no writes", () => {
  it.each([
    ["fs with readOnly", () => fs({ readOnly: true })],
    [
      "a driver that only reads",
      () => ({ name: "reader", hasItem: () => false, getItem: () => null, getKeys: () => [] }),
    ],
  ])("cannot be migrated: %s", async (_title, open) => {
    const storage = opened({ driver: open(), version: 1, migrations: { 1: fail } });
    const error = await failureOf(storage.migrate());
    expect(error.code).toBe("EAS_READ_ONLY");
    expect(error.message).toMatch(/read-only/);
  });
});

describe("a listener", () => {
  it("hears of the items of a migration, not of its record", async () => {
    const storage = opened({
      driver: fs(),
      version: 1,
      migrations: { 1: (migrated) => migrated.setItem("a", 1) },
    });
    const events: string[] = [];
    await storage.watch((event, key) => events.push(`${event} ${key}`));
    await storage.migrate();
    await storage.setItem("last", 1);
    await expect.poll(() => events).toContain("update last");
    expect(events.filter((event) => event.includes("__storage_journal__"))).toEqual([]);
    expect(events).toContain("update a");
  });

  it("hears of what is undone", async () => {
    const storage = opened({
      version: 1,
      migrations: {
        async 1(migrated) {
          await migrated.setItem("a", "new");
          await migrated.setItem("b", "new");
          fail();
        },
      },
    });
    await storage.setItem("a", "old");
    const events: string[] = [];
    await storage.watch((event, key) => events.push(`${event} ${key}`));
    expect(await failureOf(storage.migrate())).toBe(boom);
    expect(events.slice(0, 2)).toEqual(["update a", "update b"]);
    expect(events).toContain("remove b");
    expect(events.filter((event) => event === "update a")).toHaveLength(2);
  });
});
