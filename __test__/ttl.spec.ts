// Items with a time to live: unseen from the moment they end, and deleted by themselves.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Driver } from "../index.js";
import { folder } from "./helpers/folders.js";
import { callsTo, plainDriver, recorder, syncMethodsDriver } from "./helpers/js-drivers.js";
import { callsOf, failureOf, type Mode } from "./helpers/modes.js";
import { builtin, createStorage, isBuiltin, memoryDriver, root } from "./helpers/package.js";

const require = createRequire(import.meta.url);
const upstream = require("electron-async-storage-upstream");

const MODES: Mode[] = ["async", "sync"];
const HOUR = 3_600_000;
const FILES = ["fs", "fs-lite"].filter(isBuiltin);

const DRIVERS: [title: string, open: () => Driver][] = [
  ["memory", memoryDriver],
  ...FILES.map((name): [string, () => Driver] => [name, () => builtin(name, { base: folder() })]),
];
if (isBuiltin("queue")) {
  DRIVERS.push(
    ["queue over memory", () => builtin("queue", { driver: memoryDriver() })],
    [
      "queue over fs",
      () => builtin("queue", { driver: builtin("fs", { base: folder() }), flushInterval: 5 }),
    ],
  );
}

function opened(driver: Driver) {
  const storage = createStorage<any>({ driver });
  onTestFinished(() => storage.dispose());
  return storage;
}

/** The files of a folder that hold items, not those of the driver itself. */
const itemFiles = (base: string) => readdirSync(base).filter((name) => !name.startsWith("%~"));

const poll = { timeout: 60_000, interval: 5 };

/** Waits for the clock of the system to pass a time. */
async function past(ms: number): Promise<void> {
  await expect.poll(() => Date.now(), poll).toBeGreaterThan(ms);
}

const WRITES: Record<string, (calls: ReturnType<typeof callsOf>, ttl: number) => Promise<void>> = {
  setItem: (calls, ttl) => calls.setItem("key", { a: 1 }, { ttl }),
  "setItem of a value that needs annotations": (calls, ttl) =>
    calls.setItem("key", new Map([[1, new Date(0)]]), { ttl }),
  setItemRaw: (calls, ttl) => calls.setItemRaw("key", Buffer.from([1, 2, 255]), { ttl }),
  "setItemRaw of a string": (calls, ttl) => calls.setItemRaw("key", '{"json":1}', { ttl }),
  "setItems, per item": (calls, ttl) =>
    calls.setItems([
      { key: "key", value: 1, options: { ttl } },
      { key: "other", value: 2 },
    ]),
  "setItems, for all": (calls, ttl) => calls.setItems([{ key: "key", value: 1 }], { ttl }),
  "setItems, per item over the one for all": (calls, ttl) =>
    calls.setItems([{ key: "key", value: 1, options: { ttl } }], { ttl: HOUR }),
};

describe.each(DRIVERS)("%s", (_title, open) => {
  it("says that it has a time to live", () => {
    expect(open().flags?.ttl).toBe(true);
  });

  describe.each(MODES)("%s", (mode) => {
    describe.each(Object.entries(WRITES))("%s", (_name, write) => {
      it("gives an item that is there until its end, and then in no answer", async () => {
        const calls = callsOf(opened(open()), mode);
        await write(calls, HOUR);
        expect(await calls.hasItem("key")).toBe(true);
        const { ttl } = await calls.getMeta("key");
        expect(ttl).toBeGreaterThan(HOUR - 60_000);
        expect(ttl).toBeLessThanOrEqual(HOUR);

        await write(calls, 1);
        await past(Date.now() + 1);
        expect(await calls.hasItem("key")).toBe(false);
        expect(await calls.getItem("key")).toBeNull();
        expect(await calls.getItemRaw("key")).toBeNull();
        expect(await calls.getItems(["key"])).toEqual([{ key: "key", value: null }]);
        expect(await calls.getKeys()).not.toContain("key");
        expect((await calls.getMeta("key")).ttl).toBeUndefined();
      });

      it("without a ttl makes it permanent again", async () => {
        const calls = callsOf(opened(open()), mode);
        await write(calls, HOUR);
        await calls.setItem("key", "stays");
        expect((await calls.getMeta("key")).ttl).toBeUndefined();
        await write(calls, 20);
        await calls.setItem("key", "stays");
        await past(Date.now() + 30);
        expect(await calls.getItem("key")).toBe("stays");
        expect(await calls.getKeys()).toContain("key");
      });
    });

    it("a batch has the ttl of each of its items", async () => {
      const calls = callsOf(opened(open()), mode);
      await calls.setItems(
        [
          { key: "own", value: 1, options: { ttl: 2 * HOUR } },
          { key: "common", value: 2 },
          { key: "none", value: 3, options: { ttl: undefined } },
        ],
        { ttl: HOUR },
      );
      expect((await calls.getMeta("own")).ttl).toBeGreaterThan(HOUR);
      expect((await calls.getMeta("common")).ttl).toBeLessThanOrEqual(HOUR);
      expect((await calls.getMeta("none")).ttl).toBeUndefined();
    });

    it.each([-1, Number.NaN, Number.NEGATIVE_INFINITY, "1000", "0", "", false, true, {}, 0n, 1n])(
      "a ttl of %s is refused and writes nothing",
      async (ttl) => {
        const calls = callsOf(opened(open()), mode);
        const writes = [
          () => calls.setItem("key", 1, { ttl }),
          () => calls.setItemRaw("key", Buffer.from([1]), { ttl }),
          () => calls.setItems([{ key: "key", value: 1, options: { ttl } }]),
          () => calls.setItems([{ key: "key", value: 1 }], { ttl }),
        ];
        for (const write of writes) {
          const error = await failureOf(write);
          expect(error).toBeInstanceOf(Error);
          expect(error.code).toBe("EAS_INVALID_OPTION");
          expect(error.message).toMatch(/`ttl`/);
        }
        expect(await calls.getKeys()).toEqual([]);
      },
    );

    describe.each([0, -0, undefined, null, Number.POSITIVE_INFINITY])("a ttl of %s", (ttl) => {
      it.each(Object.entries(WRITES))("is none in %s", async (_name, write) => {
        const calls = callsOf(opened(open()), mode);
        await write(calls, HOUR);
        await write(calls, ttl as number);
        expect((await calls.getMeta("key")).ttl).toBeUndefined();
        expect(await calls.hasItem("key")).toBe(true);
      });

      it("is none in setMeta", async () => {
        const calls = callsOf(opened(open()), mode);
        await calls.setItem("key", 1);
        await calls.setMeta("key", { color: "red" }, { ttl });
        expect((await calls.getMeta("key")).color).toBe("red");
      });
    });

    it("a ttl that objects inherit is no option", async () => {
      const prototype = Object.prototype as { ttl?: number };
      prototype.ttl = 1;
      const calls = callsOf(opened(open()), mode);
      try {
        await calls.setItem("key", 1, {});
        await calls.setItemRaw("raw", Buffer.from([1]), {});
        await calls.setItems([{ key: "batch", value: 1, options: {} }], {});
        await calls.setMeta("key", { color: "red" }, {});
        const inherited = Object.create({ ttl: 1 });
        await calls.setItem("inherited", 1, inherited);
      } finally {
        delete prototype.ttl;
      }
      for (const key of ["key", "raw", "batch", "inherited"]) {
        expect((await calls.getMeta(key)).ttl, key).toBeUndefined();
      }
    });

    it("metadata with a ttl expires, and the item stays", async () => {
      const calls = callsOf(opened(open()), mode);
      await calls.setItem("key", 1);
      await calls.setMeta("key", { color: "red" }, { ttl: 1 });
      await past(Date.now() + 1);
      expect((await calls.getMeta("key")).color).toBeUndefined();
      expect(await calls.getItem("key")).toBe(1);
    });

    it("a ttl that is a fraction of a ms is not less than a ms", async () => {
      const calls = callsOf(opened(open()), mode);
      await calls.setItem("key", 1, { ttl: HOUR + 0.5 });
      expect(Number.isInteger((await calls.getMeta("key")).ttl)).toBe(true);
    });

    it("the longest ttl is kept", async () => {
      const calls = callsOf(opened(open()), mode);
      await calls.setItem("key", 1, { ttl: Number.MAX_SAFE_INTEGER / 2 });
      expect(await calls.getItem("key")).toBe(1);
    });
  });

  it("an item that ends while the storage is watched is one remove event", async () => {
    const storage = opened(createOver(open()));
    const events: string[] = [];
    await storage.watch((event, key) => events.push(`${event} ${key}`));
    await storage.setItem("m:ends", 1, { ttl: 300 });
    await storage.setItem("m:stays", 1);
    await expect.poll(() => events, poll).toContain("remove m:ends");
    await storage.removeItem("m:stays");
    await expect.poll(() => events, poll).toContain("remove m:stays");
    expect(events.filter((event) => event === "remove m:ends")).toHaveLength(1);
    expect(events.indexOf("update m:ends")).toBeLessThan(events.indexOf("remove m:ends"));
  });

  it("an item that ends after the last listener went is no event", async () => {
    const storage = opened(open());
    const events: string[] = [];
    const unwatch = await storage.watch((event, key) => events.push(`${event} ${key}`));
    await storage.setItem("ends", 1, { ttl: 200 });
    await unwatch();
    const other: string[] = [];
    await storage.watch((event, key) => other.push(`${event} ${key}`));
    await expect.poll(() => other, poll).toContain("remove ends");
    expect(events).not.toContain("remove ends");
  });
});

/** The driver in a mount, so that events carry the mount's base. */
function createOver(driver: Driver): Driver {
  const inner = createStorage<any>();
  inner.mount("m", driver);
  return storageDriver(inner);
}

function storageDriver(storage: ReturnType<typeof createStorage<any>>): Driver {
  return storage as unknown as Driver;
}

describe("memory", () => {
  it("lets go of items that have ended without being asked", async () => {
    const registry: string[] = [];
    const collected = new FinalizationRegistry((name: string) => registry.push(name));
    const storage = opened(memoryDriver());
    (() => {
      const value = { large: true };
      collected.register(value, "ended");
      storage.setItemRawSync("key", value, { ttl: 5 });
    })();
    const gc = collector();
    await expect
      .poll(() => {
        gc();
        return registry;
      }, poll)
      .toEqual(["ended"]);
  });
});

function collector(): () => void {
  require("node:v8").setFlagsFromString("--expose-gc");
  return require("node:vm").runInNewContext("gc");
}

describe.each(FILES)("%s", (name) => {
  const run = (task: string, base: string) =>
    spawnSync(process.execPath, [join(root, "__test__/helpers/ttl/child.cjs"), task, name, base], {
      encoding: "utf8",
      timeout: 120_000,
    });

  it("deletes the files of items that have ended, however short they lived", async () => {
    const base = folder();
    const storage = opened(builtin(name, { base }));
    await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        storage.setItem(`key-${index}`, index, { ttl: 1 + (index % 3) }),
      ),
    );
    storage.setItemSync("sync", 1, { ttl: 1 });
    await storage.setItemRaw("raw", Buffer.from([1]), { ttl: 1 });
    await storage.setItems([{ key: "batch", value: 1 }], { ttl: 1 });
    await expect.poll(() => itemFiles(base), poll).toEqual([]);
  });

  it("keeps times to live across processes, and deletes what ended in between", async () => {
    const base = folder();
    const { status, stderr } = run("write", base);
    expect(stderr).toBe("");
    expect(status).toBe(0);
    const storage = opened(builtin(name, { base }));
    expect((await storage.getKeys()).sort()).toEqual(["forever", "long", "raw"]);
    expect(await storage.getItem("short")).toBeNull();
    expect(await storage.getItem("long")).toBe("l");
    expect((await storage.getMeta("long")).ttl).toBeGreaterThan(HOUR / 2);
    expect((await storage.getMeta("raw")).ttl).toBeGreaterThan(HOUR / 2);
    expect((await storage.getMeta("forever")).ttl).toBeUndefined();
    await expect.poll(() => itemFiles(base).sort(), poll).toEqual(["forever", "long", "raw"]);
  });

  it("a process that makes Sync calls alone deletes what ended before it", async () => {
    const base = folder();
    expect(run("write", base).status).toBe(0);
    // Whatever the writing process did not get to is made sure to be there.
    const ended = `{"expires":1,"json":"s"}`;
    writeFileSync(join(base, "short"), ended);
    writeFileSync(join(base, "%~ttl"), `${JSON.stringify({ k: "short", x: 1 })}\n`);
    const child = spawn(
      process.execPath,
      [join(root, "__test__/helpers/ttl/child.cjs"), "sync", name, base],
      { stdio: ["pipe", "inherit", "inherit"] },
    );
    const ends = new Promise((resolve) => child.on("exit", resolve));
    onTestFinished(() => void child.kill());
    await expect.poll(() => existsSync(join(base, "short")), poll).toBe(false);
    child.stdin.end();
    expect(await ends).toBe(0);
  });

  it("writes text that upstream reads as the plain value", async () => {
    const base = folder();
    const storage = opened(builtin(name, { base }));
    const value = { list: [1, new Date(5)], set: new Set(["a"]) };
    await storage.setItem("key", value, { ttl: HOUR });
    await storage.flush();
    const text = JSON.parse(readFileSync(join(base, "key"), "utf8"));
    expect(text.expires).toBeGreaterThan(Date.now());
    const theirDriver = require(`electron-async-storage-upstream/drivers/${name}`);
    const theirs = upstream.createStorage({
      driver: (theirDriver.default ?? theirDriver)({ base }),
    });
    expect(await theirs.getItem("key")).toEqual(value);
    await theirs.dispose();
  });

  it("a value that upstream writes over one with a ttl stays", async () => {
    const base = folder();
    const storage = opened(builtin(name, { base }));
    await storage.setItem("key", 1, { ttl: 100 });
    const theirDriver = require(`electron-async-storage-upstream/drivers/${name}`);
    const theirs = upstream.createStorage({
      driver: (theirDriver.default ?? theirDriver)({ base }),
    });
    await theirs.setItem("key", "theirs");
    await theirs.dispose();
    await past(Date.now() + 150);
    await storage.setItem("later", 1, { ttl: 1 });
    await expect.poll(() => itemFiles(base), poll).toEqual(["key"]);
    expect(await storage.getItem("key")).toBe("theirs");
    expect(await storage.getKeys()).toEqual(["key"]);
  });

  it("does not keep the process alive", () => {
    const { status, stderr, error } = run("outlive", folder());
    expect(error).toBeUndefined();
    expect(stderr).toBe("");
    expect(status).toBe(0);
  });
});

it("memory does not keep the process alive", () => {
  const { status, error } = spawnSync(
    process.execPath,
    [join(root, "__test__/helpers/ttl/child.cjs"), "outlive", "memory", ""],
    { timeout: 120_000 },
  );
  expect(error).toBeUndefined();
  expect(status).toBe(0);
});

describe.each(MODES)("a driver of the user, %s", (mode) => {
  it("gets the ttl as it was given, and the end is its own affair", async () => {
    const { driver, calls: made } = recorder(syncMethodsDriver());
    const calls = callsOf(opened(driver), mode);
    await calls.setItem("key", 1, { ttl: 1.5 });
    const suffix = mode === "sync" ? "Sync" : "";
    expect(callsTo(made, `setItem${suffix}`)[0].args[2]).toEqual({ ttl: 1.5 });
    await past(Date.now() + 5);
    expect(await calls.getItem("key")).toBe(1);
  });
});

it("a driver without the flag has no ttl in its metadata", async () => {
  const storage = opened(plainDriver());
  await storage.setItem("key", 1, { ttl: 1000 });
  expect(await storage.getMeta("key")).toEqual({});
});

describe("under a driver that is an object of its user", () => {
  const OBJECTS: [string, () => Driver][] = [
    ["a spread of memory", () => ({ ...memoryDriver() }) as Driver],
    [
      "a wrapper of fs-lite",
      () => {
        const inner = builtin("fs-lite", { base: folder() }) as any;
        return { ...inner, getItem: (...args: unknown[]) => inner.getItem(...args) };
      },
    ],
    ["a mounted storage", () => opened(memoryDriver()) as unknown as Driver],
    ["a spread of a storage", () => ({ ...opened(memoryDriver()) }) as unknown as Driver],
  ];

  it.each(OBJECTS)("%s, a listener hears of what expires, once", async (_, open) => {
    const storage = opened(open());
    const old: string[] = [];
    const stop = await storage.watch((event, key) => void old.push(`${event} ${key}`));
    await stop();
    const events: string[] = [];
    await storage.watch((event, key) => void events.push(`${event} ${key}`));
    // Long enough for the second to be written before the first expires, on a slow system too.
    await storage.setItem("a", 1, { ttl: 500 });
    await storage.setItem("b", 1, { ttl: 1000 });
    await expect.poll(() => events.length, poll).toBeGreaterThanOrEqual(4);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(events).toEqual(["update a", "update b", "remove a", "remove b"]);
    expect(old).toEqual([]);
  });

  it.each(OBJECTS)("%s, a migration that fails leaves items their time", async (_, open) => {
    const storage = createStorage<any>({
      driver: open(),
      version: 1,
      migrations: {
        1: async (inner) => {
          await inner.removeItem("a");
          await inner.setItem("b", 2);
          throw new Error("expected");
        },
      },
    });
    onTestFinished(() => storage.dispose());
    for (const key of ["a", "b"]) await storage.setItem(key, 1, { ttl: HOUR });
    expect(await failureOf(storage.migrate())).toMatchObject({ message: "expected" });
    for (const key of ["a", "b"]) {
      expect(await storage.getItem(key)).toBe(1);
      const { ttl } = await storage.getMeta(key);
      expect(ttl, key).toBeGreaterThan(HOUR - 600_000);
      expect(ttl, key).toBeLessThanOrEqual(HOUR);
    }
  });
});
