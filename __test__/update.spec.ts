// `update`: what it sees, how often its function runs, and what it may not do.

import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Driver } from "../index.js";
import { committingDriver } from "./helpers/js-drivers.js";
import { failureOf } from "./helpers/modes.js";
import { createStorage, memoryDriver, prefixStorage } from "./helpers/package.js";

const add = (value: number | null) => (value ?? 0) + 1;

describe.each([
  ["memory", () => memoryDriver() as Driver],
  ["a driver with commit", () => committingDriver()],
  ["a storage as a driver", () => createStorage() as Driver],
])("over %s", (_title, open) => {
  const start = (options: object = {}) => createStorage<any>({ driver: open(), ...options });

  it("500 at once lose none", async () => {
    const storage = start();
    const given = await Promise.all(Array.from({ length: 500 }, () => storage.update("n", add)));
    expect(given.sort((a, b) => a - b)).toEqual(Array.from({ length: 500 }, (_, n) => n + 1));
    expect(await storage.getItem("n")).toBe(500);
  });

  it("asynchronous ones, Sync ones and those of another storage lose none", async () => {
    const driver = open();
    const storages = [createStorage<any>({ driver }), createStorage<any>({ driver })];
    const all: Promise<unknown>[] = [];
    for (let round = 0; round < 30; round++) {
      for (const storage of storages) {
        all.push(
          storage.update("n", async (value) => {
            await turn();
            return add(value);
          }),
        );
        if (round % 3 === 0) storage.updateSync("n", add);
      }
      await turn();
    }
    await Promise.all(all);
    expect(storages[0]?.getItemSync("n")).toBe(80);
  });

  it("those of one key take turns, in the order of the calls, others do not wait", async () => {
    const storage = start();
    const seen: string[] = [];
    const slow = (name: string, turns: number) => async (value: string | null) => {
      seen.push(`${name} begins`);
      for (let count = 0; count < turns; count++) await turn();
      seen.push(`${name} ends`);
      return `${value ?? ""}${name}`;
    };
    await Promise.all([
      storage.update("key", slow("a", 5)),
      storage.update("/key", slow("b", 3)),
      storage.update("key", slow("c", 1)),
    ]);
    expect(seen).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
    expect(await storage.getItem("key")).toBe("abc");
    let release = () => {};
    const held = storage.update(
      "one",
      () =>
        new Promise<number>((done) => {
          release = () => done(1);
        }),
    );
    expect(await storage.update("two", () => 2)).toBe(2);
    release();
    expect(await held).toBe(1);
  });

  it("sees what was called before it", async () => {
    const storage = start();
    storage.setItem("n", 5);
    const first = storage.update("n", add);
    expect(await first).toBe(6);
    storage.removeItem("n");
    expect(await storage.update("n", add)).toBe(1);
  });

  it("may read, and write other keys", async () => {
    const storage = start();
    await storage.setItem("rate", 3);
    const value = await storage.update("total", async (total) => {
      await storage.setItem("log", "counted");
      return (total ?? 0) + (await storage.getItem("rate")) + storage.getItemSync("rate");
    });
    expect([value, await storage.getItem("log")]).toEqual([6, "counted"]);
    const sync = storage.updateSync("total", (total) => {
      storage.setItemSync("log", "again");
      return total + storage.getItemSync("rate");
    });
    expect([sync, storage.getItemSync("log")]).toEqual([9, "again"]);
  });

  it("that writes its own key ends soon", async () => {
    const storage = start();
    let runs = 0;
    const once = await storage.update("a", async (value) => {
      runs += 1;
      if (runs === 1) await storage.update("a", () => 10);
      return add(value);
    });
    expect([once, runs]).toEqual([11, 2]);
    for (const write of [
      (value: number) => storage.setItem("b", value),
      (value: number) => storage.update("b", () => value),
      async (value: number) => storage.updateSync("b", () => value),
    ]) {
      runs = 0;
      const error = await failureOf(
        storage.update("b", async () => {
          runs += 1;
          await write(runs);
          return "mine";
        }),
      );
      expect(error).toMatchObject({ code: "EAS_CONFLICT", key: "b", operation: "update" });
      expect([runs, storage.getItemSync("b")]).toEqual([100, 100]);
    }
    runs = 0;
    const sync = await failureOf(() =>
      storage.updateSync("c", () => {
        runs += 1;
        storage.setItemSync("c", runs);
        return "mine";
      }),
    );
    expect(sync).toMatchObject({ code: "EAS_CONFLICT", key: "c", operation: "updateSync" });
    expect([runs, storage.getItemSync("c")]).toEqual([100, 100]);
    expect(await storage.update("b", add)).toBe(101);
  });

  it("two whose functions update each other's key end", async () => {
    const storage = start();
    const both = (own: string, other: string) =>
      storage.update(own, async (value) => {
        await turn();
        await storage.update(other, add);
        return add(value);
      });
    const values = await Promise.allSettled([both("a", "b"), both("b", "a"), both("a", "b")]);
    expect(values.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "fulfilled"]);
    expect(await storage.getItem("a")).toBeGreaterThanOrEqual(3);
    expect(await storage.update("a", () => 0)).toBe(0);
  });

  it("whose function leaves a call behind has that call take its turn", async () => {
    const storage = start();
    let release = () => {};
    const released = new Promise<void>((done) => {
      release = done;
    });
    let late: Promise<unknown> | undefined;
    await storage.update("n", (value) => {
      late = released.then(() => storage.update("n", add));
      return add(value);
    });
    const slow = storage.update("n", async (value) => {
      release();
      for (let count = 0; count < 5; count++) await turn();
      return add(value);
    });
    expect(await slow).toBe(2);
    expect(await late).toBe(3);
  });
});

describe("the new value", () => {
  it("expires as `ttl` says; without one an older expiry goes", async () => {
    const storage = createStorage<any>();
    await storage.setItem("key", 1, { ttl: 60_000 });
    await storage.update("key", add, { ttl: 30_000 });
    expect((await storage.getMeta("key")).ttl).toBeLessThanOrEqual(30_000);
    await storage.update("key", add);
    expect(await storage.getMeta("key")).not.toHaveProperty("ttl");
    storage.updateSync("key", add, { ttl: 30_000 });
    expect((await storage.getMeta("key")).ttl).toBeLessThanOrEqual(30_000);
    storage.updateSync("key", add);
    expect(await storage.getMeta("key")).not.toHaveProperty("ttl");
  });

  it("is one event", async () => {
    const storage = createStorage<any>();
    const events: string[] = [];
    await storage.watch((event, key) => events.push(`${event} ${key}`));
    await storage.update("a", add);
    storage.updateSync("a", add);
    await storage.update("a", () => undefined);
    await vi.waitFor(() => expect(events).toEqual(["update a", "update a", "remove a"]));
  });

  it("is a copy: what becomes of the object later is not stored", async () => {
    const storage = createStorage<any>();
    const value = await storage.update("key", () => ({ list: [1] }));
    value.list.push(2);
    expect(await storage.getItem("key")).toEqual({ list: [1] });
    const seen: any[] = [];
    await storage.update("key", (found) => {
      seen.push(found);
      return found;
    });
    seen[0].list.push(3);
    expect(await storage.getItem("key")).toEqual({ list: [1] });
  });

  it.each([
    ["a view", new Float64Array([1, 2])],
    ["a DataView", new DataView(new ArrayBuffer(3))],
    ["an ArrayBuffer", new ArrayBuffer(2)],
    ["bytes", Buffer.from("ab")],
    ["an object", new Map([[1, 2]])],
  ])("replaces %s that memory holds", async (_title, raw) => {
    const storage = createStorage<any>();
    const isIt = (value: unknown) => Object.getPrototypeOf(value) === Object.getPrototypeOf(raw);
    storage.setItemRawSync("key", raw);
    expect(storage.updateSync("key", isIt)).toBe(true);
    storage.setItemRawSync("key", raw);
    expect(await storage.update("key", isIt)).toBe(true);
    expect(storage.getItemSync("key")).toBe(true);
    let runs = 0;
    storage.setItemRawSync("key", raw);
    storage.updateSync("key", () => {
      runs += 1;
      if (runs === 1) storage.setItemRawSync("key", new Float64Array([3]));
      return runs;
    });
    expect(storage.getItemSync("key")).toBe(2);
  });

  it("through a prefix goes to the key under it", async () => {
    const storage = createStorage<any>();
    const users = prefixStorage<any>(storage, "users");
    expect([await users.update("ann", add), users.updateSync("ann", add)]).toEqual([1, 2]);
    expect(storage.getItemSync("users:ann")).toBe(2);
  });

  it("reaches a driver with the options of the call", async () => {
    const driver = committingDriver();
    const options: unknown[] = [];
    const storage = createStorage<any>({
      driver: {
        ...driver,
        commit(ops, opts) {
          for (const op of ops) if (op.type !== "check") options.push(op.options);
          return (driver.commit as NonNullable<Driver["commit"]>)(ops, opts);
        },
      },
    });
    const given = { region: "eu" };
    await storage.update("key", add, given);
    await storage.update("key", add);
    expect(options).toEqual([{ region: "eu" }, {}]);
    expect(options[0]).toBe(given);
  });
});

describe("bad input", () => {
  it.each([undefined, null, "text", 1, {}, Promise.resolve()])(
    "%s is no function",
    async (fn: any) => {
      const storage = createStorage<any>();
      for (const outcome of [
        () => storage.update("key", fn),
        () => storage.updateSync("key", fn),
      ]) {
        expect((await failureOf(outcome)).code).toBe("EAS_INVALID_ARGUMENT");
      }
    },
  );

  it("a Promise in updateSync is an error, and nothing is written", async () => {
    const storage = createStorage<any>();
    storage.setItemSync("key", 1);
    for (const fn of [async () => 2, () => Promise.reject(new Error("late"))]) {
      const error = await failureOf(() => storage.updateSync("key", fn as any));
      expect(error).toMatchObject({ code: "EAS_SYNC_UNSUPPORTED", key: "key" });
      expect(error.message).toContain("Use update");
    }
    expect(storage.getItemSync("key")).toBe(1);
    expect(await storage.update("key", add)).toBe(2);
  });

  it("a value that cannot be stored is an error, and nothing is written", async () => {
    const storage = createStorage<any>({ onLossy: "error" });
    storage.setItemSync("key", 1);
    for (const value of [() => 1, Symbol("no"), { inner: () => 1 }]) {
      const outcome = storage.update("key", (() => value) as any);
      expect(await failureOf(outcome)).toMatchObject({
        code: "EAS_INVALID_VALUE",
        key: "key",
        operation: "update",
      });
      expect((await failureOf(() => storage.updateSync("key", (() => value) as any))).code).toBe(
        "EAS_INVALID_VALUE",
      );
    }
    expect(storage.getItemSync("key")).toBe(1);
  });

  it("a key that is none is an error", async () => {
    const storage = createStorage<any>();
    expect((await failureOf(storage.update("", add))).code).toBe("EAS_INVALID_KEY");
    expect((await failureOf(storage.update(1 as any, add))).code).toBe("EAS_INVALID_ARGUMENT");
    expect((await failureOf(() => storage.updateSync("", add))).code).toBe("EAS_INVALID_KEY");
    expect((await failureOf(() => storage.updateSync(null as any, add))).code).toBe(
      "EAS_INVALID_ARGUMENT",
    );
  });

  it("options that are wrong keep the function from running", async () => {
    const storage = createStorage<any>();
    const fn = vi.fn(add);
    for (const opts of [
      { ttl: -1 },
      { ttl: "soon" },
      { ifMatch: null },
      { ifMatch: "etag" },
    ] as any) {
      expect((await failureOf(storage.update("key", fn, opts))).code).toBe("EAS_INVALID_OPTION");
      expect((await failureOf(() => storage.updateSync("key", fn, opts))).code).toBe(
        "EAS_INVALID_OPTION",
      );
    }
    expect(fn).not.toHaveBeenCalled();
  });

  it("gives a read-only driver as EAS_READ_ONLY, whatever `readOnly` says", async () => {
    const fn = vi.fn(add);
    for (const readOnly of [true, "error"] as const) {
      const storage = createStorage<any>({ driver: { ...memoryDriver(), flags: { readOnly } } });
      for (const outcome of [
        () => storage.update("key", fn),
        () => storage.updateSync("key", fn),
        () => storage.setItem("key", 1, { ifMatch: null }),
        () => storage.removeItemSync("key", { ifMatch: null }),
        () => storage.atomic().set("key", 1).commit(),
      ]) {
        expect((await failureOf(outcome)).code).toBe("EAS_READ_ONLY");
      }
    }
    expect(fn).not.toHaveBeenCalled();
  });
});

describe("flush and dispose", () => {
  it("flush does not wait for a function that is running", async () => {
    const storage = createStorage<any>();
    let release = () => {};
    const update = storage.update(
      "key",
      () =>
        new Promise<number>((done) => {
          release = () => done(1);
        }),
    );
    await storage.flush();
    storage.flushSync();
    release();
    expect(await update).toBe(1);
  });

  it("dispose rejects updates whose functions are running, and those behind them", async () => {
    const storage = createStorage<any>();
    const never = () => new Promise<number>(() => {});
    const fn = vi.fn(add);
    const updates = [
      storage.update("key", never),
      storage.update("key", fn),
      storage.update("other", never),
    ];
    await storage.dispose();
    for (const update of updates) expect((await failureOf(update)).code).toBe("EAS_DISPOSED");
    expect(fn).not.toHaveBeenCalled();
    expect((await failureOf(storage.update("key", fn))).code).toBe("EAS_DISPOSED");
    expect((await failureOf(() => storage.updateSync("key", fn))).code).toBe("EAS_DISPOSED");
  });

  it("a function that fails after dispose harms nobody", async () => {
    const storage = createStorage<any>();
    let fail = () => {};
    const update = storage.update(
      "key",
      () =>
        new Promise<number>((_, reject) => {
          fail = () => reject(new Error("late"));
        }),
    );
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    onTestFinished(() => void process.off("unhandledRejection", unhandled));
    await storage.dispose();
    expect((await failureOf(update)).code).toBe("EAS_DISPOSED");
    fail();
    await turn();
    await turn();
    expect(unhandled).not.toHaveBeenCalled();
  });

  it("both are errors inside of a function, also after an await, and of the prefix", async () => {
    const storage = createStorage<any>();
    for (const call of [
      () => storage.flush(),
      () => storage.dispose(),
      async () => storage.flushSync(),
      () => prefixStorage(storage, "base").flush(),
    ]) {
      const outcome = storage.update("key", async () => {
        await turn();
        await call();
        return 1;
      });
      expect(await failureOf(outcome)).toMatchObject({ code: "EAS_INSIDE_UPDATE" });
    }
    const sync = await failureOf(() =>
      storage.updateSync("key", () => {
        storage.flushSync();
        return 1;
      }),
    );
    expect(sync.code).toBe("EAS_INSIDE_UPDATE");
    expect(storage.hasItemSync("key")).toBe(false);
    await storage.flush();
    // Another storage is another matter.
    const other = createStorage<any>();
    expect(
      await storage.update("key", async () => {
        await other.flush();
        await other.dispose();
        return 1;
      }),
    ).toBe(1);
  });

  it("an update inside of a migration step counts", async () => {
    const storage = createStorage<any>({
      version: 1,
      migrations: {
        1: async (inner) => {
          await inner.update("n", add);
          await inner.atomic().set("m", 1).commit();
        },
      },
    });
    await storage.setItem("n", 1);
    await storage.migrate();
    expect([storage.getItemSync("n"), storage.getItemSync("m")]).toEqual([2, 1]);
  });

  it("a step that fails has its updates and groups undone", async () => {
    const storage = createStorage<any>({
      version: 1,
      migrations: {
        1: async (inner) => {
          await inner.update("n", add);
          await inner.atomic().set("m", 1).remove("gone").commit();
          throw new Error("no");
        },
      },
    });
    await storage.setItem("n", 1);
    await storage.setItem("gone", 1);
    expect((await failureOf(storage.migrate())).message).toBe("no");
    expect(storage.getKeysSync().sort()).toEqual(["gone", "n"]);
    expect(storage.getItemSync("n")).toBe(1);
  });
});
