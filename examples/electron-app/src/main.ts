import { arch, cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { app, BrowserWindow, ipcMain } from "electron";
import type { SettingChange } from "./api.js";
import { CHANGED, DESCRIBE, FOLDER_SWITCH, RECORD, SET } from "./channels.js";
import { isSettingName, isValueOf } from "./settings.js";
import { openStorage, settingsFolder } from "./storage.js";

const CACHED_FOR_MS = 60_000;
const SETTINGS = "settings:";

const userData = app.getPath("userData");
const storage = openStorage(userData);

function createWindow(): void {
  const window = new BrowserWindow({
    width: 640,
    height: 560,
    webPreferences: {
      preload: join(__dirname, "preload.js"),
      // A preload script in the sandbox cannot load a native addon; the page itself has no Node either way.
      sandbox: false,
      contextIsolation: true,
      nodeIntegration: false,
      additionalArguments: [FOLDER_SWITCH + settingsFolder(userData)],
    },
  });
  void window.loadFile(join(__dirname, "..", "window", "index.html"));
}

// --- what windows may ask for ----------------------------------------------------------------------

ipcMain.handle(SET, async (_event, name: unknown, value: unknown) => {
  if (!isSettingName(name)) throw new Error(`There is no setting ${JSON.stringify(name)}.`);
  if (!isValueOf(name, value)) {
    throw new Error(`The setting ${name} cannot be ${JSON.stringify(value)}.`);
  }
  await storage.setItem<string | number>(SETTINGS + name, value);
});

let events = 0;

ipcMain.handle(RECORD, async (_event, what: unknown) => {
  events += 1;
  // The time and a number that counts up: the keys sort in the order of the events.
  const key = `session:${process.pid}:${String(events).padStart(6, "0")}` as const;
  await storage.setItem(key, { at: new Date(), what: String(what) });
  return (await storage.getKeys(`session:${process.pid}`)).length;
});

ipcMain.handle(DESCRIBE, async () => {
  const cached = await storage.getItem("cache:machine");
  if (cached !== null) return cached;
  const memory = Math.round(totalmem() / 2 ** 30);
  const text = `${process.platform} ${release()}, ${arch()}, ${cpus().length} cores, ${memory} GB`;
  await storage.setItem("cache:machine", text, { ttl: CACHED_FOR_MS });
  return text;
});

/** Tells every window of a setting that changed, whichever program changed it. */
function announce(_event: "update" | "remove", key: string): void {
  const name = key.startsWith(SETTINGS) ? key.slice(SETTINGS.length) : "";
  if (!isSettingName(name)) return;
  const value = storage.getItemSync<unknown>(key);
  // A file that someone edits by hand can hold anything.
  if (!isValueOf(name, value)) return;
  const change = { name, value } as SettingChange;
  for (const window of BrowserWindow.getAllWindows()) window.webContents.send(CHANGED, change);
}

// --- life ------------------------------------------------------------------------------------------

let isClosing = false;
let isClosed = false;

// Quitting waits until every write is on disk: the first attempt is put off, and made again afterwards.
app.on("before-quit", (event) => {
  if (isClosed) return;
  event.preventDefault();
  if (isClosing) return;
  isClosing = true;
  storage
    .flush()
    .then(() => storage.dispose())
    .catch((error) => console.error("The last writes failed:", error))
    .finally(() => {
      isClosed = true;
      app.quit();
    });
});

app.on("window-all-closed", () => {
  if (process.platform !== "darwin") app.quit();
});

async function start(): Promise<void> {
  // One main process owns the queue; starting the app again opens another window of the first.
  if (!app.requestSingleInstanceLock()) {
    app.quit();
    return;
  }
  await app.whenReady();
  // Before the first window: its preload script reads what the migrations leave.
  await storage.migrate();
  await storage.watch(announce);
  createWindow();
  app.on("second-instance", createWindow);
  app.on("activate", () => {
    if (BrowserWindow.getAllWindows().length === 0) createWindow();
  });
}

start().catch((error) => {
  console.error("The app cannot start:", error);
  app.exit(1);
});
