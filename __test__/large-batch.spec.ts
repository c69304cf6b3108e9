// Writes of very many items: all of them are taken at the call, as they are then.

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Storage } from "../index.js";
import { folder } from "./helpers/folders.js";
import { fsStorage } from "./helpers/fs/storage.js";
import { callsTo, plainDriver, recorder, syncMethodsDriver } from "./helpers/js-drivers.js";
import { failureOf } from "./helpers/modes.js";
import { builtin, createStorage, memoryDriver, root } from "./helpers/package.js";

const USUAL = 4200;
/** Fewer where a folder of so many files takes too long. */
const COUNT = Number(process.env.EAS_SPEC_ITEMS ?? USUAL);
/** One of those that are slow to take. */
const MIDDLE = COUNT / 2;
const LAST = `item:${COUNT - 1}`;

const valueAt = (n: number) => ({ n, text: `text ${n}` });

function items(value: (n: number) => unknown = valueAt) {
  return Array.from({ length: COUNT }, (_, n) => ({ key: `item:${n}`, value: value(n) }));
}

const sleep = new Int32Array(new SharedArrayBuffer(4));

/** Items some of which take a while to be taken, and how many were. */
function slowItems(onTake: (n: number) => void = () => {}) {
  const slow = items();
  let taken = 0;
  for (let n = 0; n < COUNT; n += 100) {
    Object.defineProperty(slow[n], "value", {
      get() {
        Atomics.wait(sleep, 0, 0, 1);
        taken++;
        onTake(n);
        return valueAt(n);
      },
    });
  }
  return { slow, isTaken: () => taken >= COUNT / 100 };
}

const STORES: Record<string, () => Storage<any>> = {
  memory: () => createStorage<any>(),
  fs: () => fsStorage(folder()),
  "queue over fs": () => {
    const driver = builtin("queue", { driver: builtin("fs", { base: folder() }) });
    const storage = createStorage<any>({ driver });
    onTestFinished(() => storage.dispose());
    return storage;
  },
  "a driver in JavaScript": () => {
    const data = new Map<string, any>();
    return createStorage<any>({ driver: { ...plainDriver(data), ...syncMethodsDriver(data) } });
  },
  "memory in fs": () => fsStorage(folder()).mount("item:1", memoryDriver()),
};

describe.each(Object.keys(STORES))("a write of very many items, %s", (title) => {
  const open = STORES[title] as () => Storage<any>;

  function expectAll(storage: Storage<any>): void {
    const found = storage.getItemsSync(items().map(({ key }) => key));
    expect(found).toEqual(items());
  }

  it("asks for each value before it returns, and for none later", async () => {
    const storage = open();
    let isReturned = false;
    const { slow, isTaken } = slowItems(() => expect(isReturned).toBe(false));
    const done = storage.setItems(slow);
    isReturned = true;
    expect(isTaken()).toBe(true);
    await done;
    expectAll(storage);
  });

  it.each(COUNT === USUAL ? [4096, 4097, 9000] : [COUNT])(
    "stores %i items as they are at the call, whatever is done to them then",
    async (count) => {
      const storage = open();
      const given = Array.from({ length: count - 1 }, (_, n): any => ({
        key: `item:${n}`,
        value: n % 2 === 0 ? valueAt(n) : { at: new Date(n), inner: { list: [n] } },
      }));
      const expected = structuredClone(given);
      const shared = { key: "shared", value: { state: "at the call" } };
      const done = storage.setItems([...given, shared]);
      for (const [n, item] of given.entries()) {
        if (n % 2 === 0) {
          item.value.text = "later";
          item.value.more = true;
        } else {
          item.value.at.setTime(0);
          item.value.inner.list.push("later");
        }
        if (n % 3 === 0) item.value = undefined;
        if (n % 5 === 0) item.key = "renamed";
      }
      shared.value.state = "later";
      given.push({ key: "added", value: 1 });
      given.length = 7;
      await Promise.resolve();
      shared.value = { state: "a turn later" };
      await done;
      const found = await storage.getItems(expected.map(({ key }) => key));
      const isOther = (_: unknown, n: number) => !isDeepStrictEqual(found[n], expected[n]);
      expect(found.filter(isOther).slice(0, 3)).toEqual([]);
      expect(await storage.getItem("shared")).toEqual({ state: "at the call" });
      expect(await storage.getKeys()).toHaveLength(count);
    },
  );

  it("takes its options at the call", async () => {
    const storage = open();
    const common = { ttl: 600_000 };
    const own = items().map((item) => ({ ...item, options: { ttl: 600_000 } }));
    const done = storage.setItems(own, common);
    common.ttl = 1;
    for (const item of own) item.options = { ttl: 1 };
    await done;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expectAll(storage);
  });

  it("keeps its place in the order of the writes of a key", async () => {
    const storage = open();
    storage.setItemSync("item:1", "before");
    const early = COUNT - 100;
    storage.setItemSync(`item:${early}`, "before");
    const { slow } = slowItems();
    const done = storage.setItems(slow);
    const after = [
      storage.setItem(LAST, { after: true }),
      storage.removeItem(`item:${COUNT - 2}`),
      storage.setItem(`item:${COUNT - 3}`, [1, { two: 2 }]),
    ];
    await Promise.all([done, ...after]);
    const keys = ["item:1", `item:${early}`, LAST, `item:${COUNT - 2}`, `item:${COUNT - 3}`];
    const found = await storage.getItems(keys);
    expect(found.map(({ value }) => value)).toEqual([
      valueAt(1),
      valueAt(early),
      { after: true },
      null,
      [1, { two: 2 }],
    ]);
  });

  it("comes before another one that is asked for next", async () => {
    const storage = open();
    const { slow } = slowItems();
    await Promise.all([storage.setItems(slow), storage.setItems(items((n) => -n))]);
    const found = await storage.getItems(items().map(({ key }) => key));
    expect(found).toEqual(items((n) => -n));
  });

  it("stores nothing when a value cannot be stored", async () => {
    const storage = open();
    const { slow } = slowItems();
    const bad = slow.concat([{ key: "bad", value: () => {} }]);
    expect(await failureOf(() => storage.setItems(bad))).toMatchObject({
      code: "EAS_INVALID_VALUE",
    });
    expect(await storage.getKeys()).toEqual([]);
    await storage.setItem("next", { value: 1 });
    expect(storage.getItemSync("next")).toEqual({ value: 1 });
  });

  it("stores nothing when a key cannot be", async () => {
    const storage = open();
    const bad = [...items(), { key: "::", value: 1 }];
    expect(await failureOf(() => storage.setItems(bad))).toMatchObject({ code: "EAS_INVALID_KEY" });
    expect(await storage.getKeys()).toEqual([]);
  });

  it("removes what is undefined", async () => {
    const storage = open();
    await storage.setItems(items());
    await storage.setItems(items((n) => (n % 2 === 0 ? undefined : n)));
    expect(await storage.getKeys()).toHaveLength(COUNT / 2);
    expect(await storage.getItem(`item:${COUNT - 99}`)).toBe(COUNT - 99);
  });
});

describe("a write of very many items", () => {
  it.each<[string, (storage: Storage<any>) => unknown]>([
    ["a read", (storage) => storage.getItemSync(LAST)],
    ["a Promise of a read", (storage) => storage.getItem(LAST)],
    ["a read of many", (storage) => storage.getItemsSync([LAST, "item:0"])],
    ["a listing", (storage) => storage.getKeysSync()],
    ["a write", (storage) => storage.setItemSync("other", { other: [1, "two"] })],
    ["a Promise of a write", (storage) => storage.setItem("other", { other: [1, "two"] })],
    ["another batch", (storage) => storage.setItemsSync([{ key: "other", value: { other: 1 } }])],
    ["metadata", (storage) => storage.setMetaSync("other", { other: 1 })],
    ["a flush", (storage) => storage.flushSync()],
  ])("is stored before %s that comes next", async (_, next) => {
    const storage = createStorage<any>();
    const { slow, isTaken } = slowItems();
    const done = storage.setItems(slow);
    expect(isTaken()).toBe(true);
    await next(storage);
    expect(storage.getItemsSync(items().map(({ key }) => key))).toEqual(items());
    await done;
    expect(storage.getItemsSync(items().map(({ key }) => key))).toEqual(items());
  });

  it.each<[string, (storage: Storage<any>, value: unknown) => unknown]>([
    ["setItem", (storage, value) => storage.setItem("one", value)],
    ["setItemSync", (storage, value) => storage.setItemSync("one", value)],
  ])("that a value of %s begins leaves that value as it is", async (_, set) => {
    const storage = createStorage<any>();
    let stored: Promise<void> | undefined;
    const value = {
      first: "the text of this value",
      get begins() {
        stored ??= storage.setItems(slowItems().slow);
        return true;
      },
      last: [1, 2, { three: 3 }],
    };
    await set(storage, value);
    expect(storage.getItemSync("one")).toEqual({ ...value });
    await stored;
    expect(storage.getItemsSync(items().map(({ key }) => key))).toEqual(items());
  });

  it("that a value of another begins is stored whole, as is the other", async () => {
    const [one, other] = [createStorage<any>(), createStorage<any>()];
    const { slow } = slowItems((n) => {
      if (n === MIDDLE) inner = other.setItems(slowItems().slow);
    });
    let inner: Promise<void> | undefined;
    await one.setItems(slow);
    await inner;
    for (const storage of [one, other]) {
      expect(storage.getItemsSync(items().map(({ key }) => key))).toEqual(items());
    }
  });

  it("is seen whole by a listener, which may overwrite any of it", async () => {
    const storage = createStorage<any>();
    const seen: unknown[] = [];
    await storage.watch(() => {
      if (seen.length > 0) return;
      seen.push(storage.getKeysSync().length, storage.getItemSync(LAST));
      storage.setItemSync(LAST, "by the listener");
    });
    await storage.setItems(items());
    expect(storage.getItemSync(LAST)).toBe("by the listener");
    const small = createStorage<any>();
    const before: unknown[] = [];
    await small.watch(() => {
      if (before.length === 0) before.push(small.getKeysSync().length, small.getItemSync(LAST));
    });
    await small.setItems(items().slice(200 - COUNT));
    expect(seen[1]).toEqual(before[1]);
  });

  it("is one call of a driver that one of its values mounts", async () => {
    const { driver, calls } = recorder({ ...plainDriver(), setItems: () => {} });
    const storage = createStorage<any>();
    const { slow } = slowItems((n) => {
      if (n === MIDDLE) storage.mount("item", driver);
    });
    await storage.setItems(slow);
    const made = callsTo(calls, "setItems");
    expect(made).toHaveLength(1);
    expect(made[0]?.args[0]).toHaveLength(COUNT);
  });

  it("is one call of a driver in JavaScript", async () => {
    const { driver, calls } = recorder({ ...plainDriver(), setItems: () => {} });
    await createStorage<any>({ driver }).setItems(items());
    const made = callsTo(calls, "setItems");
    expect(made).toHaveLength(1);
    expect(made[0]?.args[0]).toHaveLength(COUNT);
  });

  it("does not wait for timers that a test replaced", async () => {
    vi.useFakeTimers({ toFake: ["setImmediate", "setTimeout"] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const storage = createStorage<any>();
    await storage.setItems(slowItems().slow);
    expect(await storage.getItems(items().map(({ key }) => key))).toEqual(items());
  });

  it("emits one event for each key", async () => {
    const storage = createStorage<any>();
    const keys: string[] = [];
    await storage.watch((_, key) => keys.push(key));
    await storage.setItems(items());
    expect(keys).toEqual(items().map(({ key }) => key));
  });

  it("fails with what its first write fails with", async () => {
    const base = join(folder(), "file");
    writeFileSync(base, "no folder");
    const storage = fsStorage(base);
    expect(await failureOf(() => storage.setItems(items()))).toMatchObject({ driver: "fs" });
  });

  it("refuses a key that a driver cannot keep before it writes one", async () => {
    const storage = fsStorage(folder());
    const bad = [...items(), { key: "a:..:b", value: 1 }];
    expect(await failureOf(() => storage.setItems(bad))).toMatchObject({
      code: "EAS_INVALID_KEY",
      key: "a:..:b",
      operation: "setItems",
    });
    expect(await storage.getKeys()).toEqual([]);
  });

  it.each([
    ["process.exit() next", "store(); process.exit(3);", 3],
    ["an error that nobody catches", 'store(); throw new Error("expected");', 1],
    ["a normal end", "store();", 0],
    ["an exit listener", 'process.on("exit", store);', 0],
  ])("is stored at %s", async (_, end, code) => {
    const base = folder();
    const script = `
      const { createStorage } = require(${JSON.stringify(join(root, "index.js"))});
      const fs = require(${JSON.stringify(join(root, "drivers/fs.js"))});
      const storage = createStorage({ driver: fs({ base: ${JSON.stringify(base)} }) });
      const text = "long ".repeat(1000);
      const store = () => {
        storage.setItems(Array.from({ length: ${COUNT} }, (_, n) => ({
          key: "item:" + n,
          value: { n, text },
        })));
      };
      ${end}
    `;
    const { status, stderr } = spawnSync(process.execPath, ["-e", script], { encoding: "utf8" });
    expect(status, stderr).toBe(code);
    expect(await fsStorage(base).getKeys()).toHaveLength(COUNT);
  });
});
