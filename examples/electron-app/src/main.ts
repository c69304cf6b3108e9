import { arch, cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { app, BrowserWindow, ipcMain, session } from "electron";
import { serveStorage } from "electron-async-storage/serve";
import { DESCRIBE, RECORD, SET } from "./channels.js";
import { isSettingName, isValueOf } from "./settings.js";
import { openStorage } from "./storage.js";

const CACHED_FOR_MS = 60_000;
const SETTINGS = "settings:";

/** Where the page is: on a server during development, say Vite's, else in files beside this one. */
const devServer = process.env.EXAMPLE_DEV_SERVER;
const pageFolder = join(__dirname, "..", "window");

const storage = openStorage(app.getPath("userData"));

function createWindow(): void {
  const window = new BrowserWindow({
    width: 640,
    height: 560,
    webPreferences: {
      preload: join(__dirname, "preload.js"),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
    },
  });
  if (devServer) void window.loadURL(devServer);
  else void window.loadFile(join(pageFolder, "index.html"));
}

/** What the preload script of a window may read at once. What it writes goes through the checks below. */
function serve(): void {
  serveStorage(storage, {
    ipcMain,
    session: session.defaultSession,
    access: [
      {
        origins: devServer ? new URL(devServer).origin : `${pathToFileURL(pageFolder)}/`,
        keys: "settings:**",
        can: "read",
        sync: true,
      },
    ],
  });
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
  serve();
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
