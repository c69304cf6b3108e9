"use strict";

// Leaves a read pending, a watch running and a queue filled: a reload then takes the context away from them.

const { contextBridge, ipcRenderer } = require("electron");
const { createStorage } = require("../../index.js");
const fsDriver = require("../../drivers/fs.js");
const queueDriver = require("../../drivers/queue.js");

const base = process.argv.find((text) => text.startsWith("--base=")).slice("--base=".length);
const storage = createStorage({ driver: fsDriver({ base }) });
storage.mount("queue", queueDriver({ driver: fsDriver({ base: `${base}-queue` }) }));

const load = storage.getItemSync("load");
contextBridge.exposeInMainWorld("storage", storage);

storage
  .watch(() => {})
  .then(() => {
    storage.setItem("queue:load", load).catch(() => {});
    for (let index = 0; index < 100; index += 1) storage.getItem(`none:${index}`).catch(() => {});
    ipcRenderer.send("loaded", load);
  });
