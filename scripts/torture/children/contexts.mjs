// Runs many worker threads in this process, ends them, and compares what the process holds.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import vm from "node:vm";
import { Worker } from "node:worker_threads";
import { isOn, report, taskOfChild, tell } from "../child.mjs";
import { Counters, SLOTS } from "../counters.mjs";
import { folder } from "../folders.mjs";
import { added, gauges, hasGauges, mebibytes } from "../gauges.mjs";
import { memory, packageMain, require } from "../package.mjs";
import { randomOf } from "../random.mjs";

const task = taskOfChild();
// `isChecked`: a checker of memory runs this, which makes it slow and its gauges those of the checker.
// `isBare`: the workers never load the package; what the process keeps of each is Node's own, and is the
// `bareBytes` of a run with the package.
const { atOnce, lanes = 6, scale = 1, isChecked = false, isBare = false, bareBytes = 0 } = task;
const home = folder();
const buffer = new SharedArrayBuffer(Counters.bytesFor(atOnce));
const workerScript = new URL(isBare ? "./bare-worker.mjs" : "./worker.mjs", import.meta.url);
const totals = Object.fromEntries(SLOTS.map((name) => [name, 0]));
let [started, terminated, active] = [0, 0, 0];

/** What is kept between two measurements that may come from one worker: less is noise. */
const SPARE_BYTES_A_WORKER = 48 * 1024;
const SPARE_BYTES = 48 * 1024 * 1024;
/** So many more are no loss: nobody waits for their end. */
const SPARE_THREADS = 4;
/** A thread of the pool ends when it had nothing to do for a minute. */
const SETTLE_MS = 75_000;
/** An instance of an addon lasts as long as its context: what each load costs, about 0.4 MiB, is kept. */
const LOADS = 20;
/** Of fewer workers it says nothing how many had something to do. */
const ENOUGH_TO_JUDGE = 50;

/** Starts one worker, ends it, and gives when it is gone. */
async function one(slot, random) {
  const counters = new Counters(buffer, slot);
  counters.clear();
  const kind = random.pick(["late", "late", "late", "late", "late", "early", "exit", "throw"]);
  const delayMs = scale * (kind === "early" ? random.below(120) : 1 + random.below(80));
  const worker = new Worker(workerScript, {
    workerData: {
      counters: buffer,
      slot,
      lanes,
      seed: `${random.below(1e9)}`,
      base: join(home, `base${random.below(4)}`),
      end: kind,
      endMs: delayMs,
    },
  });
  started += 1;
  const gone = new Promise((resolve) => worker.once("exit", resolve));
  worker.on("error", (error) => {
    if (error.message !== "expected by the torture") report.loss(`a worker failed: ${error.stack}`);
  });
  if (kind === "early") await pause(delayMs);
  else if (kind === "late") {
    while (counters.get("up") === 0) await pause(2);
    await pause(delayMs);
  }
  if (kind === "early" || kind === "late") {
    if (counters.isActive) active += 1;
    terminated += 1;
    await worker.terminate();
  }
  await gone;
  for (const name of SLOTS) totals[name] += counters.get(name);
}

/** The package in a vm context, used from there. */
function useInRealm(random) {
  const realm = vm.createContext({ require, memory, packageMain });
  const outcome = vm.runInContext(
    `const { createStorage } = require(packageMain);
     const storage = createStorage({ driver: memory() });
     storage.setItemSync("a", { list: [1, { deep: new Map([["k", new Date(7)]]) }], none: null });
     const read = storage.getItemSync("a");
     const late = storage.setItem("b", ${random.below(1000)});
     JSON.stringify([read.list[1].deep.get("k").getTime(), storage.getKeysSync()])`,
    realm,
  );
  if (outcome !== '[7,["a","b"]]') report.loss(`in a vm context: ${outcome}`);
}

/** The package once more in this context, as after the module cache was emptied. */
function loadAgain() {
  const override = process.env.EAS_NATIVE_PATH;
  for (const path of Object.keys(require.cache)) {
    if (path.endsWith(".node") || path === packageMain || path.endsWith("loader.js")) {
      delete require.cache[path];
    }
  }
  const again = require(packageMain).createStorage();
  again.setItemSync("again", override ? 1 : 2);
  if (!again.hasItemSync("again")) report.loss("loaded again, the package loses an item");
}

async function settled(reference) {
  const end = Date.now() + SETTLE_MS;
  for (;;) {
    globalThis.gc();
    await pause(20);
    const now = gauges();
    const isFlat =
      added(reference.descriptors, now.descriptors).length === 0 &&
      added(reference.threads, now.threads).length <= SPARE_THREADS;
    if (isFlat || Date.now() > end) return now;
  }
}

let round = task.from;
let [reference, referenceAt] = [undefined, 0];
for (; isOn(task, round); round++) {
  const random = randomOf(task, round);
  const slots = Array.from({ length: atOnce }, (_, slot) => slot);
  await Promise.all(slots.map((slot) => one(slot, random)));
  if (!isBare) useInRealm(random);
  if (!isBare && round < task.from + LOADS) loadAgain();
  report.round();
  report.fault(atOnce);
  // The first rounds fill pools and caches.
  if (hasGauges && !isChecked && round === task.from + 2) {
    globalThis.gc();
    await pause(200);
    reference = gauges();
    referenceAt = started;
  }
}

if (reference && started > referenceAt) {
  const now = await settled(reference);
  const since = started - referenceAt;
  const grownBytes = now.rssBytes - reference.rssBytes;
  const opened = added(reference.descriptors, now.descriptors);
  if (opened.length > 0) report.loss(`descriptors that stay open: ${opened.join(", ")}`);
  const begun = added(reference.threads, now.threads);
  if (begun.length > SPARE_THREADS) report.loss(`threads that stay: ${begun.join(", ")}`);
  if (isBare) tell({ grownPerWorker: Math.max(0, grownBytes) / since });
  else if (grownBytes > SPARE_BYTES + since * (bareBytes + SPARE_BYTES_A_WORKER)) {
    report.loss(
      `memory grew by ${mebibytes(grownBytes)} MiB in ${since} workers, ` +
        `without the package by ${mebibytes(bareBytes * since)} MiB`,
    );
  }
  report.note(
    `after ${since} workers more: threads ${reference.threads.length} -> ${now.threads.length}, ` +
      `descriptors ${reference.descriptors.length} -> ${now.descriptors.length}, ` +
      `memory ${mebibytes(reference.rssBytes)} -> ${mebibytes(now.rssBytes)} MiB, ` +
      `${(grownBytes / since / 1024).toFixed(0)} KiB a worker ` +
      `(${(bareBytes / 1024).toFixed(0)} without the package)`,
  );
}
report.note(
  `${started} workers, ${totals.up} came to work; ${terminated} terminated, ${active} of them with ` +
    `operations under way; ${totals.done} operations done, ${totals.events} events, ` +
    `${totals.queued} queued, ${totals.unsettled} Promises of a driver`,
);
if (isChecked) {
  const [path] = /\/\S+\.node$/m.exec(readFileSync("/proc/self/maps", "utf8")) ?? [];
  if (path && totals.done > 0)
    tell({ loaded: `the addon is mapped, ${totals.done} operations done` });
}
if (totals.caught > 0) report.loss(`${totals.caught} operations failed in workers`);
if (!isBare && terminated >= ENOUGH_TO_JUDGE && active * 2 < terminated)
  report.loss("most workers were idle when they were ended");
process.exit(0);
