// What the attack on counters counts, the stores in which it does, and one that counts among many.

import { appendFileSync } from "node:fs";
import { createStorage, fs, fsLite, queue, sqlite } from "./package.mjs";
import { Random } from "./random.mjs";

export const COUNTERS = Array.from({ length: 20 }, (_, index) => `counters:c${index}`);
export const ACCOUNTS = Array.from({ length: 10 }, (_, index) => `accounts:a${index}`);
export const START_AMOUNT = 100;

/** Where an actor counts the groups that it made, in each of them. */
export const movesOf = (actor) => `moves:${actor}`;

const queued = (driver) => queue({ driver, flushInterval: 5, batchSize: 20 });

/** The stores that processes share, by name. */
export const SHARED = {
  fs,
  "fs-lite": fsLite,
  sqlite,
  "queue over fs": (options) => queued(fs(options)),
  "queue over sqlite": (options) => queued(sqlite(options)),
};

/** Another one was first for too long: nothing was written, and the call may be made again. */
const REFUSALS = ["EAS_CONFLICT", "EBUSY"];

const LANES = 3;
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Puts the accounts where there are none, with their amounts. */
export async function open(storage) {
  await storage.setItems(ACCOUNTS.map((key) => ({ key, value: START_AMOUNT })));
}

/** The next value, made at once or a turn later. */
export function increment(random) {
  const next = (value) => (value ?? 0) + 1;
  if (random.chance(0.7)) return next;
  return async (value) => {
    await turn();
    return next(value);
  };
}

/** Moves an amount between two accounts as one group; says whether nobody was in between. */
export async function move(storage, random, more, isSync) {
  const [from, to] = [random.pick(ACCOUNTS), random.pick(ACCOUNTS)];
  if (from === to) return false;
  const source = await storage.getEntry(from);
  const target = await storage.getEntry(to);
  const amount = random.between(1, 20);
  const group = storage
    .atomic()
    .check(from, source.etag)
    .check(to, target.etag)
    .set(from, source.value - amount)
    .set(to, target.value + amount);
  more(group);
  return (isSync ? group.commitSync() : await group.commit()).ok;
}

/**
 * Counts and moves until `untilMs`. Each step is in the log before the next is taken: `begin KEY`, then
 * `done KEY VALUE` or `refused KEY WHY`; `loss TEXT` for what must not be.
 */
export async function count({ kind, base, actor, log, seed, untilMs }, isUp) {
  const random = new Random(seed);
  const durability = random.pick(["none", "none", "background", "full"]);
  const storage = createStorage({ driver: SHARED[kind]({ base, durability }) });
  const say = (line) => appendFileSync(log, `${line}\n`);

  async function attempt(key, change) {
    say(`begin ${key}`);
    try {
      const value = await change();
      if (value === undefined) say(`refused ${key} check`);
      else say(`done ${key} ${value}`);
      return value !== undefined;
    } catch (error) {
      if (REFUSALS.includes(error.code)) say(`refused ${key} ${error.code}`);
      else say(`loss ${key}: ${error.stack.replaceAll("\n", " ")}`);
      return false;
    }
  }

  async function countUp() {
    const key = random.pick(COUNTERS);
    const isSync = random.chance(0.1);
    const step = increment(random);
    await attempt(key, () =>
      isSync ? storage.updateSync(key, (value) => (value ?? 0) + 1) : storage.update(key, step),
    );
  }

  let moved = 0;
  async function moveOn() {
    const key = movesOf(actor);
    const isMade = await attempt(key, async () => {
      const next = moved + 1;
      const isSync = random.chance(0.1);
      const isFirst = await move(storage, random, (group) => group.set(key, next), isSync);
      return isFirst ? next : undefined;
    });
    if (isMade) moved += 1;
  }

  /** Writes without a condition, some below a counter, so that its file makes room for a folder. */
  const others = [
    () => storage.setItem(`${random.pick(COUNTERS)}:below`, random.below(100)),
    () => storage.removeItem(`${random.pick(COUNTERS)}:below`),
    () => storage.setItem(`plain:k${random.below(8)}`, "x".repeat(random.below(3000))),
    () => storage.setItem(`plain:k${random.below(8)}`, 1, { ttl: 1 + random.below(30) }),
    () => storage.clear("plain"),
    () => storage.getKeys(),
  ];
  async function other() {
    try {
      await random.pick(others)();
    } catch (error) {
      if (!REFUSALS.includes(error.code)) say(`loss a plain call: ${error.stack}`);
    }
  }

  /** Each takes one step at least, also where the start took all of the time. */
  async function lane(step) {
    do {
      await step();
      await turn();
    } while (Date.now() < untilMs);
  }

  say(`up ${actor}`);
  isUp();
  await Promise.all([
    ...Array.from({ length: LANES }, () => lane(countUp)),
    lane(moveOn),
    lane(other),
  ]);
  await storage.dispose();
}
