"use strict";

const { readdir, readFile, stat } = require("node:fs/promises");
const { join } = require("node:path");
const { isDeepStrictEqual } = require("node:util");
const { joinKeys, normalizeKey } = require("../index.js");

/** The key for a name of the source, or null where no key says the same. */
function keyOf(name, base) {
  const key = normalizeKey(name);
  // A `?` cuts a key short, and a `$` at the end makes it the metadata of another one.
  return key === "" || key.endsWith("$") || name.includes("?") ? null : joinKeys(base, key);
}

/** Writes items into the storage one after the other, and keeps the report. */
class Importer {
  #storage;
  #base;
  #overwrite;
  #keys = new Set();

  constructor(storage, { base = "", dryRun = false, overwrite = false } = {}) {
    this.#storage = storage;
    this.#base = base;
    this.#overwrite = overwrite;
    this.report = { dryRun, imported: [], importedMeta: [], skipped: [], conflicts: [] };
  }

  skip(source, reason) {
    this.report.skipped.push({ source, reason });
  }

  #conflict(source, key, reason) {
    this.report.conflicts.push({ source, key, reason });
  }

  /** Returns the key when the storage holds the value afterwards, else null. */
  async put(source, name, value, raw) {
    const key = keyOf(name, this.#base);
    if (key === null) {
      this.skip(source, "invalid-key");
      return null;
    }
    if (value === undefined) {
      this.skip(source, "no-value");
      return null;
    }
    if (this.#keys.has(key)) {
      this.#conflict(source, key, "same-key");
      return null;
    }
    this.#keys.add(key);

    const storage = this.#storage;
    if (await storage.hasItem(key)) {
      const present = await (raw ? storage.getItemRaw(key) : storage.getItem(key));
      if (isDeepStrictEqual(present, value)) {
        this.skip(source, "unchanged");
        return key;
      }
      if (!this.#overwrite) {
        this.#conflict(source, key, "existing-value");
        return null;
      }
    }
    if (!this.report.dryRun) {
      await (raw ? storage.setItemRaw(key, value) : storage.setItem(key, value));
    }
    this.report.imported.push(key);
    return key;
  }

  async putMeta(source, key, meta) {
    const present = await this.#storage.getMeta(key);
    const native = await this.#storage.getMeta(key, { nativeOnly: true });
    const own = Object.entries(present).filter(([name]) => !(name in native));
    const fresh = Object.entries(meta).filter(
      ([name, value]) =>
        !isDeepStrictEqual(present[name], value) &&
        (this.#overwrite || name in native || !(name in present)),
    );
    if (fresh.length === 0) {
      this.skip(source, "unchanged");
      return;
    }
    if (!this.report.dryRun) {
      await this.#storage.setMeta(key, { ...meta, ...Object.fromEntries([...own, ...fresh]) });
    }
    this.report.importedMeta.push(key);
  }

  async finish() {
    if (!this.report.dryRun) await this.#storage.flush();
    return this.report;
  }
}

// --- electron-store ------------------------------------------------------------------------------

/** What conf, on which electron-store is built, keeps beside the values of the app. */
const CONF_INTERNAL = "__internal__";

async function readConf(file) {
  const text = await readFile(file, "utf8");
  let content;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw new Error(
      `[electron-async-storage] ${JSON.stringify(file)} is no JSON text. If the store has an ` +
        "encryptionKey, import from an unencrypted copy: `new Store({ name: 'copy' }).store = store.store`.",
      { cause },
    );
  }
  if (content === null || typeof content !== "object" || Array.isArray(content)) {
    throw new Error(
      `[electron-async-storage] ${JSON.stringify(file)} holds ${text.trim().slice(0, 40)}, and a ` +
        "file of electron-store holds a JSON object: check the path.",
    );
  }
  return content;
}

async function importElectronStore(file, storage, options) {
  const importer = new Importer(storage, options);
  for (const [name, value] of Object.entries(await readConf(file))) {
    if (name === CONF_INTERNAL) importer.skip(name, "internal");
    else await importer.put(name, name, value, false);
  }
  return importer.finish();
}

// --- unstorage -----------------------------------------------------------------------------------

const UNSTORAGE_IGNORED = new Set(["node_modules", ".git"]);

/** The texts, in any case, that unstorage reads as a value which JSON cannot write. */
const WORDS = new Map([
  ["true", true],
  ["false", false],
  ["null", null],
  ["undefined", undefined],
  ["nan", Number.NaN],
  ["infinity", Number.POSITIVE_INFINITY],
  ["-infinity", Number.NEGATIVE_INFINITY],
]);

/** Up to 16 digits: a longer row of digits, such as an id, stays text, for a number would round it. */
const NUMBER = /^\s*-?\d{1,16}(\.\d{1,17})?(e[+-]?\d+)?\s*$/i;
const STRUCTURE = /^\s*["[{]/;

/** What a text of unstorage stands for. Strings are written there without quotes. */
function readText(text) {
  const word = text.trim().toLowerCase();
  if (WORDS.has(word)) return WORDS.get(word);
  if (/^".*"$/s.test(text) && !text.includes("\\")) return text.slice(1, -1);
  if (!NUMBER.test(text) && !STRUCTURE.test(text)) return text;
  try {
    return JSON.parse(text, (name, value) => (name === "__proto__" ? undefined : value));
  } catch {
    return text;
  }
}

/** The text in the bytes, or null when they are no UTF-8. */
function decode(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** What unstorage's setMeta wrote; like its getMeta, with the two times as Dates. */
function readMeta(text) {
  const meta = readText(text);
  if (meta === null || typeof meta !== "object" || Array.isArray(meta)) return null;
  for (const name of ["atime", "mtime"]) {
    if (typeof meta[name] === "string") meta[name] = new Date(meta[name]);
  }
  return meta;
}

/** Whether the path leads to a file; a link that leads nowhere does not. */
async function isFile(path) {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (error.code === "ENOENT") return false;
    throw error;
  }
}

/** Every entry below a folder that is no folder itself, sorted, as `{ source, path, reason? }`. */
async function* entries(folder, prefix = "") {
  const found = await readdir(folder, { withFileTypes: true });
  found.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of found) {
    const source = prefix + entry.name;
    const path = join(folder, entry.name);
    if (UNSTORAGE_IGNORED.has(entry.name)) yield { source, path, reason: "internal" };
    else if (entry.isDirectory()) yield* entries(path, `${source}/`);
    else if (await isFile(path)) yield { source, path };
    else yield { source, path, reason: "not-a-file" };
  }
}

async function importUnstorage(folder, storage, options) {
  const importer = new Importer(storage, options);
  const keys = new Map();
  const metas = [];
  for await (const { source, path, reason } of entries(folder)) {
    if (reason) {
      importer.skip(source, reason);
    } else if (source.endsWith("$")) {
      metas.push({ source, path });
    } else {
      const bytes = await readFile(path);
      const text = decode(bytes);
      const value = text === null ? bytes : readText(text);
      keys.set(source, await importer.put(source, source, value, text === null));
    }
  }
  for (const { source, path } of metas) {
    const key = keys.get(source.slice(0, -1)) ?? null;
    const meta = readMeta(await readFile(path, "utf8"));
    if (key === null) importer.skip(source, "no-item");
    else if (meta === null) importer.skip(source, "no-value");
    else await importer.putMeta(source, key, meta);
  }
  return importer.finish();
}

exports.importElectronStore = importElectronStore;
exports.importUnstorage = importUnstorage;
