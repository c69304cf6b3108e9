// Prints, in milliseconds, how long many writes to a database keep the JS thread. `stall` is the longest time that the
// event loop did not turn while so many setItem were awaited together, and `encode` how long the codec alone takes for
// their values; `slowest` is the longest of as many setItemSync. `idle` is the longest time that a loop without any
// work stood still: what the machine itself does.
//
//   node sqlite-writes.mjs FOLDER ITEMS

import { setTimeout } from "node:timers/promises";
import { encode } from "../../src/js/codec/index.js";
import { longestStallMs } from "../lib/longest-stall.mjs";
import { distinctValues, keysOf } from "../lib/values.mjs";
import { sqliteStorage } from "../peers/ours.mjs";

const IDLE_MS = 2000;

const [folder, count] = process.argv.slice(2);

async function stallMs(keys, values) {
  const storage = sqliteStorage(`${folder}-awaited`);
  const longest = await longestStallMs(() =>
    Promise.all(keys.map((key, index) => storage.setItem(key, values[index]))),
  );
  await storage.dispose();
  return longest;
}

async function slowestMs(keys, values) {
  const storage = sqliteStorage(`${folder}-sync`);
  let slowest = 0;
  for (const [index, key] of keys.entries()) {
    const start = performance.now();
    storage.setItemSync(key, values[index]);
    slowest = Math.max(slowest, performance.now() - start);
  }
  await storage.dispose();
  return slowest;
}

function encodeMs(values) {
  const start = performance.now();
  for (const value of values) encode(value);
  return performance.now() - start;
}

const measure = async (keys, values) => ({
  encode: encodeMs(values),
  stall: await stallMs(keys, values),
  slowest: await slowestMs(keys, values),
});

// The first run compiles the code; what it takes is that of a start-up.
await measure(keysOf(1000, "warm"), distinctValues("profile", 1000));
const [keys, values] = [keysOf(Number(count)), distinctValues("profile", Number(count))];
globalThis.gc();
const idle = await longestStallMs(() => setTimeout(IDLE_MS));
console.log(JSON.stringify({ idle, ...(await measure(keys, values)) }));
