// Storages of sandboxed preloads and pages: what they promise, over stand-ins that behave as Electron does.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it, vi } from "vitest";
import { folder } from "./helpers/folders.js";
import { codeOf, ServedApp, until } from "./helpers/ipc/app.js";
import { builtin, createStorage, root } from "./helpers/package.js";

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

  it("takes what a call is given as it is then, also before main has answered", async () => {
    const app = start();
    const { storage } = app.connect();
    const bytes = new Uint8Array([1, 2]);
    const options = { ttl: 1_000_000 };
    const written = [storage.setItemRaw("settings:r", bytes)];
    written.push(storage.setItem("settings:a", 1, options), storage.setItem("settings:b", 2));
    const keys = ["settings:a", "settings:b"];
    const read = storage.getItems(keys);
    bytes.fill(9);
    options.ttl = 1;
    keys.reverse();
    await Promise.all(written);
    expect([...app.storage.getItemRawSync("settings:r")]).toEqual([1, 2]);
    expect(app.storage.getMetaSync("settings:a").ttl).toBeGreaterThan(1000);
    expect(await read).toEqual([
      { key: "settings:a", value: 1 },
      { key: "settings:b", value: 2 },
    ]);
    const later = storage.getItems(keys);
    keys.reverse();
    expect(await later).toEqual([
      { key: "settings:b", value: 2 },
      { key: "settings:a", value: 1 },
    ]);
  });

  it.each(["", "Sync"])(
    "a snapshot%s that is restored leaves raw values as they are",
    async (form) => {
      const app = start({
        storage: createStorage<any>({ driver: builtin("fs", { base: folder() }) }),
      });
      const bytes = Buffer.from([0, 255, 1]);
      app.storage.setItemRawSync("settings:raw", bytes);
      app.storage.setItemSync("settings:a", 1);
      const { storage, preload } = app.connect();
      const copy = await preload[`snapshot${form}`](storage, "settings");
      expect(copy).toEqual({ a: 1 });
      await storage.setItem("settings:a", 2);
      await preload[`restoreSnapshot${form}`](storage, copy, "settings");
      await storage.flush();
      expect(app.storage.getItemSync("settings:a")).toBe(1);
      expect(app.storage.getItemRawSync("settings:raw")).toEqual(bytes);
    },
  );

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

describe("a storage with defaults and schemas", () => {
  const fontSize = {
    "~standard": {
      version: 1,
      vendor: "spec",
      validate: (value: unknown) =>
        Number.isInteger(Number(value))
          ? { value: Number(value) }
          : { issues: [{ message: "no size", path: ["size"] }] },
    },
  } as const;

  const options = () => ({
    storage: createStorage<any>({
      defaults: {
        "settings:theme": { name: "light" },
        "settings:size": 14,
        "secret:x": "the secret",
      },
      schemas: { "settings:size": fontSize },
    } as any),
  });

  it("gives a preload the defaults, as getItemSync in main does", async () => {
    const app = start(options());
    app.storage.setItemSync("settings:size", 20, { ttl: 60 });
    const { storage } = app.connect();
    expect(storage.getItemSync("settings:theme")).toEqual({ name: "light" });
    expect(storage.getItemSync("settings:size")).toBe(20);
    expect(storage.hasItemSync("settings:theme")).toBe(false);
    expect(storage.getKeysSync("settings")).toEqual(["settings:size"]);
    expect(await storage.getItem("settings:theme")).toEqual({ name: "light" });
    storage.setItemSync("settings:theme", { name: "dark" });
    expect(storage.getItemSync("settings:theme")).toEqual({ name: "dark" });
    storage.removeItemSync("settings:theme");
    expect(storage.getItemSync("settings:theme")).toEqual({ name: "light" });
    await storage.flush();
    expect(storage.getItemSync("settings:theme")).toEqual({ name: "light" });
    await until(() => storage.getItemSync("settings:size") === 14);
    expect(app.world.network.sentSync).toBe(1);
  });

  it("refuses what does not pass, with its issues, and takes it back", async () => {
    const app = start(options());
    const { storage, errors } = app.connect();
    const error = await storage.setItem("settings:size", "large").catch((error: any) => error);
    expect(error.code).toBe("EAS_INVALID_VALUE");
    expect(JSON.parse(JSON.stringify(error.issues))).toEqual([
      { message: "no size", path: ["size"] },
    ]);
    storage.setItemSync("settings:size", "large");
    await until(() => errors.length === 1);
    expect(errors[0].code).toBe("EAS_INVALID_VALUE");
    expect(storage.getItemSync("settings:size")).toBe(14);
    const page = app.page();
    const onPage = await page.storage
      .setItem("settings:size", "large")
      .catch((error: any) => error);
    expect([onPage.code, onPage.issues[0].message]).toEqual(["EAS_INVALID_VALUE", "no size"]);
  });

  it("shows what a schema makes of a value, in the mirror too", async () => {
    const app = start(options());
    const { storage } = app.connect();
    await storage.setItem("settings:size", "21");
    expect(storage.getItemSync("settings:size")).toBe(21);
    expect(app.storage.getItemSync("settings:size")).toBe(21);
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

describe("a value", () => {
  it("that loses a part is stored with a warning, and one of which nothing would be left is refused", async () => {
    const app = start();
    const { storage } = app.connect();
    const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
    try {
      await storage.setItem("settings:a", { n: 1, act: () => {} });
      await storage.setItem("settings:a", { n: 2, act: () => {} });
      expect(
        warned.mock.calls.map(([error]) => [error.code, error.message.includes("act")]),
      ).toEqual([["EAS_LOSSY_VALUE", true]]);
    } finally {
      warned.mockRestore();
    }
    expect(app.storage.getItemSync("settings:a")).toEqual({ n: 2 });
    for (const value of [
      () => {},
      Symbol("x"),
      { inner: Promise.resolve(1) },
      { buffer: new ArrayBuffer(2) },
    ]) {
      expect(await codeOf(() => storage.setItem("settings:b", value))).toBe("EAS_INVALID_VALUE");
      expect(await codeOf(() => storage.setItemSync("settings:b", value))).toBe(
        "EAS_INVALID_VALUE",
      );
    }
    expect(app.storage.hasItemSync("settings:b")).toBe(false);
  });

  it("is taken at the call", async () => {
    const app = start();
    const { storage } = app.connect();
    const value = { n: 1 };
    const done = [
      storage.setItem("settings:a", value),
      storage.setItems([{ key: "settings:b", value }]),
    ];
    value.n = 2;
    await Promise.all(done);
    expect(
      app.storage.getItemsSync(["settings:a", "settings:b"]).map((item: any) => item.value),
    ).toEqual([{ n: 1 }, { n: 1 }]);
  });

  it("of every kind crosses as the package itself stores it", async () => {
    const app = start();
    const { storage } = app.connect();
    const shared = { at: new Date(3) };
    const values = [
      null,
      true,
      "text",
      "😀",
      -0,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      12n,
      [undefined, 1],
      new Date(Number.NaN),
      /a.b/gi,
      new Set([1, new Set([2])]),
      new Map<unknown, unknown>([[{ a: 1 }, [1]]]),
      new URL("https://a.b/c?d"),
      new Float32Array([1.5, Number.NaN]),
      { one: shared, two: shared },
      { "a.b": { __proto__x: 1n } },
    ];
    for (const value of values) {
      await storage.setItem("settings:v", value);
      expect(app.storage.getItemSync("settings:v")).toEqual(value);
      app.storage.setItemSync("settings:w", value);
      await storage.setItem("settings:v", await storage.getItem("settings:w"));
      expect(app.storage.getItemSync("settings:v")).toEqual(value);
    }
    await storage.setItem("settings:e", new TypeError("t", { cause: 7 }));
    const { name, message, cause } = app.storage.getItemSync("settings:e");
    expect([name, message, cause]).toEqual(["TypeError", "t", 7]);
    const cycle: any = { list: [] };
    cycle.list.push(cycle);
    await storage.setItem("settings:c", cycle);
    const back = storage.getItemSync("settings:c");
    expect(back.list[0]).toBe(back);
    await storage.setItem("settings:s", { one: shared, two: shared });
    const both = await storage.getItem("settings:s");
    expect(both.one).toBe(both.two);
  });

  it("that is read again is a copy of its own each time, as it was stored", () => {
    const app = start();
    const withDate = '["1970-01-01T00:00:00.000Z",[]]';
    const texts: [string, any][] = [
      ['{"json":null}', null],
      ['{"json":-0}', -0],
      ['[1,[null,{"a":[]}]]', [1, [null, { a: [] }]]],
      ['{"json":{"a":{"b":[{}]}},"expires":99999999999999}', { a: { b: [{}] } }],
      ['{"json":{"__proto__":[1]}}', JSON.parse('{"__proto__":[1]}')],
      [`{"json":${withDate},"meta":{"values":{"0":["Date"]},"v":1}}`, [new Date(0), []]],
      [`{"json":${withDate},"m\\u0065ta":{"values":{"0":["Date"]}}}`, [new Date(0), []]],
      [`{"json":["${"long".repeat(300)}",[]]}`, ["long".repeat(300), []]],
    ];
    for (const [index, [text]] of texts.entries()) {
      app.storage.setItemRawSync(`settings:${index}`, text);
    }
    const { storage } = app.connect();
    for (const [index, [text, value]] of texts.entries()) {
      for (let read = 0; read < 3; read++) {
        const copy = storage.getItemSync(`settings:${index}`);
        expect(copy, text).toEqual(value);
        expect(Object.keys(copy ?? {})).toEqual(Object.keys(value ?? {}));
        for (const part of Object.values<any>(copy ?? {})) {
          part.setTime?.(1);
          part.push?.("changed");
          part.b?.push("changed");
        }
      }
    }
  });

  it("of the raw kind crosses as strings and bytes", async () => {
    const app = start();
    const { storage } = app.connect();
    await storage.setItemRaw("settings:r", new Uint8Array([0, 255]));
    expect([...(await storage.getItemRaw("settings:r"))]).toEqual([0, 255]);
    await storage.setItemRaw("settings:r", "text");
    expect(await storage.getItemRaw("settings:r")).toBe("text");
    app.storage.setItemRawSync("settings:r", { any: "object" });
    expect(await codeOf(() => storage.getItemRaw("settings:r"))).toBe("EAS_INVALID_VALUE");
    expect(await codeOf(() => storage.setItemRaw("settings:r", { any: 1 }))).toBe(
      "EAS_INVALID_VALUE",
    );
    expect(await storage.getItemRaw("settings:none")).toBe(null);
  });
});

it("the preload is one file of at most 12 KB gzipped that requires nothing but electron", () => {
  for (const name of ["index.js", "register.js"]) {
    const text = readFileSync(join(root, "preload", name), "utf8");
    expect(gzipSync(text).length).toBeLessThanOrEqual(12 * 1024);
    const required = [...text.matchAll(/require\(([^)]*)\)/g)].map(([, id]) => id);
    expect(new Set(required)).toEqual(new Set(['"electron"']));
    expect(text).not.toMatch(/\bimport\b/);
  }
});
