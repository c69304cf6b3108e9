// The sqlite driver, against the same engine in other hands, against lmdb and against our files.

import { existsSync, rmSync } from "node:fs";
import { compare } from "../lib/case.mjs";
import { measureInChild } from "../lib/child.mjs";
import { compareCold } from "../lib/cold.mjs";
import { newFolder } from "../lib/folder.mjs";
import { median } from "../lib/stats.mjs";
import { digits } from "../lib/table.mjs";
import { distinctValues, itemsOf, keysOf, values } from "../lib/values.mjs";
import { betterSqlite, lmdb } from "../peers/files.mjs";
import { optional } from "../peers/optional.mjs";
import * as ours from "../peers/ours.mjs";

const MANY = 20_000;
const FILES = 5_000;

// What a disk makes of the numbers its file system decides.
const TMPFS = existsSync("/dev/shm") ? "/dev/shm" : undefined;

const VALUE = "values[index % values.length]";
const ITEMS = `keys.map((one, index) => ({ key: one, value: ${VALUE} }))`;

/** A side of a cold row: a new folder for each round, in `place`. */
function side({ open, fill, close, expression }, isFilled, place) {
  let folder;
  return {
    expression,
    open() {
      folder = newFolder(place);
      return open(folder);
    },
    fill: isFilled ? (subject, keys, list) => fill(subject, itemsOf(keys, list)) : undefined,
    async close(subject) {
      await close(subject);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const storage = (open) => ({
  open,
  fill: (subject, items) => subject.setItems(items),
  close: (subject) => subject.dispose(),
});

const sqlite = storage(ours.sqliteStorage);

const cold = (operation, against, goal, expressions, more = {}) => {
  const { peer, count = MANY, isFilled = false, isOnDisk = false, ...row } = more;
  const place = isOnDisk ? undefined : TMPFS;
  return compareCold({
    operation: `sqlite ${operation}, ${isOnDisk ? "on disk" : "tmpfs"}`,
    against,
    goal,
    keys: keysOf(count),
    values: () => distinctValues("profile", count),
    ours: side({ ...sqlite, expression: expressions[0] }, isFilled, place),
    peer: side({ ...peer, expression: expressions[1] }, isFilled, place),
    ...row,
  });
};

const overSqlite = (operation, goal, expressions, more) =>
  cold(operation, "better-sqlite3, JSON", goal, expressions, {
    peer: optional("better-sqlite3", betterSqlite),
    ...more,
  });

const overFiles = (operation, goal, expression, more) =>
  cold(operation, "our fs, the same file system", goal, [expression, expression], {
    peer: storage(ours.fsStorage),
    count: FILES,
    ...more,
  });

const BASES = 2_000;
const KEYS_IN_BASE = 50;
const inBases = Array.from(
  { length: BASES * KEYS_IN_BASE },
  (_, index) => `base-${String(index % BASES).padStart(4, "0")}:item-${index}`,
);

const rangeBy = (method, expression) => ({
  operation: `sqlite ${method} of one base of ${KEYS_IN_BASE} among 100,000, tmpfs`,
  against: "better-sqlite3, a range query",
  goal: 0.8,
  keys: inBases,
  values: values.small,
  ours: {
    open: () => ours.sqliteStorage(newFolder(TMPFS)),
    fill: (subject, keys, list) => subject.setItems(itemsOf(keys, list)),
    expression,
  },
  peer: {
    async open() {
      const subject = await optional("better-sqlite3", betterSqlite).open(newFolder(TMPFS));
      const query = subject.db.prepare("SELECT key FROM items WHERE key >= ? AND key < ?").pluck();
      return { ...subject, under: (base) => query.all(`${base}:`, `${base};`) };
    },
    fill: (subject, keys, list) => betterSqlite.fill(subject, itemsOf(keys, list)),
    close: betterSqlite.close,
    expression: 'subject.under("base-0042")',
  },
});

// Theirs is a Sync call in both rows: what an awaited one takes more is the way to another thread and back.
const ranges = [
  rangeBy("getKeys", 'await subject.getKeys("base-0042")'),
  rangeBy("getKeysSync", 'subject.getKeysSync("base-0042")'),
].map(compare);

const RUNS = 5;

const inChild = (operation, goal, take, describe) => ({
  operation: `sqlite ${operation}, tmpfs`,
  against: "absolute",
  goal,
  unit: "ms",
  absolute: true,
  measure() {
    ours.sqliteStorage(newFolder());
    const runs = Array.from({ length: RUNS }, () =>
      measureInChild("sqlite-writes.mjs", newFolder(TMPFS), String(MANY)),
    );
    return { ours: median(runs.map(take)), unit: "ms", whyShort: describe(runs) };
  },
});

const listed = (runs, take) => runs.map((run) => digits(take(run))).join(", ");

const stall = inChild(
  "longest stall of 20,000 awaited setItem, above encoding",
  10,
  ({ stall, encode }) => stall - encode,
  (runs) =>
    `the stalls of the runs were ${listed(runs, ({ stall }) => stall)} ms, of which encoding all of the values takes ` +
    `${listed(runs, ({ encode }) => encode)} ms; a loop without work stood still for ` +
    `${listed(runs, ({ idle }) => idle)} ms in two seconds`,
);

const slowest = inChild(
  "slowest of 20,000 setItemSync",
  2,
  ({ slowest }) => slowest,
  (runs) => `the slowest of the runs took ${listed(runs, ({ slowest }) => slowest)} ms`,
);

export const quick = [
  ...[false, true].map((isOnDisk) =>
    overFiles("setItemSync profile, new keys", 2, "subject.setItemSync(key, value)", { isOnDisk }),
  ),
  overSqlite("setItemSync profile, cold keys", 1, [
    "subject.setItemSync(key, value)",
    betterSqlite.setSync,
  ]),
  overSqlite("getItemSync profile, cold", 1, ["subject.getItemSync(key)", betterSqlite.getSync], {
    isFilled: true,
  }),
];

export const full = [
  overSqlite("setItems of 20,000", 1, [`await subject.setItems(${ITEMS})`, betterSqlite.setMany], {
    isBatch: true,
  }),
  overSqlite(
    "getItems of 20,000, theirs one get each",
    1,
    ["await subject.getItems(keys)", betterSqlite.getMany],
    { isBatch: true, isFilled: true },
  ),
  cold(
    "setItem, 20,000 at once",
    "lmdb, put",
    0.7,
    [`await Promise.all(keys.map((one, index) => subject.setItem(one, ${VALUE})))`, lmdb.setMany],
    { peer: optional("lmdb", lmdb), isBatch: true },
  ),
  ...ranges,
  stall,
  ...[false, true].map((isOnDisk) =>
    overFiles("setItems of 5,000", 10, `await subject.setItems(${ITEMS})`, {
      isBatch: true,
      isOnDisk,
    }),
  ),
  slowest,
];
