// A renderer that is in the hands of an attacker: it sends what it likes over the channel.

import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { codeOf, ServedApp, until } from "./helpers/ipc/app.js";
import { Random } from "./helpers/ipc/random.js";
import type { RendererDocument } from "./helpers/ipc/renderer.js";

const CHANNEL = "electron-async-storage";
const ID = "0123456789abcdef0123456789abcdef";
const apps: ServedApp[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) {
    expect(app.world.network.unanswered).toBe(0);
    await app.end();
  }
});

function start(options?: object): ServedApp {
  const app = new ServedApp(options);
  app.storage.setItemSync("secret:x", "the secret");
  app.storage.setItemSync("settings:a", "a setting");
  apps.push(app);
  return app;
}

/** What a document may send: a message with any part replaced. */
const message = (parts: object = {}) => ({
  v: 1,
  client: ID,
  origin: "app://main",
  op: "getItem",
  args: ["settings:a"],
  ...parts,
});

const send = (document: RendererDocument, sent: unknown, channel = CHANNEL): Promise<any> =>
  document.ipcRenderer.invoke(channel, sent);
const sendSync = (document: RendererDocument, sent: unknown): any =>
  document.ipcRenderer.sendSync(CHANNEL, sent);

const SECRETS = /the secret|secret:x/;

describe("a message", () => {
  it.each([
    ["nothing", undefined],
    ["null", null],
    ["text", "getItem"],
    ["a list", ["getItem", "secret:x"]],
    ["no client", message({ client: undefined })],
    ["a client that is no id", message({ client: "main" })],
    ["a client with a prototype's name", message({ client: "__proto__" })],
    ["no origin", message({ origin: undefined })],
    ["an origin that is an object", message({ origin: { toString: "app://main" } })],
    ["another origin", message({ origin: "app://other" })],
    ["the origin null", message({ origin: "null" })],
    ["another version", message({ v: 2 })],
    ["no operation", message({ op: undefined })],
    ["an operation of the prototype", message({ op: "constructor" })],
    ["an operation of the prototype", message({ op: "__proto__" })],
    ["an operation of the storage", message({ op: "mount", args: ["", {}] })],
    ["an operation of the storage", message({ op: "dispose", args: [] })],
    ["an operation of the storage", message({ op: "migrate", args: [] })],
    ["an internal operation", message({ op: "_setItemInternal", args: ["settings:a", 1] })],
    ["no arguments", message({ args: undefined })],
    ["arguments that are no list", message({ args: { 0: "settings:a", length: 1 } })],
    ["a key that is a number", message({ args: [7] })],
    ["a key that is an object", message({ args: [{ toString: "settings:a" }] })],
    ["a key that is too long", message({ args: [`settings:${"x".repeat(100_000)}`] })],
    ["a secret key", message({ args: ["secret:x"] })],
    ["a secret key among others", message({ op: "getItems", args: [["settings:a", "secret:x"]] })],
    ["a secret key to write", message({ op: "setItem", args: ["secret:x", '{"json":1}'] })],
    ["a secret key to read at once", message({ op: "readSync", args: ["secret:x"] })],
    ["a secret key to swap", message({ op: "swap", args: ["secret:x"] })],
    ["a secret key to check", message({ op: "commit", args: [[["check", "secret:x", null]]] })],
    [
      "a secret key to guess",
      message({ op: "removeItem", args: ["secret:x", { ifMatch: "tag" }] }),
    ],
    ["text that is no value", message({ op: "setItem", args: ["settings:a", "{"] })],
    ["text that is an object", message({ op: "setItem", args: ["settings:a", { json: 1 }] })],
    [
      "a raw value that is an object",
      message({ op: "setItemRaw", args: ["settings:a", { a: 1 }] }),
    ],
    ["options of a driver", message({ op: "setItem", args: ["settings:a", "1", { base: "/" }] })],
    ["a batch of no items", message({ op: "setItems", args: [["settings:a"]] })],
    ["a batch that is none", message({ op: "setItems", args: ["settings:a"] })],
    ["a group of no operations", message({ op: "commit", args: [[["drop", "settings:a"]]] })],
  ])("of %s is answered with an error or with “ask again”, sync too", async (_, sent) => {
    const app = start();
    const document = app.world.navigate(app.window().mainFrame);
    for (const reply of [await send(document, sent), sendSync(document, sent)]) {
      expect(reply.again === true || typeof reply.error?.message === "string").toBe(true);
      expect(reply.ok).toBe(undefined);
      expect(JSON.stringify({ ...reply, error: reply.error?.code })).not.toMatch(SECRETS);
      expect(reply.error?.stack).toBe(undefined);
    }
    expect(app.storage.getItemSync("settings:a")).toBe("a setting");
    expect(app.storage.getItemSync("secret:x")).toBe("the secret");
  });

  it("of random parts never breaks main, and is always answered", async () => {
    const random = new Random(5);
    const parts = [
      undefined,
      null,
      0,
      -1,
      Number.NaN,
      "",
      "settings:a",
      "secret:x",
      "__proto__",
      [],
      {},
      [[]],
      ["settings:a"],
      ["secret:x", '{"json":1}'],
      [["settings:b", "1"]],
      new Map([["a", 1]]),
      new Date(0),
      new Uint8Array(3),
      { ttl: 1 },
      { ifMatch: null },
      true,
      1n,
      [["set", "secret:x", "1"]],
      '{"json":[1,null],"meta":{"referentialEqualities":{"0":["1"]}}}',
    ];
    const ops = [
      "hello",
      "pull",
      "watch",
      "bye",
      "getItem",
      "setItem",
      "setItems",
      "commit",
      "swap",
      "clear",
      "getKeys",
      "setMeta",
      "readSync",
      "flush",
      "getMeta",
      "removeItem",
      "setItemRaw",
      "getItemRaw",
    ];
    const app = start();
    const document = app.world.navigate(app.window().mainFrame);
    for (let count = 0; count < 1500; count++) {
      const args = Array.from({ length: random.below(4) }, () => random.pick(parts));
      const sent = message({
        op: random.pick(ops),
        args: random.chance(0.9) ? args : random.pick(parts),
      });
      const reply = random.chance(0.5) ? sendSync(document, sent) : await send(document, sent);
      expect(reply.v).toBe(1);
      const seen = JSON.stringify(reply, (_, value) => (typeof value === "bigint" ? "n" : value));
      expect(seen).not.toContain("the secret");
    }
    expect(app.storage.getItemSync("secret:x")).toBe("the secret");
    expect(app.storage.getKeysSync().filter((key: string) => !key.startsWith("settings"))).toEqual([
      "secret:x",
    ]);
  });

  it("over another channel reaches nobody", async () => {
    const app = start();
    const document = app.world.navigate(app.window().mainFrame);
    await expect(send(document, message(), "electron-async-storage-x")).rejects.toThrow(
      "No handler",
    );
  });
});

describe("identity", () => {
  it("is not that of another frame's client", async () => {
    const app = start({
      access: [{ origins: "app://main", keys: "settings:**", can: "write", sync: true }],
    });
    const victim = app.connect();
    await victim.storage.getItem("settings:a");
    const [{ id }] = app.server.clients();
    const attacker = app.world.navigate(app.window().mainFrame, { origin: "https://evil.org" });
    for (const origin of ["app://main", "https://evil.org"]) {
      const reply = await send(attacker, message({ client: id, origin }));
      expect(reply.again === true || reply.error.code === "EAS_ACCESS_DENIED").toBe(true);
    }
    await send(attacker, message({ client: id, origin: "app://main", op: "bye", args: [] }));
    expect(app.server.clients().map((client: any) => client.id)).toEqual([id]);
  });

  it("is not kept with a frame that has navigated", async () => {
    const app = start();
    const window = app.window();
    const { document, storage } = app.connect(window.mainFrame);
    await storage.getItem("settings:a");
    const evil = app.world.navigate(window.mainFrame, {
      origin: "https://evil.org",
      isSameProcess: true,
    });
    expect((await send(evil, message({ origin: "https://evil.org" }))).error.code).toBe(
      "EAS_ACCESS_DENIED",
    );
    expect((await send(evil, message())).again).toBe(true);
    expect(app.server.clients()).toEqual([]);
    expect(document.isGone).toBe(true);
  });

  it("of the page before is not lent to the one that comes, nor the other way round", async () => {
    const app = start();
    const window = app.window();
    app.world.navigate(window.mainFrame);
    // Its preload runs, and the frame is still the allowed page.
    const evil = app.world.begin(window.mainFrame, { origin: "https://evil.org" });
    for (const origin of ["app://main", "https://evil.org"]) {
      expect(await send(evil, message({ origin }))).toEqual({ v: 1, again: true });
      expect(sendSync(evil, message({ origin }))).toEqual({ v: 1, again: true });
    }
  });
});

describe("what is pushed", () => {
  it("is a number, and tells nothing of keys that are not allowed", async () => {
    const app = start();
    const { document, storage } = app.connect();
    await storage.watch(() => {});
    const before = document.received.length;
    for (let count = 0; count < 20; count++)
      await app.storage.setItem(`secret:${count}`, "the secret");
    await app.storage.setItem("settings:b", "a setting");
    await until(() => document.received.length > before);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(document.received).toEqual([[CHANNEL, 1]]);
  });

  it("goes to no document that came into the frame since", async () => {
    const app = start();
    app.world.network.isShuffled = false;
    const window = app.window();
    const { storage } = app.connect(window.mainFrame);
    await storage.watch(() => {});
    app.storage.setItemSync("settings:b", 1);
    const next = app.world.navigate(window.mainFrame, {
      origin: "https://evil.org",
      isSameProcess: true,
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(next.received).toEqual([]);
    expect(window.mainFrame.logged).toEqual([]);
  });

  it("is a number also when the frame navigates between the check and the delivery", async () => {
    const app = start();
    const window = app.window();
    const { storage } = app.connect(window.mainFrame);
    await storage.watch(() => {});
    let next: RendererDocument | undefined;
    const { network } = app.world;
    const push = network.push.bind(network);
    network.push = (deliver) => {
      next ??= app.world.navigate(window.mainFrame, { origin: "https://evil.org" });
      push(deliver);
    };
    app.storage.setItemSync("settings:b", "a setting");
    await until(() => next !== undefined && next.received.length > 0);
    for (const [channel, ...rest] of next?.received ?? []) {
      expect(channel).toBe(CHANNEL);
      expect(rest).toEqual([expect.any(Number)]);
    }
  });

  it("has no old changes for a client that asks for them again", async () => {
    const app = start();
    const document = app.world.navigate(app.window().mainFrame);
    await send(document, message({ op: "hello", args: [{ isWatching: true }] }));
    await app.storage.setItem("settings:b", 1);
    await until(
      async () => (await send(document, message({ op: "pull", args: [0] }))).ok.last === 1,
    );
    expect((await send(document, message({ op: "pull", args: [1] }))).ok.events).toEqual([]);
    for (const seen of [0, -1, 2, 1e300, Number.NaN, "0", null, {}]) {
      expect((await send(document, message({ op: "pull", args: [seen] }))).ok).toEqual({
        isFresh: true,
      });
    }
  });
});

describe("size", () => {
  it("of a value is limited, in the preload and again in main", async () => {
    const app = start({ limits: { valueBytes: 100 } });
    const { storage, document } = app.connect();
    await storage.getItem("settings:a");
    const sent = app.world.network.ipcMain.handlers;
    expect(sent.size).toBe(1);
    expect(await codeOf(() => storage.setItem("settings:b", "x".repeat(88)))).toEqual({
      value: undefined,
    });
    for (const value of ["x".repeat(101), "é".repeat(60), "😀".repeat(30)]) {
      expect(await codeOf(() => storage.setItem("settings:b", value))).toBe("EAS_TOO_LARGE");
      expect(await codeOf(() => storage.setItemSync("settings:b", value))).toBe("EAS_TOO_LARGE");
      expect(await codeOf(() => storage.setItemRaw("settings:b", value))).toBe("EAS_TOO_LARGE");
      expect(await codeOf(() => storage.setMeta("settings:b", { value }))).toBe("EAS_TOO_LARGE");
      const text = JSON.stringify({ json: value });
      for (const [op, args] of [
        ["setItem", ["settings:b", text]],
        ["setItems", [[["settings:b", text]]]],
        ["setMeta", ["settings:b", text]],
        ["setItemRaw", ["settings:b", new Uint8Array(101)]],
      ]) {
        expect((await send(document, message({ op, args }))).error.code).toBe("EAS_TOO_LARGE");
      }
    }
    expect(app.storage.getItemSync("settings:b")).toBe("x".repeat(88));
  });

  it("of what a short text describes is limited too", async () => {
    const app = start();
    const document = app.world.navigate(app.window().mainFrame);
    // Each level holds the one below twice: written out, it has 2^40 leaves, and the test would not end.
    const depth = 40;
    const json = `${"[".repeat(depth)}1${",null]".repeat(depth)}`;
    const same = Array.from({ length: depth - 1 }, (_, level) => {
      const path = "0.".repeat(level);
      return [`${path}0`, [`${path}1`]];
    });
    const text = `{"json":${json},"meta":{"referentialEqualities":${JSON.stringify(Object.fromEntries(same))},"v":1}}`;
    const reply = await send(document, message({ op: "setItem", args: ["settings:b", text] }));
    expect(reply.error.code).toBe("EAS_TOO_LARGE");
  });

  it("of a number that takes long to read or write is limited", async () => {
    const app = start();
    const document = app.world.navigate(app.window().mainFrame);
    const text = (digits: number) =>
      `{"json":"${"9".repeat(digits)}","meta":{"values":["bigint"],"v":1}}`;
    const write = (digits: number) =>
      send(document, message({ op: "setItem", args: ["settings:b", text(digits)] }));
    expect((await write(9000)).error).toBe(undefined);
    expect((await write(1_000_000)).error.code).toBe("EAS_INVALID_VALUE");
  });

  it("of a deep value ends in an error or in the value", async () => {
    const app = start();
    const document = app.world.navigate(app.window().mainFrame);
    for (const depth of [1000, 100_000, 400_000]) {
      const text = `{"json":${"[".repeat(depth)}${"]".repeat(depth)}}`;
      const reply = await send(document, message({ op: "setItem", args: ["settings:b", text] }));
      expect(
        reply.error === undefined || /^EAS_(?:INVALID_VALUE|TOO_LARGE)$/.test(reply.error.code),
      ).toBe(true);
    }
    expect(await send(document, message())).toMatchObject({ ok: '{"json":"a setting"}' });
  });
});

describe("a flood", () => {
  it("is limited for a webContents, whatever document, frame or id it comes from", async () => {
    // All of it is within one moment, however long it takes.
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const app = start({ limits: { callsPerSecond: 50 }, frames: "all" });
    const window = app.window();
    let refused = 0;
    let done = 0;
    for (let reload = 0; reload < 100; reload++) {
      const document = app.world.navigate(window.mainFrame, { isSameProcess: reload % 2 === 0 });
      const frame = window.addFrame();
      const inner = app.world.navigate(frame);
      const client = reload.toString(16).padStart(32, "0");
      for (const one of [document, inner]) {
        const { error } = sendSync(one, message({ client }));
        if (error?.code === "EAS_RATE_LIMITED") refused++;
        else done++;
      }
      window.removeFrame(frame);
    }
    expect([done, refused]).toEqual([50, 150]);
    // Another window is not held up.
    expect(await app.connect().storage.getItem("settings:a")).toBe("a setting");
  });

  it("of reloads and iframes leaves no clients behind", async () => {
    const app = start({ frames: "all", limits: { callsPerSecond: 1e6 } });
    const window = app.window();
    for (let reload = 0; reload < 500; reload++) {
      const client = (n: number) => `${reload}${n}`.padStart(32, "0");
      const document = app.world.navigate(window.mainFrame, { isSameProcess: reload % 3 > 0 });
      const frame = window.addFrame();
      const inner = app.world.navigate(frame);
      sendSync(document, message({ client: client(1), op: "hello", args: [{ isWatching: true }] }));
      sendSync(inner, message({ client: client(2), op: "hello", args: [{ isWatching: true }] }));
      window.removeFrame(frame);
    }
    expect(app.server.clients()).toHaveLength(1);
    window.destroy();
    expect(app.server.clients()).toEqual([]);
  });

  it("stops in the preload already", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const app = start({ limits: { callsPerSecond: 20 } });
    const { storage } = app.connect();
    await storage.getItem("settings:a");
    let arrived = 0;
    const handler = app.world.ipcMain.handlers.get(CHANNEL) as any;
    app.world.ipcMain.handlers.set(CHANNEL, (...args: any[]) => {
      arrived++;
      return handler(...args);
    });
    const codes = await Promise.all(
      Array.from({ length: 200 }, () => codeOf(() => storage.getItem("settings:a"))),
    );
    expect(codes.filter((code) => code === "EAS_RATE_LIMITED").length).toBeGreaterThan(150);
    expect(arrived).toBeLessThan(50);
  });

  it("of large mirrors is limited by their bytes", async () => {
    const app = start({ limits: { mirrorBytes: 10_000 } });
    app.storage.setItemSync("settings:big", "x".repeat(9000));
    const document = app.world.navigate(app.window().mainFrame);
    const codes = Array.from(
      { length: 40 },
      () => sendSync(document, message({ op: "hello", args: [] })).error?.code,
    );
    expect(codes.slice(0, 10)).toEqual(Array(10).fill(undefined));
    expect(codes.slice(25)).toEqual(Array(15).fill("EAS_RATE_LIMITED"));
  });
});

describe("a page", () => {
  it("gets nothing where it has no access, and nothing it can use to go further", async () => {
    const app = start();
    const other = app.page({ origin: "https://evil.org" });
    expect(other.bridge).toBe(undefined);
    expect(await codeOf(() => other.module.storageFromBridge(other.bridge))).toBe(
      "EAS_ACCESS_DENIED",
    );
  });

  it("may not ask its preload for more than the operations of a storage", async () => {
    const app = start();
    const { bridge } = app.page();
    for (const op of [
      "hello",
      "pull",
      "watch",
      "bye",
      "readSync",
      "mount",
      "__proto__",
      "constructor",
      undefined,
      {},
    ]) {
      const [, error] = await bridge.call(op, []);
      expect(error.code).toBe("EAS_NOT_SERVED");
      expect(bridge.post(op, [])[1].code).toBe("EAS_SYNC_UNSUPPORTED");
      expect(bridge.callSync(op, [])[1].code).toBe("EAS_SYNC_UNSUPPORTED");
    }
  });

  it("cannot put values into the mirror of its preload that main does not have", async () => {
    const app = start();
    const { bridge, document } = app.page();
    const { storage } = app.connectIn(document);
    bridge.post("setItem", ["secret:x", '{"json":"forged"}']);
    bridge.post("setItem", ["settings:a", "{"]);
    for (const args of [[], [[]], [[["settings:z"]]], [[[{}]]], ["x"], [{}], [null, null]])
      bridge.post("setItems", args);
    await until(() => storage.getItemSync("settings:a") === "a setting");
    expect(await codeOf(() => storage.getItemSync("secret:x"))).toBe("EAS_ACCESS_DENIED");
    expect(app.storage.getItemSync("secret:x")).toBe("the secret");
  });
});
