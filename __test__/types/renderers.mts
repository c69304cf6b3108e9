// Serving a storage, and the storages of preloads, pages and utility processes.

import { createStorage, type Storage } from "electron-async-storage";
import * as preload from "electron-async-storage/preload";
import * as renderer from "electron-async-storage/renderer";
import { type AccessRule, type ServedClient, serveStorage } from "electron-async-storage/serve";
import { expectTypeOf } from "expect-type";

interface Data {
  items: { theme: "light" | "dark"; [user: `user:${string}`]: { name: string } };
}

const storage = createStorage<Data>();
declare const ipcMain: {
  handle(channel: string, listener: (event: { frameId: number }, ...args: any[]) => any): void;
  on(channel: string, listener: (event: { frameId: number }, ...args: any[]) => void): object;
};
declare const session: {
  registerPreloadScript(script: {
    type: "frame" | "service-worker";
    filePath: string;
    id?: string;
  }): string;
  unregisterPreloadScript(id: string): void;
};

const server = serveStorage(storage, {
  ipcMain,
  session: [session],
  frames: "all",
  limits: { valueBytes: 1000 },
  access: [
    {
      origins: "app://main",
      keys: ["theme", "user:**"],
      can: "write",
      sync: true,
      when: (frame, webContents) => frame.url.endsWith("index.html") && webContents.id > 0,
    },
  ],
});
expectTypeOf(server.clients()).toEqualTypeOf<ServedClient[]>();
expectTypeOf(server.preloadPath).toEqualTypeOf<string>();
server.dispose();

// @ts-expect-error a rule says what may be done
const incomplete: AccessRule = { origins: "app://main", keys: "a" };
void incomplete;
// @ts-expect-error there is no such right
serveStorage(storage, { ipcMain, access: [{ origins: "*", keys: "a", can: "delete" }] });
// @ts-expect-error access is required
serveStorage(storage, { ipcMain });

const page = renderer.storageFromBridge<typeof storage>({});
expectTypeOf(page).toEqualTypeOf<Storage<Data>>();
expectTypeOf(page.getItemSync("theme")).toEqualTypeOf<"light" | "dark" | null>();
page.setItemSync("theme", "dark", { through: true });
// @ts-expect-error no such theme
page.setItemSync("theme", "blue");

expectTypeOf(preload.connectStorage<Data>()).toEqualTypeOf<Storage<Data>>();
expectTypeOf(preload.exposeStorage).returns.toEqualTypeOf<void>();
preload.connectStorage({ channel: "mine", onError: (error) => console.warn(error.message) });
expectTypeOf(preload.stringify(1)).toEqualTypeOf<string>();

declare const port: { postMessage(message: unknown): void };
expectTypeOf(renderer.connectStorage<Data>({ port })).toEqualTypeOf<Storage<Data>>();
server.connect(port, { keys: "jobs:**", can: "write", sync: true });
// @ts-expect-error a port is needed
renderer.connectStorage({});
