import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { importElectronStore, importUnstorage } from "../import/index.js";
import { createStorage } from "../index.js";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "eas-import-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(name: string, content: string | Uint8Array) {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  return path;
}

/** Every key with its value. */
function contents(storage: ReturnType<typeof createStorage>) {
  return Object.fromEntries(storage.getKeysSync().map((key) => [key, storage.getItemSync(key)]));
}

describe("importElectronStore", () => {
  const config = {
    theme: "dark",
    window: { width: 800, maximized: false, tags: ["a", null] },
    "feature/flags": [1, 2],
    empty: null,
    zero: 0,
    __internal__: { migrations: { version: "1.2.0" } },
  };

  it("makes a key of each property, and keeps objects whole", async () => {
    const storage = createStorage();
    const file = await write("config.json", JSON.stringify(config));
    const report = await importElectronStore(file, storage);
    expect(contents(storage)).toEqual({
      theme: "dark",
      window: config.window,
      "feature:flags": [1, 2],
      empty: null,
      zero: 0,
    });
    expect(report).toEqual({
      dryRun: false,
      imported: ["theme", "window", "feature:flags", "empty", "zero"],
      importedMeta: [],
      skipped: [{ source: "__internal__", reason: "internal" }],
      conflicts: [],
    });
  });

  it("puts every key under the base", async () => {
    const storage = createStorage();
    const file = await write("config.json", '{"theme":"dark"}');
    const report = await importElectronStore(file, storage, { base: "old/settings" });
    expect(contents(storage)).toEqual({ "old:settings:theme": "dark" });
    expect(report.imported).toEqual(["old:settings:theme"]);
  });

  it("writes nothing in a dry run, and reports what the real run then does", async () => {
    const storage = createStorage();
    storage.setItemSync("theme", "light");
    storage.setItemSync("zero", 0);
    const file = await write("config.json", JSON.stringify(config));
    const before = contents(storage);

    const dry = await importElectronStore(file, storage, { dryRun: true });
    expect(contents(storage)).toEqual(before);
    const real = await importElectronStore(file, storage);
    expect(dry).toEqual({ ...real, dryRun: true });
    expect(real.conflicts).toEqual([{ source: "theme", key: "theme", reason: "existing-value" }]);
    expect(real.skipped).toContainEqual({ source: "zero", reason: "unchanged" });
  });

  it("keeps a value that is there, and replaces it with overwrite", async () => {
    const storage = createStorage();
    storage.setItemSync("theme", "light");
    const file = await write("config.json", '{"theme":"dark"}');
    await importElectronStore(file, storage);
    expect(storage.getItemSync("theme")).toBe("light");
    const report = await importElectronStore(file, storage, { overwrite: true });
    expect(storage.getItemSync("theme")).toBe("dark");
    expect(report.imported).toEqual(["theme"]);
  });

  it("finds everything unchanged the second time", async () => {
    const storage = createStorage();
    const file = await write("config.json", JSON.stringify(config));
    const first = await importElectronStore(file, storage);
    const second = await importElectronStore(file, storage);
    expect(second.imported).toEqual([]);
    expect(second.conflicts).toEqual([]);
    expect(second.skipped.filter(({ reason }) => reason === "unchanged")).toHaveLength(
      first.imported.length,
    );
  });

  it("reports names that become one key, and names that cannot be keys", async () => {
    const storage = createStorage();
    const file = await write("config.json", '{"a/b":1,"a:b":2,"x$":3,"why?":4,"/":5}');
    const report = await importElectronStore(file, storage);
    expect(contents(storage)).toEqual({ "a:b": 1 });
    expect(report.conflicts).toEqual([{ source: "a:b", key: "a:b", reason: "same-key" }]);
    expect(report.skipped).toEqual([
      { source: "x$", reason: "invalid-key" },
      { source: "why?", reason: "invalid-key" },
      { source: "/", reason: "invalid-key" },
    ]);
  });

  it("leaves the file as it is", async () => {
    const text = `${JSON.stringify(config, null, "\t")}\n`;
    const file = await write("config.json", text);
    await importElectronStore(file, createStorage());
    expect(await readFile(file, "utf8")).toBe(text);
  });

  it.each([
    ["an encrypted file", new Uint8Array([0x8f, 0x3a, 0x00, 0xff, 0x21]), "encryptionKey"],
    ["an array", "[1,2]", "holds [1,2]"],
    ["a number", "7", "holds 7"],
  ])("refuses %s and says why", async (_what, content, words) => {
    const storage = createStorage();
    const file = await write("config.json", content);
    await expect(importElectronStore(file, storage)).rejects.toThrow(words);
    expect(storage.getKeysSync()).toEqual([]);
  });

  it("rejects with the system's error when the file is missing", async () => {
    const missing = join(folder, "nothing.json");
    await expect(importElectronStore(missing, createStorage())).rejects.toMatchObject({
      code: "ENOENT",
    });
  });
});

describe("importUnstorage", () => {
  it.each<[text: string, value: unknown]>([
    ["plain words", "plain words"],
    ["", ""],
    ['{"a":[1,null]}', { a: [1, null] }],
    ["[1,2]", [1, 2]],
    ["42", 42],
    ["-1.5e3", -1500],
    ["12345678901234567890", "12345678901234567890"],
    ["true", true],
    ["null", null],
    ["NaN", Number.NaN],
    ["-Infinity", Number.NEGATIVE_INFINITY],
    ['"quoted"', "quoted"],
    ['{"broken":', '{"broken":'],
    ["2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.678Z"],
    ["ключ: значение", "ключ: значение"],
  ])("reads %j as unstorage does", async (text, value) => {
    const storage = createStorage();
    await write("item", text);
    const report = await importUnstorage(folder, storage);
    expect(report.imported).toEqual(["item"]);
    expect(storage.getItemSync("item")).toEqual(value);
    expect(await importUnstorage(folder, storage)).toMatchObject({
      imported: [],
      conflicts: [],
      skipped: [{ source: "item", reason: "unchanged" }],
    });
  });

  it("makes keys of paths, puts them under the base, and touches no file", async () => {
    const storage = createStorage();
    await write("users/ann", '{"age":1}');
    await write("users/bob.json", '{"age":2}');
    await write("top", "x");
    const names = (await readdir(folder, { recursive: true })).sort();
    const report = await importUnstorage(folder, storage, { base: "kv" });
    expect(contents(storage)).toEqual({
      "kv:top": "x",
      "kv:users:ann": { age: 1 },
      "kv:users:bob.json": { age: 2 },
    });
    expect([...report.imported].sort()).toEqual(["kv:top", "kv:users:ann", "kv:users:bob.json"]);
    expect((await readdir(folder, { recursive: true })).sort()).toEqual(names);
  });

  it("stores bytes that are no text raw", async () => {
    const storage = createStorage();
    const bytes = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x00, 0xff]);
    await write("logo.png", bytes);
    await importUnstorage(folder, storage);
    expect(Buffer.from(storage.getItemRawSync<Uint8Array>("logo.png") ?? [])).toEqual(bytes);
    const again = await importUnstorage(folder, storage);
    expect(again.skipped).toEqual([{ source: "logo.png", reason: "unchanged" }]);
  });

  it("brings the metadata of an item along, beside what the storage has", async () => {
    const storage = createStorage();
    storage.setItemSync("page", "text");
    storage.setMetaSync("page", { owner: "ann" });
    await write("page", "text");
    await write("page$", '{"owner":"bob","lang":"en","mtime":"2026-01-02T03:04:05.678Z"}');
    await write("lost$", '{"a":1}');
    const report = await importUnstorage(folder, storage);
    expect(report.importedMeta).toEqual(["page"]);
    expect(report.skipped).toContainEqual({ source: "lost$", reason: "no-item" });
    expect(storage.getMetaSync("page")).toMatchObject({
      owner: "ann",
      lang: "en",
      mtime: new Date("2026-01-02T03:04:05.678Z"),
    });
    expect((await importUnstorage(folder, storage)).importedMeta).toEqual([]);
    await importUnstorage(folder, storage, { overwrite: true });
    expect(storage.getMetaSync("page")).toMatchObject({ owner: "bob", lang: "en" });
  });

  it("writes neither values nor metadata in a dry run", async () => {
    const storage = createStorage();
    await write("page", "text");
    await write("page$", '{"lang":"en"}');
    const dry = await importUnstorage(folder, storage, { dryRun: true });
    expect(storage.getKeysSync()).toEqual([]);
    expect(storage.getMetaSync("page")).toEqual({});
    expect(dry).toEqual({ ...(await importUnstorage(folder, storage)), dryRun: true });
    expect(dry.importedMeta).toEqual(["page"]);
  });

  it("leaves out what unstorage ignores, links to folders, and the text undefined", async () => {
    const storage = createStorage();
    await write("node_modules/left/out", "1");
    await write(".git/HEAD", "2");
    await write("nothing", "undefined");
    await write("kept", "3");
    await symlink(join(folder, ".git"), join(folder, "link"), "junction");
    await symlink(join(folder, "gone"), join(folder, "dangling"), "junction");
    const report = await importUnstorage(folder, storage);
    expect(contents(storage)).toEqual({ kept: 3 });
    expect(report.skipped).toEqual([
      { source: ".git", reason: "internal" },
      { source: "dangling", reason: "not-a-file" },
      { source: "link", reason: "not-a-file" },
      { source: "node_modules", reason: "internal" },
      { source: "nothing", reason: "no-value" },
    ]);
  });

  it("drops a __proto__ that a file smuggles in", async () => {
    const storage = createStorage();
    await write("evil", '{"a":1,"__proto__":{"polluted":true}}');
    await importUnstorage(folder, storage);
    expect(storage.getItemSync("evil")).toEqual({ a: 1 });
  });

  it("rejects with the system's error when the folder is missing", async () => {
    const missing = join(folder, "nothing");
    await expect(importUnstorage(missing, createStorage())).rejects.toMatchObject({
      code: "ENOENT",
    });
  });
});
