// Several processes and threads on one base.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { describe, expect, it, onTestFinished } from "vitest";
import { eventually } from "./helpers/fs/events.js";
import { namesIn } from "./helpers/fs/names.js";
import { type Party, partyAt } from "./helpers/fs/party.js";
import { fsStorage, place } from "./helpers/fs/storage.js";
import { root } from "./helpers/package.js";

/** How long processes work against each other: for as long as there is to see something. */
const WORK_MS = 3000;

const TEMPORARY = "%~tmp-";

function temporaryFiles(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.startsWith(TEMPORARY));
}

/** Lets processes work for a while, tells them to stop and gives what each has to say. */
async function work(parties: [party: Party, name: string, ...args: unknown[]][]): Promise<any[]> {
  const outcomes = Promise.all(parties.map(([party, name, ...args]) => party.ask(name, ...args)));
  const over = new Promise((resolve) => setTimeout(resolve, WORK_MS));
  // A failure ends the wait.
  await Promise.race([outcomes, over]);
  for (const [party] of parties) await party.ask("stop");
  return outcomes;
}

/** Holds the lock of a folder in another process until it is told to let go. */
async function holder(folder: string) {
  const child = spawn("flock", [folder, "sh", "-c", "echo held; read line"]);
  onTestFinished(() => void child.kill());
  await once(child.stdout, "data");
  return async () => {
    child.stdin.end();
    await once(child, "exit");
  };
}

const canHold = process.platform === "linux" && spawnSync("flock", ["--version"]).status === 0;

describe.runIf(canHold)("a lock that another process holds", () => {
  it("holds up those that need it, and no reads of any storage", async () => {
    const { base } = place();
    const storage = fsStorage(base);
    await storage.setItem("plain", "written before");
    const letGo = await holder(base);
    let settled = 0;
    const writes = Array.from({ length: 40 }, async (_, n) => {
      await storage.setItem(`k${n}`, n, { ttl: 60_000 });
    });
    for (const write of writes) write.catch(() => {}).finally(() => settled++);
    const others = Array.from({ length: 40 }, () => [
      storage.removeItem("missing"),
      storage.setItem("k7", "after"),
      storage.flush("nowhere"),
    ]).flat();
    const flushes = Array.from({ length: 8 }, () => storage.flush());
    const elsewhere = fsStorage(place().base);
    await elsewhere.setItem("a", 1);
    expect(await elsewhere.getItem("a")).toBe(1);
    expect(await storage.getItem("plain")).toBe("written before");
    expect(settled).toBe(0);
    await letGo();
    await Promise.all([...writes, ...others, ...flushes]);
    expect(await storage.getItem("k7")).toBe("after");
    expect(await storage.getItem("k39")).toBe(39);
  });
});

describe("several processes on one base", () => {
  it.each(["none", "background"])(
    "four that write and two that read never see part of a value (durability: %s)",
    async (durability) => {
      const { base } = place();
      const keys = ["a", "a:b", "x:y:c", "x:y:d", "e"];
      const open = () => partyAt(base, { durability });
      const parties = await Promise.all(Array.from({ length: 6 }, open));
      for (const key of keys) await parties[0].ask("seal", key, 100);
      const outcomes = await work(
        parties.map((party, index) =>
          index < 4 ? [party, "writeAll", index, keys] : [party, "readAll", keys],
        ),
      );
      for (const written of outcomes.slice(0, 4)) expect(written).toBeGreaterThan(keys.length);
      for (const { reads, torn } of outcomes.slice(4)) {
        expect(torn).toEqual([]);
        expect(reads).toBeGreaterThan(keys.length);
      }
      expect(parties.flatMap((party) => party.warnings)).toEqual([]);
      await parties[0].call("getKeys");
      expect(temporaryFiles(base)).toEqual([]);
    },
  );

  it("the folder of the last key may go while others write into it", async () => {
    const { base } = place();
    const parties = await Promise.all(
      Array.from({ length: 4 }, () => partyAt(base, { durability: "none" })),
    );
    const outcomes = await work(
      parties.map((party, index) =>
        index % 2
          ? [party, "comeAndGo", `d:deep:${index}`]
          : [party, "comeAndStay", `d:deep:er:${index}`],
      ),
    );
    for (const rounds of outcomes) expect(rounds).toBeGreaterThan(0);
    expect(namesIn(base)).toEqual([]);
  });

  it("the base itself may go with its last key", async () => {
    const { base } = place();
    const inner = join(base, "not", "yet");
    const parties = await Promise.all(
      Array.from({ length: 3 }, () => partyAt(inner, { durability: "none" })),
    );
    await work(parties.map((party, index) => [party, "comeAndStay", `k${index}`]));
    const storage = fsStorage(inner);
    expect(await storage.getKeys()).toEqual([]);
  });

  it("a key makes room for keys below it while others read it", async () => {
    const { base } = place();
    const parties = await Promise.all(
      Array.from({ length: 3 }, () => partyAt(base, { durability: "none" })),
    );
    await parties[0].ask("seal", "a", 100);
    const [reader, ...writers] = parties;
    const reading = reader.ask("readAll", ["a"], { lists: false });
    const writing = writers.map((party, index) => party.ask("comeAndGo", `a:b${index}`));
    await Promise.race([
      Promise.all([reading, ...writing]),
      new Promise((resolve) => setTimeout(resolve, WORK_MS)),
    ]);
    for (const party of parties) await party.ask("stop");
    await Promise.all(writing);
    const { reads, torn } = await reading;
    expect(torn).toEqual([]);
    expect(reads).toBeGreaterThan(10);
  });

  it("what one wrote, another reads at once", async () => {
    const { base } = place();
    const [one, two] = [await partyAt(base), await partyAt(base)];
    for (let round = 0; round < 20; round++) {
      await one.call("setItem", "a:b", { round });
      expect(await two.call("getItem", "a:b")).toEqual({ round });
      expect(await two.call("getKeys")).toEqual(["a:b"]);
      await two.call("removeItem", "a:b");
      expect(await one.call("hasItem", "a:b")).toBe(false);
    }
  });
});

describe.skipIf(process.platform === "win32")("temporary files", () => {
  /** A thread stops when its system call is done, which may be the rename of the file. */
  async function stopped({ pid }: Party): Promise<void> {
    if (process.platform !== "linux") return;
    const tasks = `/proc/${pid}/task`;
    await eventually(() => {
      for (const task of readdirSync(tasks)) {
        const stat = readFileSync(join(tasks, task, "stat"), "utf8");
        expect(stat.slice(stat.lastIndexOf(")") + 2)[0]).toBe("T");
      }
    });
  }

  /** A process that is stopped in the middle of a write. */
  async function stoppedWriter(base: string): Promise<Party> {
    const writer = await partyAt(base, { durability: "none" });
    writer.ask("writeBig", "big", 30_000_000).catch(() => {});
    await eventually(async () => {
      writer.kill("SIGCONT");
      expect(existsSync(base) && temporaryFiles(base)).not.toEqual([]);
      writer.kill("SIGSTOP");
      await stopped(writer);
      const [name] = temporaryFiles(base);
      // It may have been renamed before the signal came.
      expect(name).toBeDefined();
      const { size } = statSync(join(base, name));
      // Before that the file may not be locked yet; one that is taken for abandoned is made again.
      expect(size).toBeGreaterThan(0);
      expect(temporaryFiles(base)).toContain(name);
      expect(statSync(join(base, name)).size).toBe(size);
    });
    return writer;
  }

  it("of a writer that is alive stay, and its write succeeds", async () => {
    const { base } = place();
    const writer = await stoppedWriter(base);
    const [name] = temporaryFiles(base);
    const storage = fsStorage(base);
    await storage.setItem("other", 1);
    expect((await storage.getKeys()).filter((key) => key !== "big")).toEqual(["other"]);
    await (await partyAt(base)).call("getKeys");
    expect(temporaryFiles(base)).toContain(name);
    writer.kill("SIGCONT");
    await writer.ask("stop");
    await writer.call("flush");
    expect((await storage.getItem("big")).length).toBe(30_000_000);
    expect(temporaryFiles(base)).toEqual([]);
  });

  it("of a writer that was killed are gone after the next listing, and the old value is whole", async () => {
    const { base } = place();
    const storage = fsStorage(base);
    await storage.setItem("big", "old");
    const writer = await stoppedWriter(base);
    writer.kill("SIGKILL");
    await writer.exit;
    expect(temporaryFiles(base)).not.toEqual([]);
    const value = await storage.getItem("big");
    expect(value === "old" || value === "x".repeat(30_000_000)).toBe(true);
    expect(await storage.getKeys()).toEqual(["big"]);
    expect(temporaryFiles(base)).toEqual([]);
  });

  it("of a writer that was killed are gone some time after the next open, without a listing", async () => {
    const { base } = place();
    const deep = join(base, "x", "y");
    const seed = fsStorage(base);
    await seed.setItem("x:y:seed", 1);
    const writer = await stoppedWriter(deep);
    writer.kill("SIGKILL");
    await writer.exit;
    expect(temporaryFiles(deep)).not.toEqual([]);
    const storage = fsStorage(base);
    await storage.getItem("x:y:seed");
    await eventually(() => expect(temporaryFiles(deep)).toEqual([]));
  });

  it("stay where a store is read-only", async () => {
    const { base } = place();
    const writer = await stoppedWriter(base);
    writer.kill("SIGKILL");
    await writer.exit;
    const before = temporaryFiles(base);
    const storage = fsStorage(base, { readOnly: true });
    await storage.getKeys();
    await storage.flush();
    expect(temporaryFiles(base)).toEqual(before);
  });
});

describe("several threads on one base", () => {
  it("worker threads and the main thread never see part of a value", async () => {
    const { base } = place();
    const storage = fsStorage(base, { durability: "none" });
    const program = `
      const { parentPort, workerData } = require("node:worker_threads");
      const { createStorage } = require(workerData.root);
      const driver = require(workerData.root + "/drivers/fs")({
        base: workerData.base,
        durability: "none",
      });
      const storage = createStorage({ driver });
      (async () => {
        for (let number = 0; number < 150; number++) {
          const body = String(number).repeat(1 + (number % 7) * 3000);
          if (number % 2) storage.setItemSync("shared", { number, body });
          else await storage.setItem("shared", { number, body });
        }
        parentPort.postMessage("done");
      })();
    `;
    await storage.setItem("shared", { number: 0, body: "0" });
    const workers = Array.from(
      { length: 3 },
      () => new Worker(program, { eval: true, workerData: { root, base } }),
    );
    onTestFinished(async () => {
      await Promise.all(workers.map((worker) => worker.terminate()));
    });
    let working = workers.length;
    const done = workers.map(
      (worker) =>
        new Promise<void>((resolve, reject) => {
          worker.on("error", (error) => {
            working--;
            reject(error);
          });
          worker.on("message", () => {
            working--;
            resolve();
          });
        }),
    );
    const over = Promise.all(done);
    // Its failure is that of the test, at the end.
    over.catch(() => {});
    let reads = 0;
    while (working > 0) {
      const value = await storage.getItem("shared");
      expect(value.body).toBe(String(value.number).repeat(1 + (value.number % 7) * 3000) || "0");
      reads++;
    }
    await over;
    expect(reads).toBeGreaterThan(0);
    expect(await storage.getKeys()).toEqual(["shared"]);
  });
});
