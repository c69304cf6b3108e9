// Watches of drivers that come and go while somebody listens.

import { describe, expect, it } from "vitest";
import type { Driver } from "../index.js";
import { failureOf } from "./helpers/modes.js";
import { createStorage, memoryDriver } from "./helpers/package.js";

function watching(ready: Promise<unknown> = Promise.resolve()) {
  const seen = { started: 0, stopped: 0 };
  const driver: Driver = {
    hasItem: () => false,
    getItem: () => null,
    getKeys: () => [],
    async watch() {
      seen.started++;
      await ready;
      return () => {
        seen.stopped++;
      };
    },
  };
  return { driver, seen };
}

/** A storage with a listener and, at `w`, a driver whose watch starts when `start` is called. */
async function mountedWhileWatched() {
  let start = () => {};
  const ready = new Promise<void>((resolve) => {
    start = resolve;
  });
  const { driver, seen } = watching(ready);
  const storage = createStorage({ driver: memoryDriver() });
  await storage.watch(() => {});
  storage.mount("w", driver);
  return { storage, driver, seen, start };
}

const turns = () => new Promise((resolve) => setTimeout(resolve, 20));

describe("a watch of a driver", () => {
  it("that is unmounted while the watch starts is stopped", async () => {
    const { storage, seen, start } = await mountedWhileWatched();
    await storage.unmount("w");
    storage.mount("w", memoryDriver());
    start();
    await expect.poll(() => seen.stopped).toBe(1);
    await storage.dispose();
    expect(seen).toEqual({ started: 1, stopped: 1 });
  });

  it("that started is stopped when that of another mount cannot start", async () => {
    const good = watching();
    const bad: Driver = {
      ...watching().driver,
      watch: async () => {
        throw new Error("mine");
      },
    };
    const storage = createStorage({ driver: good.driver }).mount("bad", bad);
    expect(await failureOf(storage.watch(() => {}))).toMatchObject({ message: "mine" });
    expect(good.seen).toEqual({ started: 1, stopped: 1 });
    await storage.unmount("bad");
    const stop = await storage.watch(() => {});
    expect(good.seen).toEqual({ started: 2, stopped: 1 });
    await stop();
    expect(good.seen).toEqual({ started: 2, stopped: 2 });
  });

  it("that is mounted again while the watch starts is watched once", async () => {
    const { storage, driver, seen, start } = await mountedWhileWatched();
    await storage.unmount("w", false);
    storage.mount("w", driver);
    start();
    await expect.poll(() => seen.stopped).toBe(1);
    await storage.dispose();
    expect(seen).toEqual({ started: 2, stopped: 2 });
  });

  it("that fails to stop keeps no other driver from being disposed", async () => {
    const calls: string[] = [];
    const root: Driver = {
      hasItem: () => false,
      getItem: () => null,
      getKeys: () => [],
      setItem: () => {},
      flush: () => void calls.push("flush"),
      dispose: () => void calls.push("dispose"),
    };
    const { driver } = watching();
    driver.watch = () => () => {
      throw new Error("as a test");
    };
    const storage = createStorage({ driver: root });
    storage.mount("w", driver);
    await storage.watch(() => {});
    expect((await failureOf(storage.dispose())).message).toBe("as a test");
    expect(calls).toContain("dispose");
  });
});

describe("a watch that fails to start", () => {
  /** A storage whose first watch starts until `fail` is called. */
  function failing() {
    let fail = () => {};
    const failed = new Promise<never>((_, reject) => {
      fail = () => reject(new Error("as a test"));
    });
    const { driver, seen } = watching(failed);
    const storage = createStorage({ driver: memoryDriver() });
    storage.mount("w", driver);
    return { storage, seen, fail: () => fail() };
  }

  it("after it was given up takes no later one along, which can be stopped", async () => {
    const { storage, seen, fail } = failing();
    const first = failureOf(storage.watch(() => {}));
    expect(seen.started).toBe(1);
    const givenUp = storage.unwatch();
    const events: string[] = [];
    const unwatch = await storage.watch((event, key) => events.push(`${event} ${key}`));
    fail();
    expect((await first).message).toBe("as a test");
    await givenUp;
    await storage.setItem("a", 1);
    expect(events).toEqual(["update a"]);
    await unwatch();
    // Nobody listens: a driver that comes is not watched.
    const later = watching();
    storage.mount("later", later.driver);
    await turns();
    expect(later.seen.started).toBe(0);
    await storage.dispose();
  });

  it("keeps the storage from no dispose", async () => {
    const { storage, fail } = failing();
    const first = failureOf(storage.watch(() => {}));
    const disposed = storage.dispose();
    fail();
    expect((await first).message).toBe("as a test");
    await disposed;
  });
});
