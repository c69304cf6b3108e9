// The drivers of the model attack, what stands around them, and what lies in their folders to be left alone.

import { spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { folder, namesBelow } from "./folders.mjs";
import { createStorage, fs, fsLite, memory, prefixStorage, queue, sqlite } from "./package.mjs";

const turn = () => new Promise((resolve) => setImmediate(resolve));

function syncMethods(data) {
  return {
    hasItemSync: (key) => data.has(key),
    getItemSync: (key) => data.get(key) ?? null,
    getKeysSync: () => [...data.keys()],
    setItemSync: (key, value) => void data.set(key, value),
    removeItemSync: (key) => void data.delete(key),
  };
}

const makers = {
  memory: () => memory(),
  fs: ({ base, flags }) => fs({ base, durability: "none", ...flags }),
  sqlite: ({ base, flags }) => sqlite({ base, durability: "none", ...flags }),
  "fs-lite": ({ base, flags }) => fsLite({ base, durability: "background", ...flags }),
  /** Values at once, and Sync methods. */
  plain: ({ data }) => ({
    name: "plain",
    hasItem: (key) => data.has(key),
    getItem: (key) => data.get(key) ?? null,
    getKeys: () => [...data.keys()],
    setItem: (key, value) => void data.set(key, value),
    removeItem: (key) => void data.delete(key),
    ...syncMethods(data),
  }),
  /** Promises that settle a turn later; no Sync method. What a call does it does when it is made. */
  promises: ({ data }) => ({
    name: "promises",
    async hasItem(key) {
      await turn();
      return data.has(key);
    },
    async getItem(key) {
      const value = data.get(key) ?? null;
      await turn();
      return value;
    },
    async getKeys() {
      const keys = [...data.keys()];
      await turn();
      return keys;
    },
    async setItem(key, value) {
      data.set(key, value);
      await turn();
    },
    async removeItem(key) {
      data.delete(key);
      await turn();
    },
  }),
};

export const KINDS = Object.keys(makers);

/**
 * Whether a Sync write never meets one that waits for a Promise: there is none under a queue, whose writes may be
 * under way at any time.
 */
export function canSync({ kind, flag, isSealed, wrappers }) {
  const isDirect = !isSealed && (!flag || isOnDisk({ kind }));
  const isQueue = (wrapper) => typeof wrapper === "object";
  return (
    kind !== "promises" &&
    wrappers.every((each, index) => !isQueue(each) || (index === 0 && isDirect))
  );
}

export const isFs = ({ kind }) => kind.startsWith("fs");

/** Whether another driver of the same base has the same items, and the options say what a driver refuses. */
const isOnDisk = ({ kind }) => isFs({ kind }) || kind === "sqlite";

/**
 * Whether all of a driver is native code: `flushSync` waits for nothing of JavaScript then. A memory driver with a flag
 * is a spread of one, whose Promises are JavaScript's.
 */
export const isNative = ({ kind, flag, isSealed, wrappers }) =>
  (isOnDisk({ kind }) || (kind === "memory" && !flag)) &&
  !isSealed &&
  wrappers.length < 2 &&
  wrappers.every((wrapper) => typeof wrapper === "object");

// --- what stands around a driver ---

const SEAL = "sealed:";
const seal = (text) => `${SEAL}${[...text].reverse().join("")}`;

function unseal(text) {
  if (text === null) return null;
  if (!String(text).startsWith(SEAL)) throw new Error(`stored past the seal: ${text}`);
  return [...text.slice(SEAL.length)].reverse().join("");
}

/** A spread of a driver whose single reads and writes are replaced, as a wrapper that encrypts has it. */
function sealed(driver) {
  const replaced = {
    ...driver,
    setItem: (key, value, options) => driver.setItem(key, seal(value), options),
    getItem: async (key, options) => unseal(await driver.getItem(key, options)),
  };
  if (driver.setItemSync) {
    replaced.setItemSync = (key, value, options) => driver.setItemSync(key, seal(value), options);
    replaced.getItemSync = (key, options) => unseal(driver.getItemSync(key, options));
  }
  return replaced;
}

/** A wrapper by its plan: the options of a queue, or a name; what is to be disposed after it goes to `inner`. */
function wrapped(driver, plan, inner) {
  if (typeof plan === "object") return queue({ ...plan, driver });
  if (plan === "spread") return { ...driver };
  const storage = createStorage(plan === "storage" ? { driver } : {});
  inner.unshift(storage);
  if (plan === "storage") return storage;
  storage.mount("below", driver);
  return prefixStorage(storage, "below");
}

export const WRAPPERS = ["storage", "prefix", "spread"];

// --- what is in a store from the start ---

/** The items of a driver that is read-only or refuses `clear`: by key, the value. */
const FILLED = { a: 1, "b:c": "filled", "c:d": [2] };

/** By flag, what a driver is. */
const FLAGS = { readOnly: { readOnly: true }, noClear: { noClear: true } };

/** Keys that name no item: a link to a folder, a link to nothing, a FIFO. */
export const NO_ITEMS = ["notes", "lost", "pipe"];

/** The key of an item that is a link to a file outside of the base. */
export const LINKED = "linked";

/** The key of a file behind the link to a folder: reached by this key alone. */
export const BEHIND = "notes:deep:only";

const hasFifo = process.platform !== "win32";

/** What one mount keeps, whoever opens it. */
export class Place {
  constructor(plan) {
    this.plan = plan;
    this.data = new Map();
    this.base = isOnDisk(plan) ? folder() : "";
    this.hasTraps = plan.hasTraps && isFs(plan) && process.platform !== "win32";
    this.items = { ...(plan.flag ? FILLED : {}), ...(this.hasTraps ? { [LINKED]: "linked" } : {}) };
    if (this.hasTraps) this.#setTraps();
    /** When nothing is open here any more. */
    this.filled = plan.kind === "memory" ? undefined : this.#fillOnce(makers[plan.kind](this));
  }

  async #fillOnce(driver) {
    this.#fill(driver);
    await driver.dispose?.();
  }

  /** A value as it is stored: a storage that is mounted in another encodes what it is given once more. */
  #stored(value) {
    const encode = (text) => JSON.stringify({ json: text });
    const inside = this.plan.wrappers.filter((wrapper) => ["storage", "prefix"].includes(wrapper));
    const text = inside.reduce(encode, encode(value));
    return this.plan.isSealed ? seal(text) : text;
  }

  #fill(driver) {
    for (const [key, value] of Object.entries(this.items)) {
      const text = this.#stored(value);
      if (driver.setItemSync) driver.setItemSync(key, text, {});
      else this.data.set(key, text);
    }
  }

  #setTraps() {
    this.outside = folder();
    mkdirSync(join(this.outside, "notes", "deep"), { recursive: true });
    writeFileSync(join(this.outside, "notes", "top"), this.#stored("top"));
    writeFileSync(join(this.outside, "notes", "deep", "only"), this.#stored("only"));
    writeFileSync(join(this.outside, "file"), "");
    symlinkSync(join(this.outside, "notes"), join(this.base, "notes"));
    symlinkSync(join(this.outside, "file"), join(this.base, LINKED));
    symlinkSync(join(this.outside, "nothing"), join(this.base, "lost"));
    if (hasFifo) spawnSync("mkfifo", [join(this.base, "pipe")]);
  }

  /** A driver over this place; storages inside of it that are to be disposed after it go to `inner`. */
  open(inner) {
    const { kind, flag, isSealed, wrappers } = this.plan;
    let driver = makers[kind]({ ...this, flags: FLAGS[flag] });
    if (kind === "memory") this.#fill(driver);
    if (flag && !isOnDisk(this.plan))
      driver = { ...driver, flags: { ...driver.flags, ...FLAGS[flag] } };
    if (isSealed) driver = sealed(driver);
    return wrappers.reduce((around, wrapper) => wrapped(around, wrapper, inner), driver);
  }

  /** Takes away what lies on the disk. */
  remove() {
    for (const path of [this.base, this.outside]) {
      if (path) rmSync(path, { recursive: true, force: true });
    }
  }

  /** Throws when something outside was touched. `hasBehind`: whether the file behind the link is there. */
  check(hasBehind) {
    if (!this.hasTraps) return;
    const expected = ["file", "notes/", "notes/deep/", "notes/top"];
    if (hasBehind) expected.push("notes/deep/only");
    const found = namesBelow(this.outside).sort();
    if (String(found) !== String(expected.sort())) {
      throw new Error(`outside of the base is ${found}, expected ${expected}`);
    }
    if (readFileSync(join(this.outside, "notes", "top"), "utf8") !== this.#stored("top")) {
      throw new Error("a file outside of the base was changed");
    }
    const isLink = (name) => lstatSync(join(this.base, name)).isSymbolicLink();
    if (!isLink("notes") || !isLink("lost")) throw new Error("a link is no link any more");
    if (hasFifo && !lstatSync(join(this.base, "pipe")).isFIFO())
      throw new Error("the FIFO is gone");
    if (existsSync(join(this.outside, "nothing"))) throw new Error("a link to nothing was written");
  }
}
