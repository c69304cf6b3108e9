// Storages of sandboxed preloads and pages: what they promise, over stand-ins that behave as Electron does.

import { afterEach, describe, expect, it } from "vitest";
import { codeOf, ServedApp, until } from "./helpers/ipc/app.js";

const apps: ServedApp[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.end();
});

function start(options?: object): ServedApp {
  const app = new ServedApp(options);
  apps.push(app);
  return app;
}

describe("a preload", () => {
  it("reads at once what main has, with one sync message for all keys", async () => {
    const app = start();
    app.storage.setItemSync("settings:theme", "dark");
    app.storage.setItemSync("settings:seen", new Map([[1, new Date(5)]]));
    const { storage } = app.connect();
    expect(storage.getItemSync("settings:theme")).toBe("dark");
    expect(storage.getItemSync("settings:seen").get(1).getTime()).toBe(5);
    expect(storage.getItemSync("settings:none")).toBe(null);
    expect(storage.getKeysSync("settings").sort()).toEqual(["settings:seen", "settings:theme"]);
    expect(app.world.network.sentSync).toBe(1);
  });

  it("reads without a sync message once the mirror is there", async () => {
    const app = start();
    app.storage.setItemSync("settings:theme", "dark");
    const { storage } = app.connect();
    expect(await storage.getItem("settings:theme")).toBe("dark");
    expect(storage.getItemSync("settings/theme")).toBe("dark");
    expect(app.world.network.sentSync).toBe(0);
  });

  it("reads its own writes at once, and main has them", async () => {
    const app = start();
    const { storage } = app.connect();
    storage.setItemSync("settings:a", { n: 1 });
    expect(storage.getItemSync("settings:a")).toEqual({ n: 1 });
    storage.setItem("settings:a", 2);
    expect(storage.getItemSync("settings:a")).toBe(2);
    storage.removeItemSync("settings:a");
    expect(storage.getItemSync("settings:a")).toBe(null);
    storage.setItemSync("settings:a", 3);
    await storage.flush();
    expect(app.storage.getItemSync("settings:a")).toBe(3);
    expect(storage.getItemSync("settings:a")).toBe(3);
  });

  it("sees what main and other windows write, and hears of it once", async () => {
    const app = start();
    const one = app.connect();
    const two = app.connect();
    const heard: unknown[] = [];
    await one.storage.watch((event: string, key: string) =>
      heard.push([event, key, one.storage.getItemSync(key)]),
    );
    await app.storage.setItem("settings:a", 1);
    await until(
      () =>
        one.storage.getItemSync("settings:a") === 1 && two.storage.getItemSync("settings:a") === 1,
    );
    await two.storage.setItem("settings:a", 2);
    await until(() => one.storage.getItemSync("settings:a") === 2);
    await one.storage.removeItem("settings:a");
    await until(() => two.storage.getItemSync("settings:a") === null);
    await until(() => heard.length >= 3);
    expect(heard).toEqual([
      ["update", "settings:a", 1],
      ["update", "settings:a", 2],
      ["remove", "settings:a", null],
    ]);
  });
});

describe("a page", () => {
  it("has a storage with values and errors of its own realm", async () => {
    const app = start();
    const { storage, document } = app.page();
    await storage.setItem("settings:d", { at: new Date(7), set: new Set([1]) });
    const value = await storage.getItem("settings:d");
    expect((document.page as any).Date === undefined).toBe(true);
    expect(value.at.getTime()).toBe(7);
    expect(app.storage.getItemSync("settings:d").at).toEqual(new Date(7));
    expect(storage.getItemSync("settings:d").set.has(1)).toBe(true);
    const error = await storage.getItem("secret:x").catch((error: any) => error);
    expect([error.code, error.key]).toEqual(["EAS_ACCESS_DENIED", "secret:x"]);
    expect(await codeOf(() => storage.getItemSync("secret:x"))).toBe("EAS_ACCESS_DENIED");
  });
});
