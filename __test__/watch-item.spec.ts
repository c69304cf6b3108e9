// The changes of one item's value.

import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { folder } from "./helpers/folders.js";
import { failureOf } from "./helpers/modes.js";
import { builtin, createStorage, prefixStorage } from "./helpers/package.js";
import { waitFor } from "./helpers/waiting.js";

const storages: any[] = [];
const made = (options: any = {}) => {
  const storage = createStorage<any>(options);
  storages.push(storage);
  return storage;
};
afterEach(async () => {
  await Promise.all(storages.splice(0).map((storage) => storage.dispose()));
});

/** Watches a key, and gives what it reported. */
async function watched(storage: any, key: string) {
  const reports: unknown[] = [];
  const stop = await storage.watchItem(key, (value: unknown, previous: unknown) => {
    reports.push([value, previous]);
  });
  return { reports, stop };
}
const settled = () => new Promise((resolve) => setTimeout(resolve, 20));
const becomes = (reports: unknown[], expected: unknown[]) =>
  waitFor(() => expect(reports).toEqual(expected));

it("a change is reported with the value before, the value of now is not", async () => {
  const storage = made();
  await storage.setItem("a", { n: 1 });
  const { reports } = await watched(storage, "a");
  await settled();
  expect(reports).toEqual([]);
  await storage.setItem("a", { n: 2 });
  await storage.removeItem("a");
  await becomes(reports, [
    [{ n: 2 }, { n: 1 }],
    [null, { n: 2 }],
  ]);
});

it("an equal value, another key and metadata are no change", async () => {
  const storage = made();
  await storage.setItem("a", { at: new Date(1), list: [1] });
  const { reports } = await watched(storage, "/a");
  await storage.setItem("a", { at: new Date(1), list: [1] });
  await storage.setItem("a:b", 1);
  await storage.setItem("b", 1);
  await storage.setMeta("a", { x: 1 });
  await settled();
  expect(reports).toEqual([]);
  await storage.setItem("a", { at: new Date(2), list: [1] });
  await becomes(reports, [
    [
      { at: new Date(2), list: [1] },
      { at: new Date(1), list: [1] },
    ],
  ]);
});

it("a write that is made before the watch is there is a change", async () => {
  const storage = made();
  const reports: unknown[] = [];
  const watching = storage.watchItem("a", (...report: unknown[]) => reports.push(report));
  storage.setItemSync("a", 1);
  await watching;
  await becomes(reports, [[1, null]]);
});

it("what a listener does to a value does not show in the next report", async () => {
  const storage = made();
  const previous: unknown[] = [];
  await storage.watchItem("a", (value: any, before: any) => {
    previous.push(before);
    value.n += 100;
  });
  await storage.setItem("a", { n: 1 });
  await storage.setItem("a", { n: 2 });
  await becomes(previous, [null, { n: 1 }]);
});

it("defaults and the output of schemas are the values", async () => {
  const storage = made({
    defaults: { theme: "dark" },
    schemas: { n: z.number().transform((n) => n * 10) },
  });
  const theme = await watched(storage, "theme");
  const n = await watched(storage, "n");
  await storage.setItem("theme", "dark");
  await storage.setItem("theme", "light");
  await storage.clear();
  await storage.setItem("n", 1);
  await becomes(theme.reports, [
    ["light", "dark"],
    ["dark", "light"],
  ]);
  await becomes(n.reports, [[10, null]]);
});

it("it ends with its own function, with unwatch and with dispose", async () => {
  const storage = made();
  const first = await watched(storage, "a");
  const second = await watched(storage, "a");
  await first.stop();
  await storage.setItem("a", 1);
  await becomes(second.reports, [[1, null]]);
  await storage.unwatch();
  await storage.setItem("a", 2);
  await settled();
  expect(first.reports).toEqual([]);
  expect(second.reports).toEqual([[1, null]]);
  await first.stop();
});

it("a prefix, a mount and a spread report it", async () => {
  const storage = made();
  storage.mount("in", builtin("memory"));
  const { watchItem } = { ...prefixStorage(storage, "in") };
  const reports: unknown[] = [];
  await watchItem("x:y", (...report: unknown[]) => reports.push(report));
  await storage.setItem("in:x:y", 1);
  await becomes(reports, [[1, null]]);
});

it("changes of another storage of the same folder are reported", async () => {
  const base = folder();
  const storage = made({ driver: builtin("fs", { base }) });
  const other = made({ driver: builtin("fs", { base }) });
  const { reports } = await watched(storage, "a");
  await other.setItem("a", 1);
  await becomes(reports, [[1, null]]);
});

it("an error of a listener is uncaught, and stops no other", async () => {
  const storage = made();
  const errors: unknown[] = [];
  const others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (error) => errors.push(error));
  try {
    const failed = new Error("in the listener");
    await storage.watchItem("a", () => {
      throw failed;
    });
    const { reports } = await watched(storage, "a");
    await storage.setItem("a", 1);
    await becomes(reports, [[1, null]]);
    await waitFor(() => expect(errors).toEqual([failed]));
  } finally {
    process.removeAllListeners("uncaughtException");
    for (const other of others) process.on("uncaughtException", other);
  }
});

it("a value that cannot be read is a process warning, and the next one is reported", async () => {
  const driver = builtin("memory");
  const storage = made({ driver, schemas: { a: z.number() } });
  const raw = createStorage<any>({ driver });
  const warnings: any[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on("warning", onWarning);
  try {
    const { reports } = await watched(storage, "a");
    await raw.setItem("a", "old form");
    // Another storage over memory reports its own writes only.
    await storage.setItemRaw("a", '{"json":"old form"}');
    await waitFor(() => expect(warnings).toHaveLength(1));
    expect(warnings[0]).toMatchObject({ code: "EAS_INVALID_VALUE" });
    expect(warnings[0].message).toContain('"a"');
    await storage.setItem("a", 1);
    await becomes(reports, [[1, null]]);
  } finally {
    process.off("warning", onWarning);
  }
});

describe("bad input is a rejection", () => {
  it.each<[title: string, args: [key?: any, listener?: any], code: string]>([
    ["no listener", ["a"], "EAS_INVALID_ARGUMENT"],
    ["a listener that is an object", ["a", {}], "EAS_INVALID_ARGUMENT"],
    ["a key that is a number", [1, () => {}], "EAS_INVALID_ARGUMENT"],
  ])("%s", async (_title, args, code) => {
    const watching = (made() as any).watchItem(...args);
    expect(watching).toBeInstanceOf(Promise);
    expect((await failureOf(watching)).code).toBe(code);
  });
});
