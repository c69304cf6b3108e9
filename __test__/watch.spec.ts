// Changes of a tree, own and foreign, as a listener of the storage sees them.

import {
  existsSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { folder } from "./helpers/folders.js";
import { Events, eventually, listen } from "./helpers/fs/events.js";
import { namesIn } from "./helpers/fs/names.js";
import { Party, partyAt } from "./helpers/fs/party.js";
import { fsStorage, type Place, place, put, restoreSnapshot } from "./helpers/fs/storage.js";
import { builtin, createStorage, memoryDriver } from "./helpers/package.js";

const isLinux = process.platform === "linux";

let other: Party;

beforeAll(() => {
  other = new Party();
});

afterAll(async () => {
  other.kill("SIGKILL");
  await other.exit;
});

interface Change {
  /** What is there before; `>` begins what is beside the base. */
  before?: string[];
  change(place: Place): Promise<unknown>;
  events: string[];
}

const CHANGES: Record<string, Change> = {
  "a file that is created": {
    change: ({ base }) => other.fs("writeFileSync", join(base, "a"), "1"),
    events: ["update a"],
  },
  "an empty file that is created": {
    change: ({ base }) => other.fs("writeFileSync", join(base, "a"), ""),
    events: ["update a"],
  },
  "a file that is written in place": {
    before: ["a"],
    change: ({ base }) => other.fs("writeFileSync", join(base, "a"), "12345"),
    events: ["update a"],
  },
  "a file that is written in place in many pieces": {
    before: ["a"],
    change: ({ base }) => other.ask("writePieces", join(base, "a"), 50),
    events: ["update a"],
  },
  "a file that is appended to": {
    before: ["a"],
    change: ({ base }) => other.fs("appendFileSync", join(base, "a"), "1"),
    events: ["update a"],
  },
  "a file that is truncated": {
    before: ["a"],
    change: ({ base }) => other.fs("truncateSync", join(base, "a"), 0),
    events: ["update a"],
  },
  "a file that is copied in": {
    before: ["a"],
    change: ({ base }) => other.fs("copyFileSync", join(base, "a"), join(base, "b")),
    events: ["update b"],
  },
  "a file renamed over a key": {
    before: ["a", ">b"],
    change: ({ base, beside }) => other.fs("renameSync", join(beside, "b"), join(base, "a")),
    events: ["update a"],
  },
  "a key renamed over a key": {
    before: ["a", "b"],
    change: ({ base }) => other.fs("renameSync", join(base, "b"), join(base, "a")),
    events: ["remove b", "update a"],
  },
  "a file that is renamed away": {
    before: ["a"],
    change: ({ base, beside }) => other.fs("renameSync", join(base, "a"), join(beside, "a")),
    events: ["remove a"],
  },
  "a file that takes another key": {
    before: ["a"],
    change: ({ base }) => other.fs("renameSync", join(base, "a"), join(base, "b")),
    events: ["remove a", "update b"],
  },
  "a file that is deleted": {
    before: ["x/a"],
    change: ({ base }) => other.fs("unlinkSync", join(base, "x", "a")),
    events: ["remove x:a"],
  },
  "a second name of a file": {
    before: ["a"],
    change: ({ base }) => other.fs("linkSync", join(base, "a"), join(base, "b")),
    events: ["update b"],
  },
  "files in folders that are made just before": {
    async change({ base }) {
      await other.fs("mkdirSync", join(base, "x", "y", "z"), { recursive: true });
      await other.fs("writeFileSync", join(base, "x", "y", "z", "a"), "1");
      await other.fs("writeFileSync", join(base, "x", "b"), "1");
    },
    events: ["update x:b", "update x:y:z:a"],
  },
  "a folder that is deleted with the keys in it": {
    before: ["x/a", "x/y/b", "xy"],
    change: ({ base }) => other.fs("rmSync", join(base, "x"), { recursive: true }),
    events: ["remove x:a", "remove x:y:b"],
  },
  "a folder that is moved away": {
    before: ["x/a", "x/y/b", "xy"],
    change: ({ base, beside }) => other.fs("renameSync", join(base, "x"), join(beside, "x")),
    events: ["remove x:a", "remove x:y:b"],
  },
  "a folder that is moved in": {
    before: [">x/a", ">x/y/b"],
    change: ({ base, beside }) => other.fs("renameSync", join(beside, "x"), join(base, "x")),
    events: ["update x:a", "update x:y:b"],
  },
  "a folder that takes another name": {
    before: ["x/a", "x/y/b"],
    change: ({ base }) => other.fs("renameSync", join(base, "x"), join(base, "z")),
    events: ["remove x:a", "remove x:y:b", "update z:a", "update z:y:b"],
  },
  "a folder that is deleted and made again": {
    before: ["x/a"],
    async change({ base }) {
      await other.fs("rmSync", join(base, "x"), { recursive: true });
      await other.fs("mkdirSync", join(base, "x"));
      await other.fs("writeFileSync", join(base, "x", "b"), "1");
    },
    events: ["remove x:a", "update x:b"],
  },
  "names that are escaped": {
    change: ({ base }) => other.fs("writeFileSync", join(base, "50% a%7Cb"), "1"),
    events: ["update 50% a|b"],
  },
};

const SILENT: Record<string, Change["change"]> = {
  "a folder that is made and removed": async ({ base }) => {
    await other.fs("mkdirSync", join(base, "empty"));
    await other.fs("rmdirSync", join(base, "empty"));
  },
  "a change of permissions": ({ base }) => other.fs("chmodSync", join(base, "a"), 0o600),
  "a file that is opened for writing and left as it is": async ({ base }) => {
    await other.fs("closeSync", await other.fs("openSync", join(base, "a"), "r+"));
  },
  "a file that is read": ({ base }) => other.fs("readFileSync", join(base, "a")),
  "a file beside the base": ({ beside }) => other.fs("writeFileSync", join(beside, "a"), "1"),
  "names that stand for no key": async ({ base }) => {
    for (const name of ["%~tmp-1-2-3", "%~corrupt-1-0-a", "%~ttl", "%~lock"]) {
      await other.fs("writeFileSync", join(base, name), "1");
      await other.fs("renameSync", join(base, name), join(base, `${name}4`));
      await other.fs("unlinkSync", join(base, `${name}4`));
    }
  },
  "a folder that is made and removed at once, many times": async ({ base }) => {
    for (let round = 0; round < 50; round++) {
      await other.ask("comeAndGoFolder", join(base, "brief"));
    }
  },
  "files that are ignored by default": async ({ base }) => {
    for (const name of ["node_modules", ".git"]) {
      const inside = join(base, "x", name, "deep");
      await other.fs("mkdirSync", inside, { recursive: true });
      await other.fs("writeFileSync", join(inside, "a"), "1");
      await other.fs("rmSync", join(base, "x", name), { recursive: true });
    }
  },
};

describe("changes of another program", () => {
  for (const [title, { before = [], change, events: expected }] of Object.entries(CHANGES)) {
    it(`${title}: ${expected.join(", ")}`, async () => {
      const at = place();
      for (const path of before) {
        if (path.startsWith(">")) put(at.beside, path.slice(1));
        else put(at.base, path);
      }
      const events = await listen(fsStorage(at.base));
      await change(at);
      // Where nothing tells of the close of a file, an empty one is reported later than the mark.
      await eventually(() => expect(events.list.length).toBeGreaterThanOrEqual(expected.length));
      await events.takeOnlyUnordered(at.base, expected);
    });
  }

  for (const [title, change] of Object.entries(SILENT)) {
    it(`${title}: nothing`, async () => {
      const at = place();
      put(at.base, "a");
      const events = await listen(fsStorage(at.base));
      await change(at);
      await events.takeOnly(at.base, []);
    });
  }

  it("a file that stays open is reported while it is", async () => {
    const { base } = place();
    const events = await listen(fsStorage(base));
    const file = await other.fs("openSync", join(base, "a"), "w");
    await other.fs("writeSync", file, "1");
    await events.take(["update a"]);
    await other.fs("writeSync", file, "2");
    await events.take(["update a"]);
    await other.fs("closeSync", file);
    await events.takeOnly(base, []);
  });

  it("come from another storage as they come from one's own", async () => {
    const { base } = place();
    const events = await listen(fsStorage(base));
    const writer = await partyAt(base);
    await writer.call("setItem", "a:b", 1);
    // The folder is new: what comes and goes in it before it is watched would not be seen.
    await events.take(["update a:b"]);
    await writer.call("setItems", [
      { key: "c", value: 1 },
      { key: "d", value: 2 },
    ]);
    // What is gone again before the watch looks at it is not reported.
    await events.takeUnordered(["update c", "update d"]);
    await writer.call("removeItem", "a:b");
    await writer.call("clear");
    await events.takeOnlyUnordered(base, ["remove a:b", "remove c", "remove d"]);
  });

  it("many at once are all seen, each once", async () => {
    const { base, beside } = place();
    const events = await listen(fsStorage(base));
    // Whole at once: a file that stays empty for long is reported before it is written.
    await other.ask("moveIn", join(beside, "draft"), join(base, "x", "y"), "k", 2000);
    const expected = Array.from({ length: 2000 }, (_, index) => `update x:y:k${index}`);
    // After a rescan, which may find the mark first, not all of them are there when the mark is.
    await eventually(() => expect(events.list.length).toBeGreaterThanOrEqual(expected.length));
    await events.takeOnlyUnordered(base, expected);
  });

  it.runIf(isLinux)("are found by a rescan when the system drops its notices", async () => {
    const { base } = place();
    for (let number = 0; number < 50; number++) put(base, `old/k${number}`);
    put(base, "changed");
    const watching = await partyAt(base);
    await watching.ask("watch");
    watching.kill("SIGSTOP");
    const limit = Number(readFileSync("/proc/sys/fs/inotify/max_queued_events", "utf8"));
    // Each of them makes more than one notice.
    await other.ask("fill", join(base, "flood"), "k", limit);
    put(base, "new/a");
    writeFileSync(join(base, "changed"), "changed for long");
    rmSync(join(base, "old"), { recursive: true });
    rmSync(join(base, "flood"), { recursive: true });
    watching.kill("SIGCONT");
    const removals = Array.from({ length: 50 }, (_, number) => `remove old:k${number}`).sort();
    await eventually(() => {
      for (const event of ["update new:a", "update changed", ...removals]) {
        expect(watching.events).toContain(event);
      }
    });
    expect(watching.events.filter((event) => event.startsWith("remove old:")).sort()).toEqual(
      removals,
    );
    // Whatever was seen of the flood is gone for the listener too.
    await eventually(() => {
      const flood = watching.events.filter((event) => event.includes("flood"));
      const left = new Set<string>();
      for (const event of flood) {
        const [kind, key] = event.split(" ");
        if (kind === "update") left.add(key);
        else left.delete(key);
      }
      expect([...left]).toEqual([]);
    });
  });
});

describe("changes of one's own", () => {
  it("each write is one event, in the order of the writes", async () => {
    const { base } = place();
    const storage = fsStorage(base);
    const events = await listen(storage);
    const expected: string[] = [];
    for (let round = 0; round < 100; round++) {
      await storage.setItem("a", round);
      await storage.setItem("x:b", round);
      expected.push("update a", "update x:b");
      if (round % 5 === 4) {
        await storage.removeItem("a");
        expected.push("remove a");
      }
    }
    await events.takeOnly(base, expected);
  });

  it("of writes that are not awaited, those that take effect are reported in order", async () => {
    const { base } = place();
    const storage = fsStorage(base);
    const events = await listen(storage);
    const calls: Promise<unknown>[] = [];
    for (let round = 0; round < 50; round++) {
      calls.push(storage.setItem("a", round), storage.setItem("b", round));
      calls.push(storage.removeItem("a"));
    }
    await Promise.all(calls);
    const seen = await events.untilMark(base);
    const of = (key: string) => seen.filter((event) => event.endsWith(` ${key}`));
    // A write that comes to its turn after a later one of its key is left out.
    expect(of("b").length).toBeGreaterThan(0);
    expect(of("b").every((event) => event === "update b")).toBe(true);
    expect(of("a").at(-1) ?? "remove a").toBe("remove a");
    expect(
      of("a").filter((event, at, all) => event === "remove a" && all[at - 1] === event),
    ).toEqual([]);
    expect(seen.length).toBeLessThanOrEqual(150);
    expect(await storage.getKeys()).not.toContain("a");
  });

  it("Sync writes are reported after the call returns", async () => {
    const { base } = place();
    const storage = fsStorage(base);
    const events = await listen(storage);
    storage.setItemSync("a", 1);
    storage.setItemSync("a", 2);
    storage.removeItemSync("a");
    expect(events.list).toEqual([]);
    await events.takeOnly(base, ["update a", "update a", "remove a"]);
  });

  it("making room for keys below a key is no change of it", async () => {
    const { base } = place();
    const storage = fsStorage(base);
    await storage.setItem("a", "kept");
    const events = await listen(storage);
    await storage.setItem("a:b", 1);
    await events.takeOnly(base, ["update a:b"]);
    await storage.setItem("a", "changed");
    await events.takeOnly(base, ["update a"]);
    await storage.removeItem("a:b");
    await events.takeOnly(base, ["remove a:b"]);
    expect(await storage.getItem("a")).toBe("changed");
    await storage.removeItem("a");
    await events.takeOnly(base, ["remove a"]);
    expect(namesIn(base).filter((name) => !name.startsWith("mark-"))).toEqual([]);
  });

  it("metadata is reported under the key that ends in $", async () => {
    const { base } = place();
    const storage = fsStorage(base);
    const events = await listen(storage);
    await storage.setItem("a", 1);
    await storage.setMeta("a", { owner: "ann" });
    await storage.removeItem("a", { removeMeta: true });
    await events.takeOnlyUnordered(base, ["update a", "update a$", "remove a", "remove a$"]);
  });

  it("raw values and values that end are reported as others are", async () => {
    const { base } = place();
    const storage = fsStorage(base);
    const events = await listen(storage);
    await storage.setItemRaw("raw", Buffer.from([0, 255]));
    await storage.setItem("brief", 1, { ttl: 20 });
    await events.take(["update raw", "update brief", "remove brief"]);
    await events.takeOnly(base, []);
  });

  it("damaged bytes that are kept aside are no event", async () => {
    const { base } = place();
    put(base, "a");
    writeFileSync(join(base, "a"), "no JSON");
    const storage = fsStorage(base);
    const events = await listen(storage);
    expect(await storage.getItem("a")).toBeNull();
    await storage.setItem("a", 1);
    await events.takeOnly(base, ["update a"]);
    expect(readdirSync(base).some((name) => name.startsWith("%~corrupt-"))).toBe(true);
  });
});

describe("the base", () => {
  it("that is not there yet is watched once it appears, however deep", async () => {
    const at = realpathSync(folder());
    const base = join(at, "not", "there", "yet");
    const storage = fsStorage(base);
    const events = await listen(storage);
    expect(existsSync(join(at, "not"))).toBe(false);
    await other.fs("mkdirSync", base, { recursive: true });
    await other.fs("writeFileSync", join(base, "a"), "1");
    await events.take(["update a"]);
    await other.fs("writeFileSync", join(base, "b"), "1");
    await events.takeOnly(base, ["update b"]);
  });

  it("that the first write makes is watched from that write on", async () => {
    const base = join(realpathSync(folder()), "x", "base");
    const storage = fsStorage(base);
    const events = await listen(storage);
    await storage.setItem("a:b", 1);
    await events.take(["update a:b"]);
    await storage.setItem("a:c", 1);
    await events.takeOnly(base, ["update a:c"]);
  });

  it("that is moved into place brings its keys", async () => {
    const at = realpathSync(folder());
    put(join(at, "ready"), "a", "x/b");
    const events = await listen(fsStorage(join(at, "base")));
    renameSync(join(at, "ready"), join(at, "base"));
    await events.takeUnordered(["update a", "update x:b"]);
  });

  it("that is removed and made again goes on being watched", async () => {
    const { base } = place();
    put(base, "a", "x/b");
    const events = await listen(fsStorage(base));
    for (let round = 0; round < 3; round++) {
      await other.fs("rmSync", base, { recursive: true });
      await events.takeUnordered(["remove a", "remove x:b"]);
      await other.fs("mkdirSync", join(base, "x"), { recursive: true });
      await other.fs("writeFileSync", join(base, "a"), "1");
      await other.fs("writeFileSync", join(base, "x", "b"), "1");
      await events.takeUnordered(["update a", "update x:b"]);
    }
  });

  it("that is removed and made again at once is watched, and nothing of the new one is missed", async () => {
    const { base } = place();
    put(base, "a", "x/b");
    const events = await listen(fsStorage(base));
    for (let round = 0; round < 20; round++) {
      rmSync(base, { recursive: true });
      put(base, "a", "x/b", `new${round}`);
      await eventually(() => expect(events.list).toContain(`update new${round}`));
    }
    const seen = await events.untilMark(base);
    for (const key of ["a", "x:b"]) {
      expect(seen.filter((event) => event.endsWith(` ${key}`)).at(-1)).toBe(`update ${key}`);
    }
    await other.fs("unlinkSync", join(base, "x", "b"));
    await events.take(["remove x:b"]);
  });

  it("that is moved away and back goes on being watched", async () => {
    const { base, beside } = place();
    put(base, "a");
    const events = await listen(fsStorage(base));
    await other.fs("renameSync", base, join(beside, "base"));
    await events.take(["remove a"]);
    await other.fs("writeFileSync", join(beside, "base", "unseen"), "1");
    await other.fs("unlinkSync", join(beside, "base", "unseen"));
    await other.fs("renameSync", join(beside, "base"), base);
    await events.take(["update a"]);
    await events.takeOnly(base, []);
  });

  it("whose parent is removed and made again goes on being watched", async () => {
    const at = realpathSync(folder());
    const base = join(at, "parent", "base");
    put(base, "a");
    const events = await listen(fsStorage(base));
    await other.fs("rmSync", join(at, "parent"), { recursive: true });
    await events.take(["remove a"]);
    await other.fs("mkdirSync", base, { recursive: true });
    await other.fs("writeFileSync", join(base, "b"), "1");
    await events.take(["update b"]);
  });

  it("may be a link to a folder", async () => {
    const { base, beside } = place();
    put(beside, "a");
    symlinkSync(beside, join(base, "link"), "junction");
    const storage = fsStorage(join(base, "link"));
    const events = await listen(storage);
    await storage.setItem("a", 1);
    await other.fs("writeFileSync", join(beside, "b"), "1");
    await events.takeOnlyUnordered(join(base, "link"), ["update a", "update b"]);
  });

  it("of two storages is watched by both", async () => {
    const { base } = place();
    const [one, two] = [fsStorage(base), fsStorage(base)];
    const [ofOne, ofTwo] = [await listen(one), await listen(two)];
    await one.setItem("a", 1);
    await two.setItem("b", 1);
    const expected = ["update a", "update b"];
    await ofOne.takeOnly(base, expected);
    await ofTwo.takeUnordered([...expected, "update mark-1"]);
    await one.dispose();
    await two.setItem("c", 1);
    await ofTwo.take(["update c"]);
    expect(ofOne.list).toEqual([]);
  });
});

describe("links", () => {
  it.skipIf(process.platform === "win32")("a link that is made and removed", async () => {
    const { base, beside } = place();
    put(beside, "target");
    const events = await listen(fsStorage(base));
    await other.fs("symlinkSync", join(beside, "target"), join(base, "link"));
    await other.fs("unlinkSync", join(base, "link"));
    const seen = await events.untilMark(base);
    expect(seen.at(-1) ?? "remove link").toBe("remove link");
    await other.fs("symlinkSync", join(beside, "target"), join(base, "link"));
    await events.take(["update link"]);
    await other.fs("unlinkSync", join(base, "link"));
    await events.take(["remove link"]);
  });
});

describe("listeners", () => {
  it("all hear everything until each is taken out", async () => {
    const { base } = place();
    const storage = fsStorage(base);
    onTestFinished(() => storage.dispose());
    const [first, second] = [new Events(), new Events()];
    const unwatchFirst = await storage.watch(first.listener);
    const unwatchSecond = await storage.watch(second.listener);
    await storage.setItem("a", 1);
    await first.take(["update a"]);
    await second.take(["update a"]);
    await unwatchFirst();
    await unwatchFirst();
    await storage.setItem("b", 1);
    await second.takeOnly(base, ["update b"]);
    await unwatchSecond();
    const third = new Events();
    await storage.watch(third.listener);
    await storage.setItem("c", 1);
    await third.takeOnly(base, ["update c"]);
    expect([first.list, second.list]).toEqual([[], []]);
  });

  it("the same function given twice is called twice and taken out one at a time", async () => {
    const { base } = place();
    const storage = fsStorage(base);
    onTestFinished(() => storage.dispose());
    const events = new Events();
    const unwatch = await storage.watch(events.listener);
    await storage.watch(events.listener);
    await storage.setItem("a", 1);
    await events.take(["update a", "update a"]);
    await unwatch();
    await storage.setItem("b", 1);
    await events.take(["update b"]);
  });

  it("storage.unwatch() takes out all of them", async () => {
    const { base } = place();
    const storage = fsStorage(base);
    onTestFinished(() => storage.dispose());
    const before = new Events();
    await storage.watch(before.listener);
    await storage.watch(before.listener);
    await storage.unwatch();
    await storage.setItem("a", 1);
    const after = await listen(storage);
    await storage.setItem("b", 1);
    await after.takeOnly(base, ["update b"]);
    expect(before.list).toEqual([]);
  });

  it("one may write and take out others while it is called", async () => {
    const { base } = place();
    const storage = fsStorage(base);
    const seen: string[] = [];
    const others = new Events();
    onTestFinished(() => storage.dispose());
    const unwatchOther = await storage.watch(others.listener);
    await storage.watch((event, key) => {
      seen.push(`${event} ${key}`);
      if (key === "a") {
        storage.setItemSync("b", 1);
        void unwatchOther();
      }
    });
    await storage.setItem("a", 1);
    await eventually(() => expect(seen).toEqual(["update a", "update b"]));
    expect(others.list).toEqual(["update a"]);
  });

  it.each(["fs", "memory"])(
    "one that throws does not stop the others, and its error is uncaught (%s)",
    async (name) => {
      const { base } = place();
      const storage = createStorage<any>({ driver: builtin(name, { base }) });
      const uncaught: unknown[] = [];
      const kept = process.listeners("uncaughtException");
      process.removeAllListeners("uncaughtException");
      process.on("uncaughtException", (error) => uncaught.push(error));
      onTestFinished(() => {
        process.removeAllListeners("uncaughtException");
        for (const listener of kept) process.on("uncaughtException", listener);
      });
      const [thrown, rejected] = [new Error("thrown"), new Error("rejected")];
      await storage.watch(() => {
        throw thrown;
      });
      await storage.watch((async () => {
        throw rejected;
      }) as () => void);
      const events = await listen(storage);
      await storage.setItem("a", 1);
      await storage.setItem("b", 1);
      await events.take(["update a", "update b"]);
      await eventually(() => expect(uncaught).toHaveLength(4));
      expect(uncaught.filter((error) => error === thrown)).toHaveLength(2);
      expect(uncaught.filter((error) => error === rejected)).toHaveLength(2);
    },
  );

  it("an error of one that nobody catches ends the process, as any does", async () => {
    const watching = await partyAt(place().base);
    await watching.ask("watchAndThrow", "thrown by a listener");
    watching.ask("call", "setItem", "a", 1).catch(() => {});
    const { code, stderr } = await watching.exit;
    expect(code).toBe(1);
    expect(stderr).toContain("thrown by a listener");
  });

  it("hear nothing after dispose", async () => {
    const { base } = place();
    const storage = fsStorage(base);
    const events = await listen(storage);
    const witness = await listen(fsStorage(base));
    await storage.dispose();
    put(base, "a");
    await witness.takeOnly(base, ["update a"]);
    expect(events.list).toEqual([]);
  });

  it("a driver's own watch reports without a storage", async () => {
    const { base } = place();
    const driver = builtin("fs", { base });
    const events = new Events();
    const unwatch = await driver.watch?.(events.listener);
    await driver.setItem?.("a:b", "1", {});
    await events.takeOnly(base, ["update a:b"]);
    await unwatch?.();
    await driver.dispose?.();
  });

  it.each(["fs-lite", "memory", "queue"])("%s has no watch of its own", (name) => {
    const options = name === "queue" ? { driver: memoryDriver() } : { base: folder() };
    expect(builtin(name, options).watch).toBeUndefined();
  });
});

describe("mounts", () => {
  it("are watched under their base, also those that come and go meanwhile", async () => {
    const [{ base: outer }, { base: inner }] = [place(), place()];
    const storage = fsStorage(outer);
    const events = await listen(storage);
    storage.mount("m", builtin("fs", { base: inner }));
    // The watch of a mount starts after `mount` returned.
    await eventually(async () => {
      await storage.setItem("m:x", 1);
      expect(events.list).toContain("update m:x");
    });
    await events.untilMark(inner, "m:");
    await storage.setItem("m:y", 1);
    await storage.setItem("z", 1);
    await events.takeUnordered(["update m:y", "update z"]);
  });

  it("that are taken out are watched no more", async () => {
    const [{ base: outer }, { base: inner }] = [place(), place()];
    const storage = fsStorage(outer).mount("m", builtin("fs", { base: inner }));
    const events = await listen(storage);
    await storage.setItem("m:a", 1);
    await events.take(["update m:a"]);
    await storage.unmount("m");
    const witness = await listen(fsStorage(inner));
    put(inner, "b");
    await witness.takeOnly(inner, ["update b"]);
    await events.takeOnly(outer, []);
  });

  it("an inner mount hides the keys of the one around it", async () => {
    const [{ base: outer }, { base: inner }] = [place(), place()];
    const storage = fsStorage(outer).mount("m", builtin("fs", { base: inner }));
    const events = await listen(storage);
    put(outer, "m/hidden", "mm", "x");
    put(inner, "seen");
    await events.takeOnlyUnordered(outer, ["update mm", "update x", "update m:seen"]);
  });

  it("with and without watches of their own report together", async () => {
    const { base } = place();
    const storage = createStorage<any>().mount("files", builtin("fs", { base }));
    const events = await listen(storage);
    await storage.setItem("a", 1);
    await storage.setItem("files:a", 1);
    await storage.setItems([
      { key: "b", value: 1 },
      { key: "files:b", value: 1 },
    ]);
    await storage.clear();
    await events.takeUnordered([
      ...["a", "b", "files:a", "files:b"].flatMap((key) => [`update ${key}`, `remove ${key}`]),
    ]);
  });
});

describe.each(["memory", "fs-lite", "fs"])("what %s reports of calls", (name) => {
  const open = () => createStorage<any>({ driver: builtin(name, { base: folder() }) });

  it("is an event for each item of setItems, of undefined too", async () => {
    const storage = open();
    await storage.setItem("gone", 1);
    const events = await listen(storage);
    await storage.setItems([
      { key: "a", value: 1 },
      { key: "x/b", value: 2 },
      { key: "gone", value: undefined },
    ]);
    await events.takeUnordered(["update a", "update x:b", "remove gone"]);
    storage.setItemsSync([{ key: "a", value: 3 }]);
    await events.take(["update a"]);
  });

  it("is an event for each key that clear removes", async () => {
    const storage = open();
    await storage.setItems(["a", "x:b", "x:c"].map((key) => ({ key, value: 1 })));
    const events = await listen(storage);
    await storage.clear("x");
    await events.takeUnordered(["remove x:b", "remove x:c"]);
    storage.clearSync();
    await events.take(["remove a"]);
  });

  it("is an event for each key that restoreSnapshot writes", async () => {
    const storage = open();
    const events = await listen(storage);
    await restoreSnapshot(storage, { a: 1, "x:b": 2 }, "restored");
    await events.takeUnordered(["update restored:a", "update restored:x:b"]);
  });

  it("is an event for each write and removal, in either form", async () => {
    const storage = open();
    const events = await listen(storage);
    await storage.setItem("a/b", 1);
    await storage.removeItem("a/b");
    storage.setItemSync("a/b", 1);
    storage.removeItemSync("a/b");
    await storage.setItemRaw("raw", "1");
    await storage.setItem("raw", undefined);
    await events.take([
      "update a:b",
      "remove a:b",
      "update a:b",
      "remove a:b",
      "update raw",
      "remove raw",
    ]);
  });
});

describe("a change of the storage's own", () => {
  const own = (base: string) => {
    const storage = fsStorage(base);
    return { storage, listening: listen(storage) };
  };

  it("is an event each, in folders that come and go with it", async () => {
    const { base } = place();
    const { storage, listening } = own(base);
    const events = await listening;
    const expected: string[] = [];
    for (let round = 0; round < 200; round++) {
      const key = `x:${round % 3}:y`;
      if (round % 2) {
        storage.setItemSync(key, round);
        storage.setItemSync(key, -round);
        storage.removeItemSync(key);
      } else {
        await storage.setItem(key, round);
        await storage.setItem(key, -round);
        await storage.removeItem(key);
      }
      expected.push(`update ${key}`, `update ${key}`, `remove ${key}`);
    }
    await events.take(expected);
    await events.takeOnly(base, []);
  });

  it("is an event each where the base comes and goes with it", async () => {
    const { base } = place();
    const { storage, listening } = own(join(base, "deep", "base"));
    const events = await listening;
    for (let round = 0; round < 30; round++) {
      storage.setItemSync("a", round);
      storage.removeItemSync("a");
      rmSync(join(base, "deep"), { recursive: true, force: true });
    }
    await events.take(Array(30).fill(["update a", "remove a"]).flat());
    storage.setItemSync("a", 1);
    await events.take(["update a"]);
    await events.takeOnly(join(base, "deep", "base"), []);
  });

  it("is one event beside those of others, who change the same key", async () => {
    const { base } = place();
    const { storage, listening } = own(base);
    const events = await listening;
    for (let round = 0; round < 20; round++) {
      await storage.setItem("x:a", round);
      await events.take(["update x:a"]);
      await other.fs("writeFileSync", join(base, "x", "a"), "from another");
      await events.take(["update x:a"]);
      await other.fs("unlinkSync", join(base, "x", "a"));
      await events.take(["remove x:a"]);
      await storage.setItem("x:a", round);
      await events.take(["update x:a"]);
      await other.fs("rmSync", join(base, "x"), { recursive: true });
      await events.take(["remove x:a"]);
    }
    await events.takeOnly(base, []);
  });

  it("is seen though it is gone before anybody looks", async () => {
    const { base } = place();
    const { storage, listening } = own(base);
    const events = await listening;
    for (let round = 0; round < 20; round++) {
      storage.setItemSync("x:a", round);
      // The watch may be listing the folder, which keeps it for a moment where listings share nothing.
      rmSync(join(base, "x"), { recursive: true, maxRetries: 5 });
      await events.take(["update x:a", "remove x:a"]);
    }
    await events.takeOnly(base, []);
  });

  it.skipIf(process.platform === "win32")(
    "is an event where it goes through a link out of the base",
    async () => {
      const { base, beside } = place();
      writeFileSync(join(beside, "target"), "1");
      put(base, "there");
      symlinkSync(join(beside, "target"), join(base, "a"));
      const { storage, listening } = own(base);
      const events = await listening;
      await storage.setItem("a", 1);
      await storage.setItem("a", 2);
      await events.take(["update a", "update a"]);
      await storage.removeItem("a");
      await events.take(["remove a"]);
      await events.takeOnly(base, []);
    },
  );

  it("is one event for a key that makes room, whatever comes with it", async () => {
    const { base } = place();
    const { storage, listening } = own(base);
    const events = await listening;
    for (let round = 0; round < 30; round++) {
      storage.setItemSync("a", round);
      storage.setItemSync("a:b", round);
      storage.setItemSync("a", -round);
      storage.removeItemSync("a:b");
      storage.removeItemSync("a");
    }
    const step = ["update a", "update a:b", "update a", "remove a:b", "remove a"];
    await events.take(Array(30).fill(step).flat());
    await events.takeOnly(base, []);
  });

  it("is no event where it is ignored", async () => {
    const { base } = place();
    const storage = fsStorage(base, { ignore: ["temp/**"] });
    const events = await listen(storage);
    storage.setItemSync("temp:a", 1);
    storage.setItemSync("a", 1);
    storage.removeItemSync("temp:a");
    await events.takeOnly(base, ["update a"]);
  });

  it("is an event to each of two storages that share the driver", async () => {
    const { base } = place();
    const driver = builtin("fs", { base });
    const [one, two] = [createStorage({ driver }), createStorage({ driver })];
    const [first, second] = [await listen(one), await listen(two)];
    one.setItemSync("x:a", 1);
    two.setItemSync("x:a", 2);
    one.removeItemSync("x:a");
    const expected = ["update x:a", "update x:a", "remove x:a"];
    await first.take(expected);
    await second.take(expected);
    await first.takeOnly(base, []);
  });
});

describe("beside the package that this one replaces", () => {
  const require = createRequire(import.meta.url);
  const upstream = require("electron-async-storage-upstream");
  const upstreamFs = require("electron-async-storage-upstream/drivers/fs");
  const makeDriver = upstreamFs.default ?? upstreamFs;

  /** Makes changes under the watches of both; `undefined` when the other package missed one. */
  async function toldByBoth(): Promise<{ ours: string[]; theirs: Set<string> } | undefined> {
    const { base } = place();
    put(base, "there", "x/there");
    const ours = await listen(fsStorage(base));
    const theirs = await listen(upstream.createStorage({ driver: makeDriver({ base }) }));
    // Its watch resolves before it is ready: a file is made anew until it is seen.
    let tries = 0;
    await eventually(() => {
      put(base, `ready-${tries++}`);
      expect(theirs.list.length).toBeGreaterThan(0);
    });
    await eventually(() => expect(theirs.list).toContain(`update ready-${tries - 1}`));
    await ours.untilMark(base);
    await eventually(() => expect(theirs.list).toContain("update mark-1"));
    theirs.list.length = 0;

    const steps: [event: string, change: () => Promise<unknown>][] = [
      ["update a", () => other.fs("writeFileSync", join(base, "a"), "1")],
      ["update x:b", () => other.fs("writeFileSync", join(base, "x", "b"), "1")],
      ["update a", () => other.fs("writeFileSync", join(base, "a"), "changed")],
      ["update there", () => other.fs("writeFileSync", join(base, "there"), "changed")],
      ["remove there", () => other.fs("unlinkSync", join(base, "there"))],
      ["remove x:b", () => other.fs("unlinkSync", join(base, "x", "b"))],
      ["remove x:there", () => other.fs("rmSync", join(base, "x"), { recursive: true })],
    ];
    const seen: string[] = [];
    for (const [event, change] of steps) {
      await change();
      await ours.take([event]);
      // It may tell of the making of a file and of its content apart, and it reads a folder once a
      // second at most, with what happens meanwhile left out: another change makes it look again. The
      // name is one that ours passes over.
      const isTold = await vi
        .waitFor(
          () => {
            if (!theirs.list.includes(event)) put(base, `%~again-${tries++}`);
            expect(theirs.list).toContain(event);
          },
          { timeout: 3_000, interval: 50 },
        )
        .then(
          () => true,
          () => false,
        );
      if (!isTold) return undefined;
      seen.push(...theirs.list.splice(0).filter((told) => !told.includes("%~again")));
    }
    return { ours: steps.map(([event]) => event), theirs: new Set(seen) };
  }

  it("add, change and unlink are the same events", async () => {
    let told: Awaited<ReturnType<typeof toldByBoth>>;
    for (let attempt = 0; attempt < 8 && !told; attempt++) told = await toldByBoth();
    expect(told, "the other package missed changes every time").toBeDefined();
    expect(told?.theirs).toEqual(new Set(told?.ours));
  });
});

describe("a storage that nobody refers to", () => {
  const gc = (() => {
    require("node:v8").setFlagsFromString("--expose-gc");
    return require("node:vm").runInNewContext("gc") as () => void;
  })();
  const gone: string[] = [];
  const registry = new FinalizationRegistry((name: string) => gone.push(name));

  /** Watches with a storage that only the watch knows afterwards; gives what ends the watch. */
  function watched(name: string, driver: any, events: string[]) {
    const listener = (event: string, key: string) => {
      events.push(`${event} ${key}`);
    };
    registry.register(listener, name);
    return createStorage({ driver }).watch(listener);
  }

  /** Collects until what has that name is gone. */
  async function collected(name: string) {
    await eventually(() => {
      gc();
      expect(gone).toContain(name);
    });
  }

  /** A driver that watches, and the function that it was given. */
  function watching() {
    const driver: any = {
      hasItem: () => false,
      getItem: () => null,
      getKeys: () => [],
      watch(callback: any) {
        driver.change = callback;
        return () => {};
      },
    };
    return driver;
  }

  it("reports changes of others for as long as its driver watches", async () => {
    const { base } = place();
    const files: string[] = [];
    const own: string[] = [];
    const driver = watching();
    await watched("a", builtin("fs", { base, watchOptions: { persistent: false } }), files);
    await watched("b", driver, own);
    for (const name of ["something else", "something later"]) {
      (() => registry.register({}, name))();
      await collected(name);
    }
    put(base, "a");
    driver.change("update", "b");
    await eventually(() => expect([files, own]).toEqual([["update a"], ["update b"]]));
  });

  it("is collected with its listener once its watch has ended, and at once over memory", async () => {
    const { base } = place();
    // In functions of their own: a call under way holds what it has held.
    const begin = async () => [
      await watched("files", builtin("fs", { base }), []),
      await watched("own", watching(), []),
    ];
    const end = async (ends: Awaited<ReturnType<typeof begin>>) => {
      for (const unwatch of ends) await unwatch();
    };
    let ends: Awaited<ReturnType<typeof begin>> | undefined = await begin();
    await watched("memory", memoryDriver(), []);
    await collected("memory");
    expect(gone).not.toContain("files");
    await end(ends);
    ends = undefined;
    await collected("files");
    await collected("own");
  });
});

describe.runIf(isLinux)("at rest", () => {
  it("threads of a watch over 5,000 files do not run", async () => {
    const { base } = place();
    for (let at = 0; at < 50; at++) await other.ask("fill", join(base, `d${at}`), "k", 100);
    const watching = await partyAt(base);
    await watching.ask("watch");
    put(base, "awake");
    await eventually(() => expect(watching.events).toEqual(["update awake"]));
    const tasks = `/proc/${watching.pid}/task`;
    const switches = () =>
      Object.fromEntries(
        readdirSync(tasks)
          .filter((task) =>
            /^(eas-watch|notify)/.test(readFileSync(join(tasks, task, "comm"), "utf8")),
          )
          .map((task) => {
            const status = readFileSync(join(tasks, task, "status"), "utf8");
            return [task, Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(status)?.[1])];
          }),
      );
    // What the last event still made them do is over when two looks are the same.
    let before = switches();
    await eventually(() => {
      const now = switches();
      const same = JSON.stringify(now) === JSON.stringify(before);
      before = now;
      expect(same).toBe(true);
    });
    expect(Object.keys(before).length).toBeGreaterThanOrEqual(2);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(switches()).toEqual(before);
    expect(watching.events).toHaveLength(1);
  });
});
