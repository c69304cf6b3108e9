// The queue driver over memory, files and drivers of users.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Driver, Storage } from "../index.js";
import { folder } from "./helpers/folders.js";
import { plainDriver } from "./helpers/js-drivers.js";
import { builtin, createStorage, memoryDriver, root } from "./helpers/package.js";

const NEVER_MS = 1_000_000;

function queueOver(driver: Driver, options: object = {}) {
  const queue = builtin("queue", { driver, flushInterval: NEVER_MS, ...options });
  return {
    queue,
    storage: createStorage<any>({ driver: queue }),
    state: queue.getInstance?.() as any,
  };
}

/** A driver whose writes wait until they are let through. */
function gatedDriver(data = new Map<string, any>()) {
  const gates: (() => void)[] = [];
  const gate = () => new Promise<void>((resolve) => gates.push(resolve));
  const driver: Driver = {
    ...plainDriver(data),
    setItems: undefined,
    async setItem(key, value) {
      await gate();
      data.set(key, value);
    },
    async removeItem(key) {
      await gate();
      data.delete(key);
    },
    setItemSync(key: string, value: any) {
      data.set(key, value);
    },
  } as Driver;
  const open = async () => {
    while (gates.length > 0) {
      for (const letThrough of gates.splice(0)) letThrough();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { driver, data, open, waiting: () => gates.length };
}

/** A queue whose write of `a` the driver has not finished. */
async function writeUnderWay() {
  const gated = gatedDriver();
  const { storage } = queueOver(gated.driver);
  await storage.setItem("a", 1);
  return { gated, storage, flushed: storage.flush() };
}

/** Flushes what is left to a driver whose writes wait. */
async function flushThrough(storage: Storage<any>, gated: ReturnType<typeof gatedDriver>) {
  const flushed = storage.flush();
  await gated.open();
  await flushed;
}

const inners: [string, () => Driver][] = [
  ["memory", memoryDriver],
  ["fs", () => builtin("fs", { base: folder() })],
  ["a driver that gives values", () => plainDriver()],
];

describe.each(inners)("a queue over %s", (_, open) => {
  it("reads what waits as it was given", async () => {
    const { storage, state } = queueOver(open());
    const values = { empty: "", zero: 0, no: false, nothing: null, list: [1, { a: "б" }] };
    for (const [key, value] of Object.entries(values)) await storage.setItem(key, value);
    expect(state.queue.size).toBe(5);
    for (const [key, value] of Object.entries(values)) {
      expect(await storage.getItem(key)).toEqual(value);
      expect(storage.getItemSync(key)).toEqual(value);
      expect(await storage.hasItem(key)).toBe(true);
    }
    expect((await storage.getKeys()).sort()).toEqual(Object.keys(values).sort());
    await storage.flush();
    expect(state.queue.size).toBe(0);
    for (const [key, value] of Object.entries(values)) {
      expect(await storage.getItem(key)).toEqual(value);
    }
  });

  it("hides what is to be removed and merges listings without duplicates", async () => {
    const { storage } = queueOver(open());
    await storage.setItem("kept", 1);
    await storage.setItem("gone", 1);
    await storage.setItem("deep:er:key", 1);
    await storage.flush();
    await storage.setItem("kept", 2);
    await storage.removeItem("gone");
    await storage.setItem("deep:new", 1);
    expect(await storage.hasItem("gone")).toBe(false);
    expect(await storage.getItem("gone")).toBe(null);
    expect((await storage.getKeys()).sort()).toEqual(["deep:er:key", "deep:new", "kept"]);
    expect((await storage.getKeys("", { maxDepth: 1 })).sort()).toEqual(["deep:new", "kept"]);
    expect(await storage.getItems(["kept", "gone", "deep:er:key"])).toEqual([
      { key: "kept", value: 2 },
      { key: "gone", value: null },
      { key: "deep:er:key", value: 1 },
    ]);
  });

  it("keeps raw values, and the order across the kinds of writes", async () => {
    const inner = open();
    const { storage } = queueOver(inner);
    await storage.setItem("key", "text");
    await storage.setItemRaw("key", Buffer.from("raw"));
    expect(Buffer.from((await storage.getItemRaw("key")) as any).toString()).toBe("raw");
    await storage.removeItem("key");
    await storage.setItem("key", "last");
    await storage.setItem("other", 1);
    await storage.removeItem("other");
    await storage.flush();
    const direct = createStorage<any>({ driver: inner });
    expect(await direct.getItem("key")).toBe("last");
    expect(await direct.hasItem("other")).toBe(false);
  });

  it("clears what waits and what is there, under the base alone", async () => {
    const inner = open();
    const { storage } = queueOver(inner);
    await storage.setItems([
      { key: "a:1", value: 1 },
      { key: "b:1", value: 1 },
    ]);
    await storage.flush();
    await storage.setItem("a:2", 1);
    await storage.setItem("b:2", 1);
    await storage.clear("a");
    expect((await storage.getKeys()).sort()).toEqual(["b:1", "b:2"]);
    await storage.setItem("a:3", 1);
    await storage.flush();
    const direct = createStorage<any>({ driver: inner });
    expect((await direct.getKeys()).sort()).toEqual(["a:3", "b:1", "b:2"]);
  });

  it("loses nothing of many writes that nobody awaits", async () => {
    const inner = open();
    const { storage, queue } = queueOver(inner, { batchSize: 7, maxQueueSize: 20 });
    const writes = Array.from({ length: 300 }, (_, n) => storage.setItem(`key${n % 90}`, n));
    expect(await storage.getItem("key29")).toBe(299);
    await Promise.all(writes);
    await storage.flush();
    const direct = createStorage<any>({ driver: inner });
    for (let n = 210; n < 300; n++) expect(await direct.getItem(`key${n % 90}`)).toBe(n);
    await queue.dispose?.();
  });
});

describe("the state of a queue", () => {
  it("is live, and its queue reads like a Map", async () => {
    const { queue, storage, state } = queueOver(memoryDriver());
    expect(state.queue.size).toBe(0);
    expect([state.flushing, state.disposed, state.flushTimer]).toEqual([false, false, undefined]);
    const before = Date.now();
    await storage.setItem("a", 1, { ttl: 60_000 });
    await storage.setItemRaw("b", "raw");
    await storage.removeItem("c");
    expect([...state.queue.keys()]).toEqual(["a", "b", "c"]);
    const operation = state.queue.get("a");
    expect(operation).toMatchObject({ type: "set", key: "a", options: { ttl: 60_000 } });
    expect(JSON.parse(operation.value)).toEqual({ json: 1 });
    expect(operation.timestamp).toBeGreaterThanOrEqual(before);
    expect(state.queue.get("b")).toMatchObject({ type: "set", value: "raw", isRaw: true });
    expect(state.queue.get("c").type).toBe("remove");
    expect(state.queue.has("d")).toBe(false);
    expect(state.queue.get("d")).toBe(undefined);
    const seen: string[] = [];
    state.queue.forEach((_: unknown, key: string) => {
      seen.push(key);
    });
    expect(seen).toEqual(["a", "b", "c"]);
    await storage.flush();
    expect(state.queue.size).toBe(0);
    await queue.dispose?.();
    expect(state.disposed).toBe(true);
  });

  it("tells that a batch is on its way, which reads still see", async () => {
    const gated = gatedDriver();
    const { storage, state } = queueOver(gated.driver);
    await storage.setItem("a", 1);
    const flushed = storage.flush();
    expect(state.flushing).toBe(true);
    expect(await storage.getItem("a")).toBe(1);
    expect(gated.data.size).toBe(0);
    await gated.open();
    await flushed;
    expect(state.flushing).toBe(false);
    expect(gated.data.size).toBe(1);
  });
});

describe("writes", () => {
  it("past maxQueueSize wait for room, and are seen at once", async () => {
    const gated = gatedDriver();
    const { storage, state } = queueOver(gated.driver, { batchSize: 2, maxQueueSize: 2 });
    await storage.setItem("a", 1);
    await storage.setItem("b", 1);
    let isWritten = false;
    const third = storage.setItem("c", 1).then(() => {
      isWritten = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isWritten).toBe(false);
    expect(state.queue.size).toBe(2);
    expect(await storage.getItem("c")).toBe(1);
    await gated.open();
    await third;
    await flushThrough(storage, gated);
    expect([...gated.data.keys()].sort()).toEqual(["a", "b", "c"]);
  });

  it("of the Sync kind are in the driver when they return, after what waited", async () => {
    const base = folder();
    const { storage } = queueOver(builtin("fs", { base }));
    await storage.setItem("a", 1);
    storage.setItemSync("a", 2);
    expect(JSON.parse(readFileSync(join(base, "a"), "utf8"))).toEqual({ json: 2 });
    await storage.flush();
    expect(JSON.parse(readFileSync(join(base, "a"), "utf8"))).toEqual({ json: 2 });
    await storage.setItem("a", 3);
    storage.flushSync();
    expect(JSON.parse(readFileSync(join(base, "a"), "utf8"))).toEqual({ json: 3 });
    storage.removeItemSync("a");
    expect(existsSync(join(base, "a"))).toBe(false);
  });

  it("of the Sync kind follow a write of their key that a driver has not finished", async () => {
    const { gated, storage, flushed } = await writeUnderWay();
    storage.setItemSync("a", 2);
    expect(await storage.getItem("a")).toBe(2);
    storage.setItemSync("b", 1);
    expect(gated.data.has("b")).toBe(true);
    await gated.open();
    await flushed;
    await flushThrough(storage, gated);
    expect(JSON.parse(gated.data.get("a"))).toEqual({ json: 2 });
  });

  it("are all in the driver after flushSync, also those that it has not finished", async () => {
    const { gated, storage, flushed } = await writeUnderWay();
    await storage.setItem("b", 1);
    expect(gated.waiting()).toBe(1);
    storage.flushSync();
    expect([...gated.data.keys()].sort()).toEqual(["a", "b"]);
    await gated.open();
    await flushed;
    expect(JSON.parse(gated.data.get("a"))).toEqual({ json: 1 });
  });

  it("make flushSync an error where they wait for one that the driver has not finished", async () => {
    const { gated, storage, flushed } = await writeUnderWay();
    await storage.setItem("a", 2);
    expect(() => storage.flushSync()).toThrow(
      expect.objectContaining({ code: "EAS_SYNC_UNSUPPORTED", operation: "flushSync" }),
    );
    await gated.open();
    await flushed;
    await flushThrough(storage, gated);
    expect(JSON.parse(gated.data.get("a"))).toEqual({ json: 2 });
  });

  it("without merging are all made, in order", async () => {
    const seen: string[] = [];
    const driver = { ...plainDriver(), setItems: undefined } as Driver;
    driver.setItem = async (key, value) => {
      await null;
      seen.push(`${key}=${JSON.parse(value).json}`);
    };
    const { storage } = queueOver(driver, { mergeUpdates: false });
    for (const value of [1, 2, 3]) await storage.setItem("a", value);
    await storage.flush();
    expect(seen).toEqual(["a=1", "a=2", "a=3"]);
  });

  it("go to setItems in batches of at most batchSize", async () => {
    const sizes: number[] = [];
    const plain = plainDriver();
    const driver = { ...plain };
    driver.setItems = (items, options) => {
      sizes.push(items.length);
      return plain.setItems?.(items, options);
    };
    const { storage } = queueOver(driver, { batchSize: 4, maxQueueSize: 100 });
    await storage.setItems(Array.from({ length: 10 }, (_, n) => ({ key: `k${n}`, value: n })));
    await storage.flush();
    expect(sizes).toEqual([4, 4, 2]);
  });

  it("to a driver that only reads do nothing", async () => {
    const driver: Driver = { hasItem: () => false, getItem: () => null, getKeys: () => [] };
    const { storage, state } = queueOver(driver);
    await storage.setItem("a", 1);
    await storage.removeItem("a");
    await storage.clear();
    expect(state.queue.size).toBe(0);
    expect(await storage.getItem("a")).toBe(null);
    expect(() => storage.setItemSync("a", 1)).toThrow(/"custom" has no method `setItemSync`/);
  });

  it("after dispose are errors", async () => {
    const { queue, storage } = queueOver(memoryDriver());
    await queue.dispose?.();
    await expect(storage.setItem("a", 1)).rejects.toMatchObject({
      code: "EAS_DISPOSED",
      driver: "queue",
    });
    expect(() => storage.setItemSync("a", 1)).toThrow(/queue is disposed/);
  });
});

describe("a driver that fails", () => {
  it("makes flush reject with what it threw, and gets the same writes again", async () => {
    const data = new Map<string, any>();
    const thrown = { what: "the network is down" };
    let isDown = true;
    const driver = { ...plainDriver(data), setItems: undefined } as Driver;
    driver.setItem = async (key, value) => {
      if (isDown) throw thrown;
      data.set(key, value);
    };
    const { storage, state } = queueOver(driver);
    await storage.setItem("a", 1);
    await storage.setItem("b", 2);
    await expect(storage.flush()).rejects.toBe(thrown);
    expect(state.queue.size).toBe(2);
    await storage.setItem("a", 3);
    isDown = false;
    await storage.flush();
    expect(JSON.parse(data.get("a"))).toEqual({ json: 3 });
    expect(JSON.parse(data.get("b"))).toEqual({ json: 2 });
  });

  it("in the background is told by one warning", async () => {
    const driver = { ...plainDriver(), setItems: undefined } as Driver;
    let attempts = 0;
    let finish: () => void;
    const twice = new Promise<void>((resolve) => {
      finish = resolve;
    });
    driver.setItem = () => {
      attempts += 1;
      if (attempts < 3) throw new Error("full");
      finish();
    };
    const warnings: any[] = [];
    const note = (warning: any) => warnings.push(warning);
    process.on("warning", note);
    const { storage } = queueOver(driver, { batchSize: 1 });
    await storage.setItem("a", 1);
    await twice;
    await storage.flush();
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", note);
    expect(warnings.filter(({ code }) => code === "EAS_QUEUE_FLUSH")).toHaveLength(1);
  });
});

describe("options", () => {
  it.each([
    ["batchSize", 0],
    ["batchSize", -1],
    ["batchSize", 1.5],
    ["batchSize", Number.NaN],
    ["flushInterval", -1],
    ["flushInterval", Number.NaN],
    ["flushInterval", "soon"],
    ["maxQueueSize", 0],
    ["maxQueueSize", Number.POSITIVE_INFINITY],
    ["mergeUpdates", 1],
  ])("refuse %s: %s", (name, value) => {
    const make = () => builtin("queue", { driver: memoryDriver(), [name]: value });
    expect(make).toThrow(expect.objectContaining({ code: "EAS_INVALID_OPTION", driver: "queue" }));
    expect(make).toThrow(name);
  });

  it("need a driver that is one", () => {
    expect(() => builtin("queue", {})).toThrow(
      expect.objectContaining({ code: "EAS_REQUIRED_OPTION" }),
    );
    expect(() => builtin("queue")).toThrow(/Missing required option `driver`/);
    for (const driver of [1, "fs", {}, () => null]) {
      expect(() => builtin("queue", { driver })).toThrow(
        expect.objectContaining({ code: "EAS_INVALID_OPTION" }),
      );
    }
  });
});

it.runIf(process.platform !== "win32")(
  "a Sync write behind a clear is made, whatever fails beside it",
  async () => {
    const base = folder();
    symlinkSync("bad", join(base, "bad"));
    const { storage } = queueOver(builtin("fs", { base }));
    for (let round = 0; round < 30; round++) {
      const unawaited = Promise.allSettled([
        storage.clear("a"),
        storage.setItem("bad", round),
        storage.flush(),
      ]);
      storage.setItemSync("a:b", round);
      expect(readFileSync(join(base, "a", "b"), "utf8")).toBe(`{"json":${round}}`);
      const flushed = (await unawaited)[2];
      expect(flushed).toMatchObject({ status: "rejected", reason: { code: "ELOOP" } });
      expect(storage.getItemSync("a:b")).toBe(round);
    }
  },
);

describe("a queue over files", () => {
  it("writes while the thread that filled it is busy", async () => {
    const base = folder();
    // The child writes, then spins until this process has seen the file and says so with another.
    const script = `
      const { createStorage } = require(${JSON.stringify(join(root, "index.js"))});
      const queue = require(${JSON.stringify(join(root, "drivers/queue.js"))});
      const fs = require(${JSON.stringify(join(root, "drivers/fs.js"))});
      const { existsSync } = require("node:fs");
      const storage = createStorage({
        driver: queue({ driver: fs({ base: ${JSON.stringify(join(base, "data"))} }), flushInterval: 20 }),
      });
      storage.setItem("a", "written");
      while (!existsSync(${JSON.stringify(join(base, "seen"))}));
    `;
    const child = spawn(process.execPath, ["-e", script], { stdio: "inherit" });
    while (!existsSync(join(base, "data", "a"))) {
      expect(child.exitCode).toBe(null);
      await sleep(5);
    }
    writeFileSync(join(base, "seen"), "");
    await once(child, "exit");
    expect(JSON.parse(readFileSync(join(base, "data", "a"), "utf8"))).toEqual({ json: "written" });
  });
});
