import { existsSync, rmSync } from "node:fs";
import { compare, compareStorages } from "../lib/case.mjs";
import { compareCold } from "../lib/cold.mjs";
import { newFolder } from "../lib/folder.mjs";
import { distinctValues, itemsOf, keysOf, values } from "../lib/values.mjs";
import { conf } from "../peers/files.mjs";
import * as ours from "../peers/ours.mjs";
import * as upstream from "../peers/upstream.mjs";

const MANY = 2000;
const FOLDERS = 100;
const KEYS_IN_FOLDERS = 5000;

// Fewer than in memory: each of them is a file, which goes after its round.
const COLD_FILES = 5000;

// The goals hold in memory; what a disk makes of them its file system decides.
const TMPFS = existsSync("/dev/shm") ? "/dev/shm" : undefined;

const fillFs = (storage, keys, list) => storage.setItems(itemsOf(keys, list));

const NEW_FILES =
  "an atomic write makes a file, a write in place does not, and what a new file costs depends on the file " +
  "system: see [Writes, by file system](#writes-by-file-system)";

const row = (operation, goal, expression, more = {}) =>
  compareStorages({
    operation: `fs ${operation}`,
    against: "upstream fs",
    goal,
    keys: keysOf(MANY),
    values: values.profile,
    expression,
    fill: fillFs,
    openOurs: () => ours.fsStorage(newFolder()),
    openPeer: () => upstream.fsStorage(newFolder()),
    ...more,
  });

const onTmpfs = (operation, goal, expression, more = {}) =>
  row(`${operation}, tmpfs`, goal, expression, {
    openOurs: () => ours.fsStorage(newFolder(TMPFS)),
    openPeer: () => upstream.fsStorage(newFolder(TMPFS)),
    ...more,
  });

const cold = (operation, goal, expression, { isFilled }) => {
  const side = ({ fsStorage }) => {
    let folder;
    return {
      expression,
      open() {
        folder = newFolder(TMPFS);
        return fsStorage(folder);
      },
      fill(storage, keys, list) {
        if (!isFilled) return;
        for (const [index, key] of keys.entries()) storage.setItemSync(key, list[index]);
      },
      async close(storage) {
        await storage.dispose();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  };
  return compareCold({
    operation: `fs ${operation}, tmpfs`,
    against: "upstream fs",
    goal,
    keys: keysOf(COLD_FILES),
    values: () => distinctValues("profile", COLD_FILES),
    ours: side(ours),
    peer: side(upstream),
  });
};

const ITEMS =
  "keys.map((itemKey, index) => ({ key: itemKey, value: values[index % values.length] }))";

const inFolders = Array.from(
  { length: KEYS_IN_FOLDERS },
  (_, index) => `folder-${index % FOLDERS}:item-${index}`,
);

const CONF_KEYS = 500;

// Both sides hold as many keys; conf writes all of them each time.
const overConf = compare({
  operation: `fs setItemSync, ${CONF_KEYS} keys`,
  against: "conf",
  goal: 3,
  keys: keysOf(CONF_KEYS),
  values: values.profile,
  ours: {
    open: () => ours.fsStorage(newFolder()),
    fill: fillFs,
    expression: "subject.setItemSync(key, value)",
  },
  peer: {
    open: () => conf.open(newFolder()),
    fill: (store, keys, list) => conf.fill(store, itemsOf(keys, list)),
    expression: conf.setSync,
  },
});

// What it costs to compare before a write: both sides are ours.
const overOwnGetAndSet = compare({
  operation: "fs updateSync, tmpfs",
  against: "getItemSync + setItemSync",
  goal: 0.83,
  keys: keysOf(MANY),
  values: values.profile,
  ours: {
    open: () => ours.fsStorage(newFolder(TMPFS)),
    fill: fillFs,
    expression: "subject.updateSync(key, () => value)",
  },
  peer: {
    open: () => ours.fsStorage(newFolder(TMPFS)),
    fill: fillFs,
    expression: "(subject.getItemSync(key), subject.setItemSync(key, value))",
  },
});

const AT_ONCE =
  "await Promise.all(keys.map((one, index) => subject.setItem(one, values[index % values.length])))";

export const quick = [
  cold("getItemSync cold", 1.7, "subject.getItemSync(key)", { isFilled: true }),
  onTmpfs("getItemSync hot", 3, "subject.getItemSync(key)"),
  cold("setItemSync of new files (atomic; theirs is not)", 1.9, "subject.setItemSync(key, value)", {
    isFilled: false,
  }),
  onTmpfs("getItem awaited", 5, "await subject.getItem(key)"),
  onTmpfs("setItem awaited (atomic; theirs is not)", 4.5, "await subject.setItem(key, value)"),
  overOwnGetAndSet,
  row("getItemSync", undefined, "subject.getItemSync(key)"),
  row("getItem awaited", undefined, "await subject.getItem(key)"),
  row("setItemSync (atomic; theirs is not)", undefined, "subject.setItemSync(key, value)", {
    whyShort: NEW_FILES,
  }),
];

export const full = [
  onTmpfs("setItem, 2,000 at once (atomic; theirs is not)", 8, AT_ONCE, { per: MANY }),
  onTmpfs("setItems of 2,000 (atomic; theirs is not)", 10, `await subject.setItems(${ITEMS})`, {
    per: MANY,
  }),
  onTmpfs("getItems of 2,000", 11, "await subject.getItems(keys)", { per: MANY }),
  onTmpfs("getKeys of 5,000 keys in 100 folders", 9, "await subject.getKeys()", {
    keys: inFolders,
  }),
  row(
    "getItem, 2,000 at once",
    undefined,
    "await Promise.all(keys.map((one) => subject.getItem(one)))",
    {
      per: MANY,
    },
  ),
  row("getItems of 2,000", undefined, "await subject.getItems(keys)", { per: MANY }),
  row("setItem awaited (atomic; theirs is not)", undefined, "await subject.setItem(key, value)", {
    whyShort: NEW_FILES,
  }),
  row("setItems of 2,000 (atomic; theirs is not)", undefined, `await subject.setItems(${ITEMS})`, {
    per: MANY,
    whyShort: NEW_FILES,
  }),
  overConf,
  row("getKeys of 5,000 keys in 100 folders", undefined, "await subject.getKeys()", {
    keys: inFolders,
  }),
  row("getKeys of one folder's 50 keys", undefined, 'await subject.getKeys("folder-42")', {
    keys: inFolders,
  }),
];
