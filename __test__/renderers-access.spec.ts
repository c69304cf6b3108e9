// Who may read and write what, over stand-ins that behave as Electron does.

import { afterEach, describe, expect, it } from "vitest";
import { codeOf, ServedApp, serveStorage, until } from "./helpers/ipc/app.js";
import { World } from "./helpers/ipc/world.js";

const DENIED = "EAS_ACCESS_DENIED";
const apps: ServedApp[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) {
    expect(app.world.network.unanswered).toBe(0);
    await app.end();
  }
});

function start(options?: object): ServedApp {
  const app = new ServedApp(options);
  apps.push(app);
  return app;
}

const rule = (origins: unknown, more: object = {}) => ({
  access: [{ origins, keys: ["settings:**"], can: "write", sync: true, ...more }],
});

describe("options", () => {
  it.each([
    ["no ipcMain", { ipcMain: undefined, access: [] }, "EAS_REQUIRED_OPTION"],
    ["no access", {}, "EAS_INVALID_OPTION"],
    ["an unknown option", { access: [], acces: [] }, "EAS_INVALID_OPTION"],
    ["an unknown limit", { access: [], limits: { bytes: 1 } }, "EAS_INVALID_OPTION"],
    ["a limit of 0", { access: [], limits: { valueBytes: 0 } }, "EAS_INVALID_OPTION"],
    ["frames: some", { access: [], frames: "some" }, "EAS_INVALID_OPTION"],
    ["an unknown right", rule("app://main", { can: "delete" }), "EAS_INVALID_OPTION"],
    ["no keys", rule("app://main", { keys: [] }), "EAS_INVALID_OPTION"],
    ["an empty key", rule("app://main", { keys: ["//"] }), "EAS_INVALID_OPTION"],
    ["part of a segment", rule("app://main", { keys: ["user*"] }), "EAS_INVALID_OPTION"],
    ["an unknown part of a rule", rule("app://main", { key: "a" }), "EAS_INVALID_OPTION"],
  ])("with %s are refused", async (_, options, code) => {
    const { ipcMain } = new World();
    const storage = { getItem() {} };
    expect(await codeOf(() => serveStorage(storage, { ipcMain, ...options }))).toBe(code);
  });

  it.each([
    "",
    "null",
    "https://a.b/",
    "https://a.b/c",
    "https://u@a.b",
    "https://A.b",
    "HTTPS://a.b",
    "https://a.b:443",
    "http://a.b:80",
    "https://*.a.b/c",
    "https://*.",
    "file:///a",
    "file://host/a/",
    "file:///a/../b/",
    "a.b",
    "https://",
    7,
    null,
    undefined,
  ])("an origin %j is refused", async (origin) => {
    const { ipcMain } = new World();
    const serve = () => serveStorage({ getItem() {} }, { ipcMain, ...rule([origin]) });
    expect(await codeOf(serve)).toBe("EAS_INVALID_OPTION");
  });
});

describe("an origin", () => {
  const cases: [rule: string, origin: string, isAllowed: boolean, url?: string][] = [
    ["app://main", "app://main", true],
    ["app://main", "app://other", false],
    ["http://localhost:5173", "http://localhost:5173", true],
    ["http://localhost:5173", "http://localhost:5174", false],
    ["https://*.d.org", "https://a.d.org", true],
    ["https://*.d.org", "https://a.b.d.org", true],
    ["https://*.d.org", "https://d.org", false],
    ["https://*.d.org", "https://evild.org", false],
    ["https://*.d.org", "https://d.org.evil.org", false],
    ["https://*.d.org", "http://a.d.org", false],
    ["*", "https://any.org", true],
    ["*", "http://any.org", true],
    ["*", "app://main", false],
    ["*", "file://", false],
    ["*", "null", false],
    ["file://", "file://", true, "file:///x/y.html"],
    ["file:///app/", "file://", true, "file:///app/a/b.html?q#h"],
    ["file:///app/", "file://", false, "file:///other/b.html"],
    ["file:///app/", "file://", false, "file:///app/%2e%2e/etc/x.html"],
    ["file:///app/", "file://", false, "file:///app/..%2fx.html"],
    ["file:///app/", "app://main", false, "file:///app/x.html"],
    ["file:///my%20app/", "file://", true, "file:///my%20app/x.html"],
  ];

  it.each(cases)("%s and a page of %s: %s", async (origins, origin, isAllowed, url) => {
    const app = start(rule(origins));
    app.storage.setItemSync("settings:a", 1);
    const stated = origin === "file://" ? "null" : origin;
    const { storage } = app.connect(undefined, { origin, url, stated });
    const expected = isAllowed ? { value: 1 } : DENIED;
    expect(await codeOf(() => storage.getItem("settings:a"))).toEqual(expected);
    expect(await codeOf(() => storage.getItemSync("settings:a"))).toEqual(expected);
  });

  it("is never that of the URL: a sandboxed iframe with an allowed URL has none", async () => {
    const app = start({ ...rule("app://main"), frames: "all" });
    const window = app.window();
    app.world.navigate(window.mainFrame);
    const frame = window.addFrame();
    const { storage } = app.connect(frame, {
      url: "app://main/a.html",
      origin: "null",
      stated: "app://main",
    });
    expect(await codeOf(() => storage.getItemSync("settings:a"))).toBe("EAS_NOT_READY");
    const honest = app.connect(frame, { url: "app://main/a.html", origin: "null" });
    expect(await codeOf(() => honest.storage.getItemSync("settings:a"))).toBe(DENIED);
  });

  it("of about:blank and srcdoc is the one that it inherits", async () => {
    const app = start({ ...rule("app://main"), frames: "all" });
    const window = app.window();
    app.world.navigate(window.mainFrame);
    const { storage } = app.connect(window.addFrame(), {
      url: "about:srcdoc",
      origin: "app://main",
    });
    expect(await storage.getItem("settings:a")).toBe(null);
  });
});

describe("a document", () => {
  it("of another session is refused", async () => {
    const app = start();
    const other = app.world.open(app.world.newSession());
    const { storage } = app.connect(other.mainFrame);
    expect(await codeOf(() => storage.getItem("settings:a"))).toBe(DENIED);
    expect(app.server.clients()).toEqual([]);
  });

  it("in an iframe needs frames: all", async () => {
    for (const [frames, expected] of [
      ["main", DENIED],
      ["all", { value: null }],
    ] as const) {
      const app = start({ frames });
      const window = app.window();
      app.world.navigate(window.mainFrame);
      const { storage } = app.connect(window.addFrame());
      expect(await codeOf(() => storage.getItem("settings:a"))).toEqual(expected);
    }
  });

  it("of a guest needs a rule for guests", async () => {
    const app = start({
      access: [
        { origins: "app://main", keys: "settings:**", can: "write" },
        { origins: "app://main", keys: "shared:**", can: "read", guests: true },
      ],
    });
    const { storage } = app.connect(app.window("webview").mainFrame);
    expect(await codeOf(() => storage.getItem("settings:a"))).toBe(DENIED);
    expect(await storage.getItem("shared:a")).toBe(null);
    expect(await codeOf(() => storage.setItem("shared:a", 1))).toBe(DENIED);
  });

  it("is asked about anew for every message", async () => {
    let isOpen = true;
    const asked: unknown[] = [];
    const app = start(
      rule("app://main", {
        when: (frame: any, webContents: any) => {
          asked.push([frame.origin, webContents.id]);
          return isOpen;
        },
      }),
    );
    const { storage, document } = app.connect();
    await storage.setItem("settings:a", 1);
    isOpen = false;
    expect(await codeOf(() => storage.getItem("settings:a"))).toBe(DENIED);
    expect(await codeOf(() => storage.setItem("settings:a", 2))).toBe(DENIED);
    isOpen = true;
    expect(await storage.getItem("settings:a")).toBe(1);
    expect(asked[0]).toEqual(["app://main", document.frame.webContents.id]);
  });

  it("is refused when its rule's function throws, or says something else than true", async () => {
    for (const when of [
      () => {
        throw new Error("no");
      },
      () => "yes",
      async () => true,
    ]) {
      const app = start(rule("app://main", { when }));
      const { storage } = app.connect();
      expect(await codeOf(() => storage.getItem("settings:a"))).toBe(DENIED);
    }
  });
});

describe("keys", () => {
  const app = () =>
    start({
      access: [
        {
          origins: "app://main",
          keys: ["settings/**", "user:*:name", "one"],
          can: "write",
          sync: true,
        },
        { origins: "app://main", keys: ["shown:**"], can: "read" },
      ],
    });

  it.each([
    ["settings:a", true],
    ["settings:a:b", true],
    ["settings", false],
    ["settingsx:a", false],
    ["user:1:name", true],
    ["user:1:2:name", false],
    ["user:name", false],
    ["user:1:names", false],
    ["one", true],
    ["one:a", false],
    ["settings:a$", true],
    ["secret:x", false],
    ["secret:x$", false],
    ["secret:settings:a", false],
    ["__proto__", false],
    ["constructor", false],
    ["", false],
    ["$", false],
    ["settings:../secret:x", false],
    ["settings:..:secret", false],
    ["settings/..\\secret", false],
    ["settings:./a", false],
    ["settings:..$", false],
    ["__storage_version__", false],
    ["settings:__storage_version__", false],
    ["settings:__storage_version__$", false],
    ["settings:__STORAGE_JOURNAL__:open", false],
    ["shown:a", false],
    ["settings:a?secret", true],
  ])("%s may be written: %s", async (key, isAllowed) => {
    const served = app();
    const { storage } = served.connect();
    const expected = isAllowed ? { value: undefined } : DENIED;
    expect(await codeOf(() => storage.setItem(key, { a: 1 }))).toEqual(expected);
    expect(
      await codeOf(() =>
        storage.setItems([
          { key: "settings:b", value: 1 },
          { key, value: { a: 1 } },
        ]),
      ),
    ).toEqual(expected);
    expect(await codeOf(() => storage.removeItem(key))).toEqual(expected);
    expect(await codeOf(() => storage.setMeta(key, { a: 1 }))).toEqual(expected);
    expect(served.storage.hasItemSync("settings:b")).toBe(isAllowed);
    if (!isAllowed && !key.startsWith("shown")) {
      expect(await codeOf(() => storage.getItem(key))).toBe(DENIED);
      expect(await codeOf(() => storage.getItemSync(key))).toBe(DENIED);
      expect(await codeOf(() => storage.getItems(["settings:a", key]))).toBe(DENIED);
      expect(await codeOf(() => storage.getMeta(key))).toBe(DENIED);
      expect(await codeOf(() => storage.hasItem(key))).toBe(DENIED);
    }
  });

  it("that are denied say the same whether there is such an item", async () => {
    const served = app();
    served.storage.setItemSync("secret:there", 1);
    const { storage } = served.connect();
    const errorOf = (key: string) => storage.getItem(key).catch((error: Error) => error.message);
    const one = await errorOf("secret:there");
    expect(one.replace("there", "other")).toBe(await errorOf("secret:other"));
  });

  it("are listed, cleared, copied and watched as far as they are allowed", async () => {
    const served = app();
    const { storage, preload } = served.connect();
    const all = [
      "settings:a",
      "settings:b:c",
      "user:1:name",
      "user:1:age",
      "one",
      "shown:a",
      "secret:x",
    ];
    const heard: string[] = [];
    await storage.watch((_: string, key: string) => heard.push(key));
    for (const key of all) await served.storage.setItem(key, key);
    await served.storage.setMeta("secret:x", { a: 1 });
    await served.storage.setMeta("settings:a", { a: 1 });
    const seen = ["one", "settings:a", "settings:b:c", "shown:a", "user:1:name"];
    await until(() => heard.length >= seen.length);
    expect([...heard].sort()).toEqual(seen);
    expect((await storage.getKeys()).sort()).toEqual(seen);
    expect(await storage.getKeys("user")).toEqual(["user:1:name"]);
    expect((await storage.getKeys("", { maxDepth: 1 })).sort()).toEqual([
      "one",
      "settings:a",
      "shown:a",
    ]);
    expect(await storage.getKeys("secret")).toEqual([]);
    expect(Object.keys(await preload.snapshot(storage, "")).sort()).toEqual(seen);
    expect(await preload.snapshot(storage, "settings")).toEqual({
      a: "settings:a",
      "b:c": "settings:b:c",
    });
    await storage.clear();
    expect(served.storage.getKeysSync().sort()).toEqual(["secret:x", "shown:a", "user:1:age"]);
    expect(served.storage.getItemSync("secret:x")).toBe("secret:x");
  });

  it("that are only shown cannot be written, nor read at once", async () => {
    const served = app();
    served.storage.setItemSync("shown:a", 1);
    const { storage, errors } = served.connect();
    expect(await storage.getItem("shown:a")).toBe(1);
    const error = await Promise.resolve()
      .then(() => storage.getItemSync("shown:a"))
      .catch((e) => e);
    expect(error.code).toBe("EAS_SYNC_UNSUPPORTED");
    expect(error.message).toContain("sync: true");
    expect(await codeOf(() => storage.getKeysSync("shown"))).toBe("EAS_SYNC_UNSUPPORTED");
    storage.setItemSync("shown:a", 2);
    await until(() => errors.length === 1);
    expect(errors[0].code).toBe(DENIED);
    expect(served.storage.getItemSync("shown:a")).toBe(1);
  });

  it("without sync are no null after a setItemSync", async () => {
    const served = start(rule("app://main", { sync: false }));
    const { storage } = served.connect();
    await storage.getItem("settings:a");
    storage.setItemSync("settings:a", 1);
    expect(await codeOf(() => storage.getItemSync("settings:a"))).toBe("EAS_SYNC_UNSUPPORTED");
    await until(() => served.storage.getItemSync("settings:a") === 1);
    expect(await codeOf(() => storage.getItemSync("settings:a"))).toBe("EAS_SYNC_UNSUPPORTED");
  });
});

describe("options of a call", () => {
  it.each([
    ["setItem", ["settings:a", 1, { encoding: "x" }]],
    ["setItem", ["settings:a", 1, { ttl: "1" }]],
    ["setItem", ["settings:a", 1, { ttl: Number.NaN }]],
    ["setItem", ["settings:a", 1, JSON.parse('{"__proto__":1}')]],
    ["getItem", ["settings:a", { base: "/etc" }]],
    ["getItem", ["settings:a", "ttl"]],
    ["getItems", [[{ key: "settings:a", options: { deep: 1 } }]]],
    ["getKeys", ["settings", { maxDepth: "1" }]],
    ["removeItem", ["settings:a", { removeMeta: 1 }]],
    ["getMeta", ["settings:a", { nativeOnly: "yes" }]],
    ["setItems", [[{ key: "settings:a", value: 1 }], { ifMatch: "x" }]],
    ["setItemRaw", ["settings:a", "x", { ifMatch: "x" }]],
    ["clear", ["settings", { force: true }]],
  ] as [string, any[]][])("of %s: %j are refused", async (method, args) => {
    const app = start();
    const { storage } = app.connect();
    expect(await codeOf(() => storage[method](...args))).toBe("EAS_INVALID_OPTION");
    expect(app.storage.getKeysSync()).toEqual([]);
  });

  it("reach the storage when they may cross", async () => {
    const app = start();
    const { storage } = app.connect();
    await storage.setItem("settings:a", 1, { ttl: 60_000, through: true });
    await storage.setMeta("settings:a", { x: 1 });
    const meta = await storage.getMeta("settings:a");
    expect(meta.ttl).toBeGreaterThan(0);
    expect(meta.x).toBe(1);
    expect((await storage.getMeta("settings:a", { nativeOnly: true })).x).toBe(undefined);
    expect((await storage.getMeta("settings:a", true)).x).toBe(undefined);
    await storage.removeItem("settings:a", true);
    expect((await storage.getMeta("settings:a")).x).toBe(undefined);
  });
});

describe("errors", () => {
  it("cross with code, key, driver and operation, and without stack, cause and paths", async () => {
    const app = start();
    app.storage.mount("settings:bad", {
      name: "bad",
      getItem() {
        throw Object.assign(new Error("EACCES: permission denied, open '/home/me/My App/data/x'"), {
          code: "EACCES",
          path: "/home/me/My App/data/x",
          cause: new Error("inner"),
          operation: "getItem",
          key: "settings:bad:x",
        });
      },
      getKeys: () => [],
      hasItem: () => false,
    });
    const { storage } = app.connect();
    const error = await storage.getItem("settings:bad:x").catch((error: any) => error);
    expect(error.code).toBe("EACCES");
    expect(error.message).toBe("EACCES: permission denied, open 'x'");
    expect([error.key, error.operation]).toEqual(["settings:bad:x", "getItem"]);
    expect(error.cause).toBe(undefined);
    expect(error.path).toBe(undefined);
    expect(error.stack).not.toContain("serve/");
    const page = app.page();
    const onPage = await page.storage.getItem("settings:bad:x").catch((error: any) => error);
    expect([onPage.code, onPage.message]).toEqual(["EACCES", error.message]);
  });

  it.each([
    null,
    undefined,
    7,
    "text",
    Symbol("x"),
    Object.create(null),
    {
      get message() {
        throw 1;
      },
    },
  ])("that are no errors cross too (%#)", async (thrown) => {
    const app = start();
    app.storage.mount("settings:bad", {
      getItem: () => {
        throw thrown;
      },
      getKeys: () => [],
      hasItem: () => false,
    });
    const { storage } = app.connect();
    const error = await storage.getItem("settings:bad:x").catch((error: any) => error);
    expect(typeof error.message).toBe("string");
  });
});
