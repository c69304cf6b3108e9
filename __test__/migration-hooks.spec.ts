// Hooks as the guide of 0.0.5 writes them, calls from inside a step, and options that cannot be right.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Driver, Storage } from "../index.js";
import { folder } from "./helpers/folders.js";
import { namesIn } from "./helpers/fs/names.js";
import { plainDriver, promiseDriver } from "./helpers/js-drivers.js";
import { failureOf } from "./helpers/modes.js";
import {
  builtin,
  createStorage,
  memoryDriver,
  prefixStorage,
  restoreSnapshot,
  snapshot,
} from "./helpers/package.js";

type Any = Storage<any> & {
  _setItemInternal: (key: string, value: unknown, opts?: object) => Promise<void>;
  _getItemInternal: (key: string, opts?: object) => Promise<any>;
};

const boom = new Error("the step fails");
const BACKUP = "__migration_backup__";

const DRIVERS: [title: string, open: () => Driver][] = [
  ["memory", memoryDriver],
  ["fs", () => builtin("fs", { base: folder() })],
  ["a driver of Promises", () => promiseDriver()],
  ["a queue over fs", () => builtin("queue", { driver: builtin("fs", { base: folder() }) })],
];

function opened(options: object): Any {
  const storage = createStorage<any>(options) as Any;
  onTestFinished(() => storage.dispose());
  return storage;
}

/** Gathers the warnings of the process while a test runs. */
function warnings(): string[] {
  const seen: string[] = [];
  const listen = (warning: Error) => void seen.push(warning.message);
  process.on("warning", listen);
  onTestFinished(() => void process.off("warning", listen));
  return seen;
}

async function contentOf(storage: Any) {
  const content: Record<string, unknown> = {};
  for (const key of (await storage.getKeys()).sort()) content[key] = await storage.getItem(key);
  return content;
}

const OLD = { "config:app": { at: new Date(5) }, "users:a": { name: "Ann" }, count: 3 };

async function fill(storage: Any) {
  for (const [key, value] of Object.entries(OLD)) await storage.setItem(key, value);
}

/** A step that changes everything and fails. */
const failing = {
  1: async (storage: Any) => {
    await storage.setItem("count", 4);
    await storage.removeItem("users:a");
    await storage.setItem("new:deep", true);
    throw boom;
  },
};

const backUp = async (from: number, _to: number, storage: Any) => {
  const data = await snapshot(storage, "");
  await storage._setItemInternal(BACKUP, { version: from, timestamp: new Date(), data });
};

/** What restores in `onMigrationError`, each as somebody might write it. */
const RESTORES: Record<string, (storage: Any, error: Error) => Promise<void>> = {
  "clears, restores and throws again": async (storage, error) => {
    const log = (await storage.getItem("__migration_log__")) ?? [];
    log.push({ event: "migration_failed", error: error.message });
    await storage._setItemInternal("__migration_log__", log);
    const backup = await storage.getItem(BACKUP);
    if (backup?.data) {
      await storage.clear();
      await restoreSnapshot(storage, backup.data);
      await storage._setItemInternal("__storage_version__", backup.version);
    }
    throw error;
  },
  "clears, then restores": async (storage) => {
    const backup = await storage._getItemInternal(BACKUP);
    await storage.clear();
    await restoreSnapshot(storage, backup.data);
  },
  "clears, then restores what it may not have": async (storage) => {
    const backup = await storage._getItemInternal(BACKUP);
    await storage.clear();
    for (const [key, value] of Object.entries(backup?.data ?? {})) {
      await storage._setItemInternal(key, value);
    }
  },
  "restores over what is there": async (storage) => {
    await restoreSnapshot(storage, (await storage.getItem(BACKUP)).data);
  },
  "clears and fails": async (storage) => {
    await storage.clear();
    await storage.setItem("count", "lost");
    await storage.setMeta("count", { lost: true });
    throw new Error("the hook fails");
  },
  "clears and calls what is not there": async (storage) => {
    await storage.clear();
    await (storage as any).restoreAll();
  },
};

describe.each(DRIVERS)("over %s, after a step that failed, onMigrationError", (_title, open) => {
  it.each(Object.entries(RESTORES))("%s: the old data is there", async (name, restore) => {
    const told = warnings();
    const driver = open();
    const storage = opened({
      driver,
      version: 1,
      migrations: failing,
      migrationHooks: {
        beforeMigration: backUp,
        onMigrationError: (error: Error, _from: number, _to: number, given: Any) =>
          restore(given, error),
      },
    });
    await fill(storage);
    expect(await failureOf(storage.migrate())).toBe(boom);
    await storage.flush();
    expect(await contentOf(storage)).toEqual(OLD);
    expect((await storage.getMeta("count")).lost).toBeUndefined();
    expect((await storage.getStorageVersion()) ?? 0).toBe(0);
    const isTold = /fails|calls/.test(name);
    if (isTold) await expect.poll(() => told.join()).toContain("onMigrationError failed");
    else expect(told).toEqual([]);
    // Nothing is left of the record, and the next attempt begins from the old data.
    expect(await driver.hasItem("__storage_journal__:open$", {})).toBe(false);
    expect(await driver.hasItem("__storage_journal__:0$", {})).toBe(false);
    const again = opened({
      driver,
      version: 1,
      migrations: { 1: (given: Any) => given.setItem("count", 4) },
    });
    await again.migrate();
    expect(await contentOf(again)).toEqual({ ...OLD, count: 4 });
  });

  it("keeps what it writes, also where beforeMigration wrote", async () => {
    const seen: unknown[] = [];
    const storage = opened({
      driver: open(),
      version: 1,
      migrations: failing,
      migrationHooks: {
        async beforeMigration(_from: number, _to: number, given: Any) {
          await given.setItem("log", ["begun"]);
          await given.setItem("scratch", 1);
        },
        async onMigrationError(error: Error, _from: number, _to: number, given: Any) {
          seen.push(await given.getItem("count"), await given.getItem("new:deep"));
          seen.push(await given.getItem("scratch"));
          await given._setItemInternal("log", [...(await given.getItem("log")), error.message]);
          await given.setItem("count", 100);
        },
      },
    });
    await fill(storage);
    expect(await failureOf(storage.migrate())).toBe(boom);
    expect(seen).toEqual([3, null, 1]);
    const content = { ...OLD, count: 100, log: ["begun", "the step fails"] };
    expect(await contentOf(storage)).toEqual(content);
  });

  it("finds nothing of a beforeMigration that failed", async () => {
    let seen: unknown;
    const storage = opened({
      driver: open(),
      version: 1,
      migrations: failing,
      migrationHooks: {
        async beforeMigration(_from: number, _to: number, given: Any) {
          await given.clear();
          await given.setItem("scratch", 1);
          throw boom;
        },
        async onMigrationError(_error: Error, _from: number, _to: number, given: Any) {
          seen = await contentOf(given);
        },
      },
    });
    await fill(storage);
    expect(await failureOf(storage.migrate())).toBe(boom);
    expect(seen).toEqual(OLD);
    expect(await contentOf(storage)).toEqual(OLD);
  });
});

it("the guide's example of a test: what onMigrationError stores is there afterwards", async () => {
  const storage = opened({
    version: 1,
    migrations: {
      1: async () => {
        throw new Error("Migration failed");
      },
    },
    migrationHooks: {
      onMigrationError: async (error: Error, _from: number, _to: number, given: Any) => {
        await given._setItemInternal("migration_error", error.message);
      },
    },
  });
  await expect(storage.migrate()).rejects.toThrow("Migration failed");
  expect(await storage.getItem("migration_error")).toBe("Migration failed");
});

it("an afterMigration that cleans the backup up leaves the new data", async () => {
  const storage = opened({
    version: 1,
    migrations: { 1: (given: Any) => given._setItemInternal("count", 4) },
    migrationHooks: {
      beforeMigration: backUp,
      afterMigration: (_from: number, _to: number, given: Any) => given.removeItem(BACKUP),
    },
  });
  await fill(storage);
  await storage.migrate();
  expect(await contentOf(storage)).toEqual({ ...OLD, count: 4 });
});

describe("the methods that the guide of 0.0.5 calls", () => {
  it("are there, and do not show", async () => {
    const storage = opened({});
    for (const one of [storage, prefixStorage(storage, "p") as Any]) {
      expect(Object.keys(one).filter((name) => name.startsWith("_"))).toEqual([]);
      expect(JSON.stringify(Object.entries(one).map(([name]) => name))).not.toContain("Internal");
      await one._setItemInternal("a/b", { at: new Date(1) });
      expect(await one._getItemInternal("a:b")).toEqual({ at: new Date(1) });
      await one._setItemInternal("a:b", undefined);
      expect(await one.hasItem("a:b")).toBe(false);
    }
    await (prefixStorage(storage, "p") as Any)._setItemInternal("c", 1);
    expect(await storage.getItem("p:c")).toBe(1);
  });
});

describe("keys of migrations", () => {
  const step = () => {};

  it.each([
    "1.0.0",
    "2.0",
    "01",
    "1e3",
    "0x1",
    " 1",
    "1 ",
    "+1",
    "-1",
    "0",
    "",
    "one",
    "1_000",
    "١",
  ])("%j is the error EAS_INVALID_OPTION", (key) => {
    const make = () => createStorage({ version: 1, migrations: { [key]: step, 1: step } });
    expect(make).toThrow(expect.objectContaining({ code: "EAS_INVALID_OPTION" }));
    expect(make).toThrow(/`migrations`/);
    expect(make).toThrow(JSON.stringify(key));
  });

  it("are looked at without a version, too, and a number that is not exact is none", () => {
    for (const key of ["first", "9007199254740993", "1".repeat(400)]) {
      expect(() => createStorage({ migrations: { [key]: step } })).toThrow(/whole number/);
    }
  });

  it("a step that is no function is the error EAS_INVALID_OPTION", () => {
    for (const wrong of ["text", 1, {}]) {
      const make = () => createStorage({ version: 1, migrations: { 1: wrong as any } });
      expect(make).toThrow(expect.objectContaining({ code: "EAS_INVALID_OPTION" }));
    }
  });

  it("in plain form are taken, whatever their order", async () => {
    const ran: number[] = [];
    const run = (version: number) => () => void ran.push(version);
    const storage = opened({ version: 12, migrations: { 12: run(12), 10: run(10), "2": run(2) } });
    await storage.migrate();
    expect(ran).toEqual([2, 10, 12]);
  });
});

describe("migrate() inside a step or a hook", () => {
  const nested = expect.objectContaining({
    code: "EAS_MIGRATION",
    message: expect.stringContaining("inside"),
  });

  it.each(["step", "beforeMigration", "afterMigration", "onMigrationError"])(
    "is an error in a %s, on the storage that it is given and on the outer one",
    async (where) => {
      const seen: unknown[] = [];
      const call = async (given: Any) => {
        seen.push(await failureOf(given.migrate()));
        await Promise.resolve();
        seen.push(await failureOf(storage.migrate()));
        await new Promise((resolve) => setTimeout(resolve, 1));
        seen.push(await failureOf(prefixStorage(given, "p").migrate()));
      };
      const hook = (name: string) => (_from: number, _to: number, given: Any) =>
        name === where ? call(given) : undefined;
      const storage = opened({
        version: 1,
        migrations: {
          1: (given: Any) => {
            if (where === "step") return call(given);
            if (where === "onMigrationError") throw boom;
          },
        },
        migrationHooks: {
          beforeMigration: hook("beforeMigration"),
          afterMigration: hook("afterMigration"),
          onMigrationError: (_error: Error, from: number, to: number, given: Any) =>
            hook("onMigrationError")(from, to, given),
        },
      });
      const outcome = await storage.migrate().catch((error: Error) => error);
      expect(outcome).toBe(where === "onMigrationError" ? boom : undefined);
      expect(seen).toEqual([nested, nested, nested]);
    },
  );

  it("fails the migration when the step passes it on, and everything is undone", async () => {
    const storage = opened({
      driver: builtin("fs", { base: folder() }),
      version: 1,
      migrations: {
        1: async (given: Any) => {
          await given.setItem("a", 1);
          await given.migrate();
        },
      },
    });
    expect(await failureOf(storage.migrate())).toEqual(nested);
    expect(await storage.getKeys()).toEqual([]);
  });

  it.each<[string, (base: string, storage: () => Any, driver: Driver) => object]>([
    ["another storage of the folder", (base) => ({ driver: builtin("fs", { base }) })],
    ["another storage of the driver", (_base, _storage, driver) => ({ driver })],
    ["a storage around it", (_base, storage) => ({ driver: storage() as Driver })],
  ])("is an error on %s", async (title, optionsOf) => {
    const base = folder();
    for (const driver of [builtin("fs", { base }), plainDriver()]) {
      if (driver.name !== "fs" && title.includes("folder")) continue;
      let seen: unknown;
      const storage: Any = opened({
        driver,
        version: 1,
        migrations: {
          1: async (given: Any) => {
            await given.setItem("a", 1);
            const options = optionsOf(base, () => storage, driver);
            const other = createStorage<any>({
              ...options,
              version: 2,
              migrations: { 2: () => {} },
            });
            seen = await failureOf(other.migrate());
          },
        },
      });
      await storage.migrate();
      expect(seen).toEqual(nested);
      expect(await storage.getStorageVersion()).toBe(1);
      expect(await storage.getItem("a")).toBe(1);
    }
  });

  it("is an error on a storage that is mounted in it, and on one that it is mounted in", async () => {
    const seen: unknown[] = [];
    const inner = opened({
      version: 1,
      migrations: { 1: async () => void seen.push(await failureOf(outer.migrate())) },
    });
    const outer = opened({
      version: 1,
      migrations: { 1: async () => void seen.push(await failureOf(inner.migrate())) },
    });
    outer.mount("m", inner as unknown as Driver);
    await outer.migrate();
    await inner.migrate();
    expect(seen).toEqual([nested, nested]);
  });

  it("runs on a storage that has nothing to do with it", async () => {
    const legacy = opened({
      driver: builtin("fs", { base: folder() }),
      version: 1,
      migrations: { 1: (given: Any) => given.setItem("name", "Ann") },
    });
    const storage = opened({
      version: 1,
      migrations: {
        1: async (given: Any) => {
          await legacy.migrate();
          await given.setItem("user", await legacy.getItem("name"));
        },
      },
    });
    await storage.migrate();
    expect(await storage.getItem("user")).toBe("Ann");
  });

  it("is told from concurrent calls, which share the run", async () => {
    let ran = 0;
    let release = () => {};
    const storage = opened({
      driver: builtin("fs", { base: folder() }),
      version: 1,
      migrations: {
        1: async (given: Any) => {
          ran += 1;
          await new Promise<void>((resolve) => {
            release = resolve;
          });
          await given.setItem("a", 1);
        },
      },
    });
    const first = storage.migrate();
    await expect.poll(() => ran).toBe(1);
    const second = storage.migrate();
    release();
    await Promise.all([first, second]);
    expect(ran).toBe(1);
    await storage.migrate();
    expect(ran).toBe(1);
  });

  it("from what a step left behind runs once the migration is over", async () => {
    let late: (() => Promise<void>) | undefined;
    const storage = opened({
      version: 1,
      migrations: {
        1: () => {
          setTimeout(() => {
            late = () => storage.migrate();
          }, 1);
        },
      },
    });
    await storage.migrate();
    await expect.poll(() => late).toBeTruthy();
    await late?.();
    const other = opened({ version: 1, migrations: { 1: () => storage.migrate() } });
    await other.migrate();
  });
});

describe("a migration that was asked for and not awaited", () => {
  const slow = (ran: string[]) => ({
    1: async (given: Storage<any>) => {
      for (let index = 0; index < 20; index += 1) await given.setItem(`k:${index}`, index);
      ran.push("step");
    },
  });

  it.each(["flush", "dispose"] as const)("is done when %s is", async (method) => {
    const ran: string[] = [];
    const driver = builtin("fs", { base: folder() });
    const storage = createStorage<any>({ driver, version: 1, migrations: slow(ran) });
    const migrated = storage.migrate();
    await storage[method]();
    expect(ran).toEqual(["step"]);
    await migrated;
    if (method === "flush") expect(await storage.getStorageVersion()).toBe(1);
    await storage.dispose();
  });

  it("does not fail a flush when it fails", async () => {
    const storage = opened({
      version: 1,
      migrations: {
        1: async (given: Any) => {
          await given.setItem("a", 1);
          throw boom;
        },
      },
    });
    const outcome = failureOf(storage.migrate());
    await storage.flush();
    expect(await outcome).toBe(boom);
  });
});

it("a stored version above the version runs nothing", async () => {
  const storage = opened({
    version: 2,
    migrations: {
      1: () => {
        throw boom;
      },
    },
    migrationHooks: {
      beforeMigration: () => {
        throw boom;
      },
    },
  });
  await storage._setItemInternal("__storage_version__", 3);
  await storage.migrate();
  expect(await storage.getStorageVersion()).toBe(3);
});

it.each<[string, () => Driver]>([
  ["says nothing of it", () => ({ ...promiseDriver(), setItem: async () => {} })],
  [
    "says nothing of it, under a queue",
    () => builtin("queue", { driver: { ...promiseDriver(), setItem: async () => {} } }),
  ],
  ["is read-only, under a queue", () => builtin("queue", { driver: readOnly() })],
  [
    "is read-only, under two queues",
    () => builtin("queue", { driver: builtin("queue", { driver: readOnly() }) }),
  ],
  ["is read-only, in a storage", () => createStorage<any>({ driver: readOnly() }) as Driver],
  [
    "is read-only, under a prefix",
    () => prefixStorage(createStorage<any>({ driver: readOnly() }), "p") as Driver,
  ],
])("a store that takes no writes and %s is not migrated", async (_title, open) => {
  let ran = 0;
  const storage = opened({ driver: open(), version: 1, migrations: { 1: () => ran++ } });
  const error = await failureOf(storage.migrate());
  expect(error.code).toBe("EAS_READ_ONLY");
  expect(ran).toBe(0);
  expect(await storage.getStorageVersion()).toBeNull();
});

function readOnly(): Driver {
  const base = folder();
  const driver = builtin("fs", { base, readOnly: true });
  onTestFinished(() => expect(namesIn(base)).toEqual([]));
  return driver;
}

describe("what waits for a migration", () => {
  const METHODS = ["flush", "flushSync", "dispose"] as const;

  it.each(METHODS)("is refused inside of it: %s", async (method) => {
    const codes: string[] = [];
    const call = async (given: Storage<any>) => {
      codes.push((await failureOf((async () => given[method]())()))?.code);
    };
    const storage: Storage<any> = createStorage<any>({
      driver: builtin("fs", { base: folder() }),
      version: 1,
      migrations: {
        1: async (given: Storage<any>) => {
          await call(given);
          await new Promise((done) => setTimeout(done, 1));
          await call(storage);
          await call(prefixStorage(storage, "p"));
          await given.setItem("a", 1);
        },
      },
      migrationHooks: {
        beforeMigration: (_from: number, _to: number, given: Any) => call(given),
        afterMigration: () => call(storage),
      },
    });
    await storage.migrate();
    expect(codes).toEqual(Array(5).fill("EAS_MIGRATION"));
    expect(await storage.getItem("a")).toBe(1);
    await storage[method]();
    await storage.dispose();
  });

  it.each(METHODS)("is no other storage of a step: %s", async (method) => {
    const other = createStorage<any>();
    const storage = opened({
      version: 1,
      migrations: {
        1: async (given: Any) => {
          await given.setItem("a", await other.getItem("a"));
          await (other as Any)[method]();
        },
      },
    });
    await other.setItem("a", 1);
    await storage.migrate();
    expect(await storage.getItem("a")).toBe(1);
  });

  it("ends by itself where nothing else keeps the process", async () => {
    const program = `
      const { createStorage } = require("./");
      const driver = require("./drivers/memory")();
      const options = { driver, version: 1, migrations: { 1: (given) => given.setItem("a", 1) } };
      const [a, b] = [createStorage(options), createStorage(options)];
      const all = [a.migrate(), a.migrate(), b.migrate(), b.migrate(), a.flush(), b.flush()];
      Promise.all(all).then(() => console.log("done"));`;
    const { stdout } = await promisify(execFile)(process.execPath, ["-e", program], {
      cwd: join(__dirname, ".."),
    });
    expect(stdout).toBe("done\n");
  });
});

describe("two storages over one driver", () => {
  it.each([
    ...DRIVERS,
    ["a driver in JavaScript", () => plainDriver()],
    ["a spread of fs", () => ({ ...builtin("fs", { base: folder() }), getInstance: undefined })],
  ] as [string, () => Driver][])("that migrate at once run the steps once: %s", async (_, open) => {
    const driver = open();
    let runs = 0;
    const make = (fails: boolean) =>
      createStorage<any>({
        driver,
        version: 1,
        migrations: {
          1: async (given: Storage<any>) => {
            runs += 1;
            const count = (await given.getItem("count")) ?? 0;
            await new Promise((done) => setTimeout(done, 1));
            await given.setItem("count", count + 1);
            if (fails) throw boom;
          },
        },
      });
    const [first, second, third] = [make(true), make(false), make(false)];
    const tried = first.migrate().then(
      () => undefined,
      (error) => error,
    );
    await Promise.all([second.migrate(), third.migrate()]);
    const failure = await tried;
    // Which of them is first is nobody's promise. One that comes later has nothing left to run.
    expect([boom, undefined]).toContain(failure);
    expect(runs).toBe(failure === boom ? 2 : 1);
    expect(await second.getItem("count")).toBe(1);
    expect(await third.getStorageVersion()).toBe(1);
    await first.dispose();
  });
});
