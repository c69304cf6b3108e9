// The life of clients: starts, reloads, navigations, crashes, restarts, and what is under way meanwhile.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { MessageChannel, Worker } from "node:worker_threads";
import { afterEach, describe, expect, it, vi } from "vitest";
import { codeOf, RULES, ServedApp, serveStorage, until } from "./helpers/ipc/app.js";
import { World } from "./helpers/ipc/world.js";
import { createStorage, root } from "./helpers/package.js";

const CHANNEL = "electron-async-storage";
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

describe("a document that is not committed yet", () => {
  it("is told to ask again, and is served once it is committed", async () => {
    const app = start();
    app.storage.setItemSync("settings:a", 1);
    const window = app.window();
    app.world.navigate(window.mainFrame, { origin: "https://old.org" });
    const document = app.world.begin(window.mainFrame);
    const { storage, errors } = app.connectIn(document);
    expect(await codeOf(() => storage.getItemSync("settings:a"))).toBe("EAS_NOT_READY");
    const early = storage.getItem("settings:a");
    const order = [storage.setItem("settings:b", 1), storage.setItem("settings:b", 2)];
    app.world.commit(document);
    expect(storage.getItemSync("settings:a")).toBe(1);
    expect(await early).toBe(1);
    await Promise.all(order);
    expect(app.storage.getItemSync("settings:b")).toBe(2);
    expect(errors).toEqual([]);
  });

  it("is refused after a while, and any later call asks again", async () => {
    const app = start();
    const window = app.window();
    app.world.navigate(window.mainFrame, { origin: "https://old.org" });
    const document = app.world.begin(window.mainFrame);
    const { storage } = app.connectIn(document);
    expect(await codeOf(() => storage.getItem("settings:a"))).toBe("EAS_NOT_READY");
    expect(await codeOf(() => storage.setItem("settings:a", 1))).toBe("EAS_NOT_READY");
    app.world.commit(document);
    expect(await storage.getItem("settings:a")).toBe(null);
  });

  it("has its page exposed, with calls refused until it is known", async () => {
    const app = start();
    const window = app.window();
    app.world.navigate(window.mainFrame, { origin: "https://old.org" });
    const document = app.world.begin(window.mainFrame);
    app.world.runPreloads(document);
    const page = app.pageOf(document);
    expect(await codeOf(() => page.storage.getItemSync("settings:a"))).toBe("EAS_NOT_READY");
    app.world.commit(document);
    expect(page.storage.getItemSync("settings:a")).toBe(null);
  });

  it("gets nothing by the access of the page before it", async () => {
    const app = start();
    app.storage.setItemSync("settings:a", 1);
    const window = app.window();
    app.world.navigate(window.mainFrame);
    const document = app.world.begin(window.mainFrame, { origin: "https://evil.org" });
    const { storage } = app.connectIn(document);
    expect(await codeOf(() => storage.getItemSync("settings:a"))).toBe("EAS_NOT_READY");
    app.world.commit(document);
    expect(await codeOf(() => storage.getItemSync("settings:a"))).toBe("EAS_ACCESS_DENIED");
  });
});

describe("a document that goes", () => {
  it("still writes from pagehide, by its own origin", async () => {
    const app = start();
    const window = app.window();
    const { document, storage } = app.connect(window.mainFrame);
    await storage.getItem("settings:a");
    document.events.on("pagehide", () =>
      storage.setItemSync("settings:last", "word", { through: true }),
    );
    app.world.navigate(window.mainFrame, { origin: "https://next.org" });
    expect(app.storage.getItemSync("settings:last")).toBe("word");
  });

  it("is refused when it seems to be the page that comes, as before Electron 33.3", async () => {
    const app = start();
    app.storage.setItemSync("settings:a", 1);
    const next = app.world.navigate(app.window().mainFrame);
    // The event of the unloading document names the frame and the ids of the next one.
    const sent = {
      v: 1,
      client: "0".repeat(32),
      origin: "https://old.org",
      op: "getItem",
      args: ["settings:a"],
    };
    expect(await next.ipcRenderer.invoke(CHANNEL, sent)).toEqual({ v: 1, again: true });
    expect(next.ipcRenderer.sendSync(CHANNEL, sent)).toEqual({ v: 1, again: true });
  });

  it("and comes back from the cache of pages sees what is new", async () => {
    const app = start();
    const { document, storage } = app.connect();
    await storage.getItem("settings:a");
    document.events.emit("pagehide");
    await until(() => app.server.clients().length === 0);
    await app.storage.setItem("settings:a", 1);
    expect(storage.getItemSync("settings:a")).toBe(1);
    await app.storage.setItem("settings:a", 2);
    await until(() => storage.getItemSync("settings:a") === 2);
  });

  it("is no client any more, whatever takes its place", async () => {
    const app = start();
    const window = app.window();
    for (let count = 0; count < 5; count++) {
      const { storage } = app.connect(window.mainFrame, { isSameProcess: count % 2 === 0 });
      await storage.getItem("settings:a");
      expect(app.server.clients()).toEqual([
        {
          id: expect.stringMatching(/^[0-9a-f]{32}$/),
          origin: "app://main",
          webContentsId: window.id,
        },
      ]);
    }
    window.crash();
    expect(app.server.clients()).toEqual([]);
  });

  it("leaves nothing pushed to a frame that is disposed", async () => {
    const app = start();
    const window = app.window();
    const { storage } = app.connect(window.mainFrame);
    await storage.watch(() => {});
    window.crash();
    await app.storage.setItem("settings:a", 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(window.mainFrame.logged).toEqual([]);
  });
});

describe("a server", () => {
  it("that is closed says so to every call, and to nobody else", async () => {
    const app = start();
    const { storage, errors } = app.connect();
    await storage.setItem("settings:a", 1);
    const sent = storage.getItem("settings:a");
    app.server.dispose();
    app.server.dispose();
    expect(await codeOf(() => sent)).toBe("EAS_CLOSED");
    expect(await codeOf(() => storage.getItem("settings:a"))).toBe("EAS_CLOSED");
    expect(await codeOf(() => storage.getItemSync("settings:a"))).toBe("EAS_CLOSED");
    expect(await codeOf(() => storage.setItemSync("settings:a", 2, { through: true }))).toBe(
      "EAS_CLOSED",
    );
    expect(app.world.ipcMain.listenerCount(CHANNEL)).toBe(1);
    expect(app.session.scripts).toEqual([]);
    expect(app.server.clients()).toEqual([]);
    expect(await app.storage.getItem("settings:a")).toBe(1);
    expect(errors.every(({ code }) => code === "EAS_CLOSED")).toBe(true);
  });

  it("that is started anew is found by the clients of the former, with what changed meanwhile", async () => {
    const app = start();
    const { storage } = app.connect();
    const heard: unknown[] = [];
    await storage.watch((event: string, key: string) => heard.push([event, key]));
    await app.storage.setItem("settings:a", 1);
    await app.storage.setItem("settings:gone", 1);
    await until(() => heard.length === 2);
    app.server.dispose();
    await app.storage.setItem("settings:a", 2);
    await app.storage.removeItem("settings:gone");
    app.serve();
    await until(() => storage.getItemSync("settings:a") === 2);
    expect(storage.getItemSync("settings:gone")).toBe(null);
    await until(() => heard.length === 4);
    expect(heard.slice(2)).toEqual([
      ["remove", "settings:gone"],
      ["update", "settings:a"],
    ]);
    await app.storage.setItem("settings:a", 3);
    await until(() => storage.getItemSync("settings:a") === 3);
  });

  it("is one for a channel at a time", async () => {
    const app = start();
    const options = { ipcMain: app.world.ipcMain, access: RULES };
    expect(await codeOf(() => serveStorage(app.storage, options))).toBe("EAS_INVALID_OPTION");
  });

  it("that nobody started is an error of every call, and no wait", async () => {
    const world = new World();
    const app = start();
    const document = world.navigate(world.open(app.session).mainFrame);
    const { storage, errors } = app.connectIn(document);
    expect(await codeOf(() => storage.getItem("settings:a"))).toBe("EAS_NO_SERVER");
    expect(await codeOf(() => storage.getItemSync("settings:a"))).toBe("EAS_NO_SERVER");
    expect(errors[0].code).toBe("EAS_NO_SERVER");
  });

  it("says which versions there are to a client of another", async () => {
    const app = start();
    const document = app.world.navigate(app.window().mainFrame);
    const sent = { v: 2, client: "0".repeat(32), origin: "app://main", op: "hello", args: [] };
    const { error } = await document.ipcRenderer.invoke(CHANNEL, sent);
    expect(error.code).toBe("EAS_NOT_SERVED");
    expect(error.message).toContain("version 2");
  });

  it("registers its preload in sessions of old versions too, and takes it away", () => {
    const app = start();
    const session = app.world.newOldSession();
    session.setPreloads(["/own.js"]);
    const server = serveStorage(app.storage, {
      ipcMain: app.world.ipcMain,
      session: [session, app.world.newSession()],
      channel: "other",
      access: [],
    });
    expect(session.getPreloads()).toEqual(["/own.js", server.preloadPath]);
    server.dispose();
    expect(session.getPreloads()).toEqual(["/own.js"]);
  });

  it("on a channel of its own is found by the registered preload", async () => {
    const app = start({ channel: "mine" });
    const page = app.page();
    expect(page.storage.getItemSync("settings:a")).toBe(null);
    await page.storage.setItem("settings:a", 1);
    expect(app.storage.getItemSync("settings:a")).toBe(1);
    const named = app.connect(undefined, {}, { channel: "mine" });
    expect(await named.storage.getItem("settings:a")).toBe(1);
  });
});

describe("exposeStorage", () => {
  it("shares one client with every copy in the document, and exposes a name once", async () => {
    const app = start();
    const window = app.window();
    const document = app.world.navigate(window.mainFrame);
    app.world.runPreloads(document);
    const one = app.connectIn(document);
    const two = app.connectIn(document);
    two.preload.exposeStorage();
    two.preload.exposeStorage("other");
    expect(
      Object.keys(document.page).filter((name) => ["storage", "other"].includes(name)),
    ).toEqual(["storage", "other"]);
    one.storage.setItemSync("settings:a", 1);
    expect(two.storage.getItemSync("settings:a")).toBe(1);
    expect(app.pageOf(document).storage.getItemSync("settings:a")).toBe(1);
    await one.storage.flush();
    expect(app.server.clients()).toHaveLength(1);
  });

  it("needs isolation: the registered preload does nothing without", async () => {
    const app = start();
    const document = app.world.navigate(app.window().mainFrame, { contextIsolated: false });
    app.world.runPreloads(document);
    expect((document.page as any).storage).toBe(undefined);
    const { preload, storage } = app.connectIn(document);
    expect(await codeOf(() => preload.exposeStorage())).toBe("EAS_NOT_ISOLATED");
    expect(await storage.getItem("settings:a")).toBe(null);
    expect(Object.getOwnPropertySymbols(document.isolated)).toEqual([]);
  });
});

describe("what is under way", () => {
  it("is taken back and reported when it is refused", async () => {
    let isOpen = true;
    const app = start({ access: [{ ...RULES[0], when: () => isOpen }] });
    app.storage.setItemSync("settings:a", "old");
    const { storage, errors } = app.connect();
    const heard: unknown[] = [];
    await storage.watch((event: string, key: string) => heard.push([event, key]));
    isOpen = false;
    storage.setItemSync("settings:a", "new");
    storage.removeItemSync("settings:b");
    expect(storage.getItemSync("settings:a")).toBe("new");
    await until(() => errors.length >= 2);
    expect(errors.map(({ code }) => code).slice(0, 2)).toEqual([
      "EAS_ACCESS_DENIED",
      "EAS_ACCESS_DENIED",
    ]);
    expect(heard).toContainEqual(["update", "settings:a"]);
    isOpen = true;
    await until(
      async () => (await codeOf(() => storage.getItemSync("settings:a"))) instanceof Object,
    );
    expect(storage.getItemSync("settings:a")).toBe("old");
    expect(app.storage.getItemSync("settings:a")).toBe("old");
  });

  it("of a write that fails in main is taken back everywhere", async () => {
    const app = start();
    const data = new Map([["a", '{"json":"old"}']]);
    app.storage.mount("settings:bad", {
      getItem: (key: string) => data.get(key) ?? null,
      getItemSync: (key: string) => data.get(key) ?? null,
      hasItem: (key: string) => data.has(key),
      hasItemSync: (key: string) => data.has(key),
      getKeys: () => [...data.keys()],
      getKeysSync: () => [...data.keys()],
      setItem: async () => {
        throw Object.assign(new Error("full"), { code: "ENOSPC" });
      },
    });
    const { storage, errors } = app.connect();
    expect(storage.getItemSync("settings:bad:a")).toBe("old");
    expect(await codeOf(() => storage.setItem("settings:bad:a", "new"))).toBe("ENOSPC");
    expect(storage.getItemSync("settings:bad:a")).toBe("old");
    storage.setItemSync("settings:bad:a", "new");
    expect(storage.getItemSync("settings:bad:a")).toBe("new");
    await until(() => errors.length === 1);
    expect(errors[0].code).toBe("ENOSPC");
    expect(storage.getItemSync("settings:bad:a")).toBe("old");
  });

  it("of an async driver is no null: its keys have no Sync form", async () => {
    const app = start();
    app.storage.mount("settings:remote", {
      getItem: async () => '{"json":"there"}',
      hasItem: async () => true,
      getKeys: async () => ["a"],
    });
    app.storage.setItemSync("settings:b", 1);
    const { storage } = app.connect();
    for (const wait of [async () => {}, () => storage.getItem("settings:remote:a")]) {
      await wait();
      expect(await codeOf(() => storage.getItemSync("settings:remote:a"))).toBe(
        "EAS_SYNC_UNSUPPORTED",
      );
      expect(await codeOf(() => storage.getItemSync("settings:remote:none"))).toBe(
        "EAS_SYNC_UNSUPPORTED",
      );
      expect(await codeOf(() => storage.getKeysSync("settings"))).toBe("EAS_SYNC_UNSUPPORTED");
      expect(storage.getItemSync("settings:b")).toBe(1);
    }
  });

  it("of a mirror without room is no null either", async () => {
    const app = start({ limits: { mirrorBytes: 1000 } });
    for (const name of ["a", "b", "c"])
      app.storage.setItemSync(`settings:${name}`, name.repeat(400));
    const { storage } = app.connect();
    const codes = await Promise.all(
      ["a", "b", "c"].map((name) => codeOf(() => storage.getItemSync(`settings:${name}`))),
    );
    expect(codes.filter((code) => code === "EAS_SYNC_UNSUPPORTED")).toHaveLength(1);
    expect(storage.getKeysSync("settings").sort()).toEqual([
      "settings:a",
      "settings:b",
      "settings:c",
    ]);
    const error = await Promise.resolve()
      .then(() => storage.getItemSync("settings:c"))
      .catch((e) => e);
    expect(error.message).toContain("mirrorBytes");
    await storage.getItem("settings:a");
    await app.storage.setItem("settings:a", "x".repeat(900));
    const seen = () =>
      Promise.all(
        ["a", "b", "c"].map((name) => codeOf(() => storage.getItemSync(`settings:${name}`))),
      );
    await until(async () => JSON.stringify(await seen()) !== JSON.stringify(codes));
    for (const code of await seen()) {
      expect(code === "EAS_SYNC_UNSUPPORTED" || typeof (code as any).value === "string").toBe(true);
    }
  });

  it("expires in the mirror as in main", async () => {
    const app = start();
    app.storage.setItemSync("settings:a", 1, { ttl: 40 });
    const { storage } = app.connect();
    expect(storage.getItemSync("settings:a")).toBe(1);
    storage.setItemSync("settings:b", 2, { ttl: 40 });
    expect(storage.getItemSync("settings:b")).toBe(2);
    await until(
      () =>
        storage.getItemSync("settings:a") === null && storage.getItemSync("settings:b") === null,
    );
    expect(app.storage.getItemSync("settings:a")).toBe(null);
  });

  it("is cleared with later writes kept, over drivers with and without Sync lists", async () => {
    for (const isAsync of [false, true]) {
      const app = start({
        access: [{ origins: "app://main", keys: ["settings:*"], can: "write" }],
      });
      if (isAsync) {
        const data = new Map<string, string>();
        app.storage.mount("settings", {
          getItem: async (key: string) => data.get(key) ?? null,
          hasItem: async (key: string) => data.has(key),
          getKeys: async () => [...data.keys()],
          setItem: async (key: string, value: string) => void data.set(key, value),
          removeItem: async (key: string) => void data.delete(key),
        });
      }
      await app.storage.setItem("settings:a", 1);
      await app.storage.setItem("settings:deep:a", 1);
      const { storage } = app.connect();
      await storage.getItem("settings:a");
      await Promise.all([storage.clear(), storage.setItem("settings:a", "later")]);
      expect(await app.storage.getItem("settings:a")).toBe("later");
      expect(await app.storage.getItem("settings:deep:a")).toBe(1);
    }
  });

  it("is gone from the mirror after a clear, whatever answer comes late", async () => {
    for (let seed = 1; seed <= 25; seed++) {
      const app = start({ seed });
      for (const name of ["a", "b", "c"]) app.storage.setItemSync(`settings:${name}`, name);
      const { storage } = app.connect();
      const isSync = seed % 2 === 0;
      if (isSync) storage.clearSync("settings");
      else await storage.clear("settings");
      const sent = app.world.network.sentSync;
      for (let turn = 0; turn < 10; turn++) {
        for (const name of ["a", "b", "c"])
          expect(storage.getItemSync(`settings:${name}`), `seed ${seed}`).toBe(null);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(storage.getKeysSync("settings")).toEqual([]);
      expect(app.world.network.sentSync).toBe(sent);
    }
  });

  it("waits for no driver that never says that it watches", async () => {
    const storage = createStorage<any>();
    const app = start({ storage: { ...storage, watch: () => new Promise(() => {}) } });
    const { storage: client } = app.connect();
    await client.setItem("settings:a", 1);
    expect(await client.getItem("settings:a")).toBe(1);
  });

  it("that was pushed and lost is fetched all the same", async () => {
    const app = start();
    const { storage } = app.connect();
    await storage.getItem("settings:a");
    app.world.network.loss = 1;
    await app.storage.setItem("settings:a", 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(storage.getItemSync("settings:a")).toBe(null);
    app.world.network.loss = 0;
    await until(() => storage.getItemSync("settings:a") === 1);
  });

  it("that is more than main keeps is an update of every key", async () => {
    const app = start({
      access: [...RULES, { origins: "app://main", keys: "news:**", can: "read" }],
    });
    const { storage } = app.connect();
    const heard = new Set<string>();
    await storage.watch((event: string, key: string) => heard.add(`${event} ${key}`));
    app.world.network.loss = 1;
    for (let count = 0; count < 1200; count++) app.storage.setItemSync(`news:${count}`, count);
    app.storage.setItemSync("settings:a", 1);
    await new Promise((resolve) => setTimeout(resolve, 30));
    app.world.network.loss = 0;
    await until(() => heard.size === 1201);
    expect(storage.getItemSync("settings:a")).toBe(1);
  });
});

describe("a port", () => {
  it("serves what its rights allow, without sync messages", async () => {
    const app = start();
    const { port1, port2 } = new MessageChannel();
    app.server.connect(port1, { keys: ["jobs:**"], can: "write", sync: true });
    const { connectStorage } = await import("../renderer/index.mjs" as string);
    const storage = connectStorage({ port: port2 });
    await storage.setItem("jobs:a", new Set([1]));
    expect(app.storage.getItemSync("jobs:a")).toEqual(new Set([1]));
    expect(storage.getItemSync("jobs:a")).toEqual(new Set([1]));
    const heard: unknown[] = [];
    await storage.watch((event: string, key: string) => heard.push([event, key]));
    await app.storage.setItem("jobs:b", 2);
    await until(() => storage.getItemSync("jobs:b") === 2 && heard.length > 0);
    expect(heard).toContainEqual(["update", "jobs:b"]);
    expect(await codeOf(() => storage.getItem("settings:a"))).toBe("EAS_ACCESS_DENIED");
    expect(await codeOf(() => storage.clearSync())).toBe("EAS_SYNC_UNSUPPORTED");
    app.server.dispose();
    expect(await codeOf(() => storage.getItem("jobs:a"))).toBe("EAS_CLOSED");
    port2.close();
    expect(await codeOf(() => storage.getItem("jobs:a"))).toBe("EAS_CLOSED");
  });

  it("needs rights that are right", async () => {
    const app = start();
    const { port1 } = new MessageChannel();
    expect(await codeOf(() => app.server.connect(port1))).toBe("EAS_INVALID_OPTION");
    expect(await codeOf(() => app.server.connect(port1, { keys: "a", can: "all" }))).toBe(
      "EAS_INVALID_OPTION",
    );
    expect(await codeOf(() => app.server.connect({}, { keys: "a" }))).toBe("EAS_INVALID_ARGUMENT");
    port1.close();
  });

  it("is used by a worker that has no access to the addon", async () => {
    const storage = createStorage<any>();
    const app = start({ storage });
    const { port1, port2 } = new MessageChannel();
    app.server.connect(port1, { keys: "jobs:**", can: "write" });
    const worker = new Worker(
      `const { workerData, parentPort } = require("node:worker_threads");
       process.dlopen = () => { throw new Error("no addon here"); };
       const Module = require("node:module");
       const load = Module._load;
       Module._load = (id, ...rest) => {
         if (!/renderer.index\\.cjs$/.test(id)) throw new Error("no module " + id);
         return load(id, ...rest);
       };
       const { connectStorage, snapshot } = require(workerData.path);
       const storage = connectStorage({ port: workerData.port });
       (async () => {
         await storage.setItem("jobs:1", { at: new Date(1), list: [1n, undefined] });
         const value = await storage.getItem("jobs:1");
         parentPort.postMessage([value.at instanceof Date, value.list, await snapshot(storage, "jobs")]);
       })();`,
      {
        eval: true,
        workerData: { port: port2, path: join(root, "renderer/index.cjs") },
        transferList: [port2],
      },
    );
    const answer: any = await new Promise((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
    });
    expect(answer[0]).toBe(true);
    expect(answer[1]).toEqual([1n, undefined]);
    expect(answer[2]["1"].at).toEqual(new Date(1));
    await worker.terminate();
  });
});

describe("the modules", () => {
  it("can be imported by name in Node", () => {
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [
        "--input-type=module",
        "-e",
        `import { connectStorage, exposeStorage, snapshot } from ${JSON.stringify(pathToFileURL(join(root, "preload/index.js")).href)};
         import { storageFromBridge } from ${JSON.stringify(pathToFileURL(join(root, "renderer/index.cjs")).href)};
         import { serveStorage } from ${JSON.stringify(pathToFileURL(join(root, "serve/index.js")).href)};
         console.log([connectStorage, exposeStorage, snapshot, storageFromBridge, serveStorage].map((one) => typeof one).join());`,
      ],
      { encoding: "utf8" },
    );
    expect([stdout.trim(), stderr]).toEqual([Array(5).fill("function").join(), ""]);
  });

  it("give a storage with every method that one of the main process has", () => {
    const app = start();
    const { storage } = app.connect();
    for (const name of Object.keys(createStorage())) {
      expect(typeof storage[name], name).toBe("function");
    }
  });

  it("refuse what is the main process's own", async () => {
    const app = start();
    const { storage } = app.connect();
    for (const name of [
      "mount",
      "unmount",
      "migrate",
      "getStorageVersion",
      "getMount",
      "getMounts",
      "watchItem",
    ]) {
      expect(await codeOf(() => storage[name]("settings"))).toBe("EAS_NOT_SERVED");
    }
    for (const name of [
      "getMetaSync",
      "setMetaSync",
      "getItemRawSync",
      "setItemRawSync",
      "flushSync",
      "getEntrySync",
    ]) {
      expect(await codeOf(() => storage[name]("settings:a"))).toBe("EAS_SYNC_UNSUPPORTED");
    }
    await storage.dispose();
    expect(await codeOf(() => storage.getItem("settings:a"))).toBe("EAS_DISPOSED");
    expect(await codeOf(() => storage.getItemSync("settings:a"))).toBe("EAS_DISPOSED");
    expect(await app.storage.getItem("settings:a")).toBe(null);
  });

  it("load in plain Node, and without electron say so only when they are used", async () => {
    const preload = await import("../preload/index.js" as string);
    expect(typeof preload.connectStorage).toBe("function");
    const { default: common } = preload;
    expect(common.parse(common.stringify(new Map([[1, 2n]])))).toEqual(new Map([[1, 2n]]));
  });
});

describe("a main process", () => {
  it("does other work while it looks at what hundreds of finished writes left", async () => {
    const storage: any = { ...createStorage() };
    const app = start({ storage });
    const client = app.connect();
    await client.storage.getItem("settings:a");

    let nowMs = 0;
    let asked = 0;
    let finish = () => {};
    const written = new Promise<void>((resolve) => {
      finish = resolve;
    });
    storage.setItem = () => {
      asked++;
      return written;
    };
    const { getItemSync } = storage;
    storage.getItemSync = (key: string) => {
      nowMs++;
      return getItemSync(key);
    };
    const clock = vi.spyOn(performance, "now").mockImplementation(() => nowMs);
    try {
      let answered = 0;
      const calls = Array.from({ length: 100 }, async (_, index) => {
        await client.storage.setItem("settings:a", index);
        answered++;
      });
      while (asked < calls.length) await new Promise(setImmediate);
      finish();
      let longestMs = 0;
      while (answered < calls.length) {
        const before = nowMs;
        await new Promise(setImmediate);
        longestMs = Math.max(longestMs, nowMs - before);
      }
      expect(nowMs).toBe(calls.length);
      // Two slices of 4 ms at most: that of the turn before may end in this one.
      expect(longestMs).toBeLessThanOrEqual(8);
      await Promise.all(calls);
    } finally {
      clock.mockRestore();
    }
  });
});
