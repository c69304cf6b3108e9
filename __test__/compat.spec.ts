// The data folders of electron-async-storage 0.0.5 and ours are the same to each other.

import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative, sep } from "node:path";
import { describe, expect, it } from "vitest";
import { folder } from "./helpers/folders.js";
import { isOfLocks, namesIn } from "./helpers/fs/names.js";
import { builtin, createStorage, isBuiltin } from "./helpers/package.js";

const require = createRequire(import.meta.url);
const upstream = require("electron-async-storage-upstream");

type Opened = ReturnType<typeof createStorage<any>>;

function upstreamStorage(name: string, base: string): Opened {
  const driver = require(`electron-async-storage-upstream/drivers/${name}`);
  return upstream.createStorage({ driver: (driver.default ?? driver)({ base }) });
}

function ourStorage(name: string, base: string): Opened {
  return createStorage<any>({ driver: builtin(name, { base }) });
}

const shared = { shared: true };
const cycle: Record<string, unknown> = { name: "cycle" };
cycle.self = cycle;

const VALUES: Record<string, unknown> = {
  string: "text with ünicode 😀",
  empty: "",
  number: 12.5,
  special: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0],
  boolean: false,
  nothing: null,
  "nested:deep:key": { list: [1, [2, { three: 3 }]] },
  "nested:deep:other": [undefined, { gone: undefined }],
  "dates/by/slash": { at: new Date(1_700_000_000_000) },
  "kinds:regexp": /a+/gi,
  "kinds:set": new Set([1, "two", new Date(0)]),
  "kinds:map": new Map<unknown, unknown>([["k", new Map([[1, 2]])]]),
  "kinds:bigint": 2n ** 80n,
  "kinds:url": new URL("https://example.com/?q=1"),
  "kinds:typed": { bytes: new Uint8Array([1, 2, 255]), floats: new Float64Array([0.5]) },
  "kinds:error": Object.assign(new Error("stored"), { name: "CustomError" }),
  "shared:references": { a: shared, b: shared },
  "shared:cycle": cycle,
  "file.json": { extension: true },
  "with space": 1,
  "ключ:значение": "значение",
  ".hidden": 1,
};

/** A name that an error has for its own is enumerable or not, as its maker pleases. */
function comparable(value: unknown): unknown {
  return value instanceof Error ? [value.name, value.message] : value;
}

/** The files under a folder, by path. */
function files(base: string, at = base): Record<string, string> {
  return Object.assign(
    {},
    ...namesIn(at).map((name) => {
      const path = join(at, name);
      if (statSync(path).isDirectory()) return files(base, path);
      return { [relative(base, path).split(sep).join("/")]: readFileSync(path, "latin1") };
    }),
  );
}

async function fill(storage: Opened): Promise<void> {
  for (const [key, value] of Object.entries(VALUES)) await storage.setItem(key, value);
  await storage.setMeta("string", { owner: "ann", mtime: new Date(5) });
  await storage.setItemRaw("raw:bytes", Buffer.from([0, 255, 1]));
  await storage.setItemRaw("raw:text", "plain text");
}

async function check(storage: Opened): Promise<void> {
  const keys = [
    ...Object.keys(VALUES).map((key) => key.replaceAll("/", ":")),
    "raw:bytes",
    "raw:text",
  ];
  expect((await storage.getKeys()).sort()).toEqual(keys.sort());
  for (const [key, value] of Object.entries(VALUES)) {
    const read = await storage.getItem(key);
    if (key === "shared:cycle") {
      expect(read.self).toBe(read);
    } else {
      expect(comparable(read), key).toEqual(comparable(value));
    }
  }
  const { a, b } = await storage.getItem("shared:references");
  expect(a).toBe(b);
  expect(await storage.getMeta("string")).toMatchObject({ owner: "ann", mtime: new Date(5) });
  expect([...(await storage.getItemRaw("raw:bytes"))]).toEqual([0, 255, 1]);
  expect(String(await storage.getItemRaw("raw:text"))).toBe("plain text");
  expect(storage.getItemSync("nested:deep:key")).toEqual(VALUES["nested:deep:key"]);
}

describe.each(["fs", "fs-lite"].filter(isBuiltin))("%s", (name) => {
  it("reads back whole what upstream wrote", async () => {
    const base = folder();
    const theirs = upstreamStorage(name, base);
    await fill(theirs);
    await theirs.dispose();
    const ours = ourStorage(name, base);
    await check(ours);
    await ours.dispose();
  });

  it("writes what upstream reads back whole", async () => {
    const base = folder();
    const ours = ourStorage(name, base);
    await fill(ours);
    await ours.dispose();
    const theirs = upstreamStorage(name, base);
    // To it, the locks of keys are items as any other; they go with a `clear`, and do no harm.
    const locks = readdirSync(base).filter(isOfLocks);
    expect(locks).not.toEqual([]);
    for (const name of locks) rmSync(join(base, name));
    await check(theirs);
    await theirs.dispose();
  });

  it("leaves the same files with the same bytes", async () => {
    const [theirBase, ourBase] = [folder(), folder()];
    const [theirs, ours] = [upstreamStorage(name, theirBase), ourStorage(name, ourBase)];
    await fill(theirs);
    await fill(ours);
    await theirs.dispose();
    await ours.dispose();
    expect(files(ourBase)).toEqual(files(theirBase));
  });

  it("changes and removes what upstream wrote, and upstream sees it", async () => {
    const base = folder();
    const theirs = upstreamStorage(name, base);
    await fill(theirs);
    const ours = ourStorage(name, base);
    await ours.setItem("nested:deep:key", { changed: new Date(9) });
    await ours.removeItem("kinds:set");
    await ours.clear("shared");
    expect(await theirs.getItem("nested:deep:key")).toEqual({ changed: new Date(9) });
    expect(await theirs.hasItem("kinds:set")).toBe(false);
    expect(await theirs.getKeys("shared")).toEqual([]);
    await theirs.dispose();
    await ours.dispose();
  });

  it("reads files that a person wrote by hand", async () => {
    const base = folder();
    mkdirSync(join(base, "config"));
    writeFileSync(join(base, "config", "theme.json"), '{\n  "name": "dark"\n}\n');
    writeFileSync(join(base, "count"), "7");
    const ours = ourStorage(name, base);
    expect(await ours.getItem("config:theme.json")).toEqual({ name: "dark" });
    expect(ours.getItemSync("count")).toBe(7);
    await ours.dispose();
  });
});

describe("text in memory", () => {
  it("is the same for the same values", async () => {
    const { default: memory = require("electron-async-storage-upstream/drivers/memory") } =
      require("electron-async-storage-upstream/drivers/memory");
    const theirDriver = memory();
    const ourDriver = builtin("memory");
    const [theirs, ours] = [
      upstream.createStorage({ driver: theirDriver }),
      createStorage<any>({ driver: ourDriver }),
    ];
    for (const [key, value] of Object.entries(VALUES)) {
      await theirs.setItem(key, value);
      await ours.setItem(key, value);
    }
    const keys = (await ours.getKeys()).sort();
    expect(keys).toEqual((await theirs.getKeys()).sort());
    for (const key of keys) {
      expect(await ourDriver.getItem(key), key).toBe(await theirDriver.getItem(key));
    }
  });

  it("of one reads in the other", async () => {
    const theirs = upstream.createStorage();
    const ours = createStorage<any>();
    for (const [key, value] of Object.entries(VALUES)) {
      await theirs.setItem(key, value);
      await ours.setItemRaw(key, await theirs.getItemRaw(key));
      if (key === "shared:cycle") continue;
      expect(comparable(await ours.getItem(key)), key).toEqual(comparable(value));
    }
  });
});
