// Prints by how many bytes the process grew for 100,000 small items in memory.
//
//   node --expose-gc rss.mjs ours|upstream

const { memoryStorage } = await import(`../peers/${process.argv[2]}.mjs`);

const ITEMS = 100_000;
const EPOCH_MS = Date.UTC(2025, 0, 1);

async function settledRss() {
  for (let i = 0; i < 5; i++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return process.memoryUsage.rss();
}

const storage = memoryStorage();
storage.setItemSync("warm-up", { value: 0, timestamp: EPOCH_MS });
storage.getItemSync("warm-up");

const before = await settledRss();
for (let i = 0; i < ITEMS; i++) {
  storage.setItemSync(`bench:items:${i}`, { value: i, timestamp: EPOCH_MS + i });
}
const after = await settledRss();

// Reading keeps the items reachable up to here.
if (storage.getItemSync(`bench:items:${ITEMS - 1}`).value !== ITEMS - 1) process.exitCode = 1;
console.log(JSON.stringify({ grownBytes: after - before, rssBytes: after }));
