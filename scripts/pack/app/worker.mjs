// A worker thread is a second context of the addon: it reads at once what the main thread wrote.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { createStorage } from "electron-async-storage";
import fsDriver from "electron-async-storage/drivers/fs";

if (isMainThread) {
  const base = mkdtempSync(join(tmpdir(), "eas-worker-"));
  try {
    const storage = createStorage({ driver: fsDriver({ base }) });
    await storage.setItem("theme", { name: "dark", since: new Date(7) });
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: base });
    const answer = await new Promise((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
    });
    await worker.terminate();
    console.log(JSON.stringify({ ...answer, written: await storage.getItem("from-worker") }));
    await storage.dispose();
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
} else {
  const storage = createStorage({ driver: fsDriver({ base: workerData }) });
  const { name, since } = storage.getItemSync("theme");
  storage.setItemSync("from-worker", "yes");
  parentPort.postMessage({ name, since: since.getTime() });
}
