// `commit` of drivers: of the built-in ones, of those that programs write, and of wrappers around either.

import { describe, expect, it, vi } from "vitest";
import type { Driver, GroupStep } from "../index.js";
import { committingDriver, plainDriver, promiseDriver } from "./helpers/js-drivers.js";
import { failureOf } from "./helpers/modes.js";
import { createStorage, memoryDriver, prefixStorage } from "./helpers/package.js";

describe("a built-in driver", () => {
  it("says in its flags that it has it", () => {
    expect(memoryDriver().flags.atomic).toBe(true);
  });

  it("compares what is stored, and gives the keys that differ", async () => {
    const driver = memoryDriver();
    const bytes = Buffer.from([1, 2]);
    expect(
      await driver.commit([
        { type: "check", key: "a", value: null },
        { type: "set", key: "a", value: "text" },
        { type: "set", key: "b", value: "one" },
        { type: "remove", key: "b" },
      ]),
    ).toEqual({ ok: true });
    expect([driver.getItemSync("a"), driver.getKeysSync()]).toEqual(["text", ["a"]]);
    driver.setItemRawSync("raw", bytes);
    expect(
      driver.commitSync([
        { type: "check", key: "a", value: "text" },
        { type: "check", key: "raw", value: new Uint8Array(bytes) },
        { type: "set", key: "a", value: "next", options: { ttl: 60_000 } },
      ]),
    ).toEqual({ ok: true });
    expect(driver.getMetaSync("a")?.ttl).toBeLessThanOrEqual(60_000);
    const steps: GroupStep[] = [
      { type: "check", key: "raw", value: Buffer.from([1]) },
      { type: "check", key: "a", value: null },
      { type: "check", key: "none", value: "text" },
      { type: "remove", key: "a" },
    ];
    expect(driver.commitSync(steps)).toEqual({ ok: false, conflicts: ["raw", "a", "none"] });
    expect(await driver.commit(steps)).toEqual({ ok: false, conflicts: ["raw", "a", "none"] });
    expect(driver.getItemSync("a")).toBe("next");
  });

  it.each([
    [undefined],
    ["text"],
    [[null]],
    [[{ type: "other", key: "a" }]],
    [[{ type: "check", key: "a", value: 1 }]],
    [[{ type: "check", key: 1, value: null }]],
    [[{ type: "set", key: "a" }]],
    [[{ type: "set", key: "a", value: Buffer.from("a") }]],
    [[{ type: "set", key: "a", value: "1" }, { type: "remove" }]],
  ])("refuses %j", async (steps: any) => {
    const driver = memoryDriver();
    expect((await failureOf(() => driver.commit(steps))).code).toBe("EAS_INVALID_ARGUMENT");
    const error = await failureOf(() => driver.commitSync(steps));
    expect(error).toBeInstanceOf(TypeError);
    expect(driver.getKeysSync()).toEqual([]);
  });
});

describe("a driver of a program", () => {
  it("gets the steps in order: checks, then changes, with texts as they are stored", async () => {
    const given: unknown[] = [];
    const data = new Map<string, any>([["had", '{"json":1}']]);
    const driver: Driver = {
      ...committingDriver(data),
      commit(steps, opts) {
        given.push([steps, opts]);
        return { ok: true };
      },
    };
    const storage = createStorage<any>();
    storage.mount("base", driver);
    const { etag } = await storage.getEntry("base:had");
    const group = storage.atomic().set("base:a/b", [1], { mine: 1 });
    await group.check("base:had", etag).remove("base:gone").check("base:new", null).commit();
    expect(given).toEqual([
      [
        [
          { type: "check", key: "had", value: '{"json":1}' },
          { type: "check", key: "new", value: null },
          { type: "set", key: "a:b", value: '{"json":[1]}', options: { mine: 1 } },
          { type: "remove", key: "gone", options: {} },
        ],
        {},
      ],
    ]);
  });

  it("that reads bytes gets them to compare", async () => {
    const data = new Map<string, any>([["key", Buffer.from([255, 1])]]);
    const checks: unknown[] = [];
    const storage = createStorage<any>({
      driver: {
        ...committingDriver(data),
        commit(steps) {
          checks.push(steps[0]);
          return { ok: true };
        },
      },
    });
    await storage.update("key", () => "new");
    expect(checks).toEqual([{ type: "check", key: "key", value: Buffer.from([255, 1]) }]);
  });

  it("says what conflicts by its keys, and the storage by the full ones", async () => {
    const storage = createStorage<any>();
    storage.mount("base", committingDriver());
    const group = storage.atomic().check("base:a", null).set("base:a", 1);
    expect(await group.commit()).toEqual({ ok: true });
    expect(await storage.atomic().check("base:a", null).commit()).toEqual({
      ok: false,
      conflicts: ["base:a"],
    });
  });

  it("whose commit fails is heard as it is", async () => {
    const own = new Error("own");
    const storage = createStorage<any>({
      driver: {
        ...committingDriver(),
        async commit() {
          throw own;
        },
        commitSync() {
          throw own;
        },
      },
    });
    expect(await failureOf(() => storage.update("key", () => 1))).toBe(own);
    expect(await failureOf(() => storage.updateSync("key", () => 1))).toBe(own);
    expect(await failureOf(() => storage.atomic().set("key", 1).commit())).toBe(own);
  });

  it.each([[undefined], [true], [{}], [{ ok: false }], [{ ok: false, conflicts: "key" }]])(
    "whose commit gives %j has given nothing that counts",
    async (answer: any) => {
      const storage = createStorage<any>({
        driver: { ...committingDriver(), commit: () => answer },
      });
      const error = await failureOf(() => storage.setItem("key", 1, { ifMatch: null }));
      expect(error.code).toBe("EAS_DRIVER_RESULT");
    },
  );

  it("without commitSync has the Promise form alone", async () => {
    const { commitSync: _, ...driver } = committingDriver();
    const storage = createStorage<any>({ driver });
    expect(await storage.update("key", () => 1)).toBe(1);
    const fn = vi.fn(() => 2);
    for (const call of [
      () => storage.updateSync("key", fn),
      () => storage.setItemSync("key", 2, { ifMatch: null }),
      () => storage.atomic().set("key", 2).commitSync(),
    ]) {
      expect(await failureOf(call)).toMatchObject({
        code: "EAS_SYNC_UNSUPPORTED",
        driver: "committing",
      });
    }
    expect(fn).not.toHaveBeenCalled();
    expect(storage.getItemSync("key")).toBe(1);
  });

  it("without commit makes none, whatever its flags say", async () => {
    const fn = vi.fn(() => 1);
    for (const driver of [plainDriver(), promiseDriver()]) {
      const storage = createStorage<any>({ driver: { ...driver, flags: { atomic: true } } });
      for (const call of [
        () => storage.update("key", fn),
        () => storage.setItem("key", 1, { ifMatch: null }),
        () => storage.removeItem("key", { ifMatch: null }),
        () => storage.atomic().set("key", 1).commit(),
      ]) {
        const error = await failureOf(call);
        expect(error).toMatchObject({ code: "EAS_ATOMIC_UNSUPPORTED", driver: driver.name });
        expect(error.message).toContain("`commit`");
      }
      expect(await storage.getKeys()).toEqual([]);
      expect(await storage.getEntry("key")).toEqual({ key: "key", value: null, etag: null });
    }
    expect(fn).not.toHaveBeenCalled();
    const storage = createStorage<any>({
      driver: { ...committingDriver(), flags: { atomic: false } },
    });
    expect(await storage.update("key", () => 1)).toBe(1);
  });
});

describe("a wrapper", () => {
  const SINGLES = ["getItem", "setItem", "removeItem"];

  it.each(SINGLES)("that replaces %s has no commit of the driver inside", async (name) => {
    const inner: any = memoryDriver();
    const driver = { ...inner, [name]: (...args: any[]) => inner[name](...args) };
    const storage = createStorage<any>({ driver });
    expect((await failureOf(() => storage.update("key", () => 1))).code).toBe(
      "EAS_ATOMIC_UNSUPPORTED",
    );
    expect((await failureOf(() => storage.atomic().set("key", 1).commit())).code).toBe(
      "EAS_ATOMIC_UNSUPPORTED",
    );
    expect(storage.updateSync("key", () => 1)).toBe(1);
  });

  it.each(SINGLES)("that replaces %sSync has no commitSync of the driver inside", async (name) => {
    const inner: any = memoryDriver();
    const replaced = { [`${name}Sync`]: (...args: any[]) => inner[`${name}Sync`](...args) };
    const storage = createStorage<any>({ driver: { ...inner, ...replaced } });
    expect((await failureOf(() => storage.updateSync("key", () => 1))).code).toBe(
      "EAS_SYNC_UNSUPPORTED",
    );
    expect(await storage.update("key", () => 1)).toBe(1);
  });

  it("that replaces commit too has its own", async () => {
    const inner = memoryDriver();
    let commits = 0;
    const storage = createStorage<any>({
      driver: {
        ...inner,
        setItem: (key, value, opts) => inner.setItem(key, value, opts),
        commit(steps, opts) {
          commits += 1;
          return inner.commit(steps, opts);
        },
      },
    });
    expect(await storage.update("key", () => 1)).toBe(1);
    expect(commits).toBe(1);
  });

  it("that replaces something else keeps it", async () => {
    for (const driver of [
      { ...memoryDriver(), name: "mine" },
      { ...memoryDriver(), getKeys: async () => ["key"] },
    ]) {
      const storage = createStorage<any>({ driver });
      expect([
        await storage.update("key", () => 1),
        storage.updateSync("key", (n) => n + 1),
      ]).toEqual([1, 2]);
    }
  });
});

describe("a storage that is mounted", () => {
  const shapes: [string, () => { inner: any; driver: any }][] = [
    [
      "itself",
      () => {
        const inner = createStorage<any>();
        return { inner, driver: inner };
      },
    ],
    [
      "as a spread",
      () => {
        const inner = createStorage<any>();
        return { inner, driver: { ...inner, flush: () => inner.flush() } };
      },
    ],
    [
      "as a prefix",
      () => {
        const inner = createStorage<any>();
        return { inner: prefixStorage<any>(inner, "part"), driver: prefixStorage(inner, "part") };
      },
    ],
    [
      "with defaults",
      () => {
        const inner = createStorage<any>({ defaults: { other: 1 } });
        return { inner, driver: inner };
      },
    ],
    [
      "twice",
      () => {
        const inner = createStorage<any>();
        const middle = createStorage<any>();
        middle.mount("inner", inner);
        return { inner, driver: prefixStorage(middle, "inner") };
      },
    ],
  ];

  it.each(shapes)("%s has groups", async (_title, make) => {
    const { inner, driver } = make();
    const storage = createStorage<any>();
    storage.mount("in", driver);
    const add = (value: number | null) => (value ?? 0) + 1;
    expect(await storage.update("in:n", add)).toBe(1);
    expect(storage.updateSync("in:n", add)).toBe(2);
    const { etag } = await storage.getEntry("in:n");
    await storage.setItem("in:n", 5, { ifMatch: etag });
    expect((await failureOf(() => storage.setItemSync("in:n", 6, { ifMatch: etag }))).code).toBe(
      "EAS_CONFLICT",
    );
    const group = storage.atomic().check("in:n", etag).check("in:m", null).set("in:m", 1);
    expect(await group.commit()).toEqual({ ok: false, conflicts: ["in:n"] });
    expect(storage.atomic().set("in:m", 1).remove("in:n").commitSync()).toEqual({ ok: true });
    expect(inner.getKeysSync()).toEqual(["m"]);
    await Promise.all(Array.from({ length: 50 }, () => storage.update("in:n", add)));
    expect(storage.getItemSync("in:n")).toBe(50);
  });

  it("with a stored null has it replaced", async () => {
    const inner = createStorage<any>();
    inner.setItemSync("key", null);
    const storage = createStorage<any>({ driver: inner as Driver });
    expect(await storage.update("key", (value) => [value])).toEqual([null]);
    inner.setItemSync("key", null);
    expect(storage.updateSync("key", (value) => [value])).toEqual([null]);
  });

  it("with bytes has them replaced", async () => {
    const inner = createStorage<any>();
    const storage = createStorage<any>({ driver: inner as Driver });
    inner.setItemRawSync("key", Buffer.from([255, 1]));
    await storage.update("key", () => 1);
    inner.setItemRawSync("key", Buffer.from([255, 1]));
    storage.updateSync("key", (value) => [value && 1]);
    expect(storage.getItemSync("key")).toEqual([1]);
  });

  it("over a driver without groups makes none", async () => {
    const inner = createStorage<any>({ driver: plainDriver() });
    const storage = createStorage<any>({ driver: inner as Driver });
    // The inner storage refuses, once it is asked for the change.
    const fn = vi.fn(() => 1);
    for (const call of [
      () => storage.update("key", fn),
      () => storage.setItem("key", 1, { ifMatch: null }),
      () => storage.removeItem("key", { ifMatch: null }),
      () => storage.atomic().set("key", 1).commit(),
    ]) {
      expect((await failureOf(call)).code).toBe("EAS_ATOMIC_UNSUPPORTED");
    }
    expect(fn).toHaveBeenCalledTimes(1);
    expect(await inner.getKeys()).toEqual([]);
  });

  it("over two mounts inside refuses a group over both", async () => {
    const inner = createStorage<any>();
    inner.mount("part", memoryDriver());
    const storage = createStorage<any>({ driver: inner as Driver });
    const group = storage.atomic().set("part:a", 1).set("b", 1);
    expect((await failureOf(() => group.commit())).code).toBe("EAS_ATOMIC_UNSUPPORTED");
    expect(storage.getKeysSync()).toEqual([]);
  });

  it.each(["getItem", "setItem", "removeItem"])("whose %s is replaced has none", async (name) => {
    const inner: any = createStorage();
    const driver = { ...inner, [name]: (...args: any[]) => inner[name](...args) };
    const storage = createStorage<any>({ driver });
    expect((await failureOf(() => storage.update("key", () => 1))).code).toBe(
      "EAS_ATOMIC_UNSUPPORTED",
    );
  });
});
