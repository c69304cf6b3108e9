"use strict";

// What entry.mjs does, with `require`, and where the system has loaded the addon from.

const modules = {
  eas: require("electron-async-storage"),
  fs: require("electron-async-storage/drivers/fs"),
  fsLite: require("electron-async-storage/drivers/fs-lite"),
  memory: require("electron-async-storage/drivers/memory"),
  queue: require("electron-async-storage/drivers/queue"),
  utils: require("electron-async-storage/drivers/utils"),
  moving: require("electron-async-storage/import"),
};

const node = { ...require("node:fs"), ...require("node:os"), ...require("node:path") };

require("./exercise.cjs")(modules, node).then((seen) => {
  const loaded = process.report.getReport().sharedObjects;
  const binary = loaded.find((path) => path.endsWith(".node"));
  console.log(JSON.stringify({ seen, binary }));
});
