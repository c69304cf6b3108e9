// The fs and fs-lite drivers: their options, links, and the guide's examples as they are printed.

import { execFileSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folder } from "./helpers/folders.js";
import { namesIn } from "./helpers/fs/names.js";
import { fsStorage, place, put } from "./helpers/fs/storage.js";
import { callsOf, failureOf, type Mode } from "./helpers/modes.js";
import { builtin, createStorage, root } from "./helpers/package.js";

const MODES: Mode[] = ["async", "sync"];
const DRIVERS = ["fs", "fs-lite"];

describe.each(DRIVERS)("%s", (name) => {
  it.each([[undefined], [null], [{}], [{ base: "" }], [{ base: undefined }]])(
    "made with %j it asks for its base",
    (options) => {
      expect(() => builtin(name, options as object)).toThrow(
        expect.objectContaining({
          message: `[electron-async-storage] [${name}] Missing required option \`base\`.`,
          code: "EAS_REQUIRED_OPTION",
          driver: name,
        }),
      );
    },
  );

  it("touches nothing on disk before the first write", async () => {
    const base = join(folder(), "x", "base");
    const storage = fsStorage(base, {}, name);
    expect([await storage.getKeys(), await storage.getItem("a"), storage.hasItemSync("a")]).toEqual(
      [[], null, false],
    );
    await storage.removeItem("a");
    await storage.clear();
    await storage.flush();
    expect(existsSync(join(base, ".."))).toBe(false);
  });

  it("has the flags, the name and the options that it was made with", () => {
    const options = { base: folder() };
    const driver = builtin(name, options);
    expect(driver).toMatchObject({ name, flags: { maxDepth: true, ttl: true } });
    expect(driver.options).toBe(options);
  });

  describe.each(MODES)("%s", (mode) => {
    const open = (base: string, options: object = {}) =>
      callsOf(fsStorage(base, options, name), mode);

    it("a relative base is that of the working folder at the time", async () => {
      const at = realpathSync(folder());
      const kept = process.cwd();
      // Worker threads of the test runner may not change the folder; its processes may.
      process.chdir(at);
      try {
        const calls = open("./data/../data/");
        process.chdir(kept);
        await calls.setItem("a", 1);
      } finally {
        process.chdir(kept);
      }
      expect(namesIn(join(at, "data"))).toEqual(["a"]);
    });

    it("readOnly: writes, removals and clear do nothing, reads work", async () => {
      const { base } = place();
      put(base, "a", "x/b");
      const calls = open(base, { readOnly: true });
      await calls.setItem("a", "new");
      await calls.setItem("c", "new");
      await calls.setItemRaw("a", "new");
      await calls.setItems([{ key: "a", value: "new" }]);
      await calls.setMeta("a", { owner: "ann" });
      await calls.removeItem("a");
      await calls.clear();
      expect(await calls.getItem("a")).toBe("a");
      expect((await calls.getKeys()).sort()).toEqual(["a", "x:b"]);
      expect(namesIn(base).sort()).toEqual(["a", "x"]);
    });

    it("noClear: clear does nothing, all else works", async () => {
      const { base } = place();
      const calls = open(base, { noClear: true });
      await calls.setItem("x:a", 1);
      await calls.clear();
      await calls.clear("x");
      expect(await calls.getKeys()).toEqual(["x:a"]);
      await calls.removeItem("x:a");
      expect(await calls.getKeys()).toEqual([]);
    });

    it("an item is the file of its path, and its folders go with their last item", async () => {
      const { base } = place();
      const calls = open(base);
      await calls.setItem("a:b:c", { n: 1 });
      await calls.setItemRaw("a:raw", Buffer.from([0, 255]));
      expect(JSON.parse(readFileSync(join(base, "a", "b", "c"), "utf8"))).toEqual({
        json: { n: 1 },
      });
      expect([...readFileSync(join(base, "a", "raw"))]).toEqual([0, 255]);
      await calls.removeItem("a:b:c");
      expect(readdirSync(join(base, "a"))).toEqual(["raw"]);
      await calls.removeItem("a:raw");
      expect(existsSync(join(base, "a"))).toBe(false);
    });

    it("metadata is that of the file", async () => {
      const { base } = place();
      const calls = open(base);
      await calls.setItemRaw("a", "12345");
      const meta = await calls.getMeta("a");
      expect(meta.size).toBe(5);
      for (const time of ["atime", "mtime", "ctime", "birthtime"]) {
        expect(meta[time], time).toBeInstanceOf(Date);
      }
      expect(meta.mtime.getTime()).toBeCloseTo(lstatSync(join(base, "a")).mtimeMs, -1);
    });

    describe.skipIf(process.platform === "win32")("links", () => {
      it("a file that is a link is read and written through, and stays a link", async () => {
        const { base, beside } = place();
        put(beside, "target");
        symlinkSync(join(beside, "target"), join(base, "a"));
        symlinkSync(join("..", "beside", "target"), join(base, "relative"));
        symlinkSync("relative", join(base, "chain"));
        const calls = open(base);
        for (const key of ["a", "relative", "chain"]) {
          expect(await calls.getItem(key)).not.toBeNull();
          await calls.setItem(key, `through ${key}`);
          expect(await calls.getItem("a")).toBe(`through ${key}`);
        }
        expect(readlinkSync(join(base, "a"))).toBe(join(beside, "target"));
        expect(readlinkSync(join(base, "chain"))).toBe("relative");
        expect((await calls.getKeys()).sort()).toEqual(["a", "chain", "relative"]);
        expect(readdirSync(beside)).toEqual(["target"]);
      });

      it("a link that leads to nothing is no item until it is written", async () => {
        const { base, beside } = place();
        symlinkSync(join(beside, "target"), join(base, "a"));
        const calls = open(base);
        expect([await calls.hasItem("a"), await calls.getItem("a")]).toEqual([false, null]);
        expect(await calls.getKeys()).toEqual([]);
        await calls.setItem("a", 1);
        expect(lstatSync(join(base, "a")).isSymbolicLink()).toBe(true);
        expect(JSON.parse(readFileSync(join(beside, "target"), "utf8"))).toEqual({ json: 1 });
        expect(await calls.getKeys()).toEqual(["a"]);
      });

      it("a link whose folder is missing refuses the write with ENOENT", async () => {
        const { base, beside } = place();
        symlinkSync(join(beside, "missing", "target"), join(base, "a"));
        const error = await failureOf(() => open(base).setItem("a", 1));
        expect(error).toMatchObject({ code: "ENOENT", driver: name, key: "a" });
        expect(readdirSync(beside)).toEqual([]);
      });

      it("links in a circle are ELOOP, not a hang", async () => {
        const { base } = place();
        symlinkSync("b", join(base, "a"));
        symlinkSync("a", join(base, "b"));
        const error = await failureOf(() => open(base).setItem("a", 1));
        expect(error).toMatchObject({ code: "ELOOP", driver: name });
      });

      it("removing the key removes the link and leaves its target", async () => {
        const { base, beside } = place();
        put(beside, "target");
        symlinkSync(join(beside, "target"), join(base, "a"));
        const calls = open(base);
        await calls.clear();
        expect([namesIn(base), readdirSync(beside)]).toEqual([[], ["target"]]);
      });

      it("a link to a folder is neither walked nor cleared", async () => {
        const { base, beside } = place();
        put(beside, "inside");
        put(base, "a");
        symlinkSync(beside, join(base, "folder"));
        const calls = open(base);
        expect(await calls.getKeys()).toEqual(["a"]);
        expect(await calls.hasItem("folder")).toBe(false);
        await calls.clear();
        expect([namesIn(base), readdirSync(beside)]).toEqual([["folder"], ["inside"]]);
      });
    });
  });
});

describe("the ignore function of fs-lite", () => {
  it.each(MODES)(
    "is called with relative paths, hides keys and guards them from clear (%s)",
    async (mode) => {
      const { base } = place();
      put(base, "a", "temp/b", "x/c.tmp", "x/d");
      const asked = new Set<string>();
      const ignore = (path: string) => {
        asked.add(path);
        return path.includes("temp") || path.endsWith(".tmp");
      };
      const calls = callsOf(fsStorage(base, { ignore }, "fs-lite"), mode);
      expect((await calls.getKeys()).sort()).toEqual(["a", "x:d"]);
      expect([...asked].some((path) => path.startsWith("/") || path.includes("\\"))).toBe(false);
      expect([...asked]).toContain("x/d");
      expect(await calls.getKeys("x")).toEqual(["x:d"]);
      await calls.clear();
      expect(await calls.getKeys()).toEqual([]);
      expect([existsSync(join(base, "temp", "b")), existsSync(join(base, "x", "c.tmp"))]).toEqual([
        true,
        true,
      ]);
    },
  );

  it("that throws is the error of the listing", async () => {
    const { base } = place();
    put(base, "a");
    const thrown = new Error("of the test");
    const storage = fsStorage(
      base,
      {
        ignore: () => {
          throw thrown;
        },
      },
      "fs-lite",
    );
    expect(await failureOf(storage.getKeys())).toBe(thrown);
    expect(await failureOf(() => storage.getKeysSync())).toBe(thrown);
  });

  it("is no option of fs, which takes patterns", () => {
    expect(() => builtin("fs", { base: "x", ignore: () => true })).toThrow(
      expect.objectContaining({ code: "EAS_INVALID_OPTION" }),
    );
  });
});

describe("the examples of the guide", () => {
  /** Runs a module in an app's folder, beside a stand-in for Electron; gives the JSON that it prints last. */
  function run(program: string): any {
    const cwd = realpathSync(folder());
    const modules = join(cwd, "node_modules");
    mkdirSync(join(modules, "electron"), { recursive: true });
    symlinkSync(root, join(modules, "electron-async-storage"), "junction");
    writeFileSync(
      join(modules, "electron", "index.js"),
      `exports.app = { getPath: (name) => require("node:path").join(${JSON.stringify(cwd)}, ".config", name) };`,
    );
    writeFileSync(join(cwd, "main.mjs"), program);
    const output = execFileSync(process.execPath, ["main.mjs"], { cwd, encoding: "utf8" });
    const lines = output.trimEnd().split("\n");
    return { cwd, lines: lines.slice(0, -1), result: JSON.parse(lines.at(-1) as string) };
  }

  it("a production configuration, a watch of the configuration, and metadata", () => {
    const { cwd, lines, result } = run(`
      import { createStorage } from "electron-async-storage";
      import path from "node:path";
      let reloads = 0;
      const reloadConfig = () => { reloads++; };

      import fsDriver from "electron-async-storage/drivers/fs";
      import { app } from "electron";

      // Production configuration
      const storage = createStorage({
        driver: fsDriver({
          base: path.join(app.getPath("userData"), "app-storage"),
          ignore: ["**/temp/**", "**/*.tmp", "**/logs/**/*.log"],
          watchOptions: {
            ignored: /(^|[\\/\\\\])\\../, // Ignore dotfiles
            persistent: true,
            ignorePermissionErrors: true,
          },
        }),
      });

      // Watch for configuration changes
      const unwatch = await storage.watch((event, key) => {
        if (key.startsWith("config:")) {
          console.log(\`Configuration \${event}: \${key}\`);
          // Reload configuration
          reloadConfig();
        }
      });

      await storage.setItem("app-settings.json", { a: 1 });
      await storage.setItem("temp:x", 1);
      await storage.setItem("config:.hidden", 1);
      await storage.setItem("config:theme", "dark");
      await storage.removeItem("config:theme");

      // File metadata usage
      const meta = await storage.getMeta("app-settings.json");
      console.log(\`Last modified: \${meta.mtime}\`);
      console.log(\`File size: \${meta.size} bytes\`);

      while (reloads < 2) await new Promise(setImmediate);
      await unwatch();
      console.log(JSON.stringify({ reloads, keys: (await storage.getKeys()).sort() }));
    `);
    const size = JSON.stringify({ json: { a: 1 } }).length;
    expect(lines.filter((line: string) => line.startsWith("Configuration"))).toEqual([
      "Configuration update: config:theme",
      "Configuration remove: config:theme",
    ]);
    expect(lines).toContain(`File size: ${size} bytes`);
    expect(lines.find((line: string) => line.startsWith("Last modified: "))).not.toContain(
      "Invalid",
    );
    expect(result).toEqual({ reloads: 2, keys: ["app-settings.json", "config:.hidden"] });
    expect(existsSync(join(cwd, ".config", "userData", "app-storage", "temp", "x"))).toBe(true);
  });

  it("depth limits and batches", () => {
    const { result } = run(`
      import { createStorage } from "electron-async-storage";
      import fsDriver from "electron-async-storage/drivers/fs";
      const storage = createStorage({ driver: fsDriver({ base: "./data" }) });

      // Use depth limiting for large directory trees
      const before = await storage.getKeys("config", { maxDepth: 1 });

      // Batch operations for better performance
      await storage.setItems([
        { key: "config:theme", value: "dark" },
        { key: "config:lang", value: "en" },
        { key: "config:debug", value: false },
      ]);

      await storage.setItem("config:deep:er", 1);
      const shallowKeys = await storage.getKeys("config", { maxDepth: 1 });
      console.log(JSON.stringify([before, shallowKeys.sort(), await storage.getItem("config:debug")]));
    `);
    expect(result).toEqual([[], ["config:debug", "config:lang", "config:theme"], false]);
  });

  it("fs-lite with a function that ignores", () => {
    const { cwd, result } = run(`
      import { createStorage } from "electron-async-storage";
      import fsLiteDriver from "electron-async-storage/drivers/fs-lite";

      // Identical API to fs driver
      const storage = createStorage({
        driver: fsLiteDriver({
          base: "./data",
          ignore: (path) => path.includes("temp") || path.endsWith(".tmp"),
        }),
      });

      // Same operations, no watching
      await storage.setItem("config", { theme: "dark" });
      const config = await storage.getItem("config");
      await storage.setItem("a.tmp", 1);
      console.log(JSON.stringify([config, await storage.getKeys()]));
    `);
    expect(result).toEqual([{ theme: "dark" }, ["config"]]);
    expect(namesIn(join(cwd, "data")).sort()).toEqual(["a.tmp", "config"]);
  });
});

describe("the two drivers", () => {
  it("read what the other wrote, in one folder", async () => {
    const { base } = place();
    const [fs, lite] = DRIVERS.map((name) =>
      createStorage<any>({ driver: builtin(name, { base }) }),
    );
    await fs.setItem("a:b", new Map([[1, new Date(5)]]));
    await lite.setItem("a", "own");
    expect(await lite.getItem("a:b")).toEqual(new Map([[1, new Date(5)]]));
    expect(await fs.getItem("a")).toBe("own");
    expect((await fs.getKeys()).sort()).toEqual((await lite.getKeys()).sort());
    await Promise.all([fs.dispose(), lite.dispose()]);
  });
});
