// A process of its own that migrates a folder. "steps" writes as much as it can until it is killed.
"use strict";

const { createStorage } = require("../../../index.js");

const [, , task, base, driverName = "fs"] = process.argv;

function driver() {
  if (driverName === "sqlite") return require("../../../drivers/sqlite.js")({ base });
  const fs = require("../../../drivers/fs.js")({ base });
  if (driverName === "queue") return require("../../../drivers/queue.js")({ driver: fs });
  if (driverName === "storage") return createStorage({ driver: fs });
  return fs;
}

const tasks = {
  // Says when the first step begins; the parent kills at a time of its own choice.
  async steps() {
    const mark = () => process.stdout.write("begun\n");
    await createStorage({
      driver: driver(),
      version: 2,
      migrations: {
        async 1(storage) {
          mark();
          for (let index = 0; index < 12; index += 1) await storage.setItem(`n:${index}`, "new");
          await storage.removeItem("gone", true);
          await storage.setItemRaw("raw", Buffer.from([9]));
        },
        async 2(storage) {
          await storage.setMeta("n:0", { step: 2 });
          await storage.clear("old");
          await storage.setItems([
            { key: "batch:a", value: 2 },
            { key: "batch:b", value: undefined },
          ]);
          storage.setItemSync("sync", "new");
          storage.setItem("not-awaited", "new");
        },
      },
    }).migrate();
    process.stdout.write("migrated\n");
  },
  // Notes each run as a file that no migration undoes, so that runs of all processes are counted.
  async once() {
    await createStorage({
      driver: driver(),
      version: 1,
      migrations: {
        async 1(storage) {
          process.stdout.write("ran\n");
          for (let index = 0; index < 20; index += 1) await storage.setItem(`k:${index}`, index);
        },
      },
    }).migrate();
  },
};

tasks[task]().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
