// Paths that Windows treats in a way of its own: long ones, names of devices, and junctions.

import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, toNamespacedPath } from "node:path";
import { describe, expect, it } from "vitest";
import { folder } from "./helpers/folders.js";
import { Events } from "./helpers/fs/events.js";
import { fsStorage, pathsBelow } from "./helpers/fs/storage.js";
import { callsOf, type Mode } from "./helpers/modes.js";

const modes: Mode[] = ["async", "sync"];
const PART = "x".repeat(100);

describe.each(["fs", "fs-lite"])("%s", (driver) => {
  it.each(modes)(
    "a removal under a path too long for the system is durable at once, %s",
    async (mode) => {
      const storage = fsStorage(join(folder(), "base"), {}, driver);
      const calls = callsOf(storage, mode);
      await calls.removeItem("x".repeat(5000));
      await calls.setItem("a", 1);
      await calls.flush();
      await calls.clear();
      await calls.flush();
    },
  );

  describe.each(modes)("paths over 260 characters, %s", (mode) => {
    it("of a base hold keys like any other", async () => {
      const base = join(folder(), PART, PART, PART, "base");
      const calls = callsOf(fsStorage(base, {}, driver), mode);
      await calls.setItem("a", 1);
      await calls.setItem("a:b", 2);
      await calls.setItemRaw("raw", new Uint8Array([1, 2, 3]));
      expect(await calls.getItems(["a", "a:b"])).toEqual([
        { key: "a", value: 1 },
        { key: "a:b", value: 2 },
      ]);
      expect((await calls.getKeys()).sort()).toEqual(["a", "a:b", "raw"]);
      expect((await calls.getMeta("raw")).size).toBe(3);
      await calls.flush();
      await calls.removeItem("a");
      expect(await calls.hasItem("a")).toBe(false);
      await calls.clear();
      expect(await calls.getKeys()).toEqual([]);
    });

    it("of keys in a short base as well", async () => {
      const base = folder();
      const key = `${PART}:${PART}:${PART}:${PART}`;
      const calls = callsOf(fsStorage(base, {}, driver), mode);
      await calls.setItem(key, 1);
      await calls.setItem(`${key}:below`, 2);
      expect([await calls.getItem(key), await calls.getItem(`${key}:below`)]).toEqual([1, 2]);
      expect((await calls.getKeys(PART)).sort()).toEqual([key, `${key}:below`]);
      await calls.flush();
      await calls.clear(PART);
      expect(pathsBelow(base)).toEqual([]);
    });
  });

  describe.each(modes)("names of devices, %s", (mode) => {
    const keys = [
      "con",
      "CON.txt",
      "nul",
      "a:aux:b",
      "com1",
      "LPT9.log",
      "prn:x",
      "dot.",
      "space ",
    ];

    it("are keys whose files have other names", async () => {
      const base = folder();
      const calls = callsOf(fsStorage(base, {}, driver), mode);
      for (const key of keys) await calls.setItem(key, { key });
      for (const key of keys) expect(await calls.getItem(key), key).toEqual({ key });
      expect((await calls.getKeys()).sort()).toEqual([...keys].sort());
      for (const name of pathsBelow(base).flatMap((path) => path.split(/[\\/]/))) {
        expect(name).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)|[. ]$/i);
      }
      await calls.clear();
      expect(pathsBelow(base)).toEqual([]);
    });

    it("that a program wrote as they are read, and are replaced", async () => {
      const base = folder();
      // This form of a path reaches files whatever their names are.
      writeFileSync(toNamespacedPath(join(base, "nul")), "1");
      const calls = callsOf(fsStorage(base, {}, driver), mode);
      expect([await calls.getItem("nul"), await calls.getKeys()]).toEqual([1, ["nul"]]);
      await calls.setItem("nul", 2);
      expect([await calls.getItem("nul"), await calls.getKeys()]).toEqual([2, ["nul"]]);
      expect(pathsBelow(base)).toHaveLength(1);
      await calls.clear();
      expect(pathsBelow(base)).toEqual([]);
    });
  });

  describe.each(modes)("impossible names, %s", (mode) => {
    it.each(["a<", "é<:a", "a<:b<:c"])("what cannot be a file, %s, is not there", async (key) => {
      const calls = callsOf(fsStorage(folder(), {}, driver), mode);
      await calls.removeItem(key);
      await calls.clear(key);
      expect([await calls.hasItem(key), await calls.getKeys(key)]).toEqual([false, []]);
    });
  });

  it("a base behind a junction is a base like any other", async () => {
    const root = folder();
    const [real, base] = [join(root, "real"), join(root, "base")];
    mkdirSync(real);
    symlinkSync(real, base, "junction");
    const storage = fsStorage(base, {}, driver);
    const events = new Events();
    await storage.watch(events.listener);
    await storage.setItem("a:b", 1);
    await events.take(["update a:b"]);
    expect(readFileSync(join(real, "a", "b"), "utf8")).toContain("1");
    expect([await storage.getItem("a:b"), await storage.getKeys()]).toEqual([1, ["a:b"]]);
    await storage.clear();
    await events.take(["remove a:b"]);
    expect(pathsBelow(real)).toEqual([]);
  });
});

it("changes in a base of a long path are seen", async () => {
  const base = join(folder(), PART, PART, PART, "base");
  mkdirSync(base, { recursive: true });
  const storage = fsStorage(base);
  const events = new Events();
  await storage.watch(events.listener);
  writeFileSync(join(base, "a"), "1");
  await events.take(["update a"]);
});
