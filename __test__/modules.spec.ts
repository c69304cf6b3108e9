// The package as programs load it: by `require` and `import`, in worker threads and vm contexts.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createContext, runInContext } from "node:vm";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { folder } from "./helpers/folders.js";
import { namesIn } from "./helpers/fs/names.js";
import { builtinDrivers, createStorage, isBuiltin, root } from "./helpers/package.js";

const NAMES = [
  "createStorage",
  "prefixStorage",
  "snapshot",
  "restoreSnapshot",
  "defineDriver",
  "builtinDrivers",
  "normalizeKey",
  "normalizeBaseKey",
  "joinKeys",
  "filterKeyByDepth",
  "filterKeyByBase",
];
const UTILS = ["defineDriver", "createError", "createRequiredError", "normalizeKey", "joinKeys"];
const DRIVERS = ["memory", "fs", "fs-lite", "queue"].filter(isBuiltin);

/** A folder of an app that has the package linked. */
function app(): string {
  const path = folder();
  mkdirSync(join(path, "node_modules"));
  symlinkSync(root, join(path, "node_modules", "electron-async-storage"), "junction");
  return path;
}

/** Runs a program in an app's folder and gives the JSON that it prints. */
function run(file: string, program: string): any {
  const cwd = app();
  writeFileSync(join(cwd, file), program);
  const output = execFileSync(process.execPath, [file], { cwd, encoding: "utf8" });
  return JSON.parse(output);
}

const USE = `
  async function use(createStorage, driver, base) {
    const storage = createStorage({ driver });
    await storage.setItem("a:b", { at: new Date(5) });
    storage.setItemSync("a:c", new Map([[1, 2]]));
    await storage.setItems([{ key: "d", value: 1 }, { key: "e", value: 2 }]);
    await storage.setItemRaw("raw", Buffer.from("bytes"));
    await storage.setMeta("a:b", { owner: "ann" });
    storage.mount("m", memory());
    storage.setItemSync("m:x", 1);
    const result = [
      (await storage.getItem("a:b")).at.getTime(),
      storage.getItemSync("a:c").get(1),
      (await storage.getItems(["e", "d"])).map(({ value }) => value),
      String(storage.getItemRawSync("raw")),
      (await storage.getMeta("a:b")).owner,
      storage.getKeysSync().sort(),
    ];
    await storage.clear();
    result.push(await storage.getKeys());
    await storage.dispose();
    return result;
  }
`;

const USED = [5, 2, [2, 1], "bytes", "ann", ["a:b", "a:c", "d", "e", "m:x", "raw"], []];

describe("the codec", () => {
  it("is compiled when the first value comes that is not plain", () => {
    const program = `
      const inspector = require("node:inspector");
      const { createStorage } = require("electron-async-storage");
      const storage = createStorage();
      const isCompiled = () => {
        const session = new inspector.Session();
        session.connect();
        const urls = [];
        session.on("Debugger.scriptParsed", ({ params }) => urls.push(params.url));
        session.post("Debugger.enable");
        session.disconnect();
        return ["facade", "codec"].map((name) => urls.includes("electron-async-storage/" + name + ".js"));
      };
      storage.setItemSync("plain", { a: [1, "two", null] });
      const seen = [storage.getItemSync("plain"), isCompiled()];
      storage.setItemSync("date", new Date(0));
      seen.push(storage.getItemSync("date").getTime(), isCompiled());
      console.log(JSON.stringify(seen));
    `;
    expect(run("main.cjs", program)).toEqual([
      { a: [1, "two", null] },
      [true, false],
      0,
      [true, true],
    ]);
  });
});

describe("require", () => {
  it("gives every name of the package and of its utils", () => {
    const [names, utils, modules] = run(
      "main.cjs",
      `const all = require("electron-async-storage");
       const utils = require("electron-async-storage/drivers/utils");
       const modules = ${JSON.stringify(DRIVERS)}.map((name) => {
         const factory = require("electron-async-storage/drivers/" + name);
         return [typeof factory, factory === factory.default];
       });
       require("electron-async-storage/package.json");
       console.log(JSON.stringify([Object.keys(all), Object.keys(utils), modules]));`,
    );
    expect(names).toEqual(expect.arrayContaining(NAMES));
    expect(utils.sort()).toEqual([...UTILS].sort());
    expect(modules).toEqual(DRIVERS.map(() => ["function", true]));
  });

  it("gives a storage that works, over every driver that needs no other", () => {
    const results = run(
      "main.cjs",
      `const { createStorage } = require("electron-async-storage");
       const memory = require("electron-async-storage/drivers/memory");
       ${USE}
       (async () => {
         const results = [];
         for (const name of ${JSON.stringify(DRIVERS.filter((name) => name !== "queue"))}) {
           const make = require("electron-async-storage/drivers/" + name);
           const driver = name === "memory" ? make() : make({ base: "./data/" + name });
           results.push(await use(createStorage, driver));
         }
         console.log(JSON.stringify(results));
       })();`,
    );
    expect(results).toEqual(DRIVERS.filter((name) => name !== "queue").map(() => USED));
  });
});

describe("import", () => {
  it("gives every name, and drivers as the default export", () => {
    const [names, utils, modules] = run(
      "main.mjs",
      `import * as all from "electron-async-storage";
       import { ${NAMES.join(", ")} } from "electron-async-storage";
       import * as utils from "electron-async-storage/drivers/utils";
       import { ${UTILS.slice(1, 3).join(", ")} } from "electron-async-storage/drivers/utils";
       import whole from "electron-async-storage";
       const modules = [];
       for (const name of ${JSON.stringify(DRIVERS)}) {
         const { default: factory } = await import("electron-async-storage/drivers/" + name);
         modules.push(typeof factory);
       }
       const named = [${[...NAMES, ...UTILS.slice(1, 3)].join(", ")}];
       if (named.some((value) => value === undefined)) throw new Error("a name is missing");
       if (whole.createStorage !== createStorage) throw new Error("two packages");
       console.log(JSON.stringify([Object.keys(all), Object.keys(utils), modules]));`,
    );
    expect(names).toEqual(expect.arrayContaining([...NAMES, "default"]));
    expect(utils).toEqual(expect.arrayContaining(UTILS));
    expect(modules).toEqual(DRIVERS.map(() => "function"));
  });

  it("gives the very functions that require gives", () => {
    const same = run(
      "main.mjs",
      `import { createRequire } from "node:module";
       import { createStorage } from "electron-async-storage";
       import memory from "electron-async-storage/drivers/memory";
       const require = createRequire(import.meta.url);
       console.log(JSON.stringify([
         createStorage === require("electron-async-storage").createStorage,
         memory === require("electron-async-storage/drivers/memory"),
       ]));`,
    );
    expect(same).toEqual([true, true]);
  });

  it("gives a storage that works", () => {
    const result = run(
      "main.mjs",
      `import { createStorage } from "electron-async-storage";
       import memory from "electron-async-storage/drivers/memory";
       ${USE}
       console.log(JSON.stringify(await use(createStorage, memory())));`,
    );
    expect(result).toEqual(USED);
  });
});

describe("builtinDrivers", () => {
  it("names the module of each driver, with an alias in camel case", () => {
    for (const [name, path] of Object.entries(builtinDrivers)) {
      const plain = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      expect(path).toBe(`electron-async-storage/drivers/${plain}`);
    }
    expect(isBuiltin("fsLite")).toBe(isBuiltin("fs-lite"));
    expect(Object.isFrozen(builtinDrivers)).toBe(true);
  });
});

describe("a process", () => {
  it("ends by itself when its storages are idle, disposed or not", () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [
        "-e",
        `const { createStorage } = require(${JSON.stringify(root)});
         const storage = createStorage();
         storage.setItem("a", 1, { ttl: 3_600_000 }).then(async () => {
           const unwatch = await storage.watch(() => {});
           await storage.setItem("b", 1);
           console.log(await storage.getItem("b"));
         });`,
      ],
      { encoding: "utf8", timeout: 120_000 },
    );
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "1\n", stderr: "" });
  });

  it("runs with code generation from strings turned off", () => {
    const { status, stdout } = spawnSync(
      process.execPath,
      [
        "--disallow-code-generation-from-strings",
        "-e",
        `const { createStorage } = require(${JSON.stringify(root)});
         const storage = createStorage();
         storage.setItemSync("a", new Set([1]));
         console.log(storage.getItemSync("a").size);`,
      ],
      { encoding: "utf8", timeout: 120_000 },
    );
    expect({ status, stdout }).toEqual({ status: 0, stdout: "1\n" });
  });

  it("may load it again and again, and each writes what waits when the process ends", () => {
    const base = join(folder(), "base");
    const { status, stderr } = spawnSync(
      process.execPath,
      [
        "-e",
        `const root = ${JSON.stringify(root)};
         for (let count = 0; count < 12; count++) {
           for (const path of Object.keys(require.cache)) delete require.cache[path];
           const { createStorage } = require(root);
           const [queue, fs] = ["queue", "fs"].map((name) => require(root + "/drivers/" + name));
           const driver = queue({
             driver: fs({ base: ${JSON.stringify(base)}, durability: "none" }),
             flushInterval: 3_600_000,
           });
           createStorage({ driver }).setItem("k" + count, count);
         }
         setImmediate(() => process.exit(0));`,
      ],
      { encoding: "utf8", timeout: 120_000 },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(namesIn(base)).toHaveLength(12);
  });

  it("names the facade in stack traces", async () => {
    const error = await createStorage()
      .getItem(7 as any)
      .catch((error) => error);
    expect(error.stack).toContain("electron-async-storage/facade.js");
  });
});

/** The answer of a worker thread that runs `body`, which has `storage`, `data` and `answer`. */
function inWorker(body: string, data?: unknown): { worker: Worker; answer: Promise<any> } {
  const worker = new Worker(
    `const { parentPort, workerData: data } = require("node:worker_threads");
     const { createStorage } = require(${JSON.stringify(root)});
     const answer = (value) => parentPort.postMessage(value);
     const storage = createStorage();
     (async () => { ${body} })();`,
    { eval: true, workerData: data },
  );
  const answer = new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`the worker ended with ${code}`)));
  });
  return { worker, answer };
}

describe("worker threads", () => {
  it("have storages of their own", async () => {
    const storage = createStorage<any>();
    storage.setItemSync("a", "main");
    const workers = ["one", "two"].map((name) =>
      inWorker(
        `const before = storage.getItemSync("a");
         await storage.setItem("a", { name: data, at: new Date(1) });
         answer([before, await storage.getItem("a"), storage.getKeysSync()]);`,
        name,
      ),
    );
    const answers = await Promise.all(workers.map(({ answer }) => answer));
    expect(answers).toEqual([
      [null, { name: "one", at: new Date(1) }, ["a"]],
      [null, { name: "two", at: new Date(1) }, ["a"]],
    ]);
    expect(storage.getItemSync("a")).toBe("main");
    await Promise.all(workers.map(({ worker }) => worker.terminate()));
  });

  it("end by themselves", async () => {
    const { worker, answer } = inWorker(`await storage.setItem("a", 1); answer("done");`);
    const ended = new Promise((resolve) => worker.once("exit", resolve));
    expect(await answer).toBe("done");
    expect(await ended).toBe(0);
  });

  it("may be terminated with calls of a JavaScript driver pending and watchers on", async () => {
    for (let round = 0; round < 5; round++) {
      const { worker, answer } = inWorker(
        `const never = new Promise(() => {});
         storage.mount("slow", {
           hasItem: () => never, getItem: () => never, getKeys: () => never, setItem: () => never,
           watch: () => () => never,
         });
         await storage.watch(() => {});
         for (let i = 0; i < 100; i++) {
           storage.getItem("slow:" + i);
           storage.setItem("slow:" + i, i);
         }
         setInterval(() => storage.setItem("a", 1), 0);
         answer("busy");`,
      );
      expect(await answer).toBe("busy");
      await worker.terminate();
    }
    const storage = createStorage<any>();
    await storage.setItem("a", 1);
    expect(await storage.getItem("a")).toBe(1);
  });
});

describe("a vm context", () => {
  const context = createContext({ createStorage, console, URL });
  const inside = <T>(program: string): T => runInContext(program, context);

  it("uses a storage with values of its own kinds", async () => {
    const result = await inside<Promise<any>>(`(async () => {
      const storage = createStorage();
      const value = { date: new Date(1), map: new Map([["a", new Set([1])]]), list: [/x/g, 1n],
        error: new TypeError("inner"), bytes: new Uint8Array([1, 2]), none: undefined };
      await storage.setItem("a", value, { some: "option" });
      await storage.setItems([{ key: "b", value: [1] }]);
      storage.setItemRawSync("raw", new Uint8Array([7]));
      return [await storage.getItem("a"), storage.getItemsSync(["b"]), await storage.getItemRaw("raw")];
    })()`);
    const [value, items, raw] = result;
    expect(value.date.getTime()).toBe(1);
    expect(value.map.get("a").has(1)).toBe(true);
    expect([String(value.list[0]), value.list[1]]).toEqual(["/x/g", 1n]);
    expect([value.error.name, value.error.message]).toEqual(["TypeError", "inner"]);
    expect([...value.bytes]).toEqual([1, 2]);
    expect("none" in value).toBe(true);
    expect(items).toEqual([{ key: "b", value: [1] }]);
    expect([...raw]).toEqual([7]);
  });

  it("gives drivers to a storage outside, and gets their errors back", async () => {
    const driver = inside<any>(`({
      name: "inside",
      data: new Map(),
      hasItem(key) { return this.data.has(key); },
      async getItem(key) {
        if (key === "bad") throw new RangeError("inside");
        return this.data.get(key) ?? null;
      },
      getKeys() { return [...this.data.keys()]; },
      async setItem(key, value) { this.data.set(key, value); },
    })`);
    const storage = createStorage<any>({ driver });
    await storage.setItem("a", { b: 1 });
    expect(await storage.getItem("a")).toEqual({ b: 1 });
    expect(await storage.getKeys()).toEqual(["a"]);
    const error = await storage.getItem("bad").catch((error) => error);
    expect([error.name, error.message]).toEqual(["RangeError", "inside"]);
  });
});
