// Values that do not read: null, one warning, and nothing is lost.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Storage } from "../index.js";
import { folder } from "./helpers/folders.js";
import { eventually, listen } from "./helpers/fs/events.js";
import { namesIn } from "./helpers/fs/names.js";
import { fsStorage, place, put } from "./helpers/fs/storage.js";
import { callsOf, type Mode } from "./helpers/modes.js";
import { builtin, createStorage } from "./helpers/package.js";

const MODES: Mode[] = ["async", "sync"];
const DRIVERS = ["fs", "fs-lite"];

const DAMAGED: Record<string, Buffer> = {
  "no JSON": Buffer.from("not JSON at all"),
  "an empty file": Buffer.alloc(0),
  "a truncated envelope": Buffer.from('{"json":{"a":[1,2,3'),
  "a truncated string": Buffer.from('"text'),
  "invalid UTF-8": Buffer.from([0x22, 0xff, 0xfe, 0x22]),
  "UTF-8 cut in a character": Buffer.from('{"json":"é"}').subarray(0, 10),
  "bytes that a power cut left": Buffer.alloc(64),
  "two values": Buffer.from("{} {}"),
};

function warnings(): Error[] {
  const list: Error[] = [];
  const listener = (warning: Error) => list.push(warning);
  process.on("warning", listener);
  onTestFinished(() => {
    process.off("warning", listener);
  });
  return list;
}

/** A context warns of a key once, whatever its base: each test has keys of its own. */
let lastKey = 0;
const newKey = () => `k${++lastKey}`;

const kept = (base: string) => readdirSync(base).filter((name) => name.startsWith("%~corrupt-"));

describe.each(DRIVERS)("%s", (name) => {
  describe.each(MODES)("%s", (mode) => {
    for (const [title, bytes] of Object.entries(DAMAGED)) {
      it(`${title}: reads as null with one warning, and is kept when the key is written`, async () => {
        const { base } = place();
        const seen = warnings();
        const key = newKey();
        writeFileSync(join(base, key), bytes);
        const storage = fsStorage(base, {}, name);
        const calls = callsOf(storage, mode);
        expect(await calls.getItem(key)).toBeNull();
        expect(await calls.getItem(key)).toBeNull();
        expect(await calls.getItems([key])).toEqual([{ key, value: null }]);
        expect(readFileSync(join(base, key))).toEqual(bytes);
        expect(kept(base)).toEqual([]);

        await calls.setItem(key, "new");
        expect(await calls.getItem(key)).toBe("new");
        const [aside, ...more] = kept(base);
        expect(more).toEqual([]);
        expect(readFileSync(join(base, aside))).toEqual(bytes);
        expect(await calls.getKeys()).toEqual([key]);
        expect(namesIn(base).sort()).toEqual([aside, key].sort());

        await eventually(() => expect(seen.length).toBeGreaterThan(0));
        expect(seen.map((warning) => (warning as any).code)).toEqual(["EAS_CORRUPT_VALUE"]);
        expect(seen[0].message).toContain(`"${key}"`);
        expect(seen[0].name).toBe("StorageWarning");
      });
    }

    it("the second damaged value of a key is kept beside the first", async () => {
      const { base } = place();
      const calls = callsOf(fsStorage(base, {}, name), mode);
      for (const content of ["first damage", "second damage"]) {
        writeFileSync(join(base, "a"), content);
        expect(await calls.getItem("a")).toBeNull();
        await calls.setItem("a", 1);
      }
      expect(
        kept(base)
          .map((file) => readFileSync(join(base, file), "utf8"))
          .sort(),
      ).toEqual(["first damage", "second damage"]);
    });

    it("a value that was repaired in the meantime is not kept", async () => {
      const { base } = place();
      const calls = callsOf(fsStorage(base, {}, name), mode);
      writeFileSync(join(base, "a"), "damage");
      expect(await calls.getItem("a")).toBeNull();
      writeFileSync(join(base, "a"), '"repaired"');
      expect(await calls.getItem("a")).toBe("repaired");
      await calls.setItem("a", 2);
      expect(await calls.getItem("a")).toBe(2);
    });

    it("a damaged value is an item: it is listed, has metadata, and can be removed", async () => {
      const { base } = place();
      const calls = callsOf(fsStorage(base, {}, name), mode);
      writeFileSync(join(base, "a"), "damage");
      expect(await calls.hasItem("a")).toBe(true);
      expect(await calls.getKeys()).toEqual(["a"]);
      expect((await calls.getMeta("a")).size).toBe(6);
      expect((await calls.getItemRaw("a")).toString()).toBe("damage");
      await calls.removeItem("a");
      expect(await calls.getKeys()).toEqual([]);
    });

    it("raw values are any bytes, none too", async () => {
      const { base } = place();
      const seen = warnings();
      const calls = callsOf(fsStorage(base, {}, name), mode);
      for (const bytes of Object.values(DAMAGED)) {
        writeFileSync(join(base, "raw"), bytes);
        expect(Buffer.compare(await calls.getItemRaw("raw"), bytes)).toBe(0);
        await calls.setItemRaw("raw", bytes);
        expect(readFileSync(join(base, "raw"))).toEqual(bytes);
      }
      expect(kept(base)).toEqual([]);
      expect(seen).toEqual([]);
    });

    it("a damaged value of a key with keys below it is kept too", async () => {
      const { base } = place();
      const calls = callsOf(fsStorage(base, {}, name), mode);
      await calls.setItem("a", 1);
      await calls.setItem("a:b", 2);
      const [own] = readdirSync(join(base, "a")).filter((file) => file !== "b");
      writeFileSync(join(base, "a", own), "damage");
      expect(await calls.getItem("a")).toBeNull();
      await calls.setItem("a", 3);
      expect(
        kept(join(base, "a")).map((file) => readFileSync(join(base, "a", file), "utf8")),
      ).toEqual(["damage"]);
      expect((await calls.getKeys()).sort()).toEqual(["a", "a:b"]);
    });

    it("what was kept outlives clear", async () => {
      const { base } = place();
      const calls = callsOf(fsStorage(base, {}, name), mode);
      writeFileSync(join(base, "a"), "damage");
      await calls.getItem("a");
      await calls.setItem("a", 1);
      await calls.clear();
      expect(kept(base)).toHaveLength(1);
      expect(await calls.getKeys()).toEqual([]);
    });

    it("warnings name the key, once for each", async () => {
      const { base } = place();
      const seen = warnings();
      const [first, second] = [newKey(), newKey()];
      put(base, `x/${first}`, second);
      for (const file of [`x/${first}`, second]) writeFileSync(join(base, file), "damage");
      const calls = callsOf(fsStorage(base, {}, name), mode);
      for (let round = 0; round < 3; round++) await calls.getItems([`x:${first}`, second]);
      await eventually(() => expect(seen).toHaveLength(2));
      expect(seen.map(({ message }) => /"(.*)"/.exec(message)?.[1]).sort()).toEqual(
        [second, `x:${first}`].sort(),
      );
    });
  });
});

describe("while it is watched", () => {
  it("keeping damaged bytes gives no event, nor do the kept files", async () => {
    const { base } = place();
    const storage = fsStorage(base);
    writeFileSync(join(base, "a"), "damage");
    const events = await listen(storage);
    await storage.getItem("a");
    await storage.setItem("a", 1);
    await events.takeOnly(base, ["update a"]);
  });

  it("reading what is being written by another program harms nothing", async () => {
    const { base } = place();
    const storage = fsStorage(base);
    // A program that writes in place shows its reader an empty file first.
    writeFileSync(join(base, "a"), "");
    expect(await storage.getItem("a")).toBeNull();
    writeFileSync(join(base, "a"), '{"json":"whole"}');
    expect(await storage.getItem("a")).toBe("whole");
    expect(namesIn(base)).toEqual(["a"]);
  });
});

describe("warnings of corrupt items", () => {
  it("are shown once for each key, however many there are", async () => {
    const base = folder();
    const keys = Array.from({ length: 2_500 }, (_, index) => `many${index}`);
    for (const key of keys) writeFileSync(join(base, key), "no json");
    const shown: string[] = [];
    const listener = (warning: Error & { code?: string }) => {
      if (warning.code === "EAS_CORRUPT_VALUE") shown.push(warning.message);
    };
    process.on("warning", listener);
    const storage = createStorage({ driver: builtin("fs-lite", { base }) });
    for (const key of [...keys, ...keys]) expect(storage.getItemSync(key)).toBeNull();
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", listener);
    expect(shown.length).toBe(2_500);
    await storage.dispose();
  });
});

describe("a copy", () => {
  const { exportStorage, prefixStorage, snapshot, snapshotSync }: typeof import("../index.js") =
    createRequire(import.meta.url)("../index.js");

  const COPIES: Record<string, (storage: Storage<any>) => unknown> = {
    snapshot: (storage) => snapshot(storage, ""),
    snapshotSync: (storage) => snapshotSync(storage, ""),
    async exportStorage(storage) {
      const lines = [];
      for await (const line of exportStorage(storage)) lines.push(line);
      return lines;
    },
  };

  const OPENED: Record<string, (base: string) => Storage<any>> = {
    fs: (base) => fsStorage(base),
    "fs-lite": (base) => fsStorage(base, {}, "fs-lite"),
    "a queue": (base) => {
      const storage = createStorage<any>({
        driver: builtin("queue", { driver: builtin("fs", { base }) }),
      });
      onTestFinished(() => storage.dispose());
      return storage;
    },
    "a prefix": (base) => prefixStorage<any>(fsStorage(join(base, "..")), "base"),
    "a storage with defaults": (base) => {
      const storage = createStorage<any>({
        driver: builtin("fs", { base }),
        defaults: { other: 1 },
      });
      onTestFinished(() => storage.dispose());
      return storage;
    },
  };

  describe.each(Object.entries(COPIES))("by %s", (_, copy) => {
    it.each(Object.entries(OPENED))("of %s leaves no trace of raw values", async (_, open) => {
      const { base } = place();
      const seen = warnings();
      const storage = open(base);
      const names = Object.keys(DAMAGED).map(() => newKey());
      for (const [at, bytes] of Object.values(DAMAGED).entries()) {
        await storage.setItemRaw(names[at], bytes);
      }
      await storage.flush();
      await copy(storage);
      for (const name of names) await storage.setItemRaw(name, Buffer.from([0xff]));
      await storage.flush();
      expect(namesIn(base).sort()).toEqual(names.sort());
      // A warning comes a turn later.
      await new Promise((resolve) => void setImmediate(resolve));
      expect(seen).toEqual([]);
    });

    it("keeps in mind what was found to be damaged before", async () => {
      const { base } = place();
      const storage = fsStorage(base);
      const key = newKey();
      writeFileSync(join(base, key), "no JSON");
      expect(await storage.getItem(key)).toBeNull();
      await copy(storage);
      await storage.setItem(key, 1);
      const [aside, ...more] = kept(base);
      expect(more).toEqual([]);
      expect(readFileSync(join(base, aside), "utf8")).toBe("no JSON");
    });
  });
});

it("every one of many warnings is shown, also after the thousandth", async () => {
  const { base } = place();
  // Node's own listener prints each of them.
  const printing = process.listeners("warning");
  process.removeAllListeners("warning");
  onTestFinished(() => {
    for (const listener of printing) process.on("warning", listener);
  });
  const seen = warnings();
  const storage = fsStorage(base);
  const keys = Array.from({ length: 1500 }, () => newKey());
  for (const key of keys) {
    writeFileSync(join(base, key), "no value");
    expect(storage.getItemSync(key)).toBeNull();
  }
  await eventually(() => expect(seen).toHaveLength(keys.length));
  keys.forEach((key, index) => {
    expect(seen[index].message).toContain(`"${key}"`);
  });
  await storage.dispose();
});
