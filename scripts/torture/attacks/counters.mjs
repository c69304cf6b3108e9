// Processes and worker threads change the same counters and accounts, and are killed while they do.

import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { badEnd, isOn, start, watchOver } from "../child.mjs";
import { ACCOUNTS, COUNTERS, increment, move, open, SHARED, START_AMOUNT } from "../counting.mjs";
import { filesBelow, folder } from "../folders.mjs";
import { createStorage, memory } from "../package.mjs";
import { randomOf } from "../random.mjs";
import { Tally } from "../tally.mjs";

const PROCESSES = 8;
const THREADS = 4;
/** How many updates are made at once in memory. */
const AT_ONCE = 500;
/** How long the actors of one round count, in ms; a short task does it for half of its time. */
const COUNTING_MS = 5000;
/** An actor that is not done so long after that hangs. */
const LATE_MS = 60_000;

const canStop = process.platform !== "win32";

const KINDS = ["memory", ...Object.keys(SHARED)];

/** Counts in one context, all at once; gives what is wrong. */
async function countInMemory(random) {
  const found = [];
  const storage = createStorage({ driver: memory() });
  await open(storage);
  const key = random.pick(COUNTERS);
  const updates = Array.from({ length: AT_ONCE }, () => storage.update(key, increment(random)));
  const moves = Array.from({ length: AT_ONCE }, () => move(storage, random, () => {}, false));
  const others = Array.from({ length: AT_ONCE }, (_, index) => storage.setItem("plain", index));
  const values = new Set(await Promise.all(updates));
  await Promise.all([...moves, ...others]);
  if (values.size !== AT_ONCE) found.push(`${AT_ONCE} updates gave ${values.size} values`);
  const value = await storage.getItem(key);
  if (value !== AT_ONCE) found.push(`${AT_ONCE} updates made ${value}`);
  found.push(...(await judgeAccounts(storage)));
  await storage.dispose();
  return found;
}

async function judgeAccounts(storage) {
  const items = await storage.getItems(ACCOUNTS);
  const sum = items.reduce((whole, { value }) => whole + value, 0);
  const expected = ACCOUNTS.length * START_AMOUNT;
  return sum === expected ? [] : [`the accounts hold ${sum}, expected ${expected}`];
}

/** One process that counts, and those that take its place when it is killed. */
class Actor {
  #lives = 0;

  constructor(script, task, complain, onFault) {
    this.script = script;
    this.task = task;
    this.complain = complain;
    this.onFault = onFault;
    this.begin();
  }

  begin() {
    const name = `${this.task.actor}-${this.#lives++}`;
    const life = { isUp: false, isKilled: false };
    life.child = start(this.script, {
      ...this.task,
      actor: name,
      log: join(this.task.log, name),
      seed: `${this.task.seed}/${name}`,
    });
    const guard = watchOver(life.child, this.task.untilMs - Date.now() + LATE_MS);
    life.child.lines.on("line", (line) => {
      const message = JSON.parse(line);
      if (message.at === "up") life.isUp = true;
      if (message.loss) this.complain(message.loss);
      if (message.fault) this.onFault();
    });
    life.ended = life.child.ended.then((end) => {
      if (guard.hung()) this.complain(`${name} hangs`);
      else if (!life.isKilled) {
        const trouble = badEnd(end, life.child.errorText);
        if (trouble) this.complain(`${name} ${trouble}`);
      }
    });
    this.life = life;
  }

  /** Stops it where it is, with the locks that it holds, and lets it go on later. */
  async stopFor(stopMs) {
    const { child } = this.life;
    child.kill("SIGSTOP");
    await pause(stopMs);
    child.kill("SIGCONT");
  }

  /** Kills it if it has not ended. */
  kill() {
    const { life } = this;
    life.isKilled = life.child.exitCode === null && life.child.kill("SIGKILL");
    if (life.isKilled) this.onFault();
  }
}

async function countInProcesses(kind, random, { seed, untilMs }, onFault) {
  const found = [];
  const [base, log] = [folder(), folder()];
  const first = createStorage({ driver: SHARED[kind]({ base }) });
  await open(first);
  await first.dispose();

  const task = { kind, base, log, seed, untilMs };
  const complain = (message) => found.push(message);
  const processes = Array.from(
    { length: PROCESSES },
    (_, index) => new Actor("counter", { ...task, actor: `p${index}` }, complain, onFault),
  );
  const threadsTask = { ...task, actor: "threads", atOnce: THREADS };
  const threads = new Actor("counter-threads", threadsTask, complain, onFault);

  while (Date.now() < untilMs) {
    await pause(random.between(20, 300));
    const actor = random.pick(processes);
    if (!actor.life.isUp || Date.now() >= untilMs) continue;
    if (canStop && random.chance(0.4)) {
      await actor.stopFor(random.between(20, 400));
      if (random.chance(0.5)) continue;
    }
    actor.kill();
    await actor.life.ended;
    actor.begin();
  }
  // What a kill leaves at the very end is for the new storage alone to put in order.
  const all = [...processes, threads];
  const isEndKilled = random.chance(0.5);
  if (isEndKilled) for (const actor of all) actor.kill();
  await Promise.all(all.map((actor) => actor.life.ended));

  const tally = new Tally();
  for (const name of readdirSync(log)) tally.add(readFileSync(join(log, name), "utf8"));
  found.push(...tally.losses);
  const storage = createStorage({ driver: SHARED[kind]({ base }) });
  for (const { key, value } of await storage.getItems(tally.keys)) {
    const trouble = tally.judge(key, value);
    if (trouble) found.push(trouble);
  }
  found.push(...(await judgeAccounts(storage)));
  await storage.dispose();
  const isLeft = (path) => path.startsWith("%~groups/") || path.includes("%~corrupt-");
  for (const path of filesBelow(base).filter(isLeft)) found.push(`${path} was left behind`);
  if (tally.done === 0 && !isEndKilled) found.push("nobody counted");
  for (const path of [base, log]) rmSync(path, { recursive: true, force: true });
  return { found, tally };
}

export default {
  name: "counters",
  title: "counters and accounts that processes and threads change at once",
  share: 1.7,
  async run(task, outcome) {
    const done = new Map();
    const refusals = new Map();
    const add = (totals, name, number) => totals.set(name, (totals.get(name) ?? 0) + number);
    for (let round = task.from; isOn(task, round); round++) {
      const random = randomOf(task, round);
      const kind = KINDS[round % KINDS.length];
      const complain = (message) => outcome.loss(`counters, round ${round} (${kind}): ${message}`);
      const left = Math.max(task.deadlineMs - Date.now(), 1000);
      if (kind === "memory") {
        for (const message of await countInMemory(random)) complain(message);
        add(done, kind, AT_ONCE);
      } else {
        const untilMs = Date.now() + Math.min(COUNTING_MS, left / 2);
        const roundTask = { seed: `${task.seed}/${round}`, untilMs };
        const { found, tally } = await countInProcesses(kind, random, roundTask, () =>
          outcome.fault(),
        );
        for (const message of found) complain(message);
        add(done, kind, tally.done);
        for (const [why, number] of tally.refusals) add(refusals, why, number);
      }
      outcome.round();
    }
    const listed = (totals) => [...totals].map((pair) => pair.join(" ")).join(", ");
    outcome.note(`faults: kills; updates and groups that were made: ${listed(done)}`);
    outcome.note(`calls that were refused since others came first: ${listed(refusals) || "none"}`);
  },
};
