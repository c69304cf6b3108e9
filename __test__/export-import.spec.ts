// Storages as lines of JSON, and back.

import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { folder } from "./helpers/folders.js";
import { failureOf } from "./helpers/modes.js";
import {
  builtin,
  createStorage,
  exportStorage,
  importStorage,
  prefixStorage,
  snapshot,
} from "./helpers/package.js";

async function exported(storage: any, base?: string) {
  const lines: string[] = [];
  for await (const line of exportStorage(storage, base)) lines.push(line);
  return lines;
}

/** The items of an export, by their key. */
async function items(storage: any, base?: string) {
  const lines = (await exported(storage, base)).slice(1).map((line) => JSON.parse(line));
  return Object.fromEntries(lines.map(({ key, ...item }) => [key, item]));
}

const HEADER = '{"format":"electron-async-storage","formatVersion":1,"storageVersion":null}';

const drivers: [name: string, make: () => any][] = [
  ["memory", () => builtin("memory")],
  ["fs", () => builtin("fs", { base: folder() })],
  ["queue", () => builtin("queue", { driver: builtin("memory") })],
];

describe.each(drivers)("over %s", (_name, make) => {
  it("values, raw bytes, metadata and expiries come back", async () => {
    const storage = createStorage<any>({ driver: make() });
    const bytes = Buffer.concat([Buffer.from([0, 255, 254]), randomBytes(64)]);
    const value = { at: new Date(5), list: new Set([1n]), text: "line\nbreak ж \ud83d\ude00" };
    await storage.setItem("a", value);
    await storage.setItem("a:b", null);
    await storage.setItem("c", "x", { ttl: 3_600_000 });
    await storage.setItemRaw("raw", bytes);
    await storage.setItemRaw("empty", Buffer.alloc(0));
    await storage.setMeta("a", { owner: "Ann", since: new Date(6) });
    const lines = await exported(storage);
    expect(lines.every((line) => typeof line === "string" && !/[\r\n]/.test(line))).toBe(true);

    const other = createStorage<any>({ driver: make() });
    await importStorage(other, lines);
    expect((await other.getKeys()).sort()).toEqual((await storage.getKeys()).sort());
    expect(await other.getItem("a")).toEqual(value);
    expect(await other.hasItem("a:b")).toBe(true);
    expect(await other.getItemRaw("raw")).toEqual(bytes);
    expect(await other.getItemRaw("empty")).toEqual(Buffer.alloc(0));
    expect(await other.getMeta("a")).toMatchObject({ owner: "Ann", since: new Date(6) });
    const { ttl } = await other.getMeta("c");
    expect(ttl).toBeGreaterThan(3_500_000);
    expect(ttl).toBeLessThanOrEqual(3_600_000);
    await Promise.all([storage.dispose(), other.dispose()]);
  });

  it("a line has what the format says, and nothing else", async () => {
    const storage = createStorage<any>({ driver: make() });
    const before = Date.now();
    await storage.setItem("at", new Date(5));
    await storage.setItem("x:y", [1]);
    await storage.setItem("short", 1, { ttl: 60_000 });
    const after = Date.now();
    await storage.setItemRaw("raw", Buffer.from([255, 1]));
    await storage.setMeta("x:y", { n: 1 });
    expect(JSON.parse((await exported(storage))[0])).toEqual({
      format: "electron-async-storage",
      formatVersion: 1,
      storageVersion: null,
    });
    const { short, ...others } = await items(storage);
    expect(others).toEqual({
      at: { value: { json: "1970-01-01T00:00:00.005Z", meta: { values: ["Date"], v: 1 } } },
      "x:y": { value: { json: [1] }, metadata: { json: { n: 1 } } },
      raw: { raw: "/wE=" },
    });
    const { expires, ...rest } = short;
    expect(rest).toEqual({ value: { json: 1 } });
    expect(expires).toBeGreaterThanOrEqual(before + 60_000);
    expect(expires).toBeLessThanOrEqual(after + 60_000 + 1_000);
    await storage.dispose();
  });
});

it("keys are relative to the base, of an export, an import and a prefix", async () => {
  const storage = createStorage<any>();
  await storage.setItem("in:a", 1);
  await storage.setItem("in:b:c", 2);
  await storage.setItem("other", 3);
  const lines = await exported(storage, "/in/");
  expect(await items(storage, "in")).toEqual({
    a: { value: { json: 1 } },
    "b:c": { value: { json: 2 } },
  });
  expect(await exported(prefixStorage(storage, "in"))).toEqual(lines);
  await importStorage(storage, lines, { base: "copy" });
  await importStorage(prefixStorage(storage, "view"), lines, { base: "x" });
  expect(await snapshot(storage, "copy")).toEqual({ a: 1, "b:c": 2 });
  expect(await snapshot(storage, "view:x")).toEqual({ a: 1, "b:c": 2 });
});

it("an empty storage is a header", async () => {
  expect(await exported(createStorage())).toEqual([HEADER]);
  const storage = createStorage();
  await importStorage(storage, [HEADER]);
  expect(await storage.getKeys()).toEqual([]);
});

it("an import takes any iterable of lines, those of a file too", async () => {
  const lines = [HEADER, '{"key":"a","value":{"json":1}}'];
  const streams = [lines, new Set(lines), Readable.from(lines), Readable.from([...lines, ""])];
  for (const stream of streams) {
    const storage = createStorage<any>();
    await importStorage(storage, stream);
    expect(await snapshot(storage, "")).toEqual({ a: 1 });
  }
  const storage = createStorage<any>();
  const source = createStorage<any>();
  await source.setItem("b", 2);
  await importStorage(storage, exportStorage(source));
  expect(await storage.getItem("b")).toBe(2);
});

it("the version of the data goes along, so that old data meets its migrations", async () => {
  const migrations = {
    1: async (storage: any) => storage.setItem("form", 1),
    2: async (storage: any) => storage.setItem("form", 2),
  };
  const old = createStorage<any>({ version: 1, migrations });
  await old.migrate();
  const lines = await exported(old);
  expect(JSON.parse(lines[0]).storageVersion).toBe(1);
  const storage = createStorage<any>({ version: 2, migrations });
  await importStorage(storage, lines);
  expect(await storage.getStorageVersion()).toBe(1);
  await storage.migrate();
  expect(await storage.getItem("form")).toBe(2);
  // What is there already has its own.
  expect((await failureOf(importStorage(storage, lines))).code).toBe("EAS_CONFLICT");
  await importStorage(storage, lines, { onConflict: "skip" });
  expect(await storage.getStorageVersion()).toBe(2);
  await importStorage(storage, lines, { onConflict: "overwrite" });
  expect(await storage.getStorageVersion()).toBe(1);
});

it("an old backup revives nothing that has expired", async () => {
  const storage = createStorage<any>();
  const line = (expires: number) =>
    JSON.stringify({ key: "session", value: { json: "token" }, expires });
  await importStorage(storage, [HEADER, line(Date.now() - 1)]);
  expect(await storage.hasItem("session")).toBe(false);
  await importStorage(storage, [HEADER, line(Date.now() + 60_000)]);
  expect(await storage.getItem("session")).toBe("token");
});

it("an item that is given while it is refreshed stays one", async () => {
  for (const make of [() => builtin("memory"), () => builtin("fs", { base: folder() })]) {
    const source = createStorage<any>({ driver: make() });
    await source.getOrSet("a", () => new Date(5), { ttl: 1_000, staleFor: 60_000 });
    const lines = await exported(source);
    const { value, expires } = JSON.parse(lines[1]);
    expect(expires - value.fresh).toBeGreaterThanOrEqual(59_000);
    const storage = createStorage<any>({ driver: make() });
    await importStorage(storage, lines);
    expect(await storage.getItem("a")).toEqual(new Date(5));
    expect((await items(storage)).a).toEqual({ value, expires });
    await Promise.all([source.dispose(), storage.dispose()]);
  }
});

it("schemas and defaults are passed by", async () => {
  const driver = builtin("memory");
  await driver.setItem("n", '{"json":"old form"}');
  const storage = createStorage<any>({
    driver,
    schemas: { n: z.number() },
    defaults: { other: 1 },
  });
  const lines = await exported(storage);
  expect(lines.slice(1)).toEqual(['{"key":"n","value":{"json":"old form"}}']);
  await driver.clear();
  await importStorage({ ...storage }, lines);
  expect(await driver.getItem("n")).toBe('{"json":"old form"}');
});

it("a file that another program wrote is a value where it reads as one, else raw", async () => {
  const base = folder();
  writeFileSync(join(base, "hand"), '\ufeff{\n  "theme": "dark"\n}\n');
  writeFileSync(join(base, "damaged"), "{oops");
  const storage = createStorage<any>({ driver: builtin("fs", { base }) });
  expect(await items(storage)).toEqual({
    hand: { value: { json: { theme: "dark" } } },
    damaged: { raw: Buffer.from("{oops").toString("base64") },
  });
  await storage.dispose();
});

it("bytes that memory keeps are raw, whatever is in them", async () => {
  const storage = createStorage<any>();
  await storage.setItemRaw("a", Buffer.from('{"json":1}'));
  expect(await items(storage)).toEqual({
    a: { raw: Buffer.from('{"json":1}').toString("base64") },
  });
});

describe("an item that is there", () => {
  const lines = [
    HEADER,
    '{"key":"a","value":{"json":"imported"}}',
    '{"key":"b","value":{"json":"imported"}}',
    '{"key":"c","value":{"json":"imported"}}',
  ];
  const made = async () => {
    const storage = createStorage<any>();
    await storage.setItem("b", "there");
    await storage.setMeta("b", { n: 1 });
    return storage;
  };

  it.each([undefined, {}, { onConflict: "error" as const }])("is an error: %j", async (options) => {
    const storage = await made();
    const error = await failureOf(importStorage(storage, lines, options));
    expect(error).toMatchObject({ code: "EAS_CONFLICT", key: "b", line: 3 });
    expect(await snapshot(storage, "")).toEqual({ a: "imported", b: "there" });
  });

  it("is left with skip", async () => {
    const storage = await made();
    await importStorage(storage, lines, { onConflict: "skip" });
    expect(await snapshot(storage, "")).toEqual({ a: "imported", b: "there", c: "imported" });
  });

  it("is replaced with overwrite, and its metadata too", async () => {
    const storage = await made();
    await importStorage(storage, lines, { onConflict: "overwrite" });
    expect(await storage.getItem("b")).toBe("imported");
    expect(await storage.getMeta("b")).toEqual({});
  });
});

describe("a line that does not read names its number, and the lines before it stay", () => {
  it.each<[title: string, line: unknown]>([
    ["no JSON", "{oops"],
    ["a list", "[1]"],
    ["null", "null"],
    ["no key", '{"value":{"json":1}}'],
    ["an empty key", '{"key":"/","value":{"json":1}}'],
    ["a key that is a number", '{"key":1,"value":{"json":1}}'],
    ["neither value nor raw", '{"key":"b"}'],
    ["both value and raw", '{"key":"b","value":{"json":1},"raw":""}'],
    ["a value that is no envelope", '{"key":"b","value":1}'],
    ["a value with an unknown member", '{"key":"b","value":{"json":1,"x":2}}'],
    ["a value with wrong annotations", '{"key":"b","value":{"json":1,"meta":{"values":["set"]}}}'],
    ["a raw that is no base64", '{"key":"b","raw":"%%%"}'],
    ["a raw that is a number", '{"key":"b","raw":1}'],
    ["an expiry that is a string", '{"key":"b","value":{"json":1},"expires":"soon"}'],
    ["metadata that is no envelope", '{"key":"b","value":{"json":1},"metadata":1}'],
    ["an unknown member", '{"key":"b","value":{"json":1},"extra":1}'],
    ["no string", { key: "b", value: { json: 1 } }],
    ["undefined", undefined],
  ])("%s", async (_title, line) => {
    const storage = createStorage<any>();
    const lines = [
      HEADER,
      '{"key":"a","value":{"json":1}}',
      line,
      '{"key":"c","value":{"json":1}}',
    ];
    const error = await failureOf(importStorage(storage, lines as string[]));
    expect(error).toMatchObject({ code: "EAS_INVALID_IMPORT", line: 3 });
    expect(error.message).toContain("Line 3");
    expect(await storage.getKeys()).toEqual(["a"]);
  });

  it.each<[title: string, lines: string[]]>([
    ["no line", []],
    ["an item first", ['{"key":"a","value":{"json":1}}']],
    ["another format", ['{"format":"other","formatVersion":1,"storageVersion":null}']],
    [
      "a newer version",
      ['{"format":"electron-async-storage","formatVersion":2,"storageVersion":null}'],
    ],
    [
      "a storageVersion that is none",
      ['{"format":"electron-async-storage","formatVersion":1,"storageVersion":"1"}'],
    ],
  ])("the first one: %s", async (_title, lines) => {
    const error = await failureOf(importStorage(createStorage(), lines));
    expect(error).toMatchObject({ code: "EAS_INVALID_IMPORT", line: 1 });
  });
});

describe("bad input", () => {
  it.each<[title: string, args: unknown[], code: string]>([
    ["no storage", [undefined, []], "EAS_INVALID_ARGUMENT"],
    ["lines that are one text", [createStorage(), HEADER], "EAS_INVALID_ARGUMENT"],
    ["lines that are an object", [createStorage(), {}], "EAS_INVALID_ARGUMENT"],
    [
      "an unknown onConflict",
      [createStorage(), [HEADER], { onConflict: "merge" }],
      "EAS_INVALID_OPTION",
    ],
    ["options that are a string", [createStorage(), [HEADER], "base"], "EAS_INVALID_ARGUMENT"],
  ])("of importStorage: %s", async (_title, args, code) => {
    const call = (importStorage as any)(...args);
    expect(call).toBeInstanceOf(Promise);
    expect((await failureOf(call)).code).toBe(code);
  });

  it("of exportStorage: no storage", async () => {
    const error = await failureOf(() => exportStorage(undefined as any));
    expect(error.code).toBe("EAS_INVALID_ARGUMENT");
  });

  it("an error of the lines reaches the caller as it is", async () => {
    const failed = new Error("the file is gone");
    async function* lines() {
      yield HEADER;
      throw failed;
    }
    expect(await failureOf(importStorage(createStorage(), lines()))).toBe(failed);
  });
});
