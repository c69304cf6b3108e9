// Windows, the main process and another process write and read at random, with replies and pushes out of
// order, pushes lost, reloads and navigations. `npm run consistency -- --seconds 60` takes longer at it.

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import fsDriver from "../drivers/fs.js";
import { folder } from "./helpers/folders.js";
import { type Client, ServedApp, until } from "./helpers/ipc/app.js";
import { Random } from "./helpers/ipc/random.js";
import { createStorage, root } from "./helpers/package.js";

const SECONDS = Number(process.env.EAS_CONSISTENCY_SECONDS ?? 2);
/** On a machine that is slow it goes on until so many are made. */
const STEPS = SECONDS * 20;
const SEED = Number(process.env.EAS_CONSISTENCY_SEED ?? Date.now() % 1_000_000);
const KEYS = Array.from({ length: 6 }, (_, index) => `settings:k${index}`);

/** Who wrote a value, and which of its writes it is. */
interface Mark {
  by: string;
  n: number;
}

let child: ChildProcess | undefined;
afterEach(() => {
  child?.kill();
});

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Another process that writes into the same folder. */
function writeElsewhere(base: string): ChildProcess {
  return spawn(
    process.execPath,
    [
      "-e",
      `const { createStorage } = require(${JSON.stringify(root)});
       const fs = require(${JSON.stringify(join(root, "drivers/fs.js"))});
       const storage = createStorage({ driver: fs({ base: ${JSON.stringify(base)}, durability: "none" }) });
       const keys = ${JSON.stringify(KEYS)};
       let n = 0;
       setInterval(() => {
         const key = keys[n % keys.length];
         storage.setItemSync(key, { by: "other", n: ++n });
       }, 7);
       process.once("disconnect", () => process.exit());`,
    ],
    { stdio: ["ignore", "inherit", "inherit", "ipc"] },
  );
}

/** What one reader has seen of each key, and what is wrong with that. */
class Observer {
  readonly #newest = new Map<string, number>();

  constructor(
    readonly name: string,
    readonly violations: string[],
  ) {}

  /** Of each writer and key, values come in the order of the writes. */
  see(key: string, mark: Mark | null): void {
    if (mark === null) return;
    const about = `${key} ${mark.by}`;
    const newest = this.#newest.get(about) ?? 0;
    if (mark.n < newest)
      this.violations.push(`${this.name}: ${about} went back from ${newest} to ${mark.n}`);
    this.#newest.set(about, Math.max(newest, mark.n));
  }
}

class Window {
  readonly #app: ServedApp;
  readonly #frame;
  readonly #random: Random;
  readonly #violations: string[];
  client: Client;
  #observer: Observer;
  #n = 0;
  #life = 0;

  constructor(
    app: ServedApp,
    readonly name: string,
    random: Random,
    violations: string[],
  ) {
    this.#app = app;
    this.#random = random;
    this.#violations = violations;
    this.#frame = app.window().mainFrame;
    this.client = app.connect(this.#frame);
    this.#observer = new Observer(`${name}.0`, violations);
  }

  #start(): void {
    this.client = this.#app.connect(this.#frame, { isSameProcess: this.#random.chance(0.6) });
    // A new document has read nothing yet.
    this.#observer = new Observer(`${this.name}.${++this.#life}`, this.#violations);
  }

  reload(): void {
    this.#start();
  }

  async goAwayAndBack(): Promise<void> {
    this.#app.world.navigate(this.#frame, { origin: "https://elsewhere.org" });
    await sleep(this.#random.below(10));
    this.#start();
  }

  async step(): Promise<void> {
    const key = this.#random.pick(KEYS);
    const { storage } = this.client;
    const mark = () => ({ by: this.name, n: ++this.#n });
    const { client } = this;
    const read = () => {
      const seen = storage.getItemSync(key);
      this.#observer.see(key, seen);
      return seen;
    };
    const action = this.#random.below(10);
    if (action < 5) {
      read();
    } else if (action < 7) {
      const mine = mark();
      storage.setItemSync(key, mine);
      const seen = read();
      if (seen?.by !== mine.by || seen.n !== mine.n) {
        this.#violations.push(
          `${this.name}: wrote ${mine.n} to ${key} and read ${JSON.stringify(seen)}`,
        );
      }
    } else if (action < 8) {
      const mine = mark();
      const done = storage.setItem(key, mine);
      const before = read();
      if (before?.n !== mine.n)
        this.#violations.push(`${this.name}: did not see its write of ${key}`);
      await Promise.race([done, sleep(200)]);
      if (client === this.client) read();
    } else if (action < 9) {
      storage.setItemSync(key, mark(), { through: true });
      read();
    } else {
      const seen = await Promise.race([storage.getItem(key), sleep(200)]);
      if (seen && client === this.client && seen.by !== this.name) read();
    }
  }
}

it(`clients, main and another process agree (seed ${SEED})`, {
  timeout: SECONDS * 1000 + 60_000,
}, async () => {
  const base = folder();
  const random = new Random(SEED);
  const violations: string[] = [];
  const storage = createStorage<any>({ driver: fsDriver({ base, durability: "none" }) });
  const app = new ServedApp({ storage, seed: SEED, limits: { callsPerSecond: 1e6 } });
  app.world.network.loss = 0.1;
  const windows = ["a", "b", "c"].map((name) => new Window(app, name, random, violations));
  child = writeElsewhere(base);

  let steps = 0;
  let mainWrites = 0;
  const end = Date.now() + SECONDS * 1000;
  while (Date.now() < end || steps < STEPS) {
    const window = random.pick(windows);
    const action = random.below(100);
    if (action === 0) window.reload();
    else if (action === 1) await window.goAwayAndBack();
    else if (action < 12) storage.setItemSync(random.pick(KEYS), { by: "main", n: ++mainWrites });
    else if (action < 15) void storage.setItem(random.pick(KEYS), { by: "main", n: ++mainWrites });
    else await window.step();
    if (++steps % 5 === 0) await sleep(random.below(3));
  }
  const gone = new Promise((resolve) => child?.once("exit", resolve));
  child.disconnect();
  await gone;
  for (const { client } of windows) await client.storage.flush();

  // Pushes may still be lost: they are made again.
  const seen = (from: any) => JSON.stringify(KEYS.map((key) => from.getItemSync(key)));
  try {
    await until(
      () => windows.every(({ client }) => seen(client.storage) === seen(storage)),
      "agreement",
    );
  } catch {
    for (const { name, client } of windows)
      violations.push(`${name} ends with ${seen(client.storage)}`);
    violations.push(`main ends with ${seen(storage)}`);
  }
  expect(violations).toEqual([]);
  expect(app.world.network.unanswered).toBe(0);
  await app.end();
});
