// Files that another program holds open, and files with the read-only attribute.

import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { describe, expect, it, onTestFinished } from "vitest";
import { folder } from "./helpers/folders.js";
import { fsStorage } from "./helpers/fs/storage.js";
import { callsOf, failureOf, type Mode } from "./helpers/modes.js";

const isWindows = process.platform === "win32";
const drivers = ["fs", "fs-lite"];
const modes: Mode[] = ["async", "sync"];

const isReadOnly = (path: string) => (statSync(path).mode & 0o222) === 0;

describe.each(drivers)("%s: a file with the read-only attribute", (driver) => {
  describe.each(modes)("%s", (mode) => {
    it.each(["none", "background", "full"])(
      "is replaced, stays read-only and becomes durable (durability: %s)",
      async (durability) => {
        const base = folder();
        const path = join(base, "a");
        writeFileSync(path, '{"json":0}');
        chmodSync(path, 0o444);
        const calls = callsOf(fsStorage(base, { durability }, driver), mode);
        for (const value of [1, 2]) {
          await calls.setItem("a", value);
          expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({ json: value });
          expect(isReadOnly(path)).toBe(true);
          await calls.flush();
          expect(isReadOnly(path)).toBe(true);
        }
      },
    );

    it("makes room for keys below it", async () => {
      const base = folder();
      writeFileSync(join(base, "a"), "1");
      chmodSync(join(base, "a"), 0o444);
      const calls = callsOf(fsStorage(base, {}, driver), mode);
      await calls.setItem("a:b", 2);
      expect([await calls.getItem("a"), await calls.getItem("a:b")]).toEqual([1, 2]);
      await calls.setItem("a", 3);
      expect([await calls.getItem("a"), await calls.getItem("a:b")]).toEqual([3, 2]);
      await calls.flush();
      expect((await calls.getKeys()).sort()).toEqual(["a", "a:b"]);
    });

    it("is removed and cleared", async () => {
      const base = folder();
      for (const name of ["a", "b", "c"]) {
        writeFileSync(join(base, name), "1");
        chmodSync(join(base, name), 0o444);
      }
      const calls = callsOf(fsStorage(base, {}, driver), mode);
      await calls.removeItem("a");
      expect((await calls.getKeys()).sort()).toEqual(["b", "c"]);
      await calls.clear();
      expect(await calls.getKeys()).toEqual([]);
      expect(existsSync(join(base, "b"))).toBe(false);
    });
  });
});

/** Opens a file as programs do that let no other one near it, until it is told to let go. */
async function hold(path: string, forMs?: number): Promise<() => Promise<void>> {
  const worker = new Worker(
    `const { closeSync, constants, openSync } = require("node:fs");
     const { parentPort, workerData } = require("node:worker_threads");
     // libuv's flag for a handle beside which no other may be opened.
     const file = openSync(workerData.path, constants.O_RDWR | 0x10000000);
     const letGo = () => {
       closeSync(file);
       parentPort.close();
     };
     parentPort.postMessage("held");
     if (workerData.forMs === undefined) parentPort.once("message", letGo);
     else setTimeout(letGo, workerData.forMs);`,
    { eval: true, workerData: { path, forMs } },
  );
  const exit = new Promise((resolve) => worker.once("exit", resolve));
  onTestFinished(() => worker.terminate().then(() => {}));
  await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
  return async () => {
    worker.postMessage("");
    await exit;
  };
}

describe.runIf(isWindows).each(drivers)("%s: a file that another program holds", (driver) => {
  const calls: [name: string, call: (storage: any, suffix: string) => unknown][] = [
    ["setItem", (storage, suffix) => storage[`setItem${suffix}`]("a", 2)],
    ["getItem", (storage, suffix) => storage[`getItem${suffix}`]("a")],
    ["removeItem", (storage, suffix) => storage[`removeItem${suffix}`]("a")],
    ["clear", (storage, suffix) => storage[`clear${suffix}`]()],
    ["setItem below it", (storage, suffix) => storage[`setItem${suffix}`]("a:b", 2)],
  ];

  async function held(forMs?: number) {
    const base = folder();
    const path = join(base, "a");
    writeFileSync(path, "1");
    return { path, storage: fsStorage(base, {}, driver), letGo: await hold(path, forMs) };
  }

  it.each(calls)("%s waits until it lets go", async (name, call) => {
    const { storage, letGo } = await held();
    const outcome = Promise.resolve(call(storage, ""));
    await letGo();
    const result = await outcome;
    if (name === "getItem") expect(result).toBe(1);
  });

  it.each(calls)("%s as a Sync call waits in place", async (name, call) => {
    const { storage } = await held(100);
    const result = call(storage, "Sync");
    if (name === "getItem") expect(result).toBe(1);
  });

  it.each(calls)(
    "%s fails with the system's error if it does not, and changes nothing",
    async (_, call) => {
      const { path, storage, letGo } = await held();
      const error = await failureOf(Promise.resolve(call(storage, "")));
      expect(error).toMatchObject({
        code: expect.stringMatching(/^(EBUSY|EPERM|EACCES)$/),
        syscall: expect.any(String),
        path: expect.stringContaining("a"),
      });
      await letGo();
      expect(readFileSync(path, "utf8")).toBe("1");
      expect(await storage.getItem("a")).toBe(1);
      expect(await storage.getKeys()).toEqual(["a"]);
    },
  );

  it("flush makes durable what it can and reports the rest, which is made durable by the next one", async () => {
    const base = folder();
    const storage = fsStorage(base, { durability: "none" }, driver);
    await storage.setItem("a", 1);
    await storage.setItem("b", 1);
    const letGo = await hold(join(base, "a"));
    expect(await failureOf(storage.flush())).toMatchObject({ code: "EBUSY", syscall: "fsync" });
    await letGo();
    await storage.flush();
  });
});

describe.each(drivers)("%s: a file that a reader has open", (driver) => {
  async function opened(mode: Mode) {
    const base = folder();
    const calls = callsOf(fsStorage(base, {}, driver), mode);
    await calls.setItem("a", 1);
    const reader = openSync(join(base, "a"), constants.O_RDONLY);
    onTestFinished(() => closeSync(reader));
    return { calls, reader };
  }

  it.each(modes)("is replaced, and the reader keeps what it opened (%s)", async (mode) => {
    const { calls, reader } = await opened(mode);
    await calls.setItem("a", 2);
    expect([await calls.getItem("a"), await calls.getKeys()]).toEqual([2, ["a"]]);
    expect(JSON.parse(readFileSync(reader, "utf8"))).toEqual({ json: 1 });
  });

  it.each(modes)("is removed and made again (%s)", async (mode) => {
    const { calls, reader } = await opened(mode);
    await calls.removeItem("a");
    expect([await calls.getItem("a"), await calls.getKeys()]).toEqual([null, []]);
    await calls.setItem("a", 3);
    expect([await calls.getItem("a"), await calls.getKeys()]).toEqual([3, ["a"]]);
    await calls.clear();
    expect([await calls.getItem("a"), await calls.getKeys()]).toEqual([null, []]);
    expect(JSON.parse(readFileSync(reader, "utf8"))).toEqual({ json: 1 });
  });
});
