// When a write is safe: the order of the calls that a process makes of the file system.

import { spawnSync } from "node:child_process";
import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folder } from "./helpers/folders.js";
import { eventually } from "./helpers/fs/events.js";
import { partyAt } from "./helpers/fs/party.js";
import { canRecord, inOrder, recorder } from "./helpers/fs/recorder.js";
import { fsStorage } from "./helpers/fs/storage.js";
import { failureOf } from "./helpers/modes.js";
import { builtin, root } from "./helpers/package.js";

const newBase = () => join(realpathSync(folder()), "base");

const inFull = (file: string) => ["write %~tmp", "fsync %~tmp", `rename %~tmp ${file}`, "fsync ."];

describe("the option", () => {
  it.each([[""], ["fast"], ["Full"], [true], [1]])("%j is refused", (durability) => {
    expect(() => builtin("fs", { base: "x", durability })).toThrow(
      expect.objectContaining({ code: "EAS_INVALID_OPTION" }),
    );
  });

  it.each(["background", "full", "none"])(
    "%s: what is written is read, in any form",
    async (level) => {
      const storage = fsStorage(newBase(), { durability: level });
      await storage.setItem("a:b", 1);
      storage.setItemSync("a:c", 2);
      await storage.setItems([
        { key: "a", value: 3 },
        { key: "d", value: 4 },
      ]);
      await storage.removeItem("d");
      await storage.flush();
      storage.flushSync();
      await storage.flush("a");
      const found = await storage.getItems(["a", "a:b", "a:c", "d"]);
      expect(found.map(({ value }) => value)).toEqual([3, 1, 2, null]);
    },
  );
});

describe.runIf(canRecord)("full", () => {
  it.each(["setItem", "setItemSync"])(
    "%s returns after the file was fsynced, renamed, and its folder fsynced",
    async (method) => {
      const base = newBase();
      const record = recorder(base);
      const writer = await partyAt(base, { durability: "full" }, { env: record.env });
      await writer.call(method, "a", 1);
      record.note("done");
      await writer.call(method, "a", 2);
      record.note("done");
      const expected = [...inFull("a"), "note done", ...inFull("a"), "note done"];
      expect(inOrder(record.calls(), expected)).toEqual(expected);
    },
  );

  it("new folders are durable up to the one that was there, before the write returns", async () => {
    const at = realpathSync(folder());
    const base = join(at, "base");
    const record = recorder(at);
    const writer = await partyAt(base, { durability: "full" }, { env: record.env });
    await writer.call("setItem", "x:y:a", 1);
    record.note("done");
    const calls = record.calls();
    const before = calls.slice(
      0,
      calls.findIndex(({ name }) => name === "note"),
    );
    const synced = before.filter(({ name }) => name === "fsync").map(({ path }) => path);
    for (const path of [".", "base", "base/x", "base/x/y"]) expect(synced).toContain(path);
    const expected = ["fsync base/x/y/%~tmp", "rename base/x/y/%~tmp base/x/y/a", "fsync base/x/y"];
    expect(inOrder(before, expected)).toEqual(expected);
  });

  it("a removal is durable before it returns", async () => {
    const base = newBase();
    const record = recorder(base);
    const writer = await partyAt(base, { durability: "full" }, { env: record.env });
    await writer.call("setItem", "a", 1);
    await writer.call("setItem", "b", 1);
    await writer.call("removeItem", "a");
    record.note("done");
    const expected = ["unlink a", "fsync .", "note done"];
    expect(inOrder(record.calls(), expected)).toEqual(expected);
  });

  it("an fsync that fails is the write's error, and the old value stays", async () => {
    const base = newBase();
    await fsStorage(base).setItem("a", "old");
    const record = recorder(base, "fsync 5");
    const writer = await partyAt(base, { durability: "full" }, { env: record.env });
    for (const method of ["setItem", "setItemSync"]) {
      const error = await failureOf(writer.call(method, "a", "new"));
      expect(error).toMatchObject({ code: "EIO", driver: "fs", key: "a" });
      expect(await writer.call("getItem", "a")).toBe("old");
    }
    expect(await writer.call("getKeys")).toEqual(["a"]);
  });
});

describe.runIf(canRecord)("background", () => {
  it("a write returns before any fsync, which follows without being asked for", async () => {
    const base = newBase();
    const record = recorder(base);
    const writer = await partyAt(base, {}, { env: record.env });
    await writer.call("setItem", "x:a", 1);
    const expected = ["write x/%~tmp", "rename x/%~tmp x/a"];
    expect(inOrder(record.calls(), expected)).toEqual(expected);
    await eventually(() => {
      const synced = record.calls().filter(({ name }) => name === "fsync");
      expect(synced.map(({ path }) => path)).toEqual(expect.arrayContaining(["x/a", "x", "."]));
    });
    const calls = record.calls();
    const renamed = calls.findIndex(({ name }) => name === "rename");
    expect(calls.findIndex(({ name }) => name === "fsync")).toBeGreaterThan(renamed);
  });

  it.each(["flush", "flushSync"])("%s returns when all before it is durable", async (method) => {
    const base = newBase();
    const record = recorder(base);
    const writer = await partyAt(base, {}, { env: record.env });
    await writer.call("setItems", [
      { key: "a", value: 1 },
      { key: "x:b", value: 2 },
    ]);
    await writer.call("removeItem", "a");
    await writer.call(method);
    record.note("done");
    for (const path of ["x/b", "x", "."]) {
      const expected = ["rename x/%~tmp x/b", `fsync ${path}`, "note done"];
      expect(inOrder(record.calls(), expected)).toEqual(expected);
    }
  });

  it("dispose makes durable what was written", async () => {
    const base = newBase();
    const record = recorder(base);
    const writer = await partyAt(base, {}, { env: record.env });
    await writer.call("setItem", "a", 1);
    await writer.call("dispose");
    record.note("done");
    const expected = ["rename %~tmp a", "fsync a", "fsync .", "note done"];
    expect(inOrder(record.calls(), expected)).toEqual(expected);
  });

  it("an fsync that fails is the error of the next flush, and is tried again", async () => {
    const base = newBase();
    const record = recorder(base, "fsync 5");
    const writer = await partyAt(base, {}, { env: record.env });
    await writer.call("setItem", "a", 1);
    for (const method of ["flush", "flushSync"]) {
      const error = await failureOf(writer.call(method));
      expect(error).toMatchObject({ code: "EIO", driver: "fs" });
    }
    expect(await writer.call("getItem", "a")).toBe(1);
  });
});

describe.runIf(canRecord)("none", () => {
  it("fsyncs nothing but what flush is asked for", async () => {
    const base = newBase();
    const record = recorder(base);
    const writer = await partyAt(base, { durability: "none" }, { env: record.env });
    for (let round = 0; round < 20; round++) await writer.call("setItem", `k${round}`, round);
    record.note("written");
    await writer.call("flush");
    const names = record.calls().map(({ name }) => name);
    expect(names.slice(0, names.indexOf("note"))).not.toContain("fsync");
    const expected = ["note written", "fsync k0", "fsync ."];
    expect(inOrder(record.calls(), expected)).toEqual(expected);
  });
});

describe("the end of the process", () => {
  const ENDS: Record<string, string> = {
    "with nothing left to do": "",
    "by process.exit()": "process.exit(0);",
    "by process.exit() within an event": 'process.on("beforeExit", () => process.exit(0));',
  };

  for (const [title, end] of Object.entries(ENDS)) {
    it.runIf(canRecord)(`${title}: waits for the fsyncs of the background`, async () => {
      const base = newBase();
      const record = recorder(base);
      const writer = await partyAt(base, {}, { env: record.env });
      writer.ask("writeAndEnd", ["a", "x:b"], end).catch(() => {});
      writer.leave();
      const { code, signal } = await writer.exit;
      expect([code, signal]).toEqual([0, null]);
      for (const path of ["a", "x/b", "x", "."]) {
        const expected = ["rename x/%~tmp x/b", `fsync ${path}`];
        expect(inOrder(record.calls(), expected)).toEqual(expected);
      }
    });

    it(`${title}: writes that were asked for and not awaited are done`, async () => {
      const base = newBase();
      const writer = await partyAt(base);
      writer.ask("askAndEnd", 50, end).catch(() => {});
      writer.leave();
      const { code, signal } = await writer.exit;
      expect([code, signal]).toEqual([0, null]);
      const keys = await fsStorage(base).getKeys();
      expect(keys).toHaveLength(50);
    });
  }

  it.each(["process.exit(4);", "throw new Error('expected');", ""])(
    "does what its own listeners ask for: %s",
    async (end) => {
      const base = newBase();
      const script = `
        const { createStorage } = require(${JSON.stringify(join(root, "index.js"))});
        const fs = require(${JSON.stringify(join(root, "drivers/fs.js"))});
        const storage = createStorage({ driver: fs({ base: ${JSON.stringify(base)} }) });
        process.on("exit", () => {
          for (let n = 0; n < 300; n++) storage.setItem("k" + n, n);
          storage.setItems([{ key: "many", value: 1 }]);
        });
        ${end}
      `;
      spawnSync(process.execPath, ["-e", script], { encoding: "utf8" });
      expect(await fsStorage(base).getKeys()).toHaveLength(301);
    },
  );

  it("finishes a clear that was not awaited", async () => {
    const base = newBase();
    const storage = fsStorage(base);
    await storage.setItems(
      Array.from({ length: 3000 }, (_, n) => ({ key: `d${n % 20}:k${n}`, value: n })),
    );
    const script = `
      const { createStorage } = require(${JSON.stringify(join(root, "index.js"))});
      const fs = require(${JSON.stringify(join(root, "drivers/fs.js"))});
      createStorage({ driver: fs({ base: ${JSON.stringify(base)} }) }).clear();
      process.exit(4);
    `;
    const { status, stderr } = spawnSync(process.execPath, ["-e", script], { encoding: "utf8" });
    expect(status, stderr).toBe(4);
    expect(await storage.getKeys()).toEqual([]);
  });

  it.runIf(canRecord)("of a worker thread waits for its fsyncs too", async () => {
    const base = newBase();
    const record = recorder(base);
    const writer = await partyAt(base, {}, { env: record.env });
    const exitCode = await writer.ask("workerThatWrites", base);
    expect(exitCode).toBe(3);
    record.note("gone");
    for (const path of ["w", "."]) {
      const expected = ["rename %~tmp w", `fsync ${path}`, "note gone"];
      expect(inOrder(record.calls(), expected)).toEqual(expected);
    }
  });

  it("by a signal that cannot be caught leaves whole values", async () => {
    const base = newBase();
    const writer = await partyAt(base);
    await writer.call("setItem", "a", "written");
    writer.kill("SIGKILL");
    await writer.exit;
    expect(JSON.parse(readFileSync(join(base, "a"), "utf8"))).toEqual({ json: "written" });
  });
});
