// The preload in an isolated world of real Chromium, and the client of a page in the page's own world.

import { existsSync } from "node:fs";
import { type Browser, type CDPSession, chromium, type Frame, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LoopbackMain, pageScript, preloadScript } from "./helpers/chromium/server.js";
import { serveStorage, until } from "./helpers/ipc/app.js";
import { createStorage } from "./helpers/package.js";

const program = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
  existsSync,
);
if (!program) console.warn("Chromium is not installed: the specs in a real browser are skipped");

describe.skipIf(!program)("in Chromium", () => {
  const main = new LoopbackMain();
  const storage = createStorage<any>();
  let server: any;
  let origin: string;
  let browser: Browser;

  beforeAll(async () => {
    origin = await main.start();
    server = serveStorage(storage, {
      ipcMain: main.ipcMain,
      session: main.session,
      frames: "all",
      access: [{ origins: origin, keys: "settings:**", can: "write", sync: true }],
    });
    storage.setItemSync("settings:theme", "dark");
    storage.setItemSync("settings:seen", { at: new Date(5), map: new Map([[1, new Set(["x"])]]) });
    browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox"] });
  });

  afterAll(async () => {
    await browser?.close();
    server?.dispose();
    main.stop();
    await storage.dispose();
  });

  async function open(path = "/"): Promise<{ page: Page; cdp: CDPSession }> {
    const page = await browser.newPage();
    const cdp = await page.context().newCDPSession(page);
    await cdp.send("Page.enable");
    await cdp.send("Page.addScriptToEvaluateOnNewDocument", { source: pageScript() });
    await cdp.send("Page.addScriptToEvaluateOnNewDocument", {
      source: preloadScript(origin),
      worldName: "preload",
    });
    await page.goto(origin + path);
    return { page, cdp };
  }

  /** What an expression gives in the world of the preload. */
  async function inPreload(cdp: CDPSession, page: Page, expression: string): Promise<any> {
    const { frameTree } = await cdp.send("Page.getFrameTree");
    const { executionContextId: contextId } = await cdp.send("Page.createIsolatedWorld", {
      frameId: frameTree.frame.id,
      worldName: "preload",
    });
    const { result, exceptionDetails } = await cdp.send("Runtime.evaluate", {
      contextId,
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails)
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    expect(page.isClosed()).toBe(false);
    return result.value;
  }

  it("a preload reads at once, before the page has anything", async () => {
    const { page, cdp } = await open();
    expect(await inPreload(cdp, page, "first")).toBe("dark");
    expect(await inPreload(cdp, page, "errors")).toEqual([]);
    await page.close();
  });

  it("a page reads and writes values of its own realm", async () => {
    const { page } = await open();
    const seen = await page.evaluate(async () => {
      const { renderer, storage: bridge } = globalThis as any;
      const storage = renderer.storageFromBridge(bridge);
      const value = storage.getItemSync("settings:seen");
      await storage.setItem("settings:new", { at: new Date(7), list: [1n, undefined, /x/g] });
      const error = await storage.getItem("secret:x").catch((error: any) => error);
      return {
        at: value.at instanceof Date && value.at.getTime(),
        set: value.map instanceof Map && value.map.get(1) instanceof Set,
        error: [error instanceof Error, error.code],
        keys: storage.getKeysSync("settings").sort(),
      };
    });
    expect(seen).toEqual({
      at: 5,
      set: true,
      error: [true, "EAS_ACCESS_DENIED"],
      keys: ["settings:new", "settings:seen", "settings:theme"],
    });
    expect(storage.getItemSync("settings:new")).toEqual({
      at: new Date(7),
      list: [1n, undefined, /x/g],
    });
    await storage.removeItem("settings:new");
    await page.close();
  });

  it("a page hears of what main writes, and main of what the page writes at once", async () => {
    const { page } = await open();
    await page.evaluate(async () => {
      const { renderer, storage: bridge } = globalThis as any;
      const storage = renderer.storageFromBridge(bridge);
      Object.assign(globalThis, { client: storage, heard: [] });
      await storage.watch((event: string, key: string) =>
        (globalThis as any).heard.push([event, key]),
      );
    });
    await storage.setItem("settings:theme", "light");
    await page.waitForFunction(() => (globalThis as any).heard.length === 1);
    expect(
      await page.evaluate(() => (globalThis as any).client.getItemSync("settings:theme")),
    ).toBe("light");
    const own = await page.evaluate(() => {
      const { client } = globalThis as any;
      client.setItemSync("settings:theme", "blue");
      return client.getItemSync("settings:theme");
    });
    expect(own).toBe("blue");
    await until(() => storage.getItemSync("settings:theme") === "blue");
    await page.evaluate(() =>
      (globalThis as any).client.setItemSync("settings:theme", "dark", { through: true }),
    );
    expect(storage.getItemSync("settings:theme")).toBe("dark");
    await page.close();
  });

  it("a reload is a new client, which starts from what there is", async () => {
    const { page, cdp } = await open();
    for (const theme of ["one", "two"]) {
      storage.setItemSync("settings:theme", theme);
      await page.reload();
      expect(await inPreload(cdp, page, "first")).toBe(theme);
    }
    storage.setItemSync("settings:theme", "dark");
    await page.close();
  });

  it("a sandboxed iframe of the same URL has no access, and a plain one has", async () => {
    main.pages.set(
      "/frames",
      `<iframe name="plain" src="/"></iframe><iframe name="boxed" sandbox="allow-scripts" src="/"></iframe>`,
    );
    const { page } = await open("/frames");
    const inFrame = (name: string) =>
      (page.frame(name) as Frame).evaluate(() => typeof (globalThis as any).storage);
    await page.waitForLoadState("load");
    expect(await inFrame("plain")).toBe("object");
    expect(await inFrame("boxed")).toBe("undefined");
    await page.close();
  });
});
