import eas = require("electron-async-storage");
import fsDriver = require("electron-async-storage/drivers/fs");
import moving = require("electron-async-storage/import");

export const storage: eas.Storage<{ n: number }> = eas.createStorage<{ n: number }>({
  driver: fsDriver({ base: "./data" }),
});
export const item: { n: number } | null = storage.getItemSync("a");
export const report: Promise<moving.ImportReport> = moving.importElectronStore("f", storage);
// @ts-expect-error an option of the wrong type
moving.importElectronStore("f", storage, { dryRun: "yes" });
