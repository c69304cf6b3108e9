// Storages on disk, in the settings that they have by default, with what they promise about a write
// that was reported done. Expressions are those of lib/repeat.mjs.

import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { fsStorage, sqliteStorage } from "./ours.mjs";
import * as upstream from "./upstream.mjs";

const ITEMS = "keys.map((one, index) => ({ key: one, value: values[index % values.length] }))";
const allAtOnce = (call) => `await Promise.all(keys.map((one, index) => ${call}))`;
const VALUE = "values[index % values.length]";

const storageApi = {
  setSync: "subject.setItemSync(key, value)",
  getSync: "subject.getItemSync(key)",
  set: "await subject.setItem(key, value)",
  get: "await subject.getItem(key)",
  setMany: `await subject.setItems(${ITEMS})`,
  getMany: "await subject.getItems(keys)",
  fill: (storage, items) => storage.setItems(items),
  close: (storage) => storage.dispose(),
};

export const conf = {
  name: "conf",
  layout: "one JSON file, written whole",
  durable: "yes: fsync before the write is done",
  atomic: "yes: another file and a rename",
  processes: "reads see the other's file; writes replace it",
  async open(folder) {
    const { default: Conf } = await import("conf");
    return new Conf({ cwd: folder, accessPropertiesByDotNotation: false });
  },
  fill: (store, items) => {
    store.store = Object.fromEntries(items.map(({ key, value }) => [key, value]));
  },
  setSync: "subject.set(key, value)",
  getSync: "subject.get(key)",
};

const keyvFile = {
  name: "keyv over keyv-file",
  layout: "one JSON file, written whole; reads come from memory",
  durable: "no: no fsync",
  atomic: "no: the file is written in place",
  processes: "no: each has its own copy in memory",
  async open(folder) {
    const { Keyv } = await import("keyv");
    const { KeyvFile } = await import("keyv-file");
    return new Keyv({ store: new KeyvFile({ filename: join(folder, "keyv.json") }) });
  },
  fill: (keyv, items) => Promise.all(items.map(({ key, value }) => keyv.set(key, value))),
  set: "await subject.set(key, value)",
  get: "await subject.get(key)",
  setMany: allAtOnce(`subject.set(one, ${VALUE})`),
  getMany: "await subject.get(keys)",
  close: (keyv) => keyv.disconnect(),
};

export const lmdb = {
  name: "lmdb",
  layout: "B+ tree in a memory map, msgpack",
  durable: "yes: put resolves after the flush",
  atomic: "yes: transactions",
  processes: "yes",
  async open(folder) {
    const { open } = await import("lmdb");
    fs.mkdirSync(folder, { recursive: true });
    return open({ path: join(folder, "lmdb") });
  },
  fill: (db, items) => Promise.all(items.map(({ key, value }) => db.put(key, value))),
  setSync: "subject.putSync(key, value)",
  getSync: "subject.get(key)",
  set: "await subject.put(key, value)",
  setMany: allAtOnce(`subject.put(one, ${VALUE})`),
  getMany: "await subject.getMany(keys)",
  close: (db) => db.close(),
};

const SQLITE_SETUP = [
  "PRAGMA journal_mode = WAL",
  "PRAGMA synchronous = NORMAL",
  "CREATE TABLE items (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
];

export const betterSqlite = {
  name: "better-sqlite3, WAL",
  layout: "one SQLite file, JSON text",
  durable: "at a checkpoint: synchronous = NORMAL, as its docs advise with WAL",
  atomic: "yes: transactions",
  processes: "yes",
  async open(folder) {
    const { default: Database } = await import("better-sqlite3");
    fs.mkdirSync(folder, { recursive: true });
    const db = new Database(join(folder, "items.db"));
    for (const statement of SQLITE_SETUP) db.exec(statement);
    const write = db.prepare("INSERT OR REPLACE INTO items VALUES (?, ?)");
    const read = db.prepare("SELECT value FROM items WHERE key = ?").pluck();
    const setAll = db.transaction((items) => {
      for (const { key, value } of items) write.run(key, JSON.stringify(value));
    });
    return { db, write, read, setAll };
  },
  fill: ({ setAll }, items) => setAll(items),
  setSync: "subject.write.run(key, JSON.stringify(value))",
  getSync: "JSON.parse(subject.read.get(key))",
  setMany: `subject.setAll(${ITEMS})`,
  getMany: "keys.map((one) => JSON.parse(subject.read.get(one)))",
  close: ({ db }) => db.close(),
};

const nodeSqlite = {
  ...betterSqlite,
  name: "node:sqlite, WAL",
  async open(folder) {
    const { DatabaseSync } = await import("node:sqlite");
    fs.mkdirSync(folder, { recursive: true });
    const db = new DatabaseSync(join(folder, "items.db"));
    for (const statement of SQLITE_SETUP) db.exec(statement);
    const write = db.prepare("INSERT OR REPLACE INTO items VALUES (?, ?)");
    const read = db.prepare("SELECT value FROM items WHERE key = ?");
    const setAll = (items) => {
      db.exec("BEGIN");
      for (const { key, value } of items) write.run(key, JSON.stringify(value));
      db.exec("COMMIT");
    };
    return { db, write, read, setAll };
  },
  getSync: "JSON.parse(subject.read.get(key).value)",
  getMany: "keys.map((one) => JSON.parse(subject.read.get(one).value))",
};

const plainFiles = {
  name: "node:fs + JSON (floor)",
  layout: "one file for each key",
  durable: "no",
  atomic: "no: written in place",
  processes: "a reader may see part of a value",
  open(folder) {
    return { ...fs, path: (key) => join(folder, key.replaceAll(":", "/")) };
  },
  fill({ path, writeFileSync }, items) {
    for (const { key, value } of items) {
      fs.mkdirSync(dirname(path(key)), { recursive: true });
      writeFileSync(path(key), JSON.stringify(value));
    }
  },
  setSync: "subject.writeFileSync(subject.path(key), JSON.stringify(value))",
  getSync: 'JSON.parse(subject.readFileSync(subject.path(key), "utf8"))',
  set: "await subject.promises.writeFile(subject.path(key), JSON.stringify(value))",
  get: 'JSON.parse(await subject.promises.readFile(subject.path(key), "utf8"))',
  setMany: allAtOnce(`subject.promises.writeFile(subject.path(one), JSON.stringify(${VALUE}))`),
  getMany: allAtOnce('subject.promises.readFile(subject.path(one), "utf8").then(JSON.parse)'),
};

export const renamedFiles = {
  ...plainFiles,
  name: "node:fs + JSON, renamed (floor)",
  durable: "no",
  atomic: "yes: another file and a rename",
  processes: "yes",
  open(folder) {
    const path = (key) => join(folder, key.replaceAll(":", "/"));
    return {
      path,
      ...fs,
      replaceSync(file, text) {
        fs.writeFileSync(`${file}.new`, text);
        fs.renameSync(`${file}.new`, file);
      },
      async replace(file, text) {
        await fs.promises.writeFile(`${file}.new`, text);
        await fs.promises.rename(`${file}.new`, file);
      },
    };
  },
  setSync: "subject.replaceSync(subject.path(key), JSON.stringify(value))",
  set: "await subject.replace(subject.path(key), JSON.stringify(value))",
  setMany: allAtOnce(`subject.replace(subject.path(one), JSON.stringify(${VALUE}))`),
};

const oursFs = (name, durable, options) => ({
  ...storageApi,
  name: `electron-async-storage (this), ${name}`,
  layout: "one file for each key, superjson",
  durable,
  atomic: "yes: another file and a rename",
  processes: "yes",
  open: (folder) => fsStorage(folder, options),
});

export const ours = oursFs("fs", "within a second, and by flush, dispose and exit", {});

export const upstreamFs = {
  ...storageApi,
  name: "electron-async-storage 0.0.5, fs",
  layout: "one file for each key, superjson",
  durable: "no: no fsync",
  atomic: "no: written in place",
  processes: "a reader may see part of a value",
  open: upstream.fsStorage,
};

export const filePeers = [
  ours,
  oursFs("fs, durability: full", "yes: fsync before the write is done", { durability: "full" }),
  {
    ...ours,
    name: "electron-async-storage (this), sqlite",
    layout: "one SQLite file, superjson",
    atomic: "yes: transactions",
    open: (folder) => sqliteStorage(folder),
  },
  upstreamFs,
  {
    name: "unstorage fs",
    layout: "one file for each key, JSON",
    durable: "no: no fsync",
    atomic: "no: written in place",
    processes: "a reader may see part of a value",
    async open(folder) {
      const { createStorage } = await import("unstorage");
      const { default: fsDriver } = await import("unstorage/drivers/fs");
      return createStorage({ driver: fsDriver({ base: folder }) });
    },
    fill: storageApi.fill,
    set: storageApi.set,
    get: storageApi.get,
    setMany: storageApi.setMany,
    getMany: storageApi.getMany,
    close: storageApi.close,
  },
  conf,
  keyvFile,
  lmdb,
  betterSqlite,
  nodeSqlite,
  plainFiles,
  renamedFiles,
];
