// The bytes on disk that docs/file-format.md describes: files of each kind and version are read, and what
// is written has these bytes.

import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { folder } from "./helpers/folders.js";
import { builtin, createStorage, isBuiltin, root } from "./helpers/package.js";

const FIXTURES = join(root, "tests/fixtures/files");
const FAR = 9_999_999_999_999;
const FILES = ["fs", "fs-lite"].filter(isBuiltin);

function copyOf(version: string): string {
  const base = folder();
  cpSync(join(FIXTURES, version), base, { recursive: true });
  return base;
}

function opened(name: string, base: string) {
  const storage = createStorage<any>({ driver: builtin(name, { base }) });
  onTestFinished(() => storage.dispose());
  return storage;
}

const RAW = Buffer.from([0, 1, 255]);

describe.each(FILES)("%s", (name) => {
  it("a migration of version 0.1.0 that was cut off is undone", async () => {
    const base = copyOf("0.1.0-migration");
    const found: Record<string, unknown> = {};
    const storage = createStorage<any>({
      driver: builtin(name, { base }),
      version: 1,
      migrations: {
        async 1() {
          const keys = (await storage.getKeys()).filter((key) => key !== "raw");
          for (const key of keys) found[key] = await storage.getItem(key);
          found.raw = await storage.getItemRaw("raw");
          found.ttl = (await storage.getMeta("ends")).ttl;
        },
      },
    });
    onTestFinished(() => storage.dispose());
    await storage.migrate();
    expect(found).toEqual({
      changed: "old",
      ends: "for a time",
      kept: "kept",
      raw: RAW,
      text: "hand-made",
      ttl: expect.any(Number),
    });
    expect(readdirSync(base)).not.toContain("__storage_journal__");
  });

  it("files of version 0.1.0 are read", async () => {
    const base = copyOf("0.1.0");
    const storage = opened(name, base);
    const expected: Record<string, unknown> = {
      plain: { a: 1 },
      date: new Date(0),
      expires: "abc",
      "no-envelope": { theme: "dark" },
      mark: 1,
      "mark-utf16le": 2,
      "mark-utf16be": 3,
      meta: 1,
      folder: "own",
      "folder:below": "below",
      "con%": "escaped",
      moving: "moving",
      __storage_version__: 3,
    };
    for (const [key, value] of Object.entries(expected)) {
      expect(await storage.getItem(key), key).toEqual(value);
    }
    const raws = ["raw", "raw-expires", "raw-like-header"];
    expect(await storage.getItemRaw("raw")).toEqual(RAW);
    expect(await storage.getItemRaw("raw-expires")).toEqual(RAW);
    const header = readFileSync(join(FIXTURES, "0.1.0/raw-like-header")).subarray(24);
    expect(await storage.getItemRaw("raw-like-header")).toEqual(header);
    for (const key of ["expired", "by-hand", "raw-expired"]) {
      expect(await storage.hasItem(key), key).toBe(false);
      expect(await storage.getItemRaw(key), key).toBeNull();
    }
    const keys = Object.keys(expected).filter((key) => key !== "__storage_version__");
    expect((await storage.getKeys()).sort()).toEqual([...keys, ...raws].sort());
    expect((await storage.getMeta("meta")).color).toBe("red");
    expect((await storage.getMeta("expires")).ttl).toBeGreaterThan(0);
    expect((await storage.getMeta("raw-expires")).ttl).toBeGreaterThan(0);
    expect(readFileSync(join(base, "%~corrupt-1700000000000-0-plain"), "utf8")).toBe("not JSON");
  });

  it("an index from before version 0.1.0 gives no item an expiry that it does not have", async () => {
    const storage = opened(name, copyOf("before-0.1.0"));
    expect((await storage.getKeys()).sort()).toEqual(["permanent", "raw"]);
    expect(await storage.getItem("text")).toBeNull();
    expect(await storage.getItem("permanent")).toBe(1);
    expect(await storage.getItemRaw("raw")).toEqual(RAW);
  });

  it("files of version 0.0.5 are read", async () => {
    const storage = opened(name, copyOf("0.0.5"));
    expect((await storage.getKeys()).sort()).toEqual(["date", "deep:key", "plain", "raw"]);
    expect(await storage.getItem("plain")).toEqual({ a: 1 });
    expect(await storage.getItem("date")).toEqual(new Date(0));
    expect(await storage.getItem("deep:key")).toBe("deep");
    expect(await storage.getItemRaw("raw")).toEqual(RAW);
  });

  it("what is written has the bytes of the fixtures", async () => {
    const base = folder();
    const storage = opened(name, base);
    await storage.setItem("plain", { a: 1 });
    await storage.setItem("date", new Date(0));
    await storage.setItem("meta", 1);
    await storage.setMeta("meta", { color: "red" });
    await storage.setItem("folder", "own");
    await storage.setItem("folder:below", "below");
    await storage.setItemRaw("raw", RAW);
    await storage.setItemRaw("expires", readFileSync(join(FIXTURES, "0.1.0/expires")));
    const likeHeader = readFileSync(join(FIXTURES, "0.1.0/raw-like-header"));
    await storage.setItemRaw("raw-like-header", likeHeader.subarray(24));
    for (const path of [
      "plain",
      "date",
      "meta",
      "meta$",
      "folder/%~self",
      "folder/below",
      "raw",
      "expires",
      "raw-like-header",
    ]) {
      const expected = readFileSync(join(FIXTURES, "0.1.0", path));
      expect(readFileSync(join(base, path)).equals(expected), path).toBe(true);
    }
    await storage.setItem("x".repeat(300), 1);
    const part = readdirSync(base).find((file) => file.startsWith("%~+")) ?? "";
    expect(part).toMatch(/^%~\+x+~$/);
    expect(readdirSync(join(base, part))).toEqual([`%~-${"x".repeat(300 - (part.length - 4))}`]);
    await storage.setItemRaw("raw-expires", RAW, { ttl: 3_600_000 });
    const stored = readFileSync(join(base, "raw-expires"));
    const expiry = stored.readBigUInt64LE(16);
    expect(Number(expiry)).toBeGreaterThan(Date.now());
    stored.writeBigUInt64LE(BigInt(FAR), 16);
    expect(stored.equals(readFileSync(join(FIXTURES, "0.1.0/raw-expires")))).toBe(true);
    const text = readFileSync(join(base, "%~ttl"), "utf8");
    const lines = text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    expect(lines).toContainEqual({ k: "expires", n: expect.any(Number), x: FAR });
    expect(lines).toContainEqual({ k: "raw-expires", n: expect.any(Number), x: Number(expiry) });
  });

  it("without the files of the package itself the items are the same", async () => {
    const base = copyOf("0.1.0");
    for (const file of ["%~ttl", "%~lock"]) writeFileSync(join(base, file), "damaged\n");
    const storage = opened(name, base);
    expect(await storage.hasItem("expired")).toBe(false);
    expect(await storage.getKeys()).not.toContain("expired");
    expect(readdirSync(base)).toContain("plain");
  });
});
