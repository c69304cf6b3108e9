// Libraries that keep an app's state take a storage as it is: what one start saved, the next one has.

import { createAsyncStoragePersister } from "@tanstack/query-async-storage-persister";
import { QueryClient } from "@tanstack/query-core";
import {
  type PersistedClient,
  persistQueryClientRestore,
  persistQueryClientSave,
} from "@tanstack/query-persist-client-core";
import { combineReducers, legacy_createStore as createStore, type UnknownAction } from "redux";
import { persistReducer, persistStore } from "redux-persist";
import { describe, expect, it, onTestFinished } from "vitest";
import { type PersistStorage, persist } from "zustand/middleware";
import { createStore as createZustand } from "zustand/vanilla";
import type { Driver, Storage } from "../index.js";
import { folder } from "./helpers/folders.js";
import { builtin, createStorage } from "./helpers/package.js";

/** Opens one folder anew, as each start of an app does. */
const STORES: [title: string, over: (base: string) => Driver][] = [
  ["fs", (base) => builtin("fs", { base })],
  ["a queue over fs", (base) => builtin("queue", { driver: builtin("fs", { base }) })],
];

describe.each(STORES)("over %s", (_title, over) => {
  const base = folder;

  /** A storage of one start of the app. */
  function start(at: string): Storage<any> {
    const storage = createStorage<any>({ driver: over(at) });
    onTestFinished(() => storage.dispose());
    return storage;
  }

  describe("zustand's persist", () => {
    type State = {
      since: Date;
      tags: Set<string>;
      bears: number;
      increase: () => void;
    };

    /** The storage in its typed form: values, not texts. */
    function bears(storage: Storage<any>, options = {}) {
      return createZustand<State>()(
        persist(
          (set) => ({
            since: new Date(0),
            tags: new Set<string>(),
            bears: 0,
            increase: () => set(({ bears }) => ({ bears: bears + 1 })),
          }),
          {
            name: "bears",
            storage: storage as unknown as PersistStorage<State>,
            skipHydration: true,
            ...options,
          },
        ),
      );
    }

    it.each<[string, object]>([
      [
        "the data of a state",
        { partialize: ({ since, tags, bears }: State) => ({ since, tags, bears }) },
      ],
      ["a whole state, its actions too", {}],
    ])("saves and rehydrates %s", async (_title, options) => {
      const at = base();
      const first = start(at);
      const store = bears(first, options);
      await store.persist.rehydrate();
      store.setState({ since: new Date(5), tags: new Set(["a", "b"]) });
      store.getState().increase();
      store.getState().increase();
      await first.dispose();

      const second = start(at);
      const again = bears(second, options);
      expect(again.getState().bears).toBe(0);
      await again.persist.rehydrate();
      const { since, tags, bears: count } = again.getState();
      expect({ since, tags, count }).toEqual({
        since: new Date(5),
        tags: new Set(["a", "b"]),
        count: 2,
      });
      again.getState().increase();
      expect(again.getState().bears).toBe(3);
      await second.flush();
      expect((await second.getItem("bears")).state.bears).toBe(3);
      again.persist.clearStorage();
      await second.flush();
      expect(await second.hasItem("bears")).toBe(false);
    });

    it("migrates what an older version of the app saved", async () => {
      const at = base();
      const first = start(at);
      const pick = { partialize: ({ bears }: State) => ({ bears }) };
      const store = bears(first, { version: 1, ...pick });
      await store.persist.rehydrate();
      store.setState({ bears: 7 });
      await first.dispose();

      const again = bears(start(at), {
        version: 2,
        ...pick,
        migrate: (state: any, version: number) => ({ bears: state.bears * 10 + version }),
      });
      await again.persist.rehydrate();
      expect(again.getState().bears).toBe(71);
    });

    it("keeps the last of many changes", async () => {
      const at = base();
      const first = start(at);
      const store = bears(first, { partialize: ({ bears }: State) => ({ bears }) });
      await store.persist.rehydrate();
      for (let round = 0; round < 200; round += 1) store.getState().increase();
      await first.dispose();
      const again = bears(start(at), { partialize: ({ bears }: State) => ({ bears }) });
      await again.persist.rehydrate();
      expect(again.getState().bears).toBe(200);
    });
  });

  describe("redux-persist", () => {
    type Count = { count: number };
    const counter = (state: Count = { count: 0 }, action: UnknownAction) =>
      action.type === "add" ? { count: state.count + 1 } : state;
    const labels = (state: string[] = [], action: UnknownAction) =>
      action.type === "label" ? [...state, action.label as string] : state;

    /** A store that is rehydrated. */
    async function rehydrated(storage: Storage<any>) {
      const reducer = combineReducers({ counter, labels });
      const store = createStore(persistReducer({ key: "root", storage }, reducer));
      const persistor = persistStore(store);
      await new Promise<void>((resolve) => {
        const look = () => persistor.getState().bootstrapped && resolve();
        persistor.subscribe(look);
        look();
      });
      return { store, persistor };
    }

    it("saves and rehydrates a state", async () => {
      const at = base();
      const first = start(at);
      const { store, persistor } = await rehydrated(first);
      store.dispatch({ type: "add" });
      store.dispatch({ type: "add" });
      store.dispatch({ type: "label", label: "a" });
      await persistor.flush();
      persistor.pause();
      await first.dispose();

      const second = start(at);
      const again = await rehydrated(second);
      expect(again.store.getState()).toMatchObject({ counter: { count: 2 }, labels: ["a"] });
      expect(await second.getKeys()).toEqual(["persist:root"]);
      await again.persistor.flush();
      again.persistor.pause();
      await again.persistor.purge();
      await second.flush();
      expect(await second.getKeys()).toEqual([]);
    });
  });

  describe("TanStack Query's persister", () => {
    const options = { buster: "v1", maxAge: Number.POSITIVE_INFINITY };

    function client() {
      const made = new QueryClient({
        defaultOptions: { queries: { gcTime: Number.POSITIVE_INFINITY } },
      });
      onTestFinished(() => made.clear());
      return made;
    }

    it("saves and restores a cache as a text", async () => {
      const at = base();
      const first = start(at);
      const queryClient = client();
      await queryClient.fetchQuery({ queryKey: ["user", 1], queryFn: () => ({ name: "Ann" }) });
      const persister = createAsyncStoragePersister({ storage: first, throttleTime: 0 });
      await persistQueryClientSave({ queryClient, persister, ...options });
      await expect.poll(() => first.hasItem("REACT_QUERY_OFFLINE_CACHE")).toBe(true);
      await first.dispose();

      const second = start(at);
      const again = client();
      const restorer = createAsyncStoragePersister({ storage: second });
      await persistQueryClientRestore({ queryClient: again, persister: restorer, ...options });
      expect(again.getQueryData(["user", 1])).toEqual({ name: "Ann" });
      await restorer.removeClient();
      expect(await second.hasItem("REACT_QUERY_OFFLINE_CACHE")).toBe(false);
    });

    it("saves and restores a cache as a value, with the types of its data", async () => {
      const at = base();
      const persisterOf = (storage: Storage<any>) => ({
        persistClient: (persisted: PersistedClient) => storage.setItem("queries", persisted),
        restoreClient: () => storage.getItem("queries"),
        removeClient: () => storage.removeItem("queries"),
      });
      const data = { seen: new Date(5), tags: new Set(["a"]), big: 5n };
      const first = start(at);
      const queryClient = client();
      await queryClient.fetchQuery({ queryKey: ["typed"], queryFn: () => data });
      await persistQueryClientSave({ queryClient, persister: persisterOf(first), ...options });
      await first.dispose();

      const second = start(at);
      const again = client();
      await persistQueryClientRestore({
        queryClient: again,
        persister: persisterOf(second) as any,
        ...options,
      });
      expect(again.getQueryData(["typed"])).toEqual(data);
      const other = client();
      const persister = persisterOf(second) as any;
      await persistQueryClientRestore({ queryClient: other, persister, ...options, buster: "v2" });
      expect(other.getQueryData(["typed"])).toBeUndefined();
      expect(await second.hasItem("queries")).toBe(false);
    });
  });
});
