// What `ignore` and `watchOptions` make of a watch.

import { chmodSync, mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folder } from "./helpers/folders.js";
import { eventually, listen } from "./helpers/fs/events.js";
import { party, partyAt } from "./helpers/fs/party.js";
import { fsStorage, place, put } from "./helpers/fs/storage.js";
import { failureOf } from "./helpers/modes.js";
import { builtin, createStorage } from "./helpers/package.js";

// As the guide prints it.
// biome-ignore lint/complexity/noUselessEscapeInRegex: the very pattern of the guide
const DOTFILES = /(^|[\/\\])\../;

const FILES = ["a", ".hidden", "x/b", "x/.hidden", "x/.dots/c", "logs/today.log", "logs/x/y.log"];

/** Of the files, those that give an event under the options. */
async function reported(base: string, options: object): Promise<string[]> {
  mkdirSync(base, { recursive: true });
  const events = await listen(fsStorage(base, options));
  put(base, ...FILES);
  const seen = await events.untilMark(base);
  return seen.map((event) => event.replace("update ", "").replaceAll(":", "/")).sort();
}

const all = (...but: string[]) => FILES.filter((file) => !but.includes(file)).sort();
const inDots = [".hidden", "x/.hidden", "x/.dots/c"];

describe("watchOptions.ignored", () => {
  const CASES: [title: string, ignored: unknown, silent: string[]][] = [
    ["a RegExp", /today/, ["logs/today.log"]],
    ["the guide's RegExp for dotfiles", DOTFILES, inDots],
    [
      "a RegExp with the flag g, at every file alike",
      /\.log$/g,
      ["logs/today.log", "logs/x/y.log"],
    ],
    ["a RegExp that is sticky, anywhere", /b/y, ["x/b"]],
    ["a function", (path: string) => path.endsWith(".log"), ["logs/today.log", "logs/x/y.log"]],
    ["a function of a folder", (path: string) => path === "logs/x", ["logs/x/y.log"]],
    ["a glob", "logs/*.log", ["logs/today.log"]],
    ["a glob of any depth", "**/*.log", ["logs/today.log", "logs/x/y.log"]],
    ["a glob of a folder", "logs", ["logs/today.log", "logs/x/y.log"]],
    [
      "a list of all kinds",
      [/today/, (path: string) => path === "a", "x/.dots/**"],
      ["a", "logs/today.log", "x/.dots/c"],
    ],
    ["an empty list", [], []],
  ];

  for (const [title, ignored, silent] of CASES) {
    it(`${title}: silences ${silent.join(", ") || "nothing"}`, async () => {
      const { base } = place();
      expect(await reported(base, { watchOptions: { ignored } })).toEqual(all(...silent));
    });
  }

  it("is asked about paths relative to the base", async () => {
    const { base } = place();
    const asked = new Set<string>();
    const ignored = (path: string) => {
      asked.add(path);
      return false;
    };
    expect(await reported(base, { watchOptions: { ignored } })).toEqual(all());
    expect([...asked]).toContain("x/.dots/c");
    expect([...asked].filter((path) => path.startsWith("/") || path.includes("base"))).toEqual([]);
  });

  it("a base under a dot folder, or under a name it matches, is no reason to be silent", async () => {
    const base = join(realpathSync(folder()), ".config", "logs", "app");
    expect(await reported(base, { watchOptions: { ignored: DOTFILES } })).toEqual(all(...inDots));
    const other = join(realpathSync(folder()), "logs");
    expect(await reported(other, { watchOptions: { ignored: /^logs$/ } })).toEqual(
      all("logs/today.log", "logs/x/y.log"),
    );
  });

  it("an absolute glob is matched against the absolute path", async () => {
    const { base } = place();
    const ignored = `${base.replaceAll("\\", "/")}/logs/**`;
    expect(await reported(base, { watchOptions: { ignored } })).toEqual(
      all("logs/today.log", "logs/x/y.log"),
    );
  });

  it("silences events and hides nothing from listings", async () => {
    const { base } = place();
    put(base, ...FILES);
    const storage = fsStorage(base, { watchOptions: { ignored: () => true } });
    expect((await storage.getKeys()).length).toBe(FILES.length);
  });

  it("a function that throws is a warning, and the change is reported", async () => {
    const { base } = place();
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on("warning", onWarning);
    const ignored = () => {
      throw new Error("of the test");
    };
    const events = await listen(fsStorage(base, { watchOptions: { ignored } }));
    put(base, "a");
    await events.take(["update a"]);
    await eventually(() => expect(warnings.length).toBeGreaterThan(0));
    process.off("warning", onWarning);
    expect(warnings[0]).toMatchObject({ code: "EAS_WATCH" });
    expect(warnings[0].message).toContain("watchOptions.ignored");
  });

  it.each([[5], [{}], [[1]], [true]])("%j is refused", (ignored) => {
    const open = () => builtin("fs", { base: folder(), watchOptions: { ignored } });
    expect(open).toThrow(/watchOptions\.ignored|ignored/);
  });
});

describe("ignore", () => {
  it("silences what it hides from listings, and clear leaves it alone", async () => {
    const { base } = place();
    const storage = fsStorage(base, { ignore: ["**/*.log", "x/.dots/**"] });
    const silent = ["logs/today.log", "logs/x/y.log", "x/.dots/c"];
    put(base, ...FILES);
    const events = await listen(storage);
    put(base, ...FILES);
    const seen = await events.untilMark(base);
    const keys = all(...silent).map((path) => path.replaceAll("/", ":"));
    expect(seen.sort()).toEqual(keys.map((key) => `update ${key}`).sort());
    await storage.removeItem("mark-1");
    await events.take(["remove mark-1"]);
    expect((await storage.getKeys()).sort()).toEqual([...keys].sort());
    await storage.clear();
    expect((await events.untilMark(base)).sort()).toEqual(
      keys.map((key) => `remove ${key}`).sort(),
    );
    const everything = fsStorage(base, { ignore: [] });
    await everything.removeItem("mark-2");
    expect((await everything.getKeys()).sort()).toEqual(
      silent.map((path) => path.replaceAll("/", ":")).sort(),
    );
  });
});

describe("ignoreInitial", () => {
  it("false reports what is there first, each item once, before any change", async () => {
    const { base } = place();
    put(base, ...FILES);
    const storage = fsStorage(base, { watchOptions: { ignoreInitial: false } });
    const events = await listen(storage);
    await storage.setItem("later", 1);
    await eventually(() => expect(events.list).toContain("update later"));
    const seen = await events.untilMark(base);
    const initial = FILES.map((path) => `update ${path.replaceAll("/", ":")}`);
    expect(seen.slice(0, -1).sort()).toEqual(initial.sort());
    expect(seen.at(-1)).toBe("update later");
  });

  it("true, the default, says nothing of it", async () => {
    const { base } = place();
    put(base, ...FILES, "empty");
    for (const watchOptions of [undefined, {}, { ignoreInitial: true }]) {
      const events = await listen(fsStorage(base, { watchOptions }));
      await events.takeOnly(base, []);
    }
  });

  it("false tells of what `ignored` and `ignore` leave", async () => {
    const { base } = place();
    put(base, ...FILES);
    const options = { ignore: ["logs"], watchOptions: { ignoreInitial: false, ignored: DOTFILES } };
    const events = await listen(fsStorage(base, options));
    await events.takeOnlyUnordered(base, ["update a", "update x:b"]);
  });
});

describe("persistent", () => {
  it("true, the default, keeps the process alive until the watch ends", async () => {
    for (const watchOptions of [undefined, { persistent: true }]) {
      const { base } = place();
      const watching = await partyAt(base, { watchOptions, durability: "none" });
      await watching.ask("watchUntil", "end");
      watching.leave();
      put(base, "a", "end");
      const { code, signal } = await watching.exit;
      expect([code, signal], "the code that the listener sets").toEqual([7, null]);
    }
  });

  it("false lets the process end while it is watched", async () => {
    const { base } = place();
    const watching = await partyAt(base, { watchOptions: { persistent: false } });
    await watching.ask("watch");
    put(base, "a");
    await eventually(() => expect(watching.events).toEqual(["update a"]));
    watching.leave();
    const { code, signal } = await watching.exit;
    expect([code, signal]).toEqual([0, null]);
  });

  it("a watch that ended, in whatever way, keeps nothing alive", async () => {
    for (const end of ["unwatch", "dispose"]) {
      const { base } = place();
      const watching = await partyAt(base);
      await watching.ask("watch");
      await watching.ask(end);
      watching.leave();
      const { code, signal } = await watching.exit;
      expect([code, signal], end).toEqual([0, null]);
    }
  });
});

const asSuperuser = process.getuid?.() === 0;

describe.skipIf(process.platform === "win32")("ignorePermissionErrors", () => {
  async function watchClosedFolder(watchOptions: object) {
    const { base } = place();
    put(base, "a", "closed/b", "open/c");
    chmodSync(join(base, "closed"), 0);
    chmodSync(join(base, ".."), 0o755);
    const watching = party();
    if (asSuperuser) await watching.ask("becomeNobody");
    await watching.ask("open", "fs", { base, watchOptions, readOnly: true });
    return { base, watching };
  }

  it("false, the default, refuses to watch a folder that may not be read", async () => {
    const { base, watching } = await watchClosedFolder({});
    const error = await failureOf(watching.ask("watch"));
    expect(error).toMatchObject({ code: "EACCES", driver: "fs", operation: "watch" });
    chmodSync(join(base, "closed"), 0o755);
    await watching.ask("watch");
    put(base, "closed/b");
    await eventually(() => expect(watching.events).toEqual(["update closed:b"]));
  });

  it("true passes over it and watches the rest", async () => {
    const { base, watching } = await watchClosedFolder({ ignorePermissionErrors: true });
    await watching.ask("watch");
    put(base, "a", "open/c");
    await eventually(() => expect(watching.events).toEqual(["update a", "update open:c"]));
    chmodSync(join(base, "closed"), 0o755);
  });
});

describe("options of chokidar that have no meaning here", () => {
  it("are accepted, and change nothing", async () => {
    const { base } = place();
    const watchOptions = {
      usePolling: true,
      interval: 100_000,
      binaryInterval: 100_000,
      alwaysStat: true,
      awaitWriteFinish: { stabilityThreshold: 100_000, pollInterval: 10 },
      atomic: 1000,
      followSymlinks: false,
      cwd: "/",
      depth: 0,
      disableGlobbing: true,
      useFsEvents: false,
      aNewOne: Symbol("of the test"),
    };
    expect(await reported(base, { watchOptions })).toEqual(all());
  });

  it.each([
    ["ignoreInitial", "no"],
    ["persistent", 1],
    ["ignorePermissionErrors", "yes"],
  ])("%s: %j is refused, as it would mean nothing", (name, value) => {
    const open = () =>
      createStorage({ driver: builtin("fs", { base: "x", watchOptions: { [name]: value } }) });
    expect(open).toThrow(expect.objectContaining({ code: "EAS_INVALID_OPTION" }));
  });
});
