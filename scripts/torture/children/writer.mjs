// Writes without end, reporting when each write begins and when it is done, until it is killed.

import { writeSync } from "node:fs";
import { taskOfChild } from "../child.mjs";
import { selfProving } from "../history.mjs";
import { migrated } from "../migrations.mjs";
import { createStorage, onDisk, queue } from "../package.mjs";
import { Random } from "../random.mjs";

const { base, kind, workload, seed, first } = taskOfChild();
const random = new Random(seed);
const LANES = 6;
let number = first;

/** A report is in the pipe before the next step is taken. */
function say(text) {
  writeSync(1, `${text}\n`);
}

const small = () => random.below(random.chance(0.2) ? 20_000 : 300);

function storageOf(driver) {
  return createStorage({ driver });
}

const files = (durability = random.pick(["none", "background", "background", "full"])) =>
  onDisk[kind]({ base, durability });

/** One lane owns its keys: the writes of a key do not overlap. */
async function lane(storage, keys, size) {
  for (;;) {
    const key = random.pick(keys);
    const write = number++;
    const isRemoval = random.chance(0.1);
    say(`begin ${key} ${write} ${isRemoval ? "remove" : "set"}`);
    if (isRemoval) await storage.removeItem(key);
    else if (random.chance(0.1)) storage.setItemSync(key, selfProving(key, write, size()));
    else await storage.setItem(key, selfProving(key, write, size()));
    say(`done ${key} ${write}`);
  }
}

const workloads = {
  single() {
    const storage = storageOf(files());
    for (let index = 0; index < LANES; index++) {
      lane(storage, [`k${index}`, `deep:er:k${index}`, `odd<${index}>`], small);
    }
  },

  large() {
    const storage = storageOf(files());
    for (let index = 0; index < 3; index++) {
      lane(storage, [`large${index}`], () => random.between(200_000, 3_000_000));
    }
  },

  /** Items and folders of the same names come and go. */
  nested() {
    const storage = storageOf(files());
    for (let index = 0; index < LANES; index++) {
      lane(storage, [["a", "a:b", "a:b:c", "a:d", "e", "e:f"][index]], small);
    }
  },

  async batch() {
    const storage = storageOf(files());
    for (;;) {
      const items = random.list(random.between(2, 40), () => `b${random.below(40)}`);
      const batch = [...new Set(items)].map((key) => ({ key, write: number++ }));
      for (const { key, write } of batch) say(`begin ${key} ${write} set`);
      await storage.setItems(
        batch.map(({ key, write }) => ({ key, value: selfProving(key, write, small()) })),
      );
      for (const { key, write } of batch) say(`done ${key} ${write}`);
    }
  },

  /** What a queue holds lasts once it was flushed. */
  async queue() {
    const storage = storageOf(
      queue({
        driver: files("none"),
        batchSize: random.between(1, 50),
        flushInterval: random.between(1, 20),
        maxQueueSize: random.between(5, 200),
        mergeUpdates: random.chance(0.5),
      }),
    );
    for (;;) {
      const made = [];
      for (let count = random.between(1, 100); count > 0; count--) {
        const key = `q${random.below(30)}`;
        const write = number++;
        const isRemoval = random.chance(0.1);
        say(`begin ${key} ${write} ${isRemoval ? "remove" : "set"}`);
        made.push([key, write]);
        if (isRemoval) storage.removeItem(key);
        else storage.setItem(key, selfProving(key, write, small()));
      }
      await storage.flush();
      for (const [key, write] of made) say(`done ${key} ${write}`);
    }
  },

  async migrate() {
    for (;;) {
      await migrated(onDisk[kind], base, random.between(1, 3), (message) => say(`loss ${message}`));
    }
  },
};

say("up");
await workloads[workload]();
