"use strict";

// The app that electron-check.mjs runs: EAS_CHECK_FOLDER names the folder it may use. Exit code 0 says that
// everything was as it has to be.

const assert = require("node:assert/strict");
const { once } = require("node:events");
const { join } = require("node:path");
const { app, BrowserWindow, ipcMain } = require("electron");
const { createStorage } = require("../../index.js");
const fsDriver = require("../../drivers/fs.js");
const queueDriver = require("../../drivers/queue.js");

const LOADS = 30;

const folder = process.env.EAS_CHECK_FOLDER;
app.setPath("userData", join(folder, "user-data"));
const base = join(folder, "storage");
const storage = createStorage({ driver: fsDriver({ base }) });
// A queue that waits longer than the app runs: only the flush before quitting writes it out.
const queue = queueDriver({ driver: fsDriver({ base: join(folder, "late") }), flushInterval: 3e6 });
storage.mount("late", queue);

async function check() {
  await app.whenReady();
  const window = new BrowserWindow({
    show: false,
    webPreferences: {
      preload: join(__dirname, "preload.js"),
      sandbox: false,
      contextIsolation: true,
      additionalArguments: [`--base=${base}`],
    },
  });
  window.webContents.on("render-process-gone", (_event, details) => {
    console.error("The renderer is gone:", details);
    app.exit(1);
  });

  const page = join(__dirname, "page.html");
  for (let load = 1; load <= LOADS; load += 1) {
    storage.setItemSync("load", { load, at: new Date(load) });
    const loaded = once(ipcMain, "loaded");
    if (load === 1) await window.loadFile(page);
    else window.webContents.reload();
    const [, seen] = await loaded;
    assert.deepEqual(seen, { load, at: new Date(load) });
  }

  // Through the context bridge: the page calls the storage that the preload script exposed.
  const read = await window.webContents.executeJavaScript(
    'storage.setItem("page", [1, 2]).then(() => storage.getItemSync("page"))',
  );
  assert.deepEqual(read, [1, 2]);
  assert.deepEqual(await storage.getItem("page"), [1, 2]);

  await storage.setItem("late:word", "kept");
  app.quit();
}

let isClosed = false;
app.on("window-all-closed", () => {});
app.on("before-quit", (event) => {
  if (isClosed) return;
  event.preventDefault();
  storage.dispose().then(
    () => {
      isClosed = true;
      app.quit();
    },
    (error) => {
      console.error(error);
      app.exit(1);
    },
  );
});

check().catch((error) => {
  console.error(error);
  app.exit(1);
});
