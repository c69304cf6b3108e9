// How cost grows: with the result, not the store; not with the mounts; not with watchers elsewhere.

import { newFolder } from "../lib/folder.mjs";
import { MissingDriver } from "../lib/missing.mjs";
import { repeat } from "../lib/repeat.mjs";
import { rotate } from "../lib/rotate.mjs";
import { median } from "../lib/stats.mjs";
import { itemsOf, keysOf, values } from "../lib/values.mjs";
import * as ours from "../peers/ours.mjs";
import * as upstream from "../peers/upstream.mjs";

/**
 * Times one expression at every point and for every side, all in turn. `open(side, point)` gives what
 * the expression works on. Gives microseconds as `{ side: [one for each point] }`.
 */
async function curve(sides, points, { open, expression, ...data }, budget) {
  const opened = [];
  for (const side of Object.keys(sides)) {
    for (const point of points) opened.push({ side, subject: await open(sides[side], point) });
  }
  const runs = opened.map(({ subject }) => ({ run: repeat(expression, { subject, ...data }) }));
  const times = await rotate(runs, budget);
  const micros = Object.fromEntries(Object.keys(sides).map((side) => [side, []]));
  for (const [at, { side }] of opened.entries()) micros[side].push(median(times[at]) / 1000);
  for (const { subject } of opened) await subject.dispose();
  return micros;
}

const RESULT = 100;

async function withStoreOf(open, size) {
  const storage = open();
  const wanted = keysOf(RESULT, "wanted");
  const rest = Array.from({ length: size - RESULT }, (_, i) => `other-${i % 100}:item-${i}`);
  const items = itemsOf([...wanted, ...rest], values.small);
  // The upstream opens all files of a batch at once; a large one would run out of them.
  for (let at = 0; at < items.length; at += 500) await storage.setItems(items.slice(at, at + 500));
  return storage;
}

const listing = (title, sides, sizes) => ({
  title,
  axis: "keys in the store",
  sides,
  points: sizes,
  work: { open: withStoreOf, expression: 'await subject.getKeys("wanted")' },
});

const memorySides = { ours: ours.memoryStorage, upstream: upstream.memoryStorage };
const fsSides = {
  ours: () => ours.fsStorage(newFolder()),
  upstream: () => upstream.fsStorage(newFolder()),
};

const MOUNTS = [1, 10, 100, 1000];
const mountKeys = keysOf(100);

const mounts = {
  title: "getItemSync, small, in memory, by the number of mounts",
  axis: "mounts",
  points: MOUNTS,
  sides: { ours, upstream },
  work: {
    open(side, count) {
      const storage = side.memoryStorage();
      // The root is a mount too.
      for (let i = 1; i < count; i++) {
        storage.mount(`mount-${i}`, side.driver("memory"));
      }
      for (const { key, value } of itemsOf(mountKeys, values.small)) {
        storage.setItemSync(key, value);
      }
      return storage;
    },
    keys: mountKeys,
    expression: "subject.getItemSync(key)",
  },
};
const WATCHING = ["no watcher", "a watcher of another storage", "stopped watcher", "a watcher"];

const watching = (title, sides) => ({
  title,
  axis: "who watches",
  points: WATCHING,
  sides,
  work: {
    async open(openStorage, point) {
      const storage = openStorage();
      storage.setItemSync("bench:items:0", values.small[0]);
      const watched = point === WATCHING[1] ? openStorage() : storage;
      const stop = point === WATCHING[0] ? undefined : await watched.watch(() => {});
      if (point === WATCHING[2]) await stop();
      return {
        storage,
        async dispose() {
          if (point === WATCHING[1] || point === WATCHING[3]) await stop();
          await storage.dispose();
          if (watched !== storage) await watched.dispose();
        },
      };
    },
    keys: keysOf(100),
    values: values.small,
    expression: "subject.storage.setItemSync(key, value)",
  },
});

const described = [
  listing(
    "getKeys(base) of 100 keys, in memory, by the size of the store",
    memorySides,
    [200, 2000, 20_000, 100_000],
  ),
  listing(
    "getKeys(base) of 100 keys, on fs, by the size of the store",
    fsSides,
    [200, 1000, 5000, 20_000],
  ),
  mounts,
  watching("setItemSync, small, in memory, with and without watchers", memorySides),
  watching("setItemSync, small, on fs, with and without watchers", fsSides),
];

export const curves = described.map(({ sides, work, ...rest }) => ({
  title: rest.title,
  async measure(budget) {
    try {
      return { ...rest, micros: await curve(sides, rest.points, work, budget) };
    } catch (error) {
      if (!(error instanceof MissingDriver)) throw error;
      return { ...rest, detail: error.message };
    }
  },
}));
