// What only a whole process can show: start-up, stalls of the event loop, memory, and the binary.

import { statSync } from "node:fs";
import { measureInChild, timeProcess } from "../lib/child.mjs";
import { newFolder } from "../lib/folder.mjs";
import { addonPath } from "../lib/setup.mjs";
import { median } from "../lib/stats.mjs";
import { digits } from "../lib/table.mjs";
import { values } from "../lib/values.mjs";
import * as ours from "../peers/ours.mjs";

const startUp = {
  operation: "require + createStorage(fs) + first getItemSync, over bare node",
  against: "upstream, whole process",
  goal: 3,
  async measure({ processes }) {
    const folder = newFolder();
    const storage = ours.fsStorage(folder);
    await storage.setItem("app:settings", values.profile[0]);
    await storage.dispose();
    const scripts = ["start-bare.cjs", "start-ours.cjs", "start-upstream.cjs"];
    const times = scripts.map(() => []);
    for (const script of scripts) timeProcess(script, folder);
    for (let round = 0; round < processes; round++) {
      for (const [at, script] of scripts.entries()) times[at].push(timeProcess(script, folder));
    }
    const overBare = (at) => median(times[at].map((ms, round) => ms - times[0][round]));
    const [oursMs, peerMs] = [overBare(1), overBare(2)];
    return { ratio: peerMs / oursMs, ours: oursMs, peer: peerMs, unit: "ms" };
  },
};

const STALL_ITEMS = 20_000;
// The upstream's stall is shown, but no goal depends on it.
const STALL_RUNS = { ours: 5, upstream: 1 };
const stalled = new Map();

/** The runs of one side serve all three rows. */
function stallsOf(side) {
  if (!stalled.has(side)) {
    const runs = Array.from({ length: STALL_RUNS[side] }, () =>
      measureInChild("stall.mjs", side, newFolder(), String(STALL_ITEMS)),
    );
    stalled.set(side, runs);
  }
  return stalled.get(side);
}

const WAITS =
  "the thread works for a few milliseconds at a time; the rest of a longer stall it waits for a " +
  "processor, as `/proc/thread-self/schedstat` shows, beside threads that write, threads of V8 and the kernel's";

const stall = (method) => ({
  operation: `longest event-loop stall, ${method} of 20,000 fs items`,
  against: "absolute",
  goal: 10,
  unit: "ms",
  absolute: true,
  measure() {
    ours.fsStorage(newFolder());
    const failures = (side) => stallsOf(side).flatMap(({ failed }) => failed[method] ?? []);
    const of = (side) => median(stallsOf(side).map(({ longest }) => longest[method]));
    if (failures("ours").length > 0) throw new Error(`${method} failed: ${failures("ours")[0]}`);
    const [peerFailure] = failures("upstream");
    const theirs = peerFailure ? { peerFailure } : { peer: of("upstream") };
    const idleMs = stallsOf("ours").map(({ idle }) => digits(idle));
    const whyShort = `${WAITS}. A loop without work stood still for ${idleMs.join(", ")} ms in runs of two seconds`;
    return { ours: of("ours"), ...theirs, unit: "ms", whyShort };
  },
});

// All values are taken at the call: the loop stands still for as long as encoding them takes.
const stallOfWrites = {
  operation: "longest event-loop stall, setItems of 20,000 fs items",
  against: "the time to encode them",
  goal: 1.3,
  unit: "×",
  absolute: true,
  measure() {
    const runs = stallsOf("ours");
    const [failure] = runs.flatMap(({ failed }) => failed.setItems ?? []);
    if (failure) throw new Error(`setItems failed: ${failure}`);
    const times = runs.map(({ longest, encode }) => longest.setItems / encode);
    const ms = (list) => digits(median(list));
    const whyShort = `${ms(runs.map(({ longest }) => longest.setItems))} ms, of which the codec takes ${ms(runs.map(({ encode }) => encode))}`;
    return { ours: median(times), unit: "×", whyShort };
  },
};

const memory = {
  operation: "RSS for 100,000 small items in memory",
  against: "upstream",
  goal: 1.4,
  measure({ processes }) {
    const sides = ["ours", "upstream"];
    const grown = sides.map(() => []);
    for (let round = 0; round < Math.ceil(processes / 6); round++) {
      for (const [at, side] of sides.entries()) {
        grown[at].push(measureInChild("rss.mjs", side).grownBytes / 1e6);
      }
    }
    const [oursMb, peerMb] = grown.map(median);
    return { ratio: peerMb / oursMb, ours: oursMb, peer: peerMb, unit: "MB" };
  },
};

const queueMemory = {
  operation: "RSS above start, 100,000 writes through a queue of 10,000 over fs",
  against: "absolute",
  goal: 150,
  unit: "MB",
  absolute: true,
  measure: () => ({
    ours: measureInChild("queue-rss.mjs", newFolder()).grownBytes / 1e6,
    unit: "MB",
  }),
};

const BINARY =
  "by the symbols of a build that keeps them, 1.57 MB are code: 0.74 MB of this package, 0.17 MB the " +
  "printing of backtraces, which is part of Rust's standard library as it is delivered, 0.14 MB tokio, " +
  "notify and serde_json, the rest other parts of the standard library and small libraries. 0.31 MB are " +
  "tables for unwinding, 0.29 MB constants and relocations. Optimised for size throughout (`z`), which costs " +
  "speed, it is 1.96 MB; an inlining threshold of 20 takes 0.13 MB off, folding of equal functions 0.02 MB";

const binary = {
  operation: "size of the stripped .node",
  against: "absolute",
  goal: 2.2,
  unit: "MB",
  absolute: true,
  measure: () => ({ ours: statSync(addonPath()).size / 1e6, unit: "MB", whyShort: BINARY }),
};

export const quick = [binary];

export const full = [
  startUp,
  stallOfWrites,
  stall("getKeys"),
  stall("getItems"),
  memory,
  queueMemory,
];
