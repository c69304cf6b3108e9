// Writers over fs and sqlite are killed at random moments, round after round on one base.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { badEnd, isOn, start, watchOver } from "../child.mjs";
import { filesBelow, folder } from "../folders.mjs";
import { History } from "../history.mjs";
import { createStorage, onDisk } from "../package.mjs";
import { randomOf } from "../random.mjs";

const WORKLOADS = ["single", "batch", "queue", "large", "nested", "migrate"];

/** How long the clean-up that a first listing sets off may take. */
const CLEAN_UP_MS = 10_000;

const isTemporary = (path) => /(^|\/)%~tmp-/.test(path);
const isDamaged = (path) => /(^|\/)%~corrupt-/.test(path);

/** Waits until nothing that a writer left half-written is there; gives what stays. */
async function leftOvers(base) {
  const end = Date.now() + CLEAN_UP_MS;
  for (;;) {
    const left = filesBelow(base).filter(isTemporary);
    if (left.length === 0 || Date.now() > end) return left;
    await pause(5);
  }
}

/** Runs a writer until it is killed; notes what it reports. */
async function killWriter(task, history, random) {
  const writer = start("writer", task);
  const guard = watchOver(writer);
  const found = [];
  let isKilled = false;
  const kill = () => {
    isKilled = writer.kill("SIGKILL");
  };
  // Mostly while it writes, sometimes while it still starts.
  const delayMs = random.chance(0.8) ? random.below(40) : random.below(4);
  const early = random.chance(0.05);
  if (early) setTimeout(kill, random.below(120));
  writer.lines.on("line", (line) => {
    guard.heard();
    const [what, key, number, kind] = line.split(" ");
    if (what === "up" && !early) setTimeout(kill, delayMs);
    else if (what === "begin") history.begin(key, Number(number), kind);
    else if (what === "done") history.mustLast(key, Number(number));
    else if (what === "loss") found.push(line.slice("loss ".length));
  });
  const end = await writer.ended;
  if (guard.hung()) found.push("the writer hangs");
  else if (!isKilled)
    found.push(`the writer ${badEnd(end, writer.errorText) || "ended by itself"}`);
  return found;
}

/** Looks at a base as the next process does, and gives what is wrong with it. */
async function inspect({ base, kind }, history, random) {
  const found = [];
  const storage = createStorage({ driver: onDisk[kind]({ base, durability: "none" }) });
  try {
    // A listing first or a read first: both have to do.
    const listFirst = random.chance(0.5);
    let listed = listFirst ? await storage.getKeys() : [];
    const held = new Set();
    for (const key of history.keys) {
      const value = random.chance(0.5) ? storage.getItemSync(key) : await storage.getItem(key);
      const trouble = history.judge(key, value);
      if (trouble) found.push(trouble);
      if (value !== null) held.add(key);
    }
    if (!listFirst) listed = await storage.getKeys();
    for (const key of listed)
      if (!held.delete(key)) found.push(`${key} is listed and holds nothing`);
    for (const key of held) found.push(`${key} holds a value and is not listed`);
  } finally {
    await storage.dispose();
  }
  for (const path of await leftOvers(base)) found.push(`${path} was left behind`);
  for (const path of filesBelow(base).filter(isDamaged)) found.push(`${path} was damaged`);
  return found;
}

/** Finishes what the writers of migrations began, and checks that no step saw half of another. */
async function inspectMigrations({ base, kind }, random) {
  const found = [];
  const { migrated } = await import("../migrations.mjs");
  await migrated(onDisk[kind], base, 1 + random.below(2), (message) => found.push(message));
  for (const path of await leftOvers(base)) found.push(`${path} was left behind`);
  return found;
}

export default {
  name: "kill",
  title: "a writer is killed at a random moment",
  share: 4.2,
  async run(task, outcome) {
    const home = folder();
    const histories = new Map();
    for (let round = task.from; isOn(task, round); round++) {
      const random = randomOf(task, round);
      const workload = random.pick(WORKLOADS);
      const kind = random.pick(Object.keys(onDisk));
      const base = join(home, kind, workload);
      mkdirSync(base, { recursive: true });
      const history = histories.get(base) ?? new History();
      histories.set(base, history);
      const writerTask = {
        base,
        kind,
        workload,
        seed: `${task.seed}/${round}`,
        first: round * 1_000_000 + 1,
      };
      const found = await killWriter(writerTask, history, random);
      if (history.open > 0 || workload === "migrate") outcome.fault();
      found.push(
        ...(workload === "migrate"
          ? await inspectMigrations(writerTask, random)
          : await inspect(writerTask, history, random)),
      );
      for (const message of found)
        outcome.loss(`kill, round ${round} (${kind}, ${workload}): ${message}`);
      outcome.round();
    }
  },
};
