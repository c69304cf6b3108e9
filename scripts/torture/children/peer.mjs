// One of several processes on one base: it checks every value that it sees, and what its watch says.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { taskOfChild, tell } from "../child.mjs";
import { faultIn, selfProving } from "../history.mjs";
import { createStorage, onDisk } from "../package.mjs";
import { Random } from "../random.mjs";

const { base, kind, seed, index, writingMs } = taskOfChild();
const random = new Random(`${seed}/${index}`);
const commands = createInterface({ input: process.stdin });
const LANES = 4;
/** Events may take a while on a machine that is busy. */
const EVENTS_MS = 20_000;

const KEYS = [
  ...Array.from({ length: 12 }, (_, n) => `shared:k${n}`),
  ...["shared", "shared:k0:below", "shared:k1:below:deep", "con", "odd<name>", "tail. "],
  ...Array.from({ length: 6 }, (_, n) => `cleared:c${n}`),
];

const storage = createStorage({
  driver: onDisk[kind]({
    base,
    durability: random.pick(["none", "background", "background", "full"]),
  }),
});
/** By key, what the last event said. */
const seen = new Map();
let [number, writes] = [index * 100_000_000, 0];

function check(key, value) {
  const fault = value === null ? "" : faultIn(key, value);
  if (fault) tell({ loss: `${key} ${fault}` });
}

const size = () => random.pick([10, 300, 5000, random.below(200_000)]);

const operations = [
  [6, () => change((key) => storage.setItem(key, selfProving(key, ++number, size())))],
  [2, () => change((key) => storage.setItemSync(key, selfProving(key, ++number, size())))],
  [2, () => change((key) => storage.removeItem(key))],
  [
    1,
    () => {
      const keys = [...new Set(random.list(5, () => random.pick(KEYS)))];
      writes += keys.length;
      return storage.setItems(
        keys.map((key) => ({ key, value: selfProving(key, ++number, size()) })),
      );
    },
  ],
  [
    0.3,
    () => {
      writes += 1;
      return storage.clear("cleared");
    },
  ],
  [5, async (key = random.pick(KEYS)) => check(key, await storage.getItem(key))],
  [2, (key = random.pick(KEYS)) => check(key, storage.getItemSync(key))],
  [
    1,
    async () => {
      for (const { key, value } of await storage.getItems(KEYS)) check(key, value);
    },
  ],
  [
    1,
    async () => {
      for (const key of await storage.getKeys()) {
        if (!KEYS.includes(key)) tell({ loss: `the listing has ${JSON.stringify(key)}` });
      }
    },
  ],
];
const weights = operations.reduce((sum, [weight]) => sum + weight, 0);

function change(make) {
  writes += 1;
  return make(random.pick(KEYS));
}

function pickOperation() {
  let left = random.unit() * weights;
  for (const [weight, operation] of operations) {
    left -= weight;
    if (left < 0) return operation;
  }
  return operations[0][1];
}

async function lane(end) {
  while (Date.now() < end) {
    try {
      await pickOperation()();
    } catch (error) {
      tell({ loss: `an operation failed: ${error.code} ${error.message}` });
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Keys for which the last event is not what is so. */
async function stale() {
  const there = new Set(await storage.getKeys());
  return KEYS.filter(
    (key) => (seen.get(key) ?? "remove") !== (there.has(key) ? "update" : "remove"),
  );
}

async function command(word) {
  const [line] = await once(commands, "line");
  if (line !== word) throw new Error(`told to ${line}, expected ${word}`);
}

await storage.watch((event, key) => {
  if (!KEYS.includes(key)) tell({ loss: `an event "${event}" for ${JSON.stringify(key)}` });
  seen.set(key, event);
});
const start = command("write");
tell({ at: "watching" });
await start;
const end = Date.now() + writingMs;
await Promise.all(Array.from({ length: LANES }, () => lane(end)));
await storage.flush();
const compare = command("compare");
tell({ writes });
tell({ at: "written" });
await compare;

const contents = {};
for (const { key, value } of await storage.getItems((await storage.getKeys()).sort())) {
  check(key, value);
  contents[key] = createHash("sha1").update(JSON.stringify(value)).digest("hex");
}
const latest = Date.now() + EVENTS_MS;
let late = await stale();
while (late.length > 0 && Date.now() < latest) {
  await pause(20);
  late = await stale();
}
for (const key of late) {
  const is = (await storage.hasItem(key)) ? "there" : "not there";
  tell({ loss: `${key} is ${is}, and the last event of it was ${seen.get(key) ?? "none"}` });
}
const over = command("end");
tell({ at: "compared", contents });
await over;
await storage.dispose();
process.exit(0);
