// Values that are computed when they are missing, and again when they are stale.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import superjson from "superjson";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { folder } from "./helpers/folders.js";
import { failureOf } from "./helpers/modes.js";
import { builtin, createStorage, prefixStorage } from "./helpers/package.js";
import { waitFor } from "./helpers/waiting.js";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A function that counts its calls, and gives what it is told to. */
const counting = () => {
  let count = 0;
  return vi.fn(async () => ({ count: ++count }));
};

it("a missing value is computed and stored; one that is there is given", async () => {
  const storage = createStorage<any>();
  const fn = counting();
  expect(await storage.getOrSet("/a", fn)).toEqual({ count: 1 });
  expect(await storage.getOrSet("a", fn)).toEqual({ count: 1 });
  expect(await storage.getItem("a")).toEqual({ count: 1 });
  expect(fn).toHaveBeenCalledTimes(1);
});

it.each([null, 0, "", false])("a stored %j is there", async (value) => {
  const storage = createStorage<any>();
  await storage.setItem("a", value);
  const fn = counting();
  expect(await storage.getOrSet("a", fn)).toBe(value);
  expect(fn).not.toHaveBeenCalled();
});

it("a function without a Promise, and one that gives null, are fine", async () => {
  const storage = createStorage<any>();
  expect(await storage.getOrSet("a", () => new Map([[1, 2]]))).toEqual(new Map([[1, 2]]));
  expect(await storage.getOrSet("b", () => null)).toBeNull();
  expect(await storage.hasItem("b")).toBe(true);
});

it("undefined stores nothing", async () => {
  const storage = createStorage<any>();
  expect(await storage.getOrSet("a", () => undefined)).toBeNull();
  expect(await storage.hasItem("a")).toBe(false);
});

it("calls at the same time share one function, and each gets a copy of its own", async () => {
  const storage = createStorage<any>();
  const fn = counting();
  const prefixed = prefixStorage(storage, "p");
  const values = await Promise.all([
    storage.getOrSet("p:a", fn),
    storage.getOrSet("/p/a", fn),
    prefixed.getOrSet("a", fn),
    storage.getOrSet("other", fn),
  ]);
  expect(fn).toHaveBeenCalledTimes(2);
  expect(new Set(values.slice(0, 3).map((value) => JSON.stringify(value))).size).toBe(1);
  expect(new Set(values).size).toBe(4);
});

it("a call sees what was written before it, although an earlier one still looks", async () => {
  const storage = createStorage<any>();
  storage.setItemSync("a", "old");
  const first = storage.getOrSet("a", () => "computed");
  storage.setItemSync("a", "new");
  const second = storage.getOrSet("a", () => "computed");
  expect(await Promise.all([first, second])).toEqual(["old", "new"]);
});

it("a call whose look is late takes what another one computed meanwhile", async () => {
  const items = new Map<string, string>();
  let lookLate: (() => void) | undefined;
  const answers: (string | null)[] = [];
  const driver = {
    hasItem: (key: string) => items.has(key),
    getKeys: () => [...items.keys()],
    async getItem(key: string) {
      const found = items.get(key) ?? null;
      answers.push(found);
      if (answers.length === 2) {
        await new Promise<void>((resolve) => {
          lookLate = resolve;
        });
      }
      return found;
    },
    setItem: (key: string, value: string) => void items.set(key, value),
  };
  const storage = createStorage<any>({ driver });
  const fn = counting();
  const first = storage.getOrSet("a", fn);
  const second = storage.getOrSet("a", fn);
  expect(await first).toEqual({ count: 1 });
  expect(answers[1]).toBeNull();
  lookLate?.();
  expect(await second).toEqual({ count: 1 });
  expect(fn).toHaveBeenCalledTimes(1);
});

it("a refresh that fails with what has no text is a warning", async () => {
  const warned = vi.spyOn(process, "emitWarning").mockReturnValue();
  const unhandled = vi.fn();
  process.on("unhandledRejection", unhandled);
  try {
    for (const thrown of [Symbol("s"), Object.create(null)]) {
      const storage = createStorage<any>();
      await storage.getOrSet("a", () => 1, { ttl: 10, staleFor: 1000 });
      vi.setSystemTime(Date.now() + 20);
      const fail = () => {
        throw thrown;
      };
      expect(await storage.getOrSet("a", fail, { ttl: 10, staleFor: 1000 })).toBe(1);
      await waitFor(() => expect(warned).toHaveBeenCalledTimes(1));
      expect(warned.mock.calls[0][1]).toMatchObject({ code: "EAS_REFRESH" });
      warned.mockClear();
    }
    expect(unhandled).not.toHaveBeenCalled();
  } finally {
    process.off("unhandledRejection", unhandled);
    warned.mockRestore();
  }
});

it("what another library adds to all objects is no option", async () => {
  Object.assign(Object.prototype, { ttl: 10, staleFor: 10 });
  try {
    const storage = createStorage<any>();
    await storage.getOrSet("a", () => 1, {});
    expect((await storage.getMeta("a", { nativeOnly: true })).ttl).toBeUndefined();
  } finally {
    for (const name of ["ttl", "staleFor"]) delete (Object.prototype as any)[name];
  }
});

it("an error is not stored, and rejects all that share it", async () => {
  const storage = createStorage<any>();
  const failed = new Error("no network");
  const fn = vi.fn(async () => {
    throw failed;
  });
  const errors = await Promise.all([
    failureOf(storage.getOrSet("a", fn)),
    failureOf(storage.getOrSet("a", fn)),
  ]);
  expect(errors).toEqual([failed, failed]);
  expect(fn).toHaveBeenCalledTimes(1);
  expect(await storage.hasItem("a")).toBe(false);
  const thrown = await failureOf(
    storage.getOrSet("a", () => {
      throw failed;
    }),
  );
  expect(thrown).toBe(failed);
  expect(await storage.getOrSet("a", () => 1)).toBe(1);
});

it("what is written while the function runs stays, and is given", async () => {
  const storage = createStorage<any>();
  const value = await storage.getOrSet("a", async () => {
    await storage.setItem("a", "newer");
    return "older";
  });
  expect(value).toBe("newer");
  expect(await storage.getItem("a")).toBe("newer");
});

it("it knows no defaults", async () => {
  const storage = createStorage<any>({ defaults: { a: "default" } });
  expect(await storage.getOrSet("a", () => "computed")).toBe("computed");
});

it("schemas check what is computed and give their output", async () => {
  const storage = createStorage<any>({
    schemas: { a: z.object({ n: z.number().default(1) }), b: z.number() },
  });
  expect(await storage.getOrSet("a", () => ({}))).toEqual({ n: 1 });
  expect(await storage.getOrSet("a", () => ({}))).toEqual({ n: 1 });
  const error = await failureOf(storage.getOrSet("b", () => "text"));
  expect(error).toMatchObject({ code: "EAS_INVALID_VALUE", key: "b", operation: "getOrSet" });
  expect(error.issues).toHaveLength(1);
  expect(await storage.hasItem("b")).toBe(false);
});

it("an item that does not read as a value is computed anew", async () => {
  const driver = builtin("memory");
  await driver.setItem("a", "{oops");
  const storage = createStorage<any>({ driver });
  expect(await storage.getOrSet("a", () => 1)).toBe(1);
});

it("a value of its own kind in memory is given as it is", async () => {
  const storage = createStorage<any>();
  const fn = () => 1;
  await storage.setItemRaw("a", fn);
  expect(await storage.getOrSet("a", () => 2)).toBe(fn);
});

describe("with a time to live", () => {
  // Native drivers go by the clock of the system.
  const isGone = (storage: any, key: string) =>
    waitFor(async () => expect(await storage.getItem(key)).toBeNull());

  it("the value is computed anew when it is over", async () => {
    vi.useRealTimers();
    const storage = createStorage<any>();
    const fn = counting();
    await storage.getOrSet("a", fn, { ttl: 20 });
    await isGone(storage, "a");
    expect(await storage.getOrSet("a", fn)).toEqual({ count: 2 });
  });

  it("and staleFor, the old value is given at once while one function refreshes it", async () => {
    const storage = createStorage<any>();
    const options = { ttl: 100, staleFor: 600_000 };
    const fn = counting();
    await storage.getOrSet("a", fn, options);
    vi.setSystemTime(1_000_500);
    expect(await storage.getItem("a")).toEqual({ count: 1 });
    expect(fn).toHaveBeenCalledTimes(1);
    let finish: (value: unknown) => void = () => {};
    const slow = vi.fn(
      () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
    );
    const old = await Promise.all([
      storage.getOrSet("a", slow, options),
      storage.getOrSet("a", slow, options),
    ]);
    expect(await storage.getOrSet("a", slow, options)).toEqual({ count: 1 });
    expect(old).toEqual([{ count: 1 }, { count: 1 }]);
    expect(slow).toHaveBeenCalledTimes(1);
    finish({ count: 50 });
    await waitFor(async () => expect(await storage.getItem("a")).toEqual({ count: 50 }));
    vi.setSystemTime(1_000_599);
    expect(await storage.getOrSet("a", slow, options)).toEqual({ count: 50 });
    expect(slow).toHaveBeenCalledTimes(1);
  });

  it("and staleFor, the value is gone after both", async () => {
    vi.useRealTimers();
    const storage = createStorage<any>();
    const fn = counting();
    await storage.getOrSet("a", fn, { ttl: 10, staleFor: 10 });
    await isGone(storage, "a");
    expect(await storage.getOrSet("a", fn)).toEqual({ count: 2 });
  });

  it("a refresh that fails leaves the old value and is a process warning", async () => {
    const storage = createStorage<any>();
    const warnings: any[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on("warning", onWarning);
    try {
      const options = { ttl: 100, staleFor: 600_000 };
      await storage.getOrSet("a", () => "old", options);
      vi.setSystemTime(1_000_200);
      const fn = vi.fn(async () => {
        throw new Error("no network");
      });
      expect(await storage.getOrSet("a", fn, options)).toBe("old");
      await waitFor(() => expect(warnings).toHaveLength(1));
      expect(warnings[0]).toMatchObject({ code: "EAS_REFRESH" });
      expect(warnings[0].message).toContain('"a"');
      expect(warnings[0].message).toContain("no network");
      expect(await storage.getOrSet("a", fn, options)).toBe("old");
      await waitFor(() => expect(fn).toHaveBeenCalledTimes(2));
    } finally {
      process.off("warning", onWarning);
    }
  });

  it("the envelope on disk has both times, and superjson reads it", async () => {
    vi.useRealTimers();
    const before = Date.now();
    const base = folder();
    const storage = createStorage<any>({ driver: builtin("fs", { base }) });
    await storage.getOrSet("a", () => new Date(5), { ttl: 50, staleFor: 60_000 });
    await storage.flush();
    const after = Date.now();
    const text = readFileSync(join(base, "a"), "utf8");
    const { expires, fresh, ...others } = JSON.parse(text);
    expect(others).toEqual({
      json: "1970-01-01T00:00:00.005Z",
      meta: { values: ["Date"], v: 1 },
    });
    for (const [time, life] of [
      [fresh, 50],
      [expires, 60_050],
    ]) {
      expect(time).toBeGreaterThanOrEqual(before + life);
      expect(time).toBeLessThanOrEqual(after + life);
    }
    expect(superjson.parse(text)).toEqual(new Date(5));
    await storage.dispose();

    const later = createStorage<any>({ driver: builtin("fs", { base }) });
    vi.useFakeTimers({ toFake: ["Date"], now: after + 100 });
    expect(await later.getItem("a")).toEqual(new Date(5));
    const fn = vi.fn(() => new Date(6));
    expect(await later.getOrSet("a", fn, { ttl: 60_000 })).toEqual(new Date(5));
    await waitFor(() => expect(fn).toHaveBeenCalledTimes(1));
    await waitFor(async () => expect(await later.getItem("a")).toEqual(new Date(6)));
    await later.dispose();
  });

  it("it holds over a driver of a program that knows no time to live", async () => {
    const items = new Map<string, string>();
    const seen: object[] = [];
    const storage = createStorage<any>({
      driver: {
        hasItem: (key: string) => items.has(key),
        getItem: (key: string) => items.get(key) ?? null,
        getKeys: () => [...items.keys()],
        setItem(key: string, text: string, opts: object) {
          seen.push(opts);
          items.set(key, text);
        },
      },
    });
    const fn = counting();
    await storage.getOrSet("a", fn, { ttl: 100, staleFor: 1000, own: true });
    expect(seen).toEqual([{ ttl: 1100, own: true }]);
    expect(JSON.parse(items.get("a") as string)).toEqual({
      json: { count: 1 },
      fresh: 1_000_100,
      expires: 1_001_100,
    });
    vi.setSystemTime(1_000_500);
    expect(await storage.getOrSet("a", fn, { ttl: 100 })).toEqual({ count: 1 });
    await waitFor(() => expect(items.get("a")).toContain('{"count":2}'));
    // The refresh is over, and shared by nobody any more.
    await new Promise((resolve) => setImmediate(resolve));
    vi.setSystemTime(1_002_000);
    expect(await storage.getOrSet("a", fn)).toEqual({ count: 3 });
  });

  it("a storage that is mounted keeps both times, with schemas and without", async () => {
    for (const options of [{}, { schemas: { "*": z.object({ count: z.number() }) } }]) {
      const outer = createStorage<any>();
      const inner = createStorage<any>(options);
      outer.mount("in", inner);
      const fn = counting();
      vi.setSystemTime(1_000_000);
      await outer.getOrSet("in:a", fn, { ttl: 100, staleFor: 60_000 });
      vi.setSystemTime(1_000_500);
      expect(await outer.getItem("in:a")).toEqual({ count: 1 });
      expect(await outer.getOrSet("in:a", fn, { ttl: 60_000 })).toEqual({ count: 1 });
      await waitFor(async () => expect(await outer.getItem("in:a")).toEqual({ count: 2 }));
      expect(fn).toHaveBeenCalledTimes(2);
    }
  });

  it("over a queue too", async () => {
    const storage = createStorage<any>({ driver: builtin("queue", { driver: builtin("memory") }) });
    const fn = counting();
    await storage.getOrSet("a", fn, { ttl: 100, staleFor: 600_000 });
    await storage.flush();
    vi.setSystemTime(1_000_500);
    expect(await storage.getOrSet("a", fn)).toEqual({ count: 1 });
    await waitFor(() => expect(fn).toHaveBeenCalledTimes(2));
    await storage.dispose();
  });

  it("without a ttl, staleFor has no effect", async () => {
    const storage = createStorage<any>();
    const fn = counting();
    await storage.getOrSet("a", fn, { staleFor: 5, ttl: 0 });
    vi.setSystemTime(9_000_000);
    expect(await storage.getOrSet("a", fn)).toEqual({ count: 1 });
    expect(fn).toHaveBeenCalledTimes(1);
  });
});

describe("bad input is a rejection, and calls no function", () => {
  it.each<[title: string, key: unknown, options: unknown, code: string]>([
    ["a key that is a number", 1, undefined, "EAS_INVALID_ARGUMENT"],
    ["a key that names nothing", "", undefined, "EAS_INVALID_KEY"],
    ["a negative ttl", "a", { ttl: -1 }, "EAS_INVALID_OPTION"],
    ["a ttl that is a string", "a", { ttl: "5" }, "EAS_INVALID_OPTION"],
    ["a ttl that is NaN", "a", { ttl: Number.NaN }, "EAS_INVALID_OPTION"],
    ["a negative staleFor", "a", { ttl: 1, staleFor: -1 }, "EAS_INVALID_OPTION"],
    ["a staleFor that is a Date", "a", { ttl: 1, staleFor: new Date() }, "EAS_INVALID_OPTION"],
    ["options that are a number", "a", 5, "EAS_INVALID_ARGUMENT"],
  ])("%s", async (_title, key, options, code) => {
    const fn = vi.fn(() => 1);
    const call = (createStorage() as any).getOrSet(key, fn, options);
    expect(call).toBeInstanceOf(Promise);
    expect((await failureOf(call)).code).toBe(code);
    expect(fn).not.toHaveBeenCalled();
  });

  it("no function", async () => {
    for (const fn of [undefined, null, 5, {}]) {
      const error = await failureOf((createStorage() as any).getOrSet("a", fn));
      expect(error).toMatchObject({ code: "EAS_INVALID_ARGUMENT", operation: "getOrSet" });
    }
  });

  it("a value that cannot be stored", async () => {
    const error = await failureOf(createStorage<any>().getOrSet("a", () => () => 1));
    expect(error).toMatchObject({ code: "EAS_INVALID_VALUE", key: "a" });
  });
});
