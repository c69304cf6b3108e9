import { createStorage, type StorageError, type StorageMeta } from "electron-async-storage";
import fsDriver, { type FSStorageOptions } from "electron-async-storage/drivers/fs";
import fsLiteDriver from "electron-async-storage/drivers/fs-lite";
import memoryDriver from "electron-async-storage/drivers/memory";
import queueDriver from "electron-async-storage/drivers/queue";
import { createRequiredError } from "electron-async-storage/drivers/utils";
import { type ImportReport, importUnstorage } from "electron-async-storage/import";

interface App {
  items: { theme: "light" | "dark"; [user: `user:${string}`]: { name: string } };
}

const options: FSStorageOptions = { base: "./data", durability: "full" };
export const storage = createStorage<App>({ driver: fsDriver(options) });
storage.mount("lite", fsLiteDriver({ base: "./lite" }));
storage.mount("queue", queueDriver({ driver: memoryDriver(), batchSize: 10 }));

export const theme: "light" | "dark" | null = storage.getItemSync("theme");
export const user: Promise<{ name: string } | null> = storage.getItem("user:ann");
// @ts-expect-error a key that the definition does not have
storage.getItemSync("them");
// @ts-expect-error a value that the key does not take
storage.setItemSync("theme", "blue");

export const meta: Promise<StorageMeta> = storage.getMeta("theme");
export const error: StorageError = createRequiredError("demo", "base");
export const report: Promise<ImportReport> = importUnstorage("./old", storage, { dryRun: true });
