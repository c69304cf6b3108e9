// Storages that keep their items in this process. Expressions are those of lib/repeat.mjs.

import * as ours from "./ours.mjs";
import * as upstream from "./upstream.mjs";

const storageApi = {
  setSync: "subject.setItemSync(key, value)",
  getSync: "subject.getItemSync(key)",
  set: "await subject.setItem(key, value)",
  get: "await subject.getItem(key)",
};

const fillBySetItem = async (storage, items) => {
  for (const { key, value } of items) await storage.setItem(key, value);
};

export const memoryPeers = [
  {
    name: "electron-async-storage (this)",
    format: "superjson",
    open: ours.memoryStorage,
    fill: fillBySetItem,
    ...storageApi,
  },
  {
    name: "electron-async-storage 0.0.5",
    format: "superjson",
    open: upstream.memoryStorage,
    fill: fillBySetItem,
    ...storageApi,
  },
  {
    name: "unstorage memory",
    format: "JSON",
    async open() {
      const { createStorage } = await import("unstorage");
      return createStorage();
    },
    fill: fillBySetItem,
    set: storageApi.set,
    get: storageApi.get,
  },
  {
    name: "keyv on a Map",
    format: "JSON, with Buffers",
    async open() {
      const { Keyv } = await import("keyv");
      return new Keyv();
    },
    async fill(keyv, items) {
      for (const { key, value } of items) await keyv.set(key, value);
    },
    set: "await subject.set(key, value)",
    get: "await subject.get(key)",
  },
  {
    name: "Map + JSON (floor)",
    format: "JSON",
    open: () => new Map(),
    fill(map, items) {
      for (const { key, value } of items) map.set(key, JSON.stringify(value));
    },
    setSync: "subject.set(key, JSON.stringify(value))",
    getSync: "JSON.parse(subject.get(key))",
  },
];
