// Disks that are full, folders that are closed, processes with few descriptors: each works, or is an error
// with the system's code that leaves the old values in place.

import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { folder } from "./helpers/folders.js";
import { namesIn } from "./helpers/fs/names.js";
import { type Party, party, partyAt } from "./helpers/fs/party.js";
import { canRecord, recorder } from "./helpers/fs/recorder.js";
import { fsStorage, place, put } from "./helpers/fs/storage.js";
import { failureOf } from "./helpers/modes.js";

const isUnix = process.platform !== "win32";
const isSuperuser = process.getuid?.() === 0;

/** Another process on the base, without the rights of the superuser. */
async function ordinaryParty(base: string, options: object = {}): Promise<Party> {
  chmodSync(join(base, ".."), 0o755);
  const other = party();
  if (isSuperuser) await other.ask("becomeNobody");
  await other.ask("open", "fs", { base, durability: "none", ...options });
  return other;
}

const temporaryFiles = (base: string) =>
  readdirSync(base).filter((name) => name.startsWith("%~tmp-"));

describe.runIf(isUnix)("permissions", () => {
  it("a file that may not be read is EACCES with the key, and so is it in a batch", async () => {
    const { base } = place();
    put(base, "a", "b");
    chmodSync(join(base, "a"), 0);
    const other = await ordinaryParty(base, { readOnly: true });
    for (const method of ["getItem", "getItemSync", "getItemRaw"]) {
      const error = await failureOf(other.call(method, "a"));
      expect(error, method).toMatchObject({ code: "EACCES", driver: "fs", key: "a" });
      expect(error.message).toMatch(/^\[electron-async-storage\] \[fs\] EACCES/);
    }
    const error = await failureOf(other.call("getItems", ["b", "a"]));
    expect(error).toMatchObject({ code: "EACCES", key: "a" });
    expect(await other.call("getItem", "b")).toBe("b");
    expect((await other.call("getKeys")).sort()).toEqual(["a", "b"]);
  });

  it("a folder that may not be written is EACCES for writes and removals, and keeps its values", async () => {
    const { base } = place();
    put(base, "a", "x/b");
    chmodSync(base, 0o555);
    chmodSync(join(base, "x"), 0o555);
    const other = await ordinaryParty(base);
    for (const [method, ...args] of [
      ["setItem", "a", "new"],
      ["setItemSync", "a", "new"],
      ["setItem", "x:c", "new"],
      ["setItem", "new:folder", "new"],
      ["setItem", "a:below", "new"],
      ["setItemRaw", "a", "new"],
      ["removeItem", "a"],
      ["removeItemSync", "x:b"],
      ["clear"],
      ["setItems", [{ key: "a", value: 1 }]],
    ] as const) {
      const error = await failureOf(other.call(method, ...args));
      expect(error, `${method} ${args[0]}`).toMatchObject({ code: "EACCES", driver: "fs" });
    }
    expect(await other.call("getItem", "a")).toBe("a");
    expect(await other.call("getItem", "x:b")).toBe("x/b");
    expect(namesIn(base).sort()).toEqual(["a", "x"]);
  });

  it("a folder that may not be listed is EACCES for getKeys and clear", async () => {
    const { base } = place();
    put(base, "a", "closed/b");
    chmodSync(base, 0o777);
    chmodSync(join(base, "closed"), 0o311);
    const other = await ordinaryParty(base);
    for (const method of ["getKeys", "getKeysSync", "clear"]) {
      const error = await failureOf(other.call(method));
      expect(error, method).toMatchObject({ code: "EACCES", driver: "fs" });
    }
    expect(await other.call("getItem", "closed:b")).toBe("closed/b");
    expect(await other.call("getKeys", "", { maxDepth: 0 })).toEqual(["a"]);
  });

  it("a file keeps its permissions when its value is replaced", async () => {
    const { base } = place();
    put(base, "a");
    chmodSync(join(base, "a"), 0o640);
    await fsStorage(base).setItem("a", "new");
    const other = await ordinaryParty(base);
    expect((await other.fs("statSync", join(base, "a"))).mode & 0o777).toBe(0o640);
  });
});

describe.runIf(isUnix && isSuperuser)("a file system", () => {
  /** A small file system of memory; nothing where mounting is not allowed. */
  function mounted(...options: string[]): string | undefined {
    const at = join(realpathSync(folder()), "disk");
    mkdirSync(at);
    const given = ["size=512k", ...options].join(",");
    if (spawnSync("mount", ["-t", "tmpfs", "-o", given, "tmpfs", at]).status !== 0)
      return undefined;
    onTestFinished(() => {
      spawnSync("umount", ["-l", at]);
    });
    return at;
  }

  it("that is full refuses with ENOSPC, keeps the old values, and works again with room", async (test) => {
    const disk = mounted();
    if (disk === undefined) return test.skip();
    const base = join(disk, "base");
    const storage = fsStorage(base, { durability: "none" });
    await storage.setItems([
      { key: "old", value: "old" },
      { key: "big", value: "x".repeat(100_000) },
    ]);
    const huge = "y".repeat(600_000);
    for (const write of [
      () => storage.setItem("old", huge),
      async () => storage.setItemSync("old", huge),
      () => storage.setItemRaw("old", huge),
      () => storage.setItems([{ key: "old", value: huge }]),
    ]) {
      const error = await failureOf(write());
      expect(error).toMatchObject({ code: "ENOSPC", driver: "fs", key: "old" });
      expect(await storage.getItem("old")).toBe("old");
    }
    expect(temporaryFiles(base)).toEqual([]);
    expect((await storage.getKeys()).sort()).toEqual(["big", "old"]);
    await storage.removeItem("big");
    await storage.setItem("old", "z".repeat(200_000));
    expect(await storage.getItem("old")).toBe("z".repeat(200_000));
  });

  it("that has no more files refuses with ENOSPC and lets values go", async (test) => {
    const disk = mounted("nr_inodes=20");
    if (disk === undefined) return test.skip();
    const storage = fsStorage(join(disk, "base"), { durability: "none" });
    const items = Array.from({ length: 40 }, (_, index) => ({ key: `k${index}`, value: index }));
    const error = await failureOf(storage.setItems(items));
    expect(error).toMatchObject({ code: "ENOSPC", driver: "fs" });
    const keys = await storage.getKeys();
    expect(keys.length).toBeGreaterThan(5);
    for (const { key, value } of await storage.getItems(keys)) expect(`k${value}`).toBe(key);
    await storage.clear();
    expect(await storage.getKeys()).toEqual([]);
  });

  it("that is read-only refuses with EROFS and is read", async (test) => {
    const disk = mounted();
    if (disk === undefined) return test.skip();
    const base = join(disk, "base");
    await fsStorage(base).setItem("a", 1);
    if (spawnSync("mount", ["-o", "remount,ro", disk]).status !== 0) return test.skip();
    const storage = fsStorage(base);
    expect(await storage.getItem("a")).toBe(1);
    expect(await storage.getKeys()).toEqual(["a"]);
    for (const write of [
      () => storage.setItem("a", 2),
      () => storage.setItem("new:key", 2),
      () => storage.removeItem("a"),
      () => storage.clear(),
    ]) {
      expect(await failureOf(write())).toMatchObject({ code: "EROFS", driver: "fs" });
    }
    expect(await storage.getItem("a")).toBe(1);
    await storage.flush();
  });
});

describe.runIf(isUnix)("limits of a process", () => {
  it("a file that would be too long is EFBIG, and the old value stays", async () => {
    const { base } = place();
    // 64 blocks of 1,024 bytes; without the trap the system ends the process.
    const other = await partyAt(
      base,
      { durability: "none" },
      { before: "trap '' XFSZ; ulimit -f 64" },
    );
    await other.call("setItem", "a", "old");
    for (const method of ["setItem", "setItemSync"]) {
      const error = await failureOf(other.call(method, "a", "x".repeat(200_000)));
      expect(error).toMatchObject({ code: "EFBIG", driver: "fs", key: "a" });
      expect(await other.call("getItem", "a")).toBe("old");
    }
    expect(namesIn(base)).toEqual(["a"]);
  });

  it("20,000 items in one setItems work with 256 descriptors", async () => {
    const { base } = place();
    const other = await partyAt(base, { durability: "none" }, { before: "ulimit -n 256" });
    expect(await other.ask("setMany", 20_000)).toBe(0);
    expect(await fsStorage(base).getKeys()).toHaveLength(20_000);
  });

  it("when there is no descriptor left it is EMFILE, and works again with one", async () => {
    const { base } = place();
    put(base, "a");
    const other = await partyAt(base, { durability: "none" }, { before: "ulimit -n 64" });
    await other.call("getItem", "a");
    const files: number[] = [];
    await failureOf(async () => {
      for (;;) files.push(await other.fs("openSync", join(base, "a"), "r"));
    });
    for (const [method, ...args] of [
      ["getItem", "a"],
      ["setItem", "a", "new"],
      ["setItemSync", "a", "new"],
      ["getKeys"],
    ]) {
      const error = await failureOf(other.call(method, ...args));
      expect(error, method).toMatchObject({ code: "EMFILE", driver: "fs" });
    }
    for (const file of files) await other.fs("closeSync", file);
    expect(await other.call("getItem", "a")).toBe("a");
    await other.call("setItem", "a", "new");
    expect(await other.call("getItem", "a")).toBe("new");
  });
});

describe.runIf(canRecord)("a call that fails", () => {
  const FAULTS: [call: string, errno: number, code: string][] = [
    ["write", 28, "ENOSPC"],
    ["write", 5, "EIO"],
    ["rename", 5, "EIO"],
    ["mkdir", 28, "ENOSPC"],
    ["unlink", 5, "EIO"],
  ];

  for (const [call, errno, code] of FAULTS) {
    it(`${call} with ${code} is an error with that code, and the old values stay`, async () => {
      const { base } = place();
      await fsStorage(base).setItem("a", "old");
      const record = recorder(base, `${call} ${errno}`);
      const other = await partyAt(base, { durability: "none" }, { env: record.env });
      const attempts =
        call === "unlink"
          ? [["removeItem", "a"], ["clear"]]
          : call === "mkdir"
            ? [["setItem", "x:b", 1]]
            : [
                ["setItem", "a", "new"],
                ["setItemSync", "a", "new"],
                ["setItem", "b", "new"],
              ];
      for (const [method, ...args] of attempts) {
        const error = await failureOf(other.call(method as string, ...args));
        expect(error, `${method} ${args[0]}`).toMatchObject({ code, driver: "fs" });
      }
      expect(await other.call("getItem", "a")).toBe("old");
      expect(await other.call("getKeys")).toEqual(["a"]);
      expect(temporaryFiles(base)).toEqual([]);
    });
  }
});
