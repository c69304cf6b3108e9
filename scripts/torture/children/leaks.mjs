// Makes and drops storages by the hundred; a round is a hundred. Compares the memory of the middle with that
// of the end.

import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { isOn, report, taskOfChild } from "../child.mjs";
import { folder } from "../folders.mjs";
import { added, gauges, mebibytes } from "../gauges.mjs";
import { createStorage, fs, fsLite, memory, queue } from "../package.mjs";
import { randomOf } from "../random.mjs";

const task = taskOfChild();
const home = folder();

const STORAGES_A_ROUND = 100;
const ROUNDS_BETWEEN_LOOKS = 5;

/** What the allocator and the collector may keep. A kilobyte lost with each of 100,000 storages is more. */
const SPARE_BYTES = 16 * 1024 * 1024;
/** What storages that are not yet collected may hold. */
const SPARE_DESCRIPTORS = 8;

/** A driver of the program that refers to its own storage, to what it is mounted in, and to its data. */
function entangled() {
  const data = new Map();
  const driver = {
    name: "entangled",
    storage: undefined,
    ballast: Buffer.alloc(512),
    hasItem: (key) => data.has(key),
    getItem: (key) => data.get(key) ?? null,
    getKeys: () => [...data.keys()],
    setItem(key, value) {
      data.set(key, value);
      return this.storage && Promise.resolve();
    },
    getItemSync: (key) => data.get(key) ?? null,
    setItemSync: (key, value) => void data.set(key, value),
    watch(callback) {
      this.callback = callback;
      return () => {};
    },
  };
  return driver;
}

const makers = {
  memory: () => memory(),
  fs: () => fs({ base: join(home, "fs"), durability: "none" }),
  "fs-lite": () => fsLite({ base: join(home, "lite"), durability: "none" }),
  queue: () => queue({ driver: memory(), flushInterval: 1 }),
  "queue over files": () =>
    queue({ driver: fs({ base: join(home, "queue"), durability: "none" }), flushInterval: 1 }),
  "queue over a driver of the program": () => queue({ driver: entangled(), flushInterval: 1 }),
  entangled,
};
const kinds = Object.keys(makers);

const canWatch = (storage) =>
  storage.getMounts().some(({ driver }) => typeof driver.watch === "function");

async function one(random) {
  const kind = random.pick(kinds);
  const driver = makers[kind]();
  const storage = createStorage({ driver });
  if (kind === "entangled") driver.storage = storage;
  if (random.chance(0.3)) {
    const inner = entangled();
    inner.storage = storage;
    storage.mount("inner", inner);
  }
  if (random.chance(0.2)) storage.mount("stored", createStorage());
  const key = `k${random.below(8)}`;
  await storage.setItem(key, { text: "x".repeat(random.below(200)), storage: kind });
  await storage.getItem(key);
  if (random.chance(0.3)) storage.setItem(`${key}:late`, 1);
  if (random.chance(0.3)) await storage.setItem("short", 1, { ttl: 5 });
  // A watch by a driver is the program's to end: it goes on until then.
  const isWatched = random.chance(0.2);
  const unwatch = isWatched ? await storage.watch(() => storage.hasItem(key)) : undefined;
  if (isWatched) await storage.setItem(key, 2);
  const isDisposed = random.chance(0.5);
  if (isWatched && (random.chance(0.5) || (!isDisposed && canWatch(storage)))) await unwatch();
  if (isDisposed) await storage.dispose();
  else if (kind.startsWith("queue")) await storage.flush();
}

async function look() {
  // Finalizers and what they set free take turns of their own.
  for (let count = 0; count < 4; count++) {
    globalThis.gc();
    await pause(5);
  }
  return gauges();
}

const looks = [];
let round = task.from;
for (; isOn(task, round); round++) {
  const random = randomOf(task, round);
  for (let count = 0; count < STORAGES_A_ROUND; count += 10) {
    await Promise.all(random.list(10, () => one(random)));
  }
  report.round();
  if ((round - task.from) % ROUNDS_BETWEEN_LOOKS === ROUNDS_BETWEEN_LOOKS - 1) {
    looks.push(await look());
  }
}
looks.push(await look());

const lowest = (some) => Math.min(...some.map(({ rssBytes }) => rssBytes));
const storages = (round - task.from) * STORAGES_A_ROUND;
// The first third warms up.
const after = looks.slice(Math.floor(looks.length / 3));
const middle = after.slice(0, Math.ceil(after.length / 2));
const last = after.slice(Math.floor(after.length / 2));
const grownBytes = lowest(last) - lowest(middle);
report.note(
  `${storages} storages: memory ${mebibytes(lowest(middle))} -> ${mebibytes(lowest(last))} MiB, ` +
    `descriptors ${middle[0].descriptors.length} -> ${last.at(-1).descriptors.length}`,
);
if (grownBytes > SPARE_BYTES) {
  report.loss(`memory grew by ${mebibytes(grownBytes)} MiB in half of ${storages} storages`);
}
const opened = added(middle[0].descriptors, last.at(-1).descriptors);
if (opened.length > SPARE_DESCRIPTORS) {
  report.loss(`descriptors that stay open: ${opened.join(", ")}`);
}
process.exit(0);
