// The item itself says when it expires: no call lists, has or gives what has expired, whoever wrote it.

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Driver } from "../index.js";
import { folder } from "./helpers/folders.js";
import { namesIn } from "./helpers/fs/names.js";
import { syncMethodsDriver } from "./helpers/js-drivers.js";
import { callsOf, type Mode } from "./helpers/modes.js";
import { builtin, createStorage, isBuiltin, memoryDriver, snapshot } from "./helpers/package.js";

const MODES: Mode[] = ["async", "sync"];
const FILES = ["fs", "fs-lite"].filter(isBuiltin);
const HOUR = 3_600_000;
const poll = { timeout: 60_000, interval: 5 };

function opened(driver: Driver) {
  const storage = createStorage<any>({ driver });
  onTestFinished(() => storage.dispose());
  return storage;
}

/** What every call says of the keys that are there. */
async function answers(driver: Driver, mode: Mode, keys: string[]) {
  const storage = opened(driver);
  const calls = callsOf(storage, mode);
  return {
    listed: (await calls.getKeys()).sort(),
    has: (
      await Promise.all(keys.map(async (key) => ((await calls.hasItem(key)) ? key : "")))
    ).filter(Boolean),
    got: ((await calls.getItems(keys)) as { key: string; value: unknown }[])
      .filter(({ value }) => value !== null)
      .map(({ key }) => key),
    single: (
      await Promise.all(keys.map(async (key) => ((await calls.getItem(key)) === null ? "" : key)))
    ).filter(Boolean),
    raw: (
      await Promise.all(
        keys.map(async (key) => ((await calls.getItemRaw(key)) === null ? "" : key)),
      )
    ).filter(Boolean),
    snapshot: Object.keys(await snapshot(storage, "")).sort(),
  };
}

const all = (keys: string[]) => ({
  listed: keys,
  has: keys,
  got: keys,
  single: keys,
  raw: keys,
  snapshot: keys,
});

const PAST = Date.now() - HOUR;
const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, "utf16le");

/** Texts of items that have expired. */
const EXPIRED: Record<string, string | Buffer> = {
  first: `{"expires":${PAST},"json":1}`,
  last: `{"json":1,"expires":${PAST}}`,
  annotated: `{"json":"1970-01-01T00:00:00.000Z","expires":${PAST},"meta":{"values":["Date"],"v":1}}`,
  formatted: `{\n  "json": { "a": 1 },\n  "expires": ${PAST}\n}\n`,
  marked: `\ufeff{"json":1,"expires":${PAST}}`,
  wide: utf16(`{"json":1,"expires":${PAST}}`),
  "wide-be": utf16(`{"json":1,"expires":${PAST}}`).swap16(),
};

/** Texts of items that have not, or that are no envelope. */
const LIVE: Record<string, string> = {
  later: `{"json":1,"expires":${Date.now() + HOUR}}`,
  inside: `{"json":{"expires":1}}`,
  named: `{"json":1,"expires":1,"name":"x"}`,
  own: `{"expires":1}`,
  words: `{"json":1,"expires":"soon"}`,
};

const KEYS = [...Object.keys(EXPIRED), ...Object.keys(LIVE)];

describe.each(MODES)("%s", (mode) => {
  describe.each(FILES)("%s", (name) => {
    function filled() {
      const base = folder();
      for (const [key, text] of Object.entries({ ...EXPIRED, ...LIVE })) {
        writeFileSync(join(base, key), text);
      }
      return base;
    }

    it("items made by hand are there until they expire", async () => {
      const base = filled();
      const live = Object.keys(LIVE).sort();
      const found = await answers(builtin(name, { base }), mode, KEYS.sort());
      expect(found).toEqual(all(live));
      await expect
        .poll(() => readdirSync(base).filter((file) => file in EXPIRED), poll)
        .toEqual([]);
    });

    it("a read-only driver hides them and deletes nothing", async () => {
      const base = filled();
      const before = namesIn(base);
      const found = await answers(builtin(name, { base, readOnly: true }), mode, KEYS.sort());
      expect(found).toEqual(all(Object.keys(LIVE).sort()));
      expect(namesIn(base)).toEqual(before);
    });

    it.each([
      ["without an index", undefined],
      ["with a damaged index", '{"k":"folder:first"\n\0\n'],
      ["with the index of another base", `{"v":1,"base":1}\n`],
    ])("a folder that is opened one level deeper has no expired items, %s", async (_how, index) => {
      const outer = folder();
      const base = join(outer, "folder");
      mkdirSync(base);
      cpSync(filled(), base, { recursive: true });
      if (index !== undefined) writeFileSync(join(base, "%~ttl"), index);
      const keys = KEYS.map((key) => `folder:${key}`).sort();
      const live = Object.keys(LIVE)
        .map((key) => `folder:${key}`)
        .sort();
      expect(await answers(builtin(name, { base: outer }), mode, keys)).toEqual(all(live));
      expect(await answers(builtin(name, { base }), mode, KEYS.sort())).toEqual(
        all(Object.keys(LIVE).sort()),
      );
    });

    it("a file that is made, copied or changed while the storage is open counts at once", async () => {
      const base = folder();
      const calls = callsOf(opened(builtin(name, { base })), mode);
      await calls.setItem("kept", 1);
      await calls.setItem("changed", 1);
      expect((await calls.getKeys()).sort()).toEqual(["changed", "kept"]);
      writeFileSync(join(base, "made"), `{"json":1,"expires":${PAST}}`);
      writeFileSync(join(base, "changed"), `{"json":1,"expires":${PAST}}`);
      expect(await calls.getKeys()).toEqual(["kept"]);
      expect(await calls.hasItem("made")).toBe(false);
      expect(await calls.hasItem("changed")).toBe(false);
    });

    it("a store too large to look at each item goes by its index, which is made anew once", async () => {
      const base = folder();
      for (let number = 0; number < 700; number++) {
        const text =
          number % 7 === 0 ? `{"json":${number},"expires":${PAST}}` : `{"json":${number}}`;
        writeFileSync(join(base, `k${number}`), text);
      }
      for (const index of [undefined, "{damaged\n", `{"v":1,"base":1}\n`, `{"k":"k0","x":1}\n`]) {
        const copy = folder();
        cpSync(base, copy, { recursive: true });
        if (index !== undefined) writeFileSync(join(copy, "%~ttl"), index);
        const calls = callsOf(opened(builtin(name, { base: copy })), mode);
        expect((await calls.getKeys()).length, index).toBe(600);
        expect(existsSync(join(copy, "%~ttl"))).toBe(true);
        // Later listings go by the index; what a read finds expired goes, or at the next read where the folder is
        // busy, here with the removal of a hundred others.
        const later = join(copy, "later");
        writeFileSync(later, `{"json":1,"expires":${PAST}}`);
        const isThere = async () => {
          expect(await calls.getItem("later")).toBeNull();
          return existsSync(later);
        };
        await expect.poll(isThere, poll).toBe(false);
        expect((await calls.getKeys()).length, index).toBe(600);
      }
    });

    it("raw bytes with a ttl are read as they were given, whatever they begin with", async () => {
      const base = folder();
      const storage = opened(builtin(name, { base }));
      const calls = callsOf(storage, mode);
      await calls.setItemRaw("model", Buffer.from([1, 2, 255]), { ttl: HOUR });
      const header = readFileSync(join(base, "model")).subarray(0, 24);
      const values = {
        bytes: Buffer.from([0, 1, 255]),
        empty: Buffer.alloc(0),
        header,
        "header and more": Buffer.concat([header, Buffer.from("more")]),
        "part of a header": header.subarray(0, 8),
        marked: Buffer.from("\ufeff{}"),
        envelope: Buffer.from('{"json":1}'),
        "own expiry": Buffer.from(`{"json":1,"expires":${Date.now() + HOUR}}`),
      };
      for (const [key, value] of Object.entries(values)) {
        for (const ttl of [undefined, HOUR]) {
          await calls.setItemRaw(key, value, { ttl });
          expect(Buffer.compare(await calls.getItemRaw(key), value), `${key}, ttl ${ttl}`).toBe(0);
          const left = (await calls.getMeta(key)).ttl;
          if (ttl !== undefined) expect(left, key).toBeGreaterThan(0);
          else if (key !== "own expiry") expect(left, key).toBeUndefined();
        }
      }
      await calls.setItemRaw("string", '{"json":{"a":1}}', { ttl: HOUR });
      expect(String(await calls.getItemRaw("string"))).toBe('{"json":{"a":1}}');
      expect(await calls.getItem("string")).toEqual({ a: 1 });
    });

    it("raw bytes that expired are gone for a copy of the folder too", async () => {
      const base = folder();
      const storage = opened(builtin(name, { base }));
      const calls = callsOf(storage, mode);
      await calls.setItemRaw("raw", Buffer.from([1]), { ttl: HOUR });
      const stored = readFileSync(join(base, "raw"));
      stored.writeBigUInt64LE(BigInt(PAST), 16);
      const copy = folder();
      writeFileSync(join(copy, "raw"), stored);
      writeFileSync(join(copy, "stays"), "1");
      expect(await answers(builtin(name, { base: copy }), mode, ["raw", "stays"])).toEqual(
        all(["stays"]),
      );
    });
  });

  it("the same texts in memory are there and not there as in files", async () => {
    const driver = memoryDriver();
    const storage = opened(driver);
    for (const [key, text] of Object.entries({ ...EXPIRED, ...LIVE })) {
      await storage.setItemRaw(key, text);
    }
    const keys = KEYS.sort();
    const calls = callsOf(storage, mode);
    const live = Object.keys(LIVE).sort();
    expect((await calls.getKeys()).sort()).toEqual(live);
    for (const key of keys) {
      expect(await calls.hasItem(key), key).toBe(key in LIVE);
      expect((await calls.getItemRaw(key)) !== null, key).toBe(key in LIVE);
      expect((await calls.getItem(key)) !== null, key).toBe(key in LIVE);
    }
    expect((await calls.getMeta("later")).ttl).toBeGreaterThan(0);
    expect(await calls.getItem("later")).toBe(1);
  });

  it("an expires in the text of a driver of the user is that driver's business", async () => {
    const driver = syncMethodsDriver();
    const storage = opened(driver);
    await storage.setItemRaw("key", `{"json":1,"expires":${PAST}}`);
    const calls = callsOf(storage, mode);
    expect(await calls.hasItem("key")).toBe(true);
    expect(await calls.getKeys()).toEqual(["key"]);
    expect(await calls.getItem("key")).toBe(1);
  });
});
