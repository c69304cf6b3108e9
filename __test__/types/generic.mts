// Functions of a program that are generic themselves: what a wrapper around a storage is made of.

import { createStorage, type Storage, type StorageValue } from "electron-async-storage";
import { expectTypeOf } from "expect-type";

interface Items {
  theme: "light" | "dark";
  count: number;
  optional?: string;
}

// The type of the value is a parameter of the caller.
{
  const storage = createStorage();
  async function get<T>(k: string) {
    return storage.getItem<T>(k);
  }
  expectTypeOf(await get<Date>("key")).toEqualTypeOf<Date | null>();
  async function getOr<T>(key: string, other: T): Promise<T> {
    return (await storage.getItem<T>(key)) ?? other;
  }
  expectTypeOf(await getOr("key", 1)).toEqualTypeOf<number>();
  function read<T>(key: string): T | null {
    return storage.getItemSync<T>(key);
  }
  const short = <T,>(key: string): Promise<T | null> => storage.get<T>(key);
  const shortSync = <T,>(key: string): T | null => storage.getSync<T>(key);
  async function getAll<T>(keys: string[]): Promise<(T | null)[]> {
    return (await storage.getItems<T>(keys)).map((item) => item.value);
  }
  const readAll = <T,>(keys: string[]): { key: string; value: T | null }[] =>
    storage.getItemsSync<T>(keys);
  async function set<T extends StorageValue>(key: string, value: T): Promise<void> {
    await storage.setItem<T>(key, value);
    await storage.setItem(key, value);
    await storage.set<T>(key, value, { ttl: 1 });
    storage.setItemSync<T>(key, value);
    storage.setSync(key, value);
    await storage.setItems<T>([{ key, value }]);
    storage.setItemsSync<T>([{ key, value }]);
    storage.setItemsSync([{ key, value }]);
  }
  async function raw<T>(key: string): Promise<T | null> {
    return storage.getItemRaw<T>(key);
  }
  void [read, short, shortSync, getAll, readAll, set, raw];
}

// The storage's own type is a parameter, or a type without a definition.
{
  class Repository<T extends object> {
    constructor(readonly storage: Storage) {}
    async load(key: string): Promise<T | null> {
      return this.storage.getItem<T>(key);
    }
    async save(key: string, value: T): Promise<void> {
      await this.storage.setItem<T>(key, value);
    }
  }
  expectTypeOf(new Repository<Items>(createStorage()).load("a")).toEqualTypeOf<
    Promise<Items | null>
  >();

  const users = createStorage<Items>();
  const get = <T,>(key: string): Promise<T | null> => users.getItem<T>(key);
  expectTypeOf(await get<string>("a")).toEqualTypeOf<string | null>();
}

// The key is a parameter: values go in and come out by its type.
{
  const storage = createStorage<{ items: Items }>();
  async function set<K extends keyof Items>(k: K, v: Items[K]) {
    await storage.setItem(k, v);
    await storage.set(k, v, { ttl: 1 });
    storage.setItemSync(k, v);
    storage.setSync(k, v);
    await storage.setItems<StorageValue>([{ key: k, value: v }]);
  }
  await set("count", 1);
  // @ts-expect-error not a number
  await set("count", "1");
  async function get<K extends keyof Items>(k: K): Promise<Items[K] | null> {
    return storage.getItem(k);
  }
  expectTypeOf(await get("theme")).toEqualTypeOf<"light" | "dark" | null>();
  const read = <K extends keyof Items>(k: K): Items[K] | null => storage.getItemSync(k);
  async function toggle<K extends keyof Items>(k: K) {
    if (await storage.hasItem(k)) await storage.removeItem(k);
    storage.removeItemSync(k);
    return storage.hasSync(k);
  }
  // A type argument states what is there, for a key that the definition lacks too.
  const any = <T,>(k: string): Promise<T | null> => storage.getItem<T>(k);
  void [read, toggle, any];
  // @ts-expect-error unknown key
  const bad = <K extends keyof Items | "typo">(k: K) => storage.getItem(k);
  // @ts-expect-error any string
  const worse = (k: string) => storage.setItem(k, 1);
  // @ts-expect-error any string
  const worst = (k: string) => storage.getItemSync(k);
  void [bad, worse, worst];
}

// Without a definition, a generic key and value pass too.
{
  const storage = createStorage();
  async function set<K extends keyof Items>(k: K, v: Items[K]) {
    await storage.setItem(k, v);
    storage.setItemSync(k, v);
  }
  async function get<K extends keyof Items>(k: K): Promise<Items[K] | null> {
    return storage.getItem<Items[K]>(k);
  }
  void [set, get];
  const anything: any = "key";
  expectTypeOf(await storage.getItem(anything)).toBeAny();
  expectTypeOf(await createStorage<number>().getItem(anything)).toEqualTypeOf<number | null>();
}
