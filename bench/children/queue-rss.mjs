// Prints by how many bytes the process grew at most while 100,000 writes of about 300 bytes went
// through a queue over fs that holds 10,000.
//
//   node --expose-gc queue-rss.mjs FOLDER

import { queueStorage } from "../peers/ours.mjs";

const WRITES = 100_000;
const TEXT = "x".repeat(280);

const storage = queueStorage(process.argv[2], { maxQueueSize: 10_000 });
await storage.setItem("warm-up", { text: TEXT });
await storage.flush();
globalThis.gc();

const before = process.memoryUsage.rss();
let most = before;
const watch = () => {
  most = Math.max(most, process.memoryUsage.rss());
};
const written = [];
for (let i = 0; i < WRITES; i++) {
  written.push(storage.setItem(`items:${i % 1000}:${i}`, { id: i, text: TEXT }));
  // A program that awaits every thousand writes.
  if (written.length === 1000) {
    await Promise.all(written.splice(0));
    watch();
  }
}
watch();
await storage.dispose();
watch();
console.log(JSON.stringify({ grownBytes: most - before }));
