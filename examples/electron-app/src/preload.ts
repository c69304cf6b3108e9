// The build bundles this script: in the sandbox it can require electron and nothing else.

import { contextBridge, ipcRenderer } from "electron";
import { connectStorage } from "electron-async-storage/preload";
import type { Api, SettingChange, Settings } from "./api.js";
import { DESCRIBE, RECORD, SET } from "./channels.js";
import { DEFAULTS, isSettingName, isValueOf } from "./settings.js";

const SETTINGS = "settings:";

// Reads only: what is written goes through the main process, which checks it.
const storage = connectStorage();

function read<Name extends keyof Settings>(name: Name): Settings[Name] {
  const value: unknown = storage.getItemSync(SETTINGS + name);
  return isValueOf(name, value) ? value : DEFAULTS[name];
}

const api: Api = {
  // Read synchronously, so that the page never shows the wrong theme, not even for one frame.
  initial: { theme: read("theme"), fontSize: read("fontSize") },
  set: (name, value) => ipcRenderer.invoke(SET, name, value),
  onChange: (listener) => {
    const watching = storage.watch((_event, key) => {
      const name = key.slice(SETTINGS.length);
      if (!isSettingName(name)) return;
      const value: unknown = storage.getItemSync(key);
      // A file that someone edits by hand can hold anything.
      if (isValueOf(name, value)) listener({ name, value } as SettingChange);
    });
    return () => {
      void watching.then((unwatch) => unwatch());
    };
  },
  record: (what) => ipcRenderer.invoke(RECORD, what),
  describeMachine: () => ipcRenderer.invoke(DESCRIBE),
};

contextBridge.exposeInMainWorld("api", api);
