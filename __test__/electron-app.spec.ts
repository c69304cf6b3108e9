import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import fsDriver from "../drivers/fs.js";
import type { Api, SettingChange } from "../examples/electron-app/src/api.js";
import { createStorage } from "../index.js";
import { RunningApp } from "./helpers/electron.js";

const main = join(__dirname, "..", "examples", "electron-app", "src", "main.ts");

let userData: string;
const running: RunningApp[] = [];

beforeEach(async () => {
  userData = await mkdtemp(join(tmpdir(), "eas-electron-"));
});

afterEach(async () => {
  for (const app of running.splice(0)) {
    app.app.quit();
    await app.app.gone;
  }
  await rm(userData, { recursive: true, force: true });
});

function start(): RunningApp {
  const app = new RunningApp(main, userData);
  running.push(app);
  return app;
}

/** The API that a window's page sees. */
async function apiOf(app: RunningApp, index = 0): Promise<Api> {
  return (await app.window(index)).world.api as Api;
}

/** What another program sees in a folder of the app. */
function folderOf(name: "storage" | "session") {
  return createStorage({ driver: fsDriver({ base: join(userData, name) }) });
}

/** The first change of a setting to a value that a window hears of. */
function changeTo(api: Api, wanted: SettingChange): Promise<SettingChange> {
  return new Promise((resolve) => {
    const stop = api.onChange((change) => {
      if (change.name !== wanted.name || change.value !== wanted.value) return;
      stop();
      resolve(change);
    });
  });
}

describe("a start of the app", () => {
  it("gives the page the defaults when nothing is stored", async () => {
    const api = await apiOf(start());
    expect(api.initial).toEqual({ theme: "system", fontSize: 14 });
  });

  it("migrates what an older version stored before the first window reads it", async () => {
    const old = folderOf("storage");
    old.setItemSync("settings:theme", "dark");
    old.setItemSync("settings:font", "18px");
    await old.dispose();

    const api = await apiOf(start());
    expect(api.initial).toEqual({ theme: "dark", fontSize: 18 });
    const now = folderOf("storage");
    expect(now.hasItemSync("settings:font")).toBe(false);
    expect(await now.getStorageVersion()).toBe(2);
    await now.dispose();
  });

  it("opens windows in the sandbox, whose pages see an API and nothing else", async () => {
    const { webPreferences, world } = await start().window(0);
    expect(webPreferences).toMatchObject({
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
    });
    expect(Object.keys(world)).toEqual(["api"]);
    expect(Object.keys(world.api as Api).sort()).toEqual([
      "describeMachine",
      "initial",
      "onChange",
      "record",
      "set",
    ]);
  });

  it("shows the default in place of a value that no setting can have", async () => {
    const edited = folderOf("storage");
    edited.setItemSync("settings:theme", { not: "a theme" });
    await edited.dispose();
    const api = await apiOf(start());
    expect(api.initial.theme).toBe("system");
  });
});

describe("a change", () => {
  it("reaches the disk and every window", async () => {
    const app = start();
    const windows = [await apiOf(app)];
    app.startAgain();
    windows.push(await apiOf(app, 1));
    const wanted: SettingChange = { name: "theme", value: "dark" };
    const heard = windows.map((api) => changeTo(api, wanted));
    await windows[1].set("theme", "dark");
    expect(await Promise.all(heard)).toEqual([wanted, wanted]);
    expect(folderOf("storage").getItemSync("settings:theme")).toBe("dark");
  });

  it("by another program reaches the windows", async () => {
    const api = await apiOf(start());
    const wanted: SettingChange = { name: "fontSize", value: 21 };
    const heard = changeTo(api, wanted);
    const other = folderOf("storage");
    await other.setItem("settings:fontSize", 21);
    expect(await heard).toEqual(wanted);
    await other.dispose();
  });

  it("is not heard of after the listener was taken away", async () => {
    const api = await apiOf(start());
    const heard: SettingChange[] = [];
    const stop = api.onChange((change) => heard.push(change));
    stop();
    const witness = changeTo(api, { name: "theme", value: "light" });
    await api.set("theme", "light");
    await witness;
    expect(heard).toEqual([]);
  });

  it.each<[name: string, value: unknown, words: string]>([
    ["theme", "blue", 'The setting theme cannot be "blue"'],
    ["fontSize", 1.5, "The setting fontSize cannot be 1.5"],
    ["fontSize", "20", 'The setting fontSize cannot be "20"'],
    ["__proto__", 1, "There is no setting"],
    ["../escape", 1, "There is no setting"],
  ])("of %s to %j is refused, and nothing is written", async (name, value, words) => {
    const api = await apiOf(start());
    const before = folderOf("storage");
    const kept = before.getKeysSync().map((key) => [key, before.getItemSync(key)]);
    await expect(api.set(name as "theme", value as "dark")).rejects.toThrow(words);
    expect(before.getKeysSync().map((key) => [key, before.getItemSync(key)])).toEqual(kept);
    await before.dispose();
  });
});

describe("the log of the session", () => {
  it("counts its lines, also those that still wait in the queue", async () => {
    const api = await apiOf(start());
    expect(await api.record("one")).toBe(1);
    expect(await api.record("two")).toBe(2);
  });

  it("is whole on disk once the app is gone", async () => {
    const app = start();
    const api = await apiOf(app);
    const lines = Array.from({ length: 50 }, (_, index) => `line ${index}`);
    await Promise.all(lines.map((line) => api.record(line)));
    app.app.quit();
    expect(await app.app.gone).toBe(0);

    const log = folderOf("session");
    const keys = log.getKeysSync().sort();
    expect(keys.map((key) => log.getItemSync(key).what)).toEqual(lines);
    expect(log.getItemSync(keys[0]).at).toBeInstanceOf(Date);
    await log.dispose();
  });
});

describe("the description of the machine", () => {
  it("is made once and kept in memory, not on disk", async () => {
    const api = await apiOf(start());
    const text = await api.describeMachine();
    expect(text).toContain(process.arch);
    expect(await api.describeMachine()).toBe(text);
    const names = await readdir(userData, { recursive: true });
    expect(names.filter((name) => /cache|machine/.test(name))).toEqual([]);
  });
});

describe("quitting", () => {
  it("is put off until the last write is on disk, and then happens", async () => {
    const app = start();
    const api = await apiOf(app);
    const writes = [api.set("fontSize", 30), api.record("the last line")];
    // Messages keep their order: when this is answered, the main process has both, and its queue waits.
    await api.describeMachine();
    app.app.quit();
    app.app.quit();
    expect(app.app.quitsPutOff).toBe(2);
    expect(await app.app.gone).toBe(0);
    await Promise.all(writes);
    expect(folderOf("storage").getItemSync("settings:fontSize")).toBe(30);
    expect((await stat(join(userData, "session"))).isDirectory()).toBe(true);
  });

  it.runIf(process.platform !== "darwin")("follows the last window", async () => {
    const app = start();
    await app.window(0);
    app.closeWindows();
    expect(await app.app.gone).toBe(0);
  });
});
