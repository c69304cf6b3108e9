// The option `ifMatch`: where it counts, where it is refused, and where it goes.

import { afterEach, describe, expect, it } from "vitest";
import type { Driver } from "../index.js";
import { folder } from "./helpers/folders.js";
import { committingDriver } from "./helpers/js-drivers.js";
import { failureOf } from "./helpers/modes.js";
import { builtin, createStorage, prefixStorage } from "./helpers/package.js";

describe("ifMatch", () => {
  it("undefined is no condition", async () => {
    const storage = createStorage<any>();
    await storage.setItem("key", 1, { ifMatch: undefined });
    storage.setItemSync("key", 2, { ifMatch: undefined });
    expect(storage.getItemSync("key")).toBe(2);
    await storage.removeItem("key", { ifMatch: undefined });
    expect(storage.hasItemSync("key")).toBe(false);
    storage.setItemSync("key", 3);
    storage.removeItemSync("key", { ifMatch: undefined });
    expect(storage.hasItemSync("key")).toBe(false);
  });

  it.each([1, 0, true, {}, [], Symbol("no"), () => 1])("%s is no etag", async (ifMatch: any) => {
    const storage = createStorage<any>();
    for (const outcome of [
      () => storage.setItem("key", 1, { ifMatch }),
      () => storage.setItemSync("key", 1, { ifMatch }),
      () => storage.removeItem("key", { ifMatch }),
      () => storage.removeItemSync("key", { ifMatch }),
    ]) {
      const error = await failureOf(outcome);
      expect(error.code).toBe("EAS_INVALID_OPTION");
      expect(error.message).toContain("`ifMatch`");
      expect(error.operation).toMatch(/^(set|remove)Item/);
    }
    expect(storage.getKeysSync()).toEqual([]);
  });

  it("is refused where no condition is made", async () => {
    const storage = createStorage<any>();
    const options = { ifMatch: null };
    for (const outcome of [
      () => storage.setItems([{ key: "key", value: 1 }], options),
      () => storage.setItems([{ key: "key", value: 1, options }]),
      () => storage.setItemsSync([{ key: "key", value: 1 }], options),
      () => storage.setItemsSync([{ key: "key", value: 1, options }]),
      () => storage.setItemRaw("key", "text", options),
      () => storage.setItemRawSync("key", "text", options),
    ]) {
      const error = await failureOf(outcome);
      expect(error.code).toBe("EAS_INVALID_OPTION");
      expect(error.message).toMatch(/set(Items|ItemRaw)(Sync)? makes no conditional writes/);
    }
    expect(storage.getKeysSync()).toEqual([]);
  });

  it("works by the short names", async () => {
    const storage = createStorage<any>();
    await storage.set("key", 1, { ifMatch: null });
    expect((await failureOf(() => storage.setSync("key", 1, { ifMatch: null }))).code).toBe(
      "EAS_CONFLICT",
    );
    for (const remove of [storage.del, storage.remove]) {
      expect((await failureOf(remove("key", { ifMatch: null }))).code).toBe("EAS_CONFLICT");
    }
  });

  it("keeps a time to live of the write", async () => {
    const storage = createStorage<any>();
    await storage.setItem("key", 1, { ifMatch: null, ttl: 30_000 });
    expect(storage.getMetaSync("key").ttl).toBeLessThanOrEqual(30_000);
  });

  it("gives the events of a write without it", async () => {
    const eventsOf = async (hasCondition: boolean) => {
      const storage = createStorage<any>();
      const events: string[] = [];
      await storage.watch((event, key) => events.push(`${event} ${key}`));
      const condition = async () =>
        hasCondition ? { ifMatch: (await storage.getEntry("a")).etag } : {};
      await storage.setItem("a", 1, await condition());
      storage.setItemSync("a", 2, await condition());
      await failureOf(() => storage.setItem("a", 2, { ifMatch: null }));
      await storage.removeItem("a", await condition());
      await storage.setItem("a", 3);
      await storage.removeItem("a", { ...(await condition()), removeMeta: true });
      await storage.dispose();
      return events;
    };
    const events = await eventsOf(true);
    expect(events.length).toBeGreaterThanOrEqual(5);
    expect(events).toEqual(await eventsOf(false));
  });

  it("takes its place in the order of the calls", async () => {
    const storage = createStorage<any>();
    storage.setItem("key", 1);
    const { etag } = storage.getEntrySync("key");
    const writes = [
      storage.setItem("key", 2, { ifMatch: etag }),
      storage.setItem("key", 3),
      storage.setItem("key", 4, { ifMatch: etag }),
    ];
    const outcomes = await Promise.allSettled(writes);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
    expect(await storage.getItem("key")).toBe(3);
  });
});

describe("a driver", () => {
  function watched() {
    const seen: any[] = [];
    const driver: any = committingDriver();
    const recorded: any = {};
    for (const name of ["setItem", "setItemSync", "removeItem", "removeItemSync"]) {
      recorded[name] = (...args: any[]) => {
        seen.push(args.at(-1));
        return driver[name](...args);
      };
    }
    for (const name of ["commit", "commitSync"]) {
      recorded[name] = (ops: any[], opts: any) => {
        seen.push(
          ...ops.filter(({ type }) => type !== "check").map(({ options }) => options),
          opts,
        );
        return driver[name](ops, opts);
      };
    }
    return { seen, driver: { ...driver, ...recorded } as Driver };
  }

  it("does not get the option, and gets all others", async () => {
    const { seen, driver } = watched();
    const storage = createStorage<any>({ driver });
    class Options {
      mine = 1;
      ifMatch: string | null | undefined = null;
    }
    await storage.setItem("a", 1, { ifMatch: null, mine: 1 });
    storage.setItemSync("b", 1, { ifMatch: null, mine: 1 });
    await storage.removeItem("c", { ifMatch: null, mine: 1 });
    storage.removeItemSync("c", { ifMatch: null, mine: 1 });
    await storage.setItem("a", 1, { ifMatch: undefined, mine: 1 });
    storage.setItemSync("a", 1, { ifMatch: undefined, mine: 1 });
    await storage.removeItem("a", { ifMatch: undefined, mine: 1 });
    storage.removeItemSync("a", { ifMatch: undefined, mine: 1 });
    const given = new Options();
    await storage.setItem("d", 1, given);
    expect(given.ifMatch).toBe(null);
    const own = seen.filter((options) => options.mine === 1);
    expect(own).toHaveLength(9);
    for (const options of seen) expect(options).not.toHaveProperty("ifMatch");
    expect(own.at(-1)).toBeInstanceOf(Options);
  });
});

describe("Object.prototype", () => {
  afterEach(() => {
    delete (Object.prototype as any).ifMatch;
  });

  it("gives no condition", async () => {
    const storage = createStorage<any>();
    storage.setItemSync("key", 1);
    Object.defineProperty(Object.prototype, "ifMatch", {
      value: null,
      configurable: true,
      writable: true,
    });
    await storage.setItem("key", 2, {});
    storage.setItemSync("key", 3, {});
    await storage.setItems([{ key: "key", value: 4, options: {} }], {});
    await storage.setItemRaw("key", '{"json":5}', {});
    await storage.update("key", (value) => value + 1, {});
    expect(storage.getItemSync("key")).toBe(6);
    await storage.removeItem("key", {});
    expect(storage.hasItemSync("key")).toBe(false);
  });
});

// Through the storage around it, an item that the inner storage wrote is a value and no text.
describe("an item that a mounted storage wrote itself", () => {
  const values: unknown[] = [
    { name: "x" },
    [1, 2],
    5,
    true,
    new Date(7),
    new Map([["a", new Set([1])]]),
  ];
  const outers: Record<string, (inner: any) => any> = {
    mounted: (inner) => createStorage<any>().mount("in", inner),
    driver: (inner) => createStorage<any>().mount("in", createStorage<any>({ driver: inner })),
    checked: (inner) =>
      createStorage<any>().mount("in", createStorage<any>({ driver: inner, defaults: { d: 1 } })),
  };
  describe.each(Object.keys(outers))("%s", (name) => {
    it.each(values.map((value) => [value]))("%o has one etag, and is updated", async (value) => {
      const inner = createStorage<any>();
      const outer = outers[name]?.(inner);
      await inner.setItem("key", value);
      const entry = await outer.getEntry("in:key");
      expect(entry.value).toEqual(value);
      expect(outer.getEntrySync("in:key")).toEqual(entry);
      await inner.setItem("key", "another");
      const stale = await failureOf(() => outer.setItem("in:key", 1, { ifMatch: entry.etag }));
      expect(stale.code).toBe("EAS_CONFLICT");
      await inner.setItem("key", value);
      expect((await outer.getEntry("in:key")).etag).toBe(entry.etag);
      await outer.setItem("in:key", "changed", { ifMatch: entry.etag });
      expect(await outer.getItem("in:key")).toBe("changed");

      inner.setItemSync("key", value);
      const seen: unknown[] = [];
      const count = (old: unknown) => [seen.push(old)];
      expect(await outer.update("in:key", count)).toEqual([1]);
      inner.setItemSync("key", value);
      expect(outer.updateSync("in:key", count)).toEqual([2]);
      expect(seen).toEqual([value, value]);
      const { etag } = outer.getEntrySync("in:key");
      const done = await outer.atomic().check("in:key", etag).set("in:key", 3).commit();
      expect(done).toEqual({ ok: true });
    });
  });
});

// Through the storage around it, an item that does not read as a value is none, and a stored null neither.
describe("an item of a mounted storage that reads as null", () => {
  const stored: Record<string, (inner: any) => unknown> = {
    "a text": (inner) => inner.setItemRawSync("key", "{nope"),
    bytes: (inner) => inner.setItemRawSync("key", Buffer.from([255, 1])),
    nothing: (inner) => inner.setItemRawSync("key", Buffer.alloc(0)),
    "a null": (inner) => inner.setItemSync("key", null),
  };
  const outers: Record<string, (inner: any) => any> = {
    mounted: (inner) => createStorage<any>().mount("in", inner),
    twice: (inner) => createStorage<any>().mount("in", createStorage<any>({ driver: inner })),
    prefix: (inner) =>
      createStorage<any>().mount("in", prefixStorage(createStorage().mount("a", inner), "a")),
    checked: (inner) =>
      createStorage<any>().mount("in", createStorage<any>({ driver: inner, defaults: { d: 1 } })),
  };
  const rows = Object.keys(outers).flatMap((name) =>
    Object.keys(stored).map((what) => [name, what] as const),
  );
  it.each(rows)("%s: %s has its etag", async (name, what) => {
    const inner = createStorage<any>({ driver: builtin("fs", { base: folder() }) });
    const outer = outers[name]?.(inner);
    stored[what]?.(inner);
    const { etag } = await inner.getEntry("key");
    expect(etag).toEqual(expect.any(String));
    const entry = { key: "in:key", value: null, etag };
    expect(await outer.getEntry("in:key")).toEqual(entry);
    expect(outer.getEntrySync("in:key")).toEqual(entry);
    const both = () => outer.atomic().check("in:key", etag).set("in:other", 1);
    expect(await both().commit()).toEqual({ ok: true });
    expect(both().commitSync()).toEqual({ ok: true });
    inner.setItemRawSync("key", Buffer.from([255, 2]));
    for (const outcome of [await both().commit(), both().commitSync()]) {
      expect(outcome).toEqual({ ok: false, conflicts: ["in:key"] });
    }
    stored[what]?.(inner);
    await outer.setItem("in:key", "new", { ifMatch: etag });
    expect(await outer.getItem("in:key")).toBe("new");
    stored[what]?.(inner);
    outer.removeItemSync("in:key", { ifMatch: etag });
    expect(outer.getEntrySync("in:key").etag).toBe(null);
  });
});
