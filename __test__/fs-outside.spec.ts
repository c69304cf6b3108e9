// What stands in the base and leads out of it, or is no file at all, is no part of the store.

import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { createStorage, prefixStorage } from "electron-async-storage";
import fsDriver from "electron-async-storage/drivers/fs";
import fsLiteDriver from "electron-async-storage/drivers/fs-lite";
import queueDriver from "electron-async-storage/drivers/queue";
import { describe, expect, it, onTestFinished } from "vitest";
import { folder } from "./helpers/folders.js";
import { namesIn } from "./helpers/fs/names.js";
import { failureOf } from "./helpers/modes.js";

const isUnix = process.platform !== "win32";
const isSuperuser = process.getuid?.() === 0;

function place() {
  const root = folder();
  const [base, outside] = [join(root, "base"), join(root, "outside")];
  mkdirSync(base);
  mkdirSync(join(outside, "deep"), { recursive: true });
  writeFileSync(join(outside, "thesis"), "1");
  writeFileSync(join(outside, "deep", "part"), "1");
  mkdirSync(join(base, "x"));
  // A junction needs no right of its own on Windows.
  symlinkSync(outside, join(base, "notes"), "junction");
  symlinkSync(outside, join(base, "x", "notes"), "junction");
  return { base, outside };
}

const kinds = {
  fs: (base: string) => createStorage({ driver: fsDriver({ base }) }),
  "fs with a function": (base: string) =>
    createStorage({ driver: fsLiteDriver({ base, ignore: () => false }) }),
  "fs-lite": (base: string) => createStorage({ driver: fsLiteDriver({ base }) }),
  queue: (base: string) => createStorage({ driver: queueDriver({ driver: fsDriver({ base }) }) }),
  spread: (base: string) => {
    const inner = fsDriver({ base });
    return createStorage({ driver: { ...inner, hasItem: inner.hasItem } });
  },
  mounted: (base: string) => {
    const storage = createStorage({ driver: fsDriver({ base }) });
    return prefixStorage(createStorage().mount("m", storage as never), "m");
  },
};

describe.each(Object.entries(kinds))("links to folders under %s", (_, make) => {
  it("nothing behind them is listed or cleared, wherever the base asked for lies", async () => {
    const { base, outside } = place();
    const storage = make(base);
    onTestFinished(() => storage.dispose());
    for (const asked of ["", "notes", "notes:deep", "x", "x:notes", "x:notes:deep"]) {
      expect(await storage.getKeys(asked), asked).toEqual([]);
      await storage.clear(asked);
      storage.clearSync(asked);
    }
    await prefixStorage(storage, "notes").clear();
    await storage.flush();
    expect(readdirSync(outside).sort()).toEqual(["deep", "thesis"]);
    expect(readdirSync(join(outside, "deep"))).toEqual(["part"]);
  });

  it("an item asked for by its own key is reached, and no folder goes with it", async () => {
    const { base, outside } = place();
    const storage = make(base);
    onTestFinished(() => storage.dispose());
    expect(await storage.getItem("x:notes:deep:part")).toBe(1);
    await storage.removeItem("notes:deep:part");
    await storage.setItem("notes:new", 2);
    await storage.flush();
    expect(readdirSync(outside).sort()).toEqual(["deep", "new", "thesis"]);
    expect(readdirSync(join(outside, "deep"))).toEqual([]);
  });
});

describe.runIf(isUnix)("what is neither a file nor a folder", () => {
  it("is no item, keeps no reader waiting and stays", async () => {
    const base = folder();
    const names = Array.from({ length: 12 }, (_, index) => `fifo${index}`);
    for (const name of names) execFileSync("mkfifo", [join(base, name)]);
    const storage = createStorage({ driver: fsDriver({ base }) });
    onTestFinished(() => storage.dispose());
    await storage.setItem("a", 1);
    expect(await Promise.all(names.map((name) => storage.getItem(name)))).toEqual(
      names.map(() => null),
    );
    expect(storage.getItemSync("fifo0")).toBeNull();
    expect(await storage.hasItem("fifo0")).toBe(false);
    expect(await storage.getKeys()).toEqual(["a"]);
    expect(await failureOf(storage.setItem("fifo0", 1))).toMatchObject({ code: "EEXIST" });
    await storage.removeItem("fifo0");
    await storage.clear();
    expect(namesIn(base).sort()).toEqual([...names].sort());
  });
});

describe.runIf(isUnix)("who may read a file", () => {
  const modeOf = (path: string) => statSync(path).mode & 0o7777;

  it("`mode` is that of new files, and folders get the bits to enter", async () => {
    const base = join(folder(), "base");
    for (const driver of [fsDriver, fsLiteDriver]) {
      const storage = createStorage({ driver: driver({ base, mode: 0o600 }) });
      await storage.setItem("a:b", 1);
      expect(modeOf(join(base, "a", "b"))).toBe(0o600);
      expect(modeOf(join(base, "a"))).toBe(0o700);
      await storage.clear();
      await storage.dispose();
    }
  });

  it("`mode` is that of the files in which the driver keeps its own affairs", async () => {
    const base = join(folder(), "base");
    for (const driver of [fsDriver, fsLiteDriver]) {
      const storage = createStorage({
        driver: driver({ base, mode: 0o600 }),
        version: 1,
        migrations: { 1: (storage) => storage.setItem("a:c", 1) },
      });
      await storage.setItem("a:b", 1, { ttl: 3_600_000 });
      await storage.setItem("a", 1);
      writeFileSync(join(base, "damaged"), "no JSON", { mode: 0o600 });
      await storage.getItem("damaged");
      await storage.setItem("damaged", 1);
      await storage.migrate();
      const names = readdirSync(base, { recursive: true }) as string[];
      expect(names).toEqual(expect.arrayContaining(["%~lock", "%~ttl"]));
      const modes = names.map((name) => {
        const stat = statSync(join(base, name));
        return [name, stat.mode & 0o7777, stat.isDirectory() ? 0o700 : 0o600] as const;
      });
      expect(modes.filter(([, mode, expected]) => mode !== expected)).toEqual([]);
      await storage.dispose();
      rmSync(base, { recursive: true });
    }
  });

  it("a mode of another type or size is an error", () => {
    for (const mode of ["600", -1, 0.5, 0o1000, Number.NaN, true, {}]) {
      for (const driver of [fsDriver, fsLiteDriver]) {
        expect(() => driver({ base: "/x", mode: mode as number })).toThrow(
          expect.objectContaining({ code: "EAS_INVALID_OPTION" }),
        );
      }
    }
  });

  it.runIf(isSuperuser)("a replaced file keeps its owner, group and mode", async () => {
    const base = folder();
    const storage = createStorage({ driver: fsDriver({ base }) });
    onTestFinished(() => storage.dispose());
    await storage.setItems([
      { key: "a", value: 1 },
      { key: "b", value: 1 },
    ]);
    await storage.setItem("b:c", 1);
    for (const path of [join(base, "a"), join(base, "b", "%~self")]) {
      chownSync(path, 1000, 1234);
      chmodSync(path, 0o640);
    }
    await storage.setItem("a", 2);
    storage.setItemSync("b", 2);
    for (const path of [join(base, "a"), join(base, "b", "%~self")]) {
      const { uid, gid } = statSync(path);
      expect([uid, gid, modeOf(path)], path).toEqual([1000, 1234, 0o640]);
    }
  });
});

describe("errors of the system", () => {
  it("a base that is a file is ENOTDIR with what Node tells", async () => {
    const base = join(folder(), "base");
    writeFileSync(base, "");
    const storage = createStorage({ driver: fsDriver({ base }) });
    onTestFinished(() => storage.dispose());
    for (const call of [
      () => storage.getItem("a"),
      () => storage.getKeys(),
      () => storage.hasItem("a:b"),
      () => storage.getMeta("a", { nativeOnly: true }),
      () => storage.setItem("a", 1),
      () => storage.removeItem("a"),
      () => storage.clear(),
    ]) {
      expect(await failureOf(call)).toMatchObject({
        code: "ENOTDIR",
        errno: process.platform === "win32" ? -4052 : -20,
        syscall: expect.any(String),
        path: expect.stringContaining("base"),
      });
    }
    expect(() => storage.getItemSync("a")).toThrow(expect.objectContaining({ code: "ENOTDIR" }));
  });

  it("a link that leads nowhere is ENOENT, whose folder is not made", async () => {
    const base = folder();
    symlinkSync(join(base, "no", "file"), join(base, "a"));
    const storage = createStorage({ driver: fsDriver({ base }) });
    onTestFinished(() => storage.dispose());
    expect(await failureOf(storage.setItem("a", 1))).toMatchObject({
      code: "ENOENT",
      syscall: "open",
      path: join(base, "a"),
      key: "a",
    });
    expect(existsSync(join(base, "no"))).toBe(false);
  });
});
