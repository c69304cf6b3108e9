// Schemas and defaults with what changes an item that was read.

import { describe, expect, it } from "vitest";
import { z } from "zod";
import { failureOf } from "./helpers/modes.js";
import { createStorage } from "./helpers/package.js";

const count = z.number().int();
const user = z.object({ name: z.string(), visits: z.number().default(0) });
const slow = z.number().refine(async (value) => {
  await new Promise((done) => setImmediate(done));
  return value >= 0;
}, "negative");

const start = () =>
  createStorage<any>({
    defaults: { zoom: 1, "users:nobody": { name: "nobody" }, list: [1] },
    schemas: { count, "users:*": user, slow },
  });

describe("update", () => {
  it("sees the default, a copy for each run", async () => {
    const storage = start();
    expect(await storage.update("zoom", (zoom) => zoom + 1)).toBe(2);
    expect(storage.updateSync("zoom", (zoom) => zoom + 1)).toBe(3);
    await storage.update("list", (list) => {
      list.push(2);
      return undefined;
    });
    expect(storage.getItemSync("list")).toEqual([1]);
    expect(await storage.getEntry("list")).toEqual({ key: "list", value: null, etag: null });
  });

  it("a stored null is an item", async () => {
    const storage = start();
    await storage.setItem("zoom", null);
    expect(await storage.update("zoom", (zoom) => [zoom])).toEqual([null]);
    await storage.setItem("other", null);
    expect(await storage.update("other", (value) => [value])).toEqual([null]);
  });

  it("sees what the schema gives, and stores what passes it", async () => {
    const storage = start();
    await storage.setItem("users:ann", { name: "Ann" });
    const visit = (found: any) => ({ ...found, visits: found.visits + 1 });
    expect(await storage.update("users:ann", visit)).toEqual({ name: "Ann", visits: 1 });
    expect(storage.updateSync("users:ann", visit)).toEqual({ name: "Ann", visits: 2 });
    for (const call of [
      () => storage.update("users:ann", () => ({ name: 1 })),
      () => storage.updateSync("users:ann", () => "Ann"),
    ]) {
      const error = await failureOf(call);
      expect(error).toMatchObject({ code: "EAS_INVALID_VALUE", key: "users:ann" });
      expect(error.operation).toMatch(/^update/);
      expect(error.issues.length).toBeGreaterThan(0);
    }
    expect(storage.getItemSync("users:ann")).toEqual({ name: "Ann", visits: 2 });
  });

  it("waits for an asynchronous schema; the Sync form cannot", async () => {
    const storage = start();
    expect(await storage.update("slow", (value) => (value ?? 0) + 1)).toBe(1);
    const outcomes = Array.from({ length: 20 }, () => storage.update("slow", (value) => value + 1));
    await Promise.all(outcomes);
    expect(await storage.getItem("slow")).toBe(21);
    expect((await failureOf(() => storage.update("slow", () => -1))).code).toBe(
      "EAS_INVALID_VALUE",
    );
    expect((await failureOf(() => storage.updateSync("slow", () => 1))).code).toBe(
      "EAS_SYNC_UNSUPPORTED",
    );
    expect(await storage.getItem("slow")).toBe(21);
  });
});

describe("ifMatch", () => {
  it("is checked like any write", async () => {
    const storage = start();
    await storage.setItem("count", 1, { ifMatch: null });
    for (const call of [
      () => storage.setItem("count", "two", { ifMatch: null }),
      () => storage.setItemSync("count", 1.5, { ifMatch: null }),
    ]) {
      expect((await failureOf(call)).code).toBe("EAS_INVALID_VALUE");
    }
    const { etag } = storage.getEntrySync("count");
    storage.setItemSync("count", 2, { ifMatch: etag });
    expect((await failureOf(() => storage.setItem("count", 3, { ifMatch: etag }))).code).toBe(
      "EAS_CONFLICT",
    );
    await storage.setItem("slow", 1, { ifMatch: null });
    expect((await failureOf(() => storage.setItem("slow", 2, { ifMatch: null }))).code).toBe(
      "EAS_CONFLICT",
    );
    await storage.setItem("slow", 3, { ifMatch: undefined });
    expect((await failureOf(() => storage.setItem("slow", 2, { ifMatch: 1 } as any))).code).toBe(
      "EAS_INVALID_OPTION",
    );
    expect(await storage.getItem("slow")).toBe(3);
  });

  it("keeps its place behind a write whose schema is asynchronous", async () => {
    const storage = start();
    const first = storage.setItem("slow", 1);
    const second = storage.setItem("count", 2, { ifMatch: null });
    const entry = storage.getEntry("count");
    const third = failureOf(() => storage.setItem("count", 3, { ifMatch: null }));
    expect([await first, await second, (await third).code]).toEqual([
      undefined,
      undefined,
      "EAS_CONFLICT",
    ]);
    expect((await entry).value).toBe(2);
  });
});

describe("getEntry", () => {
  it("has the value that the schema gives, and no default", async () => {
    const storage = start();
    await storage.setItem("users:ann", { name: "Ann" });
    const expected = {
      key: "users:ann",
      value: { name: "Ann", visits: 0 },
      etag: expect.any(String),
    };
    expect(await storage.getEntry("users:ann")).toEqual(expected);
    expect(storage.getEntrySync("users:ann")).toEqual(expected);
    expect(storage.getEntrySync("zoom")).toEqual({ key: "zoom", value: null, etag: null });
  });

  it("throws for what does not pass, as reads do", async () => {
    const storage = start();
    await storage.setItemRaw("count", '{"json":"text"}');
    expect((await failureOf(() => storage.getEntry("count"))).code).toBe("EAS_INVALID_VALUE");
    expect((await failureOf(() => storage.getEntrySync("count"))).code).toBe("EAS_INVALID_VALUE");
  });
});

describe("a group", () => {
  it("checks a value where it is set", async () => {
    const storage = start();
    const group = storage.atomic().set("zoom", 2);
    const error = await failureOf(() => group.set("count", "text"));
    expect(error).toMatchObject({ code: "EAS_INVALID_VALUE", key: "count", operation: "set" });
    expect(storage.hasItemSync("zoom")).toBe(false);
  });

  it("has an asynchronous schema checked at the commit, and nothing written", async () => {
    const storage = start();
    const group = storage.atomic().set("zoom", 2).set("slow", -1);
    expect((await failureOf(() => group.commit())).code).toBe("EAS_INVALID_VALUE");
    expect(storage.hasItemSync("zoom")).toBe(false);
    const sync = storage.atomic().set("zoom", 2).set("slow", 1);
    expect((await failureOf(() => sync.commitSync())).code).toBe("EAS_SYNC_UNSUPPORTED");
    expect(await sync.commit()).toEqual({ ok: true });
    expect(await storage.getItem("slow")).toBe(1);
  });
});

describe("mounted in another storage", () => {
  it("values are checked, and compared as they are read", async () => {
    const inner = start();
    const storage = createStorage<any>();
    storage.mount("in", inner as any);
    inner.setItemSync("users:ann", { name: "Ann" });
    const visit = (found: any) => ({ ...found, visits: found.visits + 1 });
    expect(await storage.update("in:users:ann", visit)).toEqual({ name: "Ann", visits: 1 });
    expect(storage.updateSync("in:users:ann", visit)).toEqual({ name: "Ann", visits: 2 });
    expect(inner.getItemSync("users:ann")).toEqual({ name: "Ann", visits: 2 });
    expect(await storage.update("in:zoom", (zoom) => zoom + 1)).toBe(2);
    expect(storage.updateSync("in:zoom", (zoom) => zoom + 1)).toBe(3);
    expect(await storage.update("in:slow", (value) => (value ?? 0) + 1)).toBe(1);
    for (const call of [
      () => storage.update("in:count", () => "text"),
      () => storage.updateSync("in:count", () => "text"),
      () => storage.atomic().set("in:zoom", 9).set("in:count", "text").commit(),
      () => storage.update("in:slow", () => -1),
    ]) {
      expect((await failureOf(call)).code).toBe("EAS_INVALID_VALUE");
    }
    expect(inner.getItemSync("zoom")).toBe(3);
    const group = storage.atomic().check("in:zoom", "other").set("in:zoom", 1);
    expect(await group.commit()).toEqual({ ok: false, conflicts: ["in:zoom"] });
  });
});
