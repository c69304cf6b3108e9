// Prints the longest time, in milliseconds, that a batch kept the event loop from turning.
//
//   node stall.mjs ours|upstream FOLDER ITEMS

import { itemsOf, keysOf, values } from "../lib/values.mjs";

const [side, folder, count] = process.argv.slice(2);
const { fsStorage } = await import(`../peers/${side}.mjs`);

async function longestStallMs(work) {
  let watching = true;
  let longest = 0;
  let last;
  const turn = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (watching) setImmediate(turn);
  };
  await new Promise(setImmediate);
  last = performance.now();
  setImmediate(turn);
  await work();
  watching = false;
  return Math.max(longest, performance.now() - last);
}

async function measure(items, base) {
  const storage = fsStorage(base);
  const keys = items.map(({ key }) => key);
  const longest = {};
  longest.setItems = await longestStallMs(() => storage.setItems(items));
  longest.getKeys = await longestStallMs(() => storage.getKeys());
  longest.getItems = await longestStallMs(() => storage.getItems(keys));
  await storage.dispose();
  return longest;
}

const itemsOfSize = (size) => itemsOf(keysOf(size), values.profile);

// The first run compiles the code; its stalls are those of a start-up.
await measure(itemsOfSize(1000), `${folder}-warm`);
globalThis.gc();
console.log(JSON.stringify(await measure(itemsOfSize(Number(count)), folder)));
