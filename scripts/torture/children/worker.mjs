// A worker thread that keeps every part of the package busy until it is ended.

import { workerData } from "node:worker_threads";
import { Counters } from "../counters.mjs";
import { endAsTold } from "../ends.mjs";
import { createStorage, fs, memory, onDisk, queue } from "../package.mjs";
import { Random } from "../random.mjs";

const { counters: buffer, slot, seed, base, lanes } = workerData;
const counters = new Counters(buffer, slot);
const random = new Random(seed);
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Counts an operation from its begin to its end. */
async function counted(operation) {
  counters.add("begun");
  try {
    return await operation();
  } catch (error) {
    counters.add("caught");
    throw error;
  } finally {
    counters.add("done");
  }
}

async function churn(storage, lane) {
  for (let number = 0; ; number++) {
    const key = `k${(lane * 7 + number) % 40}`;
    await counted(() => storage.setItem(key, { number, text: "x".repeat(random.below(3000)) }));
    await counted(() => storage.getItem(`k${random.below(40)}`));
    if (number % 16 === 0) await counted(() => storage.getKeys());
    if (number % 8 === 0) storage.setItemSync(`sync${lane}`, number);
    if (random.chance(0.05)) await counted(() => storage.removeItem(key));
    await turn();
  }
}

const durability = random.pick(["background", "none"]);
for (const [kind, open] of Object.entries(onDisk)) {
  const storage = createStorage({ driver: open({ base: `${base}-${kind}`, durability }) });
  await storage.watch(() => counters.add("events"));
  for (let lane = 0; lane < lanes; lane++) churn(storage, lane);
}

// More waits at once than the queue holds.
const waiting = createStorage({
  driver: queue({ driver: fs({ base: `${base}-queue` }), maxQueueSize: 50, flushInterval: 5 }),
});
(async () => {
  for (let number = 0; ; number++) {
    const writes = Array.from({ length: 80 }, (_, index) => waiting.setItem(`q${index}`, number));
    counters.add("queued", writes.length);
    await Promise.all(writes);
    await turn();
  }
})();

// A driver whose Promises settle late, or never.
const slow = createStorage({
  driver: {
    name: "slow",
    hasItem: async () => true,
    getKeys: async () => [],
    getItem: () => {
      counters.add("unsettled");
      return random.chance(0.5) ? new Promise(() => {}) : turn().then(() => '{"json":1}');
    },
    setItem: async () => {
      await turn();
    },
  },
});
slow.mount("inner", memory());
const asking = setInterval(() => {
  for (let count = 0; count < 5; count++) slow.getItem("late");
  slow.setItem("inner:a", 1);
  slow.setItem("b", 2);
}, 1);
asking.ref();

endAsTold(workerData);
counters.add("up");
