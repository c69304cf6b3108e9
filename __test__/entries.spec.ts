// The items under a base, one after the other.

import { describe, expect, it } from "vitest";
import { z } from "zod";
import { failureOf } from "./helpers/modes.js";
import { builtin, createStorage, prefixStorage } from "./helpers/package.js";
import { waitFor } from "./helpers/waiting.js";

async function listed(entries: AsyncIterable<[string, unknown]>) {
  const list: [string, unknown][] = [];
  for await (const entry of entries) list.push(entry);
  return list.sort();
}

/** What both forms give; they are to give the same. */
async function both(storage: any, base?: string) {
  const list = await listed(storage.entries(base));
  expect([...storage.entriesSync(base)].sort()).toEqual(list);
  expect((await storage.entries(base)).sort()).toEqual(list);
  return list;
}

it("all items come with their values, of all mounts", async () => {
  const storage = createStorage<any>();
  storage.mount("in", builtin("memory"));
  await storage.setItem("a", { at: new Date(1) });
  await storage.setItem("a:b", null);
  await storage.setItem("in:c", [1]);
  await storage.setMeta("a", { x: 1 });
  expect(await both(storage)).toEqual([
    ["a", { at: new Date(1) }],
    ["a:b", null],
    ["in:c", [1]],
  ]);
  expect(await both(storage, "in")).toEqual([["in:c", [1]]]);
  expect(await both(storage, "none")).toEqual([]);
});

it("a prefix gives its own keys", async () => {
  const storage = createStorage<any>();
  await storage.setItems([
    { key: "p:a", value: 1 },
    { key: "p:b:c", value: 2 },
    { key: "q", value: 3 },
  ]);
  const prefixed = prefixStorage(storage, "p");
  expect(await both(prefixed)).toEqual([
    ["a", 1],
    ["b:c", 2],
  ]);
  expect(await both(prefixed, "b")).toEqual([["b:c", 2]]);
});

it("schemas have their say, defaults are not among them", async () => {
  const driver = builtin("memory");
  const storage = createStorage<any>({
    driver,
    defaults: { none: 1, b: 7 },
    schemas: { "*": z.number().transform((n) => n + 1) },
    onInvalid: "default",
  });
  await storage.setItem("a", 1);
  await driver.setItem("b", '{"json":"old form"}');
  expect(await both(storage)).toEqual([
    ["a", 2],
    ["b", 7],
  ]);
});

it("many items come whole, and the event loop turns in between", async () => {
  const storage = createStorage<any>();
  const count = 20_000;
  await storage.setItems(
    Array.from({ length: count }, (_, index) => ({ key: `k${index}`, value: { index } })),
  );
  let turns = 0;
  let isOver = false;
  const turn = () => {
    turns += 1;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  const list = await listed(storage.entries());
  isOver = true;
  expect(new Set(list.map(([key]) => key)).size).toBe(count);
  expect(turns).toBeGreaterThan(1);
  expect([...storage.entriesSync()]).toHaveLength(count);
});

it("the keys are those of the call, and what goes meanwhile is left out", async () => {
  const storage = createStorage<any>();
  await storage.setItem("a", 1);
  await storage.setItem("b", 2);
  const entries = storage.entries();
  const sync = storage.entriesSync();
  await storage.removeItem("a");
  await storage.setItem("c", 3);
  expect(await listed(entries)).toEqual([["b", 2]]);
  expect([...sync]).toEqual([["b", 2]]);
});

it("a loop that is left ends them", async () => {
  const storage = createStorage<any>();
  await storage.setItem("a", 1);
  await storage.setItem("b", 2);
  const entries = storage.entries();
  for await (const _ of entries) break;
  expect(await entries.next()).toEqual({ done: true, value: undefined });
  const sync = storage.entriesSync();
  for (const _ of sync) break;
  expect(sync.next()).toEqual({ done: true, value: undefined });
});

it("their methods are their own, for contextBridge", () => {
  const storage = createStorage<any>();
  const { entries, entriesSync } = storage;
  expect(Object.keys(entries())).toEqual(expect.arrayContaining(["next", "return", "then"]));
  expect(Object.keys(entriesSync())).toEqual(["next", "return"]);
});

it("what a page gets through contextBridge iterates and waits", async () => {
  // As Electron does: own enumerable functions become proxies of plain objects.
  const bridged = (value: any): any => {
    if (typeof value === "function") return (...args: any[]) => bridged(value(...args));
    if (value instanceof Promise) return value.then(bridged);
    if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, bridged(item)]));
  };
  const storage = createStorage<any>({ defaults: { b: 2 } });
  const page = bridged(storage);
  const seen: unknown[] = [];
  const stop = await page.watchItem("b", (...report: unknown[]) => void seen.push(report));
  await page.setItem("a", 1);
  expect(await page.entries().next()).toEqual({ done: false, value: ["a", 1] });
  expect(page.entriesSync().next()).toEqual({ done: false, value: ["a", 1] });
  expect(await page.getOrSet("b", () => 3)).toBe(3);
  expect(page.getItemSync("b")).toBe(3);
  await waitFor(() => expect(seen).toEqual([[3, 2]]));
  await stop();
});

describe("an error", () => {
  const failing = () => {
    const driver = builtin("memory");
    const failed = new Error("no list");
    const getKeys = () => Promise.reject(failed);
    const getKeysSync = () => {
      throw failed;
    };
    return { storage: createStorage<any>({ driver: { ...driver, getKeys, getKeysSync } }), failed };
  };

  it("of the listing comes with the first step, and is not unhandled without one", async () => {
    const { storage, failed } = failing();
    storage.entries();
    await new Promise((resolve) => setImmediate(resolve));
    expect(await failureOf(storage.entries().next())).toBe(failed);
    expect(await failureOf(async () => await storage.entries())).toBe(failed);
  });

  it("of the listing is thrown by the Sync form", async () => {
    const { storage, failed } = failing();
    expect(await failureOf(() => storage.entriesSync())).toBe(failed);
  });
});
