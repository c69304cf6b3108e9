import { compare, compareStorages } from "../lib/case.mjs";
import { newFolder } from "../lib/folder.mjs";
import { itemsOf, keysOf, values } from "../lib/values.mjs";
import { conf } from "../peers/files.mjs";
import * as ours from "../peers/ours.mjs";
import * as upstream from "../peers/upstream.mjs";

const MANY = 2000;
const FOLDERS = 100;
const KEYS_IN_FOLDERS = 5000;

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

export const quick = [
  row("getItemSync", 1.7, "subject.getItemSync(key)"),
  row("getItem awaited", 3, "await subject.getItem(key)"),
  row("setItemSync (atomic; theirs is not)", 0.8, "subject.setItemSync(key, value)", {
    whyShort: NEW_FILES,
  }),
];

export const full = [
  row("getItem, 2,000 at once", 3, "await Promise.all(keys.map((one) => subject.getItem(one)))", {
    per: MANY,
  }),
  row("getItems of 2,000", 4, "await subject.getItems(keys)", { per: MANY }),
  row("setItem awaited (atomic; theirs is not)", 1.2, "await subject.setItem(key, value)", {
    whyShort: NEW_FILES,
  }),
  row("setItems of 2,000 (atomic; theirs is not)", 1.2, `await subject.setItems(${ITEMS})`, {
    per: MANY,
    whyShort: NEW_FILES,
  }),
  overConf,
  row("getKeys of 5,000 keys in 100 folders", 4, "await subject.getKeys()", { keys: inFolders }),
  row("getKeys of one folder's 50 keys", 50, 'await subject.getKeys("folder-42")', {
    keys: inFolders,
  }),
];
