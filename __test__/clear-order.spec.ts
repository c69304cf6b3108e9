// The place of a clear in the order of the calls where it has to list the keys before it removes them:
// for the events of a storage that is watched, and beside the keys of mounts.

import { describe, expect, it, onTestFinished } from "vitest";
import type { Driver, Storage } from "../index.js";
import { folder } from "./helpers/folders.js";
import { callsTo, promiseDriver, recorder, syncMethodsDriver } from "./helpers/js-drivers.js";
import { callsOf, type Mode } from "./helpers/modes.js";
import { builtin, createStorage, isBuiltin, memoryDriver } from "./helpers/package.js";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Lists what is there when the listing ends, not when it was asked for. */
function lateDriver(): Driver {
  const data = new Map<string, any>();
  return {
    ...syncMethodsDriver(data),
    async getKeys() {
      await turn();
      return [...data.keys()];
    },
  };
}

/** Clears by a method of its own. */
function clearingDriver(): Driver {
  const data = new Map<string, any>();
  return {
    ...syncMethodsDriver(data),
    async clear() {
      data.clear();
      await turn();
    },
  };
}

interface Row {
  title: string;
  open(): Driver;
  modes: readonly Mode[];
}

const both: readonly Mode[] = ["async", "sync"];

const DRIVERS: Row[] = [
  { title: "memory", open: memoryDriver, modes: both },
  ...["fs", "fs-lite"].map((name) => ({
    title: name,
    open: () => builtin(name, { base: folder() }),
    modes: both,
  })),
  {
    title: "fs-lite with a function to ignore",
    open: () => builtin("fs-lite", { base: folder(), ignore: () => false }),
    modes: both,
  },
  { title: "a driver of Promises", open: () => promiseDriver(), modes: ["async"] },
  { title: "a driver with Sync methods", open: () => syncMethodsDriver(), modes: both },
  { title: "a driver that lists late", open: lateDriver, modes: both },
  { title: "a driver with a clear of its own", open: clearingDriver, modes: both },
];
if (isBuiltin("queue")) {
  const inner = (options = {}) => builtin("fs-lite", { base: folder(), ...options });
  DRIVERS.push(
    {
      title: "queue over fs-lite",
      open: () => builtin("queue", { driver: inner() }),
      modes: both,
    },
    {
      title: "queue over fs-lite with a function to ignore",
      open: () => builtin("queue", { driver: inner({ ignore: () => false }) }),
      modes: both,
    },
    {
      title: "queue over a driver of Promises",
      open: () => builtin("queue", { driver: promiseDriver() }),
      modes: ["async"],
    },
  );
}

const SITUATIONS: [title: string, base: string, prepare: (storage: Storage<any>) => unknown][] = [
  ["not watched", "", () => {}],
  ["watched", "", (storage) => storage.watch(() => {})],
  ["of a base", "k", () => {}],
  ["of a base, watched", "k", (storage) => storage.watch(() => {})],
  ["around a mount", "", (storage) => storage.mount("k:m", memoryDriver())],
];

const CASES = DRIVERS.flatMap(({ modes, ...row }) => modes.map((mode) => ({ ...row, mode })));

function opened(driver: Driver): Storage<any> {
  const storage = createStorage<any>({ driver });
  onTestFinished(() => storage.dispose());
  return storage;
}

const KEYS = Array.from({ length: 8 }, (_, number) => `k:${number}`);

async function fill(storage: Storage<any>): Promise<void> {
  await Promise.all(KEYS.map((key) => storage.setItem(key, "before")));
  await storage.setMeta("k:0", { of: "before" });
  await storage.setMeta("k:4", { of: "before" });
}

/** Writes some of the keys in every way that there is. */
function write(storage: Storage<any>, mode: Mode): Promise<unknown> {
  const calls = callsOf(storage, mode);
  return Promise.all([
    calls.setItem("k:0", "after"),
    calls.setItemRaw("k:1", "after"),
    calls.setItems([
      { key: "k:2", value: "after" },
      { key: "k:new", value: "after" },
    ]),
    calls.setItem("k:3", "between"),
    calls.removeItem("k:3"),
    calls.setMeta("k:4", { of: "after" }),
    calls.removeItem("k:5"),
    calls.setItem("k:5", "after"),
  ]);
}

describe.each(CASES)("writes after a clear: $title, $mode", ({ open, mode }) => {
  it.each(SITUATIONS)("stay, and all else goes: %s", async (_, base, prepare) => {
    const storage = opened(open());
    await prepare(storage);
    for (let round = 0; round < 3; round++) {
      await fill(storage);
      const cleared = storage.clear(base);
      const written = write(storage, mode);
      await Promise.all([cleared, written]);
      expect((await storage.getKeys()).sort()).toEqual(["k:0", "k:1", "k:2", "k:5", "k:new"]);
      for (const key of ["k:0", "k:2", "k:5", "k:new"]) {
        expect(await storage.getItem(key), key).toBe("after");
      }
      expect(String(await storage.getItemRaw("k:1"))).toBe("after");
      expect(await storage.getItem("k:4$")).toEqual({ of: "after" });
      expect(await storage.getItem("k:0$")).toBeNull();
    }
  });
});

// The fs driver tells what the system tells it.
const TOLD = CASES.filter(({ title }) => title !== "fs");

describe.each(TOLD)("the events of a clear: $title, $mode", ({ open, mode }) => {
  async function watched() {
    const storage = opened(open());
    await fill(storage);
    const events: string[] = [];
    await storage.watch((event, key) => events.push(`${event} ${key}`));
    return { storage, events };
  }

  it("are one for each key that goes, and none after that of a write that stays", async () => {
    const { storage, events } = await watched();
    const cleared = storage.clear();
    const written = write(storage, mode);
    await Promise.all([cleared, written]);
    for (const key of ["k:4", "k:6", "k:7"]) {
      expect(events.filter((event) => event.endsWith(` ${key}`))).toEqual([`remove ${key}`]);
    }
    for (const key of ["k:0", "k:1", "k:2", "k:new"]) {
      expect(events.filter((event) => event.endsWith(` ${key}`)).pop()).toBe(`update ${key}`);
    }
  });

  it("are told once by two clears at once", async () => {
    const { storage, events } = await watched();
    await Promise.all([storage.clear(), storage.clear("k")]);
    expect(events.sort()).toEqual(KEYS.map((key) => `remove ${key}`));
    expect(await storage.getKeys()).toEqual([]);
  });
});

// A driver in JavaScript has the order of its own steps.
const NATIVE = CASES.filter(({ title }) => !title.startsWith("a driver"));

describe.each(NATIVE)("writes before a clear: $title, $mode", ({ open, mode }) => {
  it.each(SITUATIONS)("go, awaited or not: %s", async (_, base, prepare) => {
    const storage = opened(open());
    await prepare(storage);
    const calls = callsOf(storage, mode);
    for (let round = 0; round < 20; round++) {
      const written = KEYS.map((key) => calls.setItem(key, "before"));
      const cleared = storage.clear(base);
      await Promise.all([...written, cleared]);
      expect(await storage.getKeys()).toEqual([]);
    }
  });
});

describe("a clear of a driver in JavaScript that is watched", () => {
  it.each([
    ["uses the driver's own", "x", 1],
    ["lists and removes when a key was written meanwhile", "a", 0],
  ])("%s", async (_, mounted, count) => {
    const { driver, calls } = recorder(clearingDriver());
    const storage = opened(memoryDriver()).mount("m", driver).mount("x", memoryDriver());
    await storage.setItem("m:a", 1);
    await storage.watch(() => {});
    const cleared = storage.clear("m");
    const key = mounted === "x" ? "x:a" : "m:a";
    await Promise.all([cleared, storage.setItem(key, 2)]);
    expect(callsTo(calls, "clear")).toHaveLength(count);
    expect(await storage.getItem(key)).toBe(2);
  });
});
