// Conditional writes, updates and groups of a client, over a storage that has them and over one without.

import { afterEach, describe, expect, it, vi } from "vitest";
import { codeOf, RULES, ServedApp, until } from "./helpers/ipc/app.js";
import { createStorage } from "./helpers/package.js";

const apps: ServedApp[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) {
    expect(app.world.network.unanswered).toBe(0);
    await app.end();
  }
});

function start(options: object = {}): ServedApp {
  const app = new ServedApp(options);
  apps.push(app);
  return app;
}

const REST = { origins: "app://main", keys: "counts:**", can: "write" };

describe("a condition", () => {
  it("holds a write back that comes too late", async () => {
    const app = start();
    const { storage } = app.connect();
    await storage.setItem("settings:a", 1, { ifMatch: null });
    expect(await codeOf(() => storage.setItem("settings:a", 2, { ifMatch: null }))).toBe(
      "EAS_CONFLICT",
    );
    const entry = await storage.getEntry("settings/a");
    expect(entry).toEqual({ key: "settings:a", value: 1, etag: expect.any(String) });
    app.storage.setItemSync("settings:a", 3);
    expect(await codeOf(() => storage.setItem("settings:a", 2, { ifMatch: entry.etag }))).toBe(
      "EAS_CONFLICT",
    );
    expect(await codeOf(() => storage.removeItem("settings:a", { ifMatch: entry.etag }))).toBe(
      "EAS_CONFLICT",
    );
    expect(await codeOf(() => storage.setItemSync("settings:a", 2, { ifMatch: entry.etag }))).toBe(
      "EAS_CONFLICT",
    );
    expect(
      await codeOf(() => storage.setItem("settings:a", undefined, { ifMatch: entry.etag })),
    ).toBe("EAS_CONFLICT");
    expect(app.storage.getItemSync("settings:a")).toBe(3);
    expect(storage.getItemSync("settings:a")).toBe(3);
    const { etag } = await storage.getEntry("settings:a");
    storage.setItemSync("settings:a", 4, { ifMatch: etag });
    expect(storage.getItemSync("settings:a")).toBe(4);
  });

  it("tells nothing of a key that may not be read", async () => {
    const app = start();
    app.storage.setItemSync("secret:x", "guess");
    const { storage } = app.connect();
    const { etag } = app.storage.getEntrySync("secret:x");
    for (const ifMatch of [etag, null, "other"]) {
      expect(await codeOf(() => storage.setItem("secret:x", 1, { ifMatch }))).toBe(
        "EAS_ACCESS_DENIED",
      );
      expect(await codeOf(() => storage.removeItem("secret:x", { ifMatch }))).toBe(
        "EAS_ACCESS_DENIED",
      );
      const group = storage.atomic().check("secret:x", ifMatch).set("settings:a", 1);
      expect(await codeOf(() => group.commit())).toBe("EAS_ACCESS_DENIED");
    }
    expect(await codeOf(() => storage.getEntry("secret:x"))).toBe("EAS_ACCESS_DENIED");
    expect(app.storage.hasItemSync("settings:a")).toBe(false);
  });

  it("is never passed over by a storage without conditional writes", async () => {
    const app = new ServedApp({
      storage: {
        ...createStorage(),
        getEntry: undefined,
        getEntrySync: undefined,
        atomic: undefined,
      },
    });
    apps.push(app);
    const { storage } = app.connect();
    expect(await codeOf(() => storage.setItem("settings:a", 1, { ifMatch: null }))).toBe(
      "EAS_NOT_SERVED",
    );
    expect(await codeOf(() => storage.setItemSync("settings:a", 1, { ifMatch: null }))).toBe(
      "EAS_NOT_SERVED",
    );
    expect(await codeOf(() => storage.update("settings:a", () => 1))).toBe("EAS_NOT_SERVED");
    expect(await codeOf(() => storage.updateSync("settings:a", () => 1))).toBe("EAS_NOT_SERVED");
    expect(await codeOf(() => storage.getEntry("settings:a"))).toBe("EAS_NOT_SERVED");
    expect(await codeOf(() => storage.atomic().set("settings:a", 1).commit())).toBe(
      "EAS_NOT_SERVED",
    );
    expect(app.storage.hasItemSync("settings:a")).toBe(false);
  });
});

describe("update", () => {
  it("loses none of the updates that windows and main make at once", async () => {
    const app = start({ access: [...RULES, REST] });
    const clients = [app.connect(), app.connect(), app.connect()];
    const add = (value: any) => (value ?? 0) + 1;
    const all: Promise<unknown>[] = [];
    for (let round = 0; round < 20; round++) {
      for (const { storage } of clients) {
        all.push(storage.update("counts:n", add));
        all.push(storage.update("settings:n", async (value: any) => add(value)));
        if (round % 5 === 0) storage.updateSync("settings:n", add);
        if (round % 5 === 1) storage.updateSync("counts:n", add);
      }
    }
    await Promise.all(all);
    expect(app.storage.getItemSync("counts:n")).toBe(60 + 12);
    expect(app.storage.getItemSync("settings:n")).toBe(60 + 12);
    for (const { storage } of clients) await until(() => storage.getItemSync("settings:n") === 72);
  });

  it("gives the new value, removes on undefined, and passes on what the function throws", async () => {
    const app = start();
    const { storage } = app.connect();
    expect(await storage.update("settings:a", () => new Set([1]))).toEqual(new Set([1]));
    expect([...storage.getItemSync("settings:a")]).toEqual([1]);
    expect(
      new Set(storage.updateSync("settings:a", (set: Set<number>) => set.add(2)) as any),
    ).toEqual(new Set([1, 2]));
    const own = new Error("own");
    await expect(
      storage.update("settings:a", () => {
        throw own;
      }),
    ).rejects.toBe(own);
    expect(await storage.update("settings:a", () => undefined)).toBe(undefined);
    expect(app.storage.hasItemSync("settings:a")).toBe(false);
    expect(storage.getItemSync("settings:a")).toBe(null);
  });

  it("of its own key inside its function ends", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const app = start();
      const { storage } = app.connect();
      await storage.setItem("settings:a", 1);
      let isOver = false;
      const outer = codeOf(() =>
        storage.update("settings:a", async (n: number) => {
          await storage.update("settings:a", (inner: number) => inner + 10);
          return n + 1;
        }),
      ).finally(() => {
        isOver = true;
      });
      while (!isOver) {
        await new Promise((resolve) => setImmediate(resolve));
        vi.advanceTimersByTime(100);
      }
      expect(await outer).toBe("EAS_CONFLICT");
      expect(app.storage.getItemSync("settings:a")).toBeGreaterThan(1);
    } finally {
      vi.useRealTimers();
    }
  });

  it("that waited for its turn leaves no timer", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const app = start();
      const { storage } = app.connect();
      await storage.setItem("settings:a", 1);
      const before = vi.getTimerCount();
      const add = () => storage.update("settings:a", (n: number) => n + 1);
      await Promise.all([add(), add(), add()]);
      expect(app.storage.getItemSync("settings:a")).toBe(4);
      expect(vi.getTimerCount()).toBe(before);
    } finally {
      vi.useRealTimers();
    }
  });

  it("is a conflict after 100 runs", async () => {
    const app = start();
    const { storage } = app.connect();
    let runs = 0;
    const code = await codeOf(() =>
      storage.update("settings:a", () => {
        app.storage.setItemSync("settings:a", { other: ++runs });
        return "mine";
      }),
    );
    expect([code, runs]).toEqual(["EAS_CONFLICT", 100]);
  });
});

describe("a group", () => {
  it("is done whole or not at all, and the mirror has it then", async () => {
    const app = start();
    app.storage.setItemSync("settings:gone", 1);
    const { storage } = app.connect();
    const { etag } = await storage.getEntry("settings:gone");
    const group = storage
      .atomic()
      .check("settings:gone", etag)
      .set("settings:a", new Date(3))
      .remove("settings:gone");
    expect(await group.commit()).toEqual({ ok: true });
    expect(storage.getItemSync("settings:a")).toEqual(new Date(3));
    expect(storage.getItemSync("settings:gone")).toBe(null);
    expect(await codeOf(() => group.commit())).toBe("EAS_INVALID_ARGUMENT");
    const late = storage.atomic().check("settings:gone", etag).set("settings:a", 2);
    expect(late.commitSync()).toEqual({ ok: false, conflicts: ["settings:gone"] });
    expect(app.storage.getItemSync("settings:a")).toEqual(new Date(3));
  });

  it("with one key that is denied changes nothing", async () => {
    const app = start();
    const { storage } = app.connect();
    await storage.getItem("settings:a");
    expect(
      await codeOf(() => storage.atomic().set("settings:a", 1).set("secret:x", 1).commit()),
    ).toBe("EAS_ACCESS_DENIED");
    expect(
      await codeOf(() => storage.atomic().set("settings:a", 1).remove("secret:x").commitSync()),
    ).toBe("EAS_ACCESS_DENIED");
    expect(app.storage.getKeysSync()).toEqual([]);
    expect(storage.getItemSync("settings:a")).toBe(null);
  });

  it("through a prefix refuses what is no list and no listener", async () => {
    const app = start();
    const { storage, preload } = app.connect();
    const settings = preload.prefixStorage(storage, "settings");
    for (const given of [undefined, null, 5, "a", {}]) {
      for (const name of ["getItems", "setItems", "watch"]) {
        const call = settings[name](given);
        expect(typeof call.then, name).toBe("function");
        expect(await codeOf(() => call), `${name} ${given}`).toBe("EAS_INVALID_ARGUMENT");
      }
    }
  });

  it("through a prefix has keys without it", async () => {
    const app = start();
    const { storage, preload } = app.connect();
    const settings = preload.prefixStorage(storage, "settings");
    await settings.setItem("a", 1);
    expect(await settings.getItem("a")).toBe(1);
    expect(settings.getItemSync("a")).toBe(1);
    expect(settings.getKeysSync()).toEqual(["a"]);
    expect(await settings.getKeys("", { maxDepth: 0 })).toEqual(["a"]);
    expect(await settings.getItems(["a", { key: "b" }])).toEqual([
      { key: "a", value: 1 },
      { key: "b", value: null },
    ]);
    expect((await settings.getEntry("a")).key).toBe("a");
    expect(await settings.atomic().check("a", "wrong").commit()).toEqual({
      ok: false,
      conflicts: ["a"],
    });
    expect(await settings.update("a", (n: number) => n + 1)).toBe(2);
    await settings.setItems([{ key: "c", value: 3 }]);
    const copy = await preload.snapshot(settings, "");
    expect(copy).toEqual({ a: 2, c: 3 });
    await settings.clear();
    expect(app.storage.getKeysSync()).toEqual([]);
    preload.restoreSnapshotSync(settings, copy, "back");
    expect(preload.snapshotSync(settings, "back")).toEqual(copy);
    await settings.flush();
    expect(app.storage.getItemSync("settings:back:a")).toBe(2);
  });
});
