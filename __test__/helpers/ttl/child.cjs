// A process of its own that opens a folder, does what it is told and ends by itself.
"use strict";

const { createStorage } = require("../../../index.js");

const [, , task, driver, base] = process.argv;
const open = () =>
  createStorage({ driver: require(`../../../drivers/${driver}.js`)({ base: base || undefined }) });

const tasks = {
  async write() {
    const storage = open();
    await storage.setItem("short", "s", { ttl: 1 });
    await storage.setItem("long", "l", { ttl: 3_600_000 });
    await storage.setItemRaw("raw", Buffer.from([0, 255]), { ttl: 3_600_000 });
    await storage.setItemRaw("raw-short", Buffer.from([1]), { ttl: 1 });
    await storage.setItem("forever", "f");
  },
  // The timer of an item that ends in an hour must not hold the process up.
  async outlive() {
    const storage = open();
    await storage.setItem("key", 1, { ttl: 3_600_000 });
    storage.setItemSync("sync", 1, { ttl: 3_600_000 });
    await storage.watch(() => {});
    await storage.unwatch();
  },
  // Sync calls alone, and time for what they start.
  async sync() {
    const storage = open();
    storage.getItemSync("forever");
    process.stdin.resume();
    process.stdin.on("end", () => process.exit(0));
  },
};

tasks[task]().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
