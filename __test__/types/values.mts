// Which values, keys and batches a storage takes and gives, by its type argument.

import {
  createStorage,
  type GetItemsRequest,
  prefixStorage,
  restoreSnapshot,
  restoreSnapshotSync,
  type Snapshot,
  type Storage,
  type StorageMeta,
  type StorageValue,
  snapshot,
  snapshotSync,
  type Unwatch,
} from "electron-async-storage";
import { expectTypeOf } from "expect-type";

interface User {
  name: string;
  born?: Date;
}

// A storage without a type takes every kind of value and reads any.
{
  const storage = createStorage();
  expectTypeOf(storage).toEqualTypeOf<Storage<StorageValue>>();
  expectTypeOf(storage).toEqualTypeOf<Storage>();
  expectTypeOf(await storage.getItem("key")).toBeAny();
  expectTypeOf(storage.getItemSync("key")).toBeAny();
  const user: User = { name: "Ann" };
  for (const value of [null, "text", 1, true, 1n, user, [user], new Map(), new Set(), /a/]) {
    await storage.setItem("key", value);
    storage.setItemSync("key", value);
  }
  await storage.setItem("key", undefined);
  // @ts-expect-error a symbol is no value
  await storage.setItem("key", Symbol("no"));
  // @ts-expect-error a symbol is no value
  storage.setSync("key", Symbol("no"));
  // @ts-expect-error a key is a string
  await storage.getItem(1);
  // @ts-expect-error the value is missing
  await storage.setItem("key");
}

// A type argument on a call states what is read or written.
{
  const storage = createStorage();
  expectTypeOf(await storage.getItem<string>("key")).toEqualTypeOf<string | null>();
  expectTypeOf(await storage.get<User>("key")).toEqualTypeOf<User | null>();
  expectTypeOf(storage.getItemSync<User>("key")).toEqualTypeOf<User | null>();
  expectTypeOf(await storage.getItems<User>(["a", { key: "b" }])).toEqualTypeOf<
    { key: string; value: User | null }[]
  >();
  expectTypeOf(storage.getItemsSync<boolean>(["a"])).toEqualTypeOf<
    { key: string; value: boolean | null }[]
  >();
  await storage.setItem<User>("key", { name: "Ann" });
  // @ts-expect-error not a User
  await storage.setItem<User>("key", { title: "Ann" });
  // @ts-expect-error not a User
  storage.setItemsSync<User>([{ key: "key", value: 1 }]);
  storage.setItemsSync<User>([{ key: "key", value: { name: "Ann" } }]);
  expectTypeOf(await storage.getItemRaw("key")).toBeAny();
  expectTypeOf(await storage.getItemRaw<Buffered>("key")).toEqualTypeOf<Buffered | null>();
  expectTypeOf(storage.getItemRawSync<Buffered>("key")).toEqualTypeOf<Buffered | null>();
  await storage.setItemRaw("key", new Uint8Array(1));
  storage.setItemRawSync("key", () => 1);
}
type Buffered = Uint8Array;

// A value type holds for every key.
{
  const storage = createStorage<User>();
  expectTypeOf(await storage.getItem("ann")).toEqualTypeOf<User | null>();
  expectTypeOf(storage.getSync("ann")).toEqualTypeOf<User | null>();
  await storage.setItem("ann", { name: "Ann" });
  await storage.setItem("ann", undefined);
  // @ts-expect-error not a User
  await storage.setItem("ann", "Ann");
  // @ts-expect-error not a User
  storage.setItemSync("ann", { title: "Ann" });
  // @ts-expect-error not a User
  await storage.setItems([{ key: "ann", value: 1 }]);
  expectTypeOf(await storage.getItem<number>("age")).toEqualTypeOf<number | null>();
  await storage.setItem<number>("age", 1);
  const [first, second] = await storage.getItems(["a", { key: "b", options: { any: 1 } }]);
  expectTypeOf(first).toEqualTypeOf<{ key: string; value: User | null }>();
  expectTypeOf(second).toEqualTypeOf<{ key: string; value: User | null }>();
  const keys = await storage.getKeys();
  expectTypeOf(keys).toEqualTypeOf<string[]>();
  expectTypeOf(await storage.getItems(keys)).toEqualTypeOf<{ key: string; value: User | null }[]>();

  const numbers = createStorage<number>();
  expectTypeOf(numbers.getItemSync("key")).toEqualTypeOf<number | null>();
  // @ts-expect-error not a number
  numbers.setItemSync("key", "1");
}

// A definition gives every key its own type, and refuses other keys and values.
type Data = {
  items: {
    theme: "light" | "dark";
    count: number;
    user: User;
    optional?: string;
    [page: `page:${number}`]: string[];
  };
};
{
  const storage = createStorage<Data>();

  expectTypeOf(await storage.getItem("theme")).toEqualTypeOf<"light" | "dark" | null>();
  expectTypeOf(await storage.get("count")).toEqualTypeOf<number | null>();
  expectTypeOf(storage.getItemSync("user")).toEqualTypeOf<User | null>();
  expectTypeOf(storage.getSync("optional")).toEqualTypeOf<string | null>();
  expectTypeOf(storage.getItemSync("page:1")).toEqualTypeOf<string[] | null>();

  // @ts-expect-error unknown key
  await storage.getItem("typo");
  // @ts-expect-error unknown key
  await storage.get("typo");
  // @ts-expect-error unknown key
  storage.getItemSync("page:one");
  // @ts-expect-error unknown key
  storage.getSync("typo");
  // @ts-expect-error the type at the place of use does not change what the key holds
  const wrong: number | null = await storage.getItem("theme");
  // @ts-expect-error the type at the place of use does not admit an unknown key
  const unknownKey: number | null = storage.getItemSync("typo");
  void [wrong, unknownKey];
  expectTypeOf(await storage.getItem<Date>("made:up")).toEqualTypeOf<Date | null>();

  await storage.setItem("theme", "dark");
  await storage.set("count", 1);
  storage.setItemSync("user", { name: "Ann" });
  storage.setSync("page:2", ["text"]);
  await storage.setItem("count", undefined, { ttl: 1000 });
  // @ts-expect-error wrong value
  await storage.setItem("theme", "blue");
  // @ts-expect-error wrong value
  await storage.set("count", "1");
  // @ts-expect-error wrong value
  storage.setItemSync("count", null);
  // @ts-expect-error wrong value
  storage.setSync("page:2", [1]);
  // @ts-expect-error unknown key
  await storage.setItem("typo", 1);
  // @ts-expect-error unknown key
  storage.setItemSync("typo", 1);

  expectTypeOf(await storage.hasItem("theme")).toEqualTypeOf<boolean>();
  expectTypeOf(storage.hasSync("theme")).toEqualTypeOf<boolean>();
  // @ts-expect-error unknown key
  await storage.hasItem("typo");
  // @ts-expect-error unknown key
  await storage.has("typo");
  // @ts-expect-error unknown key
  storage.hasItemSync("typo");
  // @ts-expect-error unknown key
  storage.hasSync("typo");

  await storage.removeItem("theme", { removeMeta: true });
  storage.delSync("theme", true);
  // @ts-expect-error unknown key
  await storage.removeItem("typo");
  // @ts-expect-error unknown key
  await storage.del("typo");
  // @ts-expect-error unknown key
  await storage.remove("typo");
  // @ts-expect-error unknown key
  storage.removeItemSync("typo");
  // @ts-expect-error unknown key
  storage.delSync("typo");
  // @ts-expect-error unknown key
  storage.removeSync("typo");

  const results = await storage.getItems(["theme", { key: "count" }, "page:7"]);
  expectTypeOf(results).toEqualTypeOf<
    [
      { key: "theme"; value: "light" | "dark" | null },
      { key: "count"; value: number | null },
      { key: "page:7"; value: string[] | null },
    ]
  >();
  expectTypeOf(storage.getItemsSync(["user"])).toEqualTypeOf<
    [{ key: "user"; value: User | null }]
  >();
  const asked: GetItemsRequest<"theme" | "count">[] = ["theme"];
  const answers = await storage.getItems(asked);
  expectTypeOf<(typeof answers)[number]["value"]>().toEqualTypeOf<
    "light" | "dark" | number | null
  >();
  // @ts-expect-error unknown key
  await storage.getItems(["theme", "typo"]);
  // @ts-expect-error unknown key
  storage.getItemsSync([{ key: "typo" }]);

  await storage.setItems([
    { key: "theme", value: "light" },
    { key: "count", value: 2, options: { ttl: 1000 } },
    { key: "page:1", value: ["a"] },
    { key: "user", value: undefined },
  ]);
  // @ts-expect-error wrong value
  await storage.setItems([{ key: "theme", value: 1 }]);
  // @ts-expect-error the value of another key
  storage.setItemsSync([{ key: "count", value: "light" }]);
  // @ts-expect-error unknown key
  await storage.setItems([{ key: "typo", value: 1 }]);

  for (const key of await storage.getKeys()) {
    await storage.removeItem(key);
  }
  expectTypeOf(storage.getKeysSync()).toEqualTypeOf<
    ("theme" | "count" | "user" | "optional" | `page:${number}`)[]
  >();
}

// An interface is a definition too; a value that merely has `items` is none.
{
  interface Definition {
    items: { theme: string };
  }
  const defined = createStorage<Definition>();
  expectTypeOf(defined.getItemSync("theme")).toEqualTypeOf<string | null>();

  interface Cart {
    id: string;
    items: { [article: string]: number };
  }
  expectTypeOf(createStorage<Cart>().getItemSync("mine")).toEqualTypeOf<Cart | null>();
  type List = { items: string[] };
  expectTypeOf(createStorage<List>().getItemSync("mine")).toEqualTypeOf<List | null>();
  type Unordered = { items: Set<string> };
  expectTypeOf(createStorage<Unordered>().getItemSync("x")).toEqualTypeOf<Unordered | null>();
}

// prefixStorage has a type of its own, and offers the whole interface.
{
  const users = prefixStorage<User>(createStorage(), "users");
  expectTypeOf(users).toEqualTypeOf<Storage<User>>();
  expectTypeOf(await users.getItem("ann")).toEqualTypeOf<User | null>();
  // @ts-expect-error not a User
  users.setItemSync("ann", 1);
  const part = prefixStorage<{ items: { a: number } }>(createStorage<Data>(), "part");
  expectTypeOf(part.getSync("a")).toEqualTypeOf<number | null>();
  // @ts-expect-error unknown key
  part.getSync("theme");
  expectTypeOf(prefixStorage(createStorage<Data>(), "x")).toEqualTypeOf<Storage<Data>>();
  const untyped = createStorage();
  expectTypeOf(prefixStorage(untyped, "x")).toEqualTypeOf<Storage>();
}

// Snapshots carry the storage's values.
{
  const untyped = createStorage();
  const typed = createStorage<User>();
  const defined = createStorage<{ items: { a: number; b: string } }>();
  const copy: Snapshot = await snapshot(untyped, "");
  expectTypeOf(await snapshot(typed, "base")).toEqualTypeOf<Record<string, User>>();
  expectTypeOf(snapshotSync(defined, "")).toEqualTypeOf<Record<string, number | string>>();
  expectTypeOf(restoreSnapshot(typed, copy, "base")).toEqualTypeOf<Promise<void>>();
  expectTypeOf(restoreSnapshotSync(defined, { a: 1, b: null })).toEqualTypeOf<void>();
  // @ts-expect-error a symbol is no value
  await restoreSnapshot(typed, { a: Symbol("no") });
}

// Metadata, events and life have the types of the guide.
{
  const storage = createStorage<Data>();
  expectTypeOf(storage.getMeta("x")).toEqualTypeOf<Promise<StorageMeta>>();
  const meta = await storage.getMeta("x", { nativeOnly: true });
  expectTypeOf(meta.mtime).toEqualTypeOf<Date | undefined>();
  expectTypeOf(meta.birthtime).toEqualTypeOf<Date | undefined>();
  expectTypeOf(meta.size).toEqualTypeOf<number | undefined>();
  expectTypeOf(storage.getMetaSync("x", true).ttl).toEqualTypeOf<number | undefined>();
  expectTypeOf(meta.author).toEqualTypeOf<StorageValue | undefined>();
  await storage.setMeta("x", { author: "Ann", mtime: new Date() });
  // @ts-expect-error mtime is a Date
  storage.setMetaSync("x", { mtime: 1 });
  await storage.removeMeta("x");
  storage.removeMetaSync("x");

  expectTypeOf(await storage.watch((event, key) => [event, key])).toEqualTypeOf<Unwatch>();
  await storage.watch((event) => expectTypeOf(event).toEqualTypeOf<"update" | "remove">());
  expectTypeOf(storage.unwatch()).toEqualTypeOf<Promise<void>>();
  expectTypeOf(storage.flush("base")).toEqualTypeOf<Promise<void>>();
  expectTypeOf(storage.flushSync()).toEqualTypeOf<void>();
  expectTypeOf(storage.dispose()).toEqualTypeOf<Promise<void>>();
  expectTypeOf(storage.migrate()).toEqualTypeOf<Promise<void>>();
  expectTypeOf(storage.getStorageVersion()).toEqualTypeOf<Promise<number | null>>();
  expectTypeOf(storage.clear("base")).toEqualTypeOf<Promise<void>>();
  expectTypeOf(storage.clearSync()).toEqualTypeOf<void>();
}

// Every alias has the very type of what it is short for, and methods need no `this`.
{
  type S = Storage<Data>;
  expectTypeOf<S["keys"]>().toEqualTypeOf<S["getKeys"]>();
  expectTypeOf<S["get"]>().toEqualTypeOf<S["getItem"]>();
  expectTypeOf<S["set"]>().toEqualTypeOf<S["setItem"]>();
  expectTypeOf<S["has"]>().toEqualTypeOf<S["hasItem"]>();
  expectTypeOf<S["del"]>().toEqualTypeOf<S["removeItem"]>();
  expectTypeOf<S["remove"]>().toEqualTypeOf<S["removeItem"]>();
  expectTypeOf<S["keysSync"]>().toEqualTypeOf<S["getKeysSync"]>();
  expectTypeOf<S["getSync"]>().toEqualTypeOf<S["getItemSync"]>();
  expectTypeOf<S["setSync"]>().toEqualTypeOf<S["setItemSync"]>();
  expectTypeOf<S["hasSync"]>().toEqualTypeOf<S["hasItemSync"]>();
  expectTypeOf<S["delSync"]>().toEqualTypeOf<S["removeItemSync"]>();
  expectTypeOf<S["removeSync"]>().toEqualTypeOf<S["removeItemSync"]>();

  const { getItem, setSync, mount } = createStorage<Data>();
  expectTypeOf(await getItem("count")).toEqualTypeOf<number | null>();
  setSync("count", 1);
  expectTypeOf(mount).returns.toEqualTypeOf<Storage<Data>>();
  expectTypeOf<ThisParameterType<S["hasItem"]>>().toEqualTypeOf<void>();
  expectTypeOf<ThisParameterType<S["clearSync"]>>().toEqualTypeOf<void>();
  expectTypeOf({ ...createStorage<Data>() }).toExtend<Storage<Data>>();
}
