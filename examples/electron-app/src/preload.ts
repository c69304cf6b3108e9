import { contextBridge, type IpcRendererEvent, ipcRenderer } from "electron";
import { createStorage } from "electron-async-storage";
import fsDriver from "electron-async-storage/drivers/fs";
import type { Api, SettingChange, Settings } from "./api.js";
import { CHANGED, DESCRIBE, FOLDER_SWITCH, RECORD, SET } from "./channels.js";
import { DEFAULTS, isValueOf } from "./settings.js";

const argument = process.argv.find((text) => text.startsWith(FOLDER_SWITCH));
if (!argument) throw new Error(`The window was opened without ${FOLDER_SWITCH}FOLDER.`);

// Reads only: what is written goes through the main process, which checks it.
const storage = createStorage({
  driver: fsDriver({ base: argument.slice(FOLDER_SWITCH.length), readOnly: true }),
});

function read<Name extends keyof Settings>(name: Name): Settings[Name] {
  const value: unknown = storage.getItemSync(`settings:${name}`);
  return isValueOf(name, value) ? value : DEFAULTS[name];
}

const api: Api = {
  // Read synchronously, so that the page never shows the wrong theme, not even for one frame.
  initial: { theme: read("theme"), fontSize: read("fontSize") },
  set: (name, value) => ipcRenderer.invoke(SET, name, value),
  onChange: (listener) => {
    const forward = (_event: IpcRendererEvent, change: SettingChange) => listener(change);
    ipcRenderer.on(CHANGED, forward);
    return () => {
      ipcRenderer.removeListener(CHANGED, forward);
    };
  },
  record: (what) => ipcRenderer.invoke(RECORD, what),
  describeMachine: () => ipcRenderer.invoke(DESCRIBE),
};

contextBridge.exposeInMainWorld("api", api);
