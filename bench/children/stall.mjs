// Prints the longest time, in milliseconds, that each batch kept the event loop from turning, and the
// error of a batch that fails: the upstream opens every file at once and runs out of them. `idle` is
// the longest time that a loop without any work stood still: what the machine itself does. `encode` is
// how long the codec alone takes for the values.
//
//   node stall.mjs ours|upstream FOLDER ITEMS

import { setTimeout } from "node:timers/promises";
import { encode } from "../../src/js/codec/index.js";
import { longestStallMs } from "../lib/longest-stall.mjs";
import { itemsOf, keysOf, values } from "../lib/values.mjs";

const IDLE_MS = 2000;

const [side, folder, count] = process.argv.slice(2);
const { fsStorage } = await import(`../peers/${side}.mjs`);

async function measure(items, base) {
  const storage = fsStorage(base);
  const keys = items.map(({ key }) => key);
  const batches = {
    setItems: () => storage.setItems(items),
    getKeys: () => storage.getKeys(),
    getItems: () => storage.getItems(keys),
  };
  const longest = {};
  const failed = {};
  for (const [method, batch] of Object.entries(batches)) {
    try {
      longest[method] = await longestStallMs(batch);
    } catch (error) {
      failed[method] = error.code ?? error.message;
    }
  }
  await storage.dispose();
  return { longest, failed };
}

const itemsOfSize = (size) => itemsOf(keysOf(size), values.profile);

function encodeMs(items) {
  const start = performance.now();
  for (const { value } of items) encode(value);
  return performance.now() - start;
}

// The first run compiles the code; its stalls are those of a start-up.
await measure(itemsOfSize(1000), `${folder}-warm`);
encodeMs(itemsOfSize(1000));
globalThis.gc();
// A batch that failed goes on in the background, and its other files fail one by one.
process.on("unhandledRejection", () => {});
const idle = await longestStallMs(() => setTimeout(IDLE_MS));
const items = itemsOfSize(Number(count));
console.log(JSON.stringify({ idle, encode: encodeMs(items), ...(await measure(items, folder)) }));
