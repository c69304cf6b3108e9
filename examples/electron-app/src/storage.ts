// What the app stores, and where.

import { join } from "node:path";
import { createStorage, type Storage } from "electron-async-storage";
import fsDriver from "electron-async-storage/drivers/fs";
import memoryDriver from "electron-async-storage/drivers/memory";
import queueDriver from "electron-async-storage/drivers/queue";
import type { Settings } from "./api.js";
import { DEFAULTS } from "./settings.js";

/** A line in the log of a session. */
export interface SessionEvent {
  at: Date;
  what: string;
}

export interface AppData {
  items: {
    "settings:theme": Settings["theme"];
    "settings:fontSize": Settings["fontSize"];
    /** Up to version 1 of the data: the font size as text, such as `"14px"`. */
    "settings:font": string;
    [event: `session:${string}`]: SessionEvent;
    [text: `cache:${string}`]: string;
  };
}

/** The storage of the main process. */
export function openStorage(userData: string): Storage<AppData> {
  const storage = createStorage<AppData>({
    driver: fsDriver({ base: join(userData, "storage") }),
    version: 2,
    migrations: {
      1: async (data) => {
        if (!(await data.hasItem("settings:theme"))) {
          await data.setItem("settings:theme", DEFAULTS.theme);
        }
      },
      2: async (data) => {
        const font = await data.getItem("settings:font");
        const size = Number.parseInt(font ?? "", 10);
        await data.setItem("settings:fontSize", Number.isNaN(size) ? DEFAULTS.fontSize : size);
        await data.removeItem("settings:font");
      },
    },
  });

  // The log is written often and read seldom: the queue hands it to the disk in batches.
  const log = fsDriver({ base: join(userData, "session") });
  storage.mount("session", queueDriver({ driver: log, batchSize: 200, flushInterval: 2000 }));

  // What can be made anew needs no file.
  storage.mount("cache", memoryDriver());
  return storage;
}
