// What a queue over files has written when its process or its thread is over.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folder } from "./helpers/folders.js";
import { root } from "./helpers/package.js";

const KEYS = 500;

/** The start of a script that queues writes which no timer would flush in time. */
function prelude(base: string, keys = KEYS): string {
  return `
    const { createStorage } = require(${JSON.stringify(join(root, "index.js"))});
    const queue = require(${JSON.stringify(join(root, "drivers/queue.js"))});
    const fs = require(${JSON.stringify(join(root, "drivers/fs.js"))});
    const storage = createStorage({
      driver: queue({
        driver: fs({ base: ${JSON.stringify(base)}, durability: "none" }),
        flushInterval: 1_000_000,
        batchSize: 10_000,
        maxQueueSize: 10_000,
      }),
    });
    const fill = () => {
      for (let n = 0; n < ${keys}; n++) storage.setItem("key" + n, "value " + n);
    };
  `;
}

function run(script: string) {
  return spawnSync(process.execPath, ["-e", script], { encoding: "utf8", timeout: 120_000 });
}

function expectAll(base: string, keys = KEYS): void {
  for (let n = 0; n < keys; n++) {
    expect(JSON.parse(readFileSync(join(base, `key${n}`), "utf8"))).toEqual({ json: `value ${n}` });
  }
}

describe("what waits is written", () => {
  it.each([
    ["at a normal end", "fill();", 0],
    ["at process.exit()", "fill(); process.exit(3);", 3],
    ["from an exit listener", 'process.on("exit", fill);', 0],
    ["after an uncaught exception", 'fill(); throw new Error("expected");', 1],
    ["after an unhandled rejection", 'fill(); Promise.reject(new Error("expected"));', 1],
  ])("%s", (_, end, code) => {
    const base = folder();
    const { status, signal, stderr } = run(`${prelude(base)} ${end}`);
    expect([status, signal], stderr).toEqual([code, null]);
    expectAll(base);
  });

  it.each([
    ["at the normal end of a worker", "fill();", ""],
    ["at process.exit() in a worker", "fill(); process.exit(0);", ""],
    [
      "when a worker is terminated",
      'fill(); require("node:worker_threads").parentPort.postMessage("full"); setInterval(() => {}, 1000);',
      'worker.once("message", () => worker.terminate());',
    ],
    [
      "when a busy worker is terminated",
      'fill(); require("node:worker_threads").parentPort.postMessage("full"); for (;;);',
      'worker.once("message", () => worker.terminate());',
    ],
  ])("%s", (_, inside, outside) => {
    const base = folder();
    const script = `
      const { Worker } = require("node:worker_threads");
      const worker = new Worker(${JSON.stringify(`${prelude(base)} ${inside}`)}, { eval: true });
      ${outside}
      worker.once("exit", () => console.log("over"));
    `;
    const { status, stdout, stderr } = run(script);
    expect([status, stdout], stderr).toEqual([0, "over\n"]);
    expectAll(base);
  });

  it("by a driver of the program, which keeps the process until it is done", () => {
    const base = folder();
    const target = JSON.stringify(join(base, "written"));
    const script = `
      const { createStorage } = require(${JSON.stringify(join(root, "index.js"))});
      const queue = require(${JSON.stringify(join(root, "drivers/queue.js"))});
      const { promises } = require("node:fs");
      const driver = {
        hasItem: () => false, getItem: () => null, getKeys: () => [],
        async setItem(key, value) { await promises.writeFile(${target}, value); },
      };
      createStorage({ driver: queue({ driver, flushInterval: 50 }) }).setItem("a", 1);
    `;
    const { status, stderr } = run(script);
    expect(status, stderr).toBe(0);
    expect(JSON.parse(readFileSync(join(base, "written"), "utf8"))).toEqual({ json: 1 });
  });
});

describe("at process.exit() a driver of the program", () => {
  const script = (methods: string) => `
    const { createStorage } = require(${JSON.stringify(join(root, "index.js"))});
    const queue = require(${JSON.stringify(join(root, "drivers/queue.js"))});
    const driver = {
      name: "own", hasItem: () => false, getItem: () => null, getKeys: () => [],
      setItem: async () => { await new Promise(() => {}); }, ${methods}
    };
    const storage = createStorage({ driver: queue({ driver, batchSize: 2 }) });
    for (const key of ["a", "b", "c"]) storage.setItem(key, 1);
    process.exit(3);
  `;

  it("gets what waits by its Sync methods", () => {
    const own = script("setItemSync: (key, value) => console.log(key, value),");
    const { status, stdout, stderr } = run(own);
    expect([status, stderr]).toEqual([3, ""]);
    expect(stdout.trim().split("\n").sort()).toEqual([
      'a {"json":1}',
      'b {"json":1}',
      'c {"json":1}',
    ]);
  });

  it.each([
    ["without Sync methods", ""],
    ["with the Sync methods of a built-in driver", "...inner,"],
  ])("%s around a built-in one is begun with the others, and sealed", (_, methods) => {
    const base = folder();
    const script = `
      const { createStorage } = require(${JSON.stringify(join(root, "index.js"))});
      const queue = require(${JSON.stringify(join(root, "drivers/queue.js"))});
      const files = require(${JSON.stringify(join(root, "drivers/fs-lite.js"))});
      const inner = files({ base: ${JSON.stringify(base)} });
      const driver = {
        ${methods}
        name: "sealing",
        hasItem: async (...args) => inner.hasItem(...args),
        getItem: async (...args) => inner.getItem(...args),
        getKeys: async (...args) => inner.getKeys(...args),
        setItem: async (key, text, opts) => inner.setItem(key, "sealed:" + text, opts),
      };
      const storage = createStorage({ driver: queue({ driver }) });
      for (const key of ["a", "b", "c"]) storage.setItem(key, 1);
      process.exit();
    `;
    const { status, stderr } = run(script);
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(/3 operations .* to sealing: .*setItemSync/);
    for (const key of ["a", "b", "c"]) {
      expect(readFileSync(join(base, key), "utf8")).toBe('sealed:{"json":1}');
    }
  });

  it("around a built-in one that nothing was written to before has all of it written", () => {
    const base = folder();
    const script = `
      const { createStorage } = require(${JSON.stringify(join(root, "index.js"))});
      const queue = require(${JSON.stringify(join(root, "drivers/queue.js"))});
      const files = require(${JSON.stringify(join(root, "drivers/fs-lite.js"))});
      const inner = files({ base: ${JSON.stringify(base)} });
      const driver = {
        name: "own", hasItem: () => false, getItem: () => null, getKeys: () => [],
        setItem: async (key, text, opts) => inner.setItem(key, text, opts),
      };
      const storage = createStorage({
        driver: queue({ driver, flushInterval: 1_000_000, batchSize: 10_000, maxQueueSize: 10_000 }),
      });
      for (let n = 0; n < ${KEYS}; n++) storage.setItem("key" + n, "value " + n);
      process.exit();
    `;
    const { status, stderr } = run(script);
    expect(status, stderr).toBe(0);
    expectAll(base);
  });

  it("around a queue over another one is written through both", () => {
    const script = `
      const { createStorage } = require(${JSON.stringify(join(root, "index.js"))});
      const queue = require(${JSON.stringify(join(root, "drivers/queue.js"))});
      const own = {
        name: "own", hasItem: () => false, getItem: () => null, getKeys: () => [],
        setItem: () => new Promise(() => {}), setItemSync: (key, value) => console.log(key, value),
      };
      const inner = queue({ driver: own, flushInterval: 1_000_000 });
      createStorage({ driver: inner }).setItem("first", 1);
      const wrapper = {
        name: "wrapper", hasItem: () => false, getItem: () => null, getKeys: () => [],
        setItem: async (key, text, opts) => inner.setItem(key, text, opts),
      };
      createStorage({ driver: queue({ driver: wrapper, flushInterval: 1_000_000 }) }).setItem("a", 1);
      process.exit(3);
    `;
    const { status, stdout } = run(script);
    expect([status, stdout.trim().split("\n").sort()]).toEqual([
      3,
      ['a {"json":1}', 'first {"json":1}'],
    ]);
  });

  it("that has none is told of what is lost", () => {
    const { status, stderr } = run(script(""));
    expect(status).toBe(3);
    expect(stderr).toMatch(/the process ends with some of 3 operations .* to own: .*setItemSync/);
  });
});

describe("a write that fails while the process ends", () => {
  it.each([
    ["setItem", 'storage.setItem("a", 1);'],
    ["removeItem", 'storage.removeItem("a");'],
    ["setItems", 'storage.setItems([{ key: "a", value: 1 }]);'],
    ["clear", "storage.clear();"],
  ])("is told to the standard error: %s", (_, write) => {
    const inTheWay = join(folder(), "file");
    writeFileSync(inTheWay, "");
    const script = `
      const { createStorage } = require(${JSON.stringify(join(root, "index.js"))});
      const fs = require(${JSON.stringify(join(root, "drivers/fs.js"))});
      const storage = createStorage({ driver: fs({ base: ${JSON.stringify(inTheWay)} }) });
      ${write}
      process.exit(3);
    `;
    const { status, stderr } = run(script);
    expect(status, stderr).toBe(3);
    expect(stderr).toContain("[fs] the process ends with 1 failed write that nobody heard of: ");
    expect(stderr).toMatch(/ENOTDIR|EEXIST/);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });

  it("is told to its caller alone where that hears of it", () => {
    const inTheWay = join(folder(), "file");
    writeFileSync(inTheWay, "");
    const script = `
      const { createStorage } = require(${JSON.stringify(join(root, "index.js"))});
      const fs = require(${JSON.stringify(join(root, "drivers/fs.js"))});
      const storage = createStorage({ driver: fs({ base: ${JSON.stringify(inTheWay)} }) });
      storage.setItem("a", 1).catch((error) => { console.log(error.code); process.exit(3); });
    `;
    const { status, stdout, stderr } = run(script);
    expect([status, stdout, stderr]).toEqual([3, "ENOTDIR\n", ""]);
  });
});

describe("a driver whose Promise never settles", () => {
  it.each(["", "storage.flush();", "storage.dispose();"])(
    "keeps no process from its end: %s",
    (then) => {
      const script = `
        const { createStorage } = require(${JSON.stringify(join(root, "index.js"))});
        const queue = require(${JSON.stringify(join(root, "drivers/queue.js"))});
        const driver = {
          hasItem: () => false, getItem: () => null, getKeys: () => [],
          setItem() { console.log("called"); return new Promise(() => {}); },
        };
        const storage = createStorage({ driver: queue({ driver, flushInterval: 5 }) });
        storage.setItem("a", 1);
        ${then}
      `;
      const { status, signal, stdout, stderr } = run(script);
      expect([status, signal, stdout], stderr).toEqual([0, null, "called\n"]);
    },
  );
});

describe("a process that is killed", () => {
  it("loses nothing that was flushed, and leaves whole values alone", () => {
    const base = folder();
    // Each flush brings every file to the disk, which may be busy.
    const keys = 100;
    const script = `
      ${prelude(base, keys)}
      (async () => {
        fill();
        await storage.flush();
        for (let round = 0; ; round++) {
          for (let n = 0; n < ${keys}; n++) storage.setItem("key" + n, "value " + n);
          storage.setItem("more" + round, "x".repeat(100_000));
          const flushed = storage.flush();
          if (round === 2) process.kill(process.pid, "SIGKILL");
          await flushed;
        }
      })();
    `;
    const { status, signal, stderr } = run(script);
    // Windows knows no signals, and tells only who was killed by another process apart.
    const killed = process.platform === "win32" ? [1, null] : [null, "SIGKILL"];
    expect([status, signal, stderr]).toEqual([...killed, ""]);
    expectAll(base, keys);
    for (const name of readdirSync(base).filter((name) => name.startsWith("more"))) {
      expect(JSON.parse(readFileSync(join(base, name), "utf8"))).toEqual({
        json: "x".repeat(100_000),
      });
    }
    expect(existsSync(join(base, "more0"))).toBe(true);
  });
});
