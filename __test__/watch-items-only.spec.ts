import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import fsDriver from "../drivers/fs.js";
import sqliteDriver from "../drivers/sqlite.js";
import { createStorage, type Driver } from "../index.js";
import { Events, eventually, listen } from "./helpers/fs/events.js";

function folders() {
  const root = mkdtempSync(join(tmpdir(), "eas-watch-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const [base, outside] = [join(root, "base"), join(root, "outside")];
  mkdirSync(join(base, "a"), { recursive: true });
  mkdirSync(outside);
  writeFileSync(join(base, "a", "x"), "1");
  return { base, outside };
}

/** What the last event of each key says to be there. */
function there(before: string[], events: string[]) {
  const keys = new Set(before);
  for (const [event, key] of events.map((line) => line.split(" ") as [string, string])) {
    if (event === "update") keys.add(key);
    else keys.delete(key);
  }
  return [...keys].sort();
}

describe("what a watch names is an item, and its last event of a key says whether it is there", () => {
  it.each([
    [
      "a folder that is moved within the base, and written to at once",
      (base: string) => {
        renameSync(join(base, "a"), join(base, "b"));
        writeFileSync(join(base, "b", "new"), "1");
      },
    ],
    [
      "a folder that is moved out of the base, and written to there",
      (base: string, outside: string) => {
        renameSync(join(base, "a"), join(outside, "a"));
        writeFileSync(join(outside, "a", "new"), "1");
      },
    ],
    [
      "a folder that is moved twice",
      (base: string) => {
        renameSync(join(base, "a"), join(base, "b"));
        renameSync(join(base, "b"), join(base, "c"));
      },
    ],
    [
      "a folder that is moved away, and made again",
      (base: string, outside: string) => {
        renameSync(join(base, "a"), join(outside, "a"));
        mkdirSync(join(base, "a"));
        writeFileSync(join(outside, "a", "ghost"), "1");
        writeFileSync(join(base, "a", "y"), "1");
      },
    ],
    [
      "a link to a folder",
      (base: string, outside: string) => {
        writeFileSync(join(outside, "x"), "1");
        symlinkSync(outside, join(base, "link"), "junction");
        symlinkSync(outside, join(base, "made-elsewhere"), "junction");
        renameSync(join(base, "made-elsewhere"), join(base, "moved"));
      },
    ],
  ])("%s", async (_, change) => {
    for (let round = 0; round < 5; round++) {
      const { base, outside } = folders();
      const storage = createStorage({ driver: fsDriver({ base }) });
      const events = await listen(storage);
      const before = await storage.getKeys();
      change(base, outside);
      const told = await events.untilMark(base);
      // A key that is removed may be told when it had time to appear elsewhere.
      await eventually(async () => {
        told.push(...events.list.splice(0));
        const now = (await storage.getKeys()).filter((key) => !key.startsWith("mark"));
        expect(there(before, told), told.join()).toEqual(now.sort());
      });
      for (const line of told)
        expect(line).not.toMatch(/ (b|c|link|moved|made-elsewhere|a:ghost|b:ghost)$/);
      await storage.dispose();
    }
  });

  it.skipIf(process.platform === "win32")(
    "a FIFO, also one that takes the place of an item",
    async () => {
      const { base, outside } = folders();
      const storage = createStorage({ driver: fsDriver({ base }) });
      const events = await listen(storage);
      execFileSync("mkfifo", [join(base, "fifo"), join(outside, "fifo")]);
      renameSync(join(outside, "fifo"), join(base, "a", "x"));
      expect(await events.untilMark(base)).toEqual(["remove a:x"]);
    },
  );
});

describe("watches that start and stop at once lose no event", () => {
  it("of a driver, while it writes", async () => {
    for (let round = 0; round < 12; round++) {
      const { base } = folders();
      const driver = fsDriver({ base });
      const heard = [new Events(), new Events(), new Events()];
      const written: string[] = [];
      let isStarting = true;
      const writes = (async () => {
        for (let index = 0; isStarting; index++) {
          await driver.setItem?.(`before:${index}`, "1", {});
        }
      })();
      const unwatches = await Promise.all(heard.map(({ listener }) => driver.watch?.(listener)));
      for (let index = 0; index < 20; index++) {
        await driver.setItem?.(`after:${index}`, "1", {});
        written.push(`update after:${index}`);
      }
      isStarting = false;
      await writes;
      for (const events of heard) {
        await eventually(() => {
          expect(events.list.filter((line) => line.includes("after")).sort()).toEqual(
            written.sort(),
          );
        });
      }
      await Promise.all(unwatches.map((unwatch) => unwatch?.()));
      await driver.dispose?.();
    }
  });

  it("that overlap on a base that takes time to look at, beside writes", async () => {
    for (let round = 0; round < 6; round++) {
      const { base } = folders();
      for (let index = 0; index < 400; index++) {
        mkdirSync(join(base, "deep", String(index)), { recursive: true });
      }
      const driver = fsDriver({ base });
      const heard = [new Events(), new Events()];
      const before = await driver.getKeys("", {});
      let isStarting = true;
      const writes = (async () => {
        for (let index = 0; isStarting; index++) await driver.setItem?.(`deep:1:${index}`, "1", {});
      })();
      const unwatches = await Promise.all(heard.map(({ listener }) => driver.watch?.(listener)));
      isStarting = false;
      await writes;
      await driver.setItem?.("last", "1", {});
      const keys = await driver.getKeys("", {});
      const written = keys.filter((key) => !before.includes(key)).sort();
      for (const events of heard) {
        await eventually(() => expect(events.list).toContain("update last"));
        // What was written before the watch looked at its folder is no news; from the first that is, all are.
        const told = [...new Set(events.list.map((line) => line.slice("update ".length)))];
        const first = Math.min(...told.map(number));
        expect(told.sort()).toEqual(written.filter((key) => number(key) >= first));
      }
      await Promise.all(unwatches.map((unwatch) => unwatch?.()));
      await driver.dispose?.();
    }
  });
});

/** Where a key of a series stands in it. */
function number(key: string) {
  return key === "last" ? Number.MAX_SAFE_INTEGER : Number(key.split(":").at(-1));
}

describe("a watch that starts while a write is pending hears of it", () => {
  const slow = (): Driver => {
    const data = new Map<string, string>();
    const later = () => new Promise((resolve) => setImmediate(resolve));
    return {
      name: "slow",
      hasItem: (key) => data.has(key),
      getItem: (key) => data.get(key) ?? null,
      getKeys: () => [...data.keys()],
      setItem: async (key, value) => {
        await later();
        data.set(key, value);
      },
      removeItem: async (key) => {
        await later();
        data.delete(key);
      },
    };
  };

  it("of a driver in JavaScript", async () => {
    const storage = createStorage({ driver: slow() });
    onTestFinished(() => storage.dispose());
    await storage.setItem("old", 1);
    const writes = [
      storage.setItem("one", 1),
      storage.setItems([
        { key: "two", value: 2 },
        { key: "three", value: 3 },
      ]),
      storage.setItemRaw("raw", "4"),
      storage.removeItem("old"),
    ];
    const events = new Events();
    await storage.watch(events.listener);
    await Promise.all(writes);
    const expected = ["update one", "update two", "update three", "update raw", "remove old"];
    await eventually(() => expect(events.list.sort()).toEqual(expected.sort()));
  });

  it.each([
    ["fs", (base: string) => fsDriver({ base })],
    ["sqlite", (base: string) => sqliteDriver({ base })],
  ])("of %s, whether it took effect before or takes it later", async (_, open) => {
    for (const isDone of [true, false]) {
      const { base } = folders();
      const [storage, other] = [
        createStorage({ driver: open(base) }),
        createStorage({ driver: open(base) }),
      ];
      onTestFinished(() => Promise.all([storage.dispose(), other.dispose()]).then(() => undefined));
      await storage.setItems([
        { key: "old", value: 1 },
        { key: "gone:a", value: 1 },
      ]);
      const writes = [
        storage.setItem("one", 1),
        storage.setItems([{ key: "two", value: 2 }]),
        storage.setItemRaw("raw", "4"),
        storage.removeItem("old"),
        storage.clear("gone"),
      ];
      if (isDone) {
        // The event loop does not turn: no Promise has heard of what is there.
        const sleeper = new Int32Array(new SharedArrayBuffer(4));
        const isThere = (key: string) => other.hasItemSync(key);
        while (!["one", "two", "raw"].every(isThere) || ["old", "gone:a"].some(isThere)) {
          Atomics.wait(sleeper, 0, 0, 5);
        }
      }
      const events = new Events();
      await storage.watch(events.listener);
      await Promise.all(writes);
      const expected = ["update one", "update two", "update raw", "remove old", "remove gone:a"];
      await eventually(() => expect([...events.list].sort()).toEqual(expected.sort()));
    }
  });

  it("and of one that is asked for while it starts", async () => {
    for (let round = 0; round < 12; round++) {
      const storage = createStorage({ driver: fsDriver({ base: folders().base }) });
      await storage.setItem("old", 1);
      const events = new Events();
      const watching = storage.watch(events.listener);
      await Promise.all([watching, storage.setItem("one", 1), storage.setItem("two:below", 1)]);
      const expected = ["update one", "update two:below"];
      await eventually(() => expect(events.list.sort()).toEqual(expected));
      await storage.dispose();
    }
  });
});
