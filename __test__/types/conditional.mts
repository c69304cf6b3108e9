// The types of entries, conditional writes, updates and groups.

import {
  type AtomicGroup,
  createStorage,
  type Driver,
  defineDriver,
  type GroupOutcome,
  type GroupStep,
  type StorageEntry,
} from "electron-async-storage";
import memoryDriver from "electron-async-storage/drivers/memory";
import { expectTypeOf } from "expect-type";

interface User {
  name: string;
}

// A storage without a type takes and gives anything.
{
  const storage = createStorage();
  expectTypeOf(await storage.getEntry("key")).toEqualTypeOf<StorageEntry<any>>();
  expectTypeOf(storage.getEntrySync<User>("key")).toEqualTypeOf<StorageEntry<User>>();
  expectTypeOf((await storage.getEntry("key")).etag).toEqualTypeOf<string | null>();
  expectTypeOf(await storage.update("key", (value) => (value ?? 0) + 1)).toBeAny();
  expectTypeOf(await storage.update("key", () => 1)).toEqualTypeOf<number>();
  expectTypeOf(await storage.update("key", async () => "text")).toEqualTypeOf<string>();
  expectTypeOf(storage.updateSync("key", () => undefined)).toEqualTypeOf<undefined>();
  expectTypeOf(
    await storage.update<User>("key", (user) => {
      expectTypeOf(user).toEqualTypeOf<User | null>();
      return user ?? undefined;
    }),
  ).toEqualTypeOf<User | undefined>();
  await storage.setItem("key", 1, { ifMatch: null });
  storage.setItemSync("key", 1, { ifMatch: "etag", ttl: 1 });
  await storage.removeItem("key", { ifMatch: "etag", removeMeta: true });
  // @ts-expect-error an etag is a string
  await storage.setItem("key", 1, { ifMatch: 1 });
  // @ts-expect-error an etag is a string
  storage.removeItemSync("key", { ifMatch: true });
  // @ts-expect-error a symbol is no value
  await storage.update("key", () => Symbol("no"));
  // @ts-expect-error the function is missing
  await storage.update("key");
}

// The types of the keys hold for their changes too.
{
  const storage = createStorage<{
    items: { theme: "light" | "dark"; count: number; [user: `user:${string}`]: User };
  }>();
  expectTypeOf(await storage.getEntry("count")).toEqualTypeOf<StorageEntry<number>>();
  expectTypeOf(
    await storage.update("count", (count) => {
      expectTypeOf(count).toEqualTypeOf<number | null>();
      return (count ?? 0) + 1;
    }),
  ).toEqualTypeOf<number>();
  expectTypeOf(storage.updateSync("user:ann", (user) => user ?? undefined)).toEqualTypeOf<
    User | undefined
  >();
  await storage.update("theme", async (theme) => (theme === "dark" ? "light" : "dark"));
  // @ts-expect-error no such theme
  await storage.update("theme", () => "blue");
  // @ts-expect-error updateSync takes no Promise
  storage.updateSync("count", async () => 1);
  // @ts-expect-error no such key
  await storage.update("other", () => 1);
  // @ts-expect-error no such key
  await storage.getEntry("other");

  const group = storage.atomic();
  expectTypeOf(group.check("count", null).set("theme", "dark").remove("count")).toEqualTypeOf(
    group,
  );
  expectTypeOf(await group.commit()).toEqualTypeOf<GroupOutcome>();
  const outcome = group.commitSync();
  if (!outcome.ok) expectTypeOf(outcome.conflicts).toEqualTypeOf<string[]>();
  // @ts-expect-error a count is a number
  group.set("count", "one");
  // @ts-expect-error no such key
  group.remove("other");
  // @ts-expect-error an etag, or null
  group.check("count", undefined);
}

// A default stands in for a missing item.
{
  const storage = createStorage({ defaults: { zoom: 1 } });
  expectTypeOf(
    storage.updateSync("zoom", (zoom) => {
      expectTypeOf(zoom).toEqualTypeOf<number>();
      return zoom + 1;
    }),
  ).toEqualTypeOf<number>();
  expectTypeOf((await storage.getEntry("zoom")).value).toEqualTypeOf<number | null>();
}

// Drivers.
{
  const driver = memoryDriver();
  expectTypeOf(
    await driver.commit([{ type: "check", key: "a", value: null }]),
  ).toEqualTypeOf<GroupOutcome>();
  expectTypeOf(driver.commitSync([{ type: "remove", key: "a" }])).toEqualTypeOf<GroupOutcome>();
  // @ts-expect-error a text is what is set
  driver.commitSync([{ type: "set", key: "a", value: 1 }]);
  const made = defineDriver<void>(() => ({
    hasItem: () => false,
    getItem: () => null,
    getKeys: () => [],
    commit(steps) {
      expectTypeOf(steps).toEqualTypeOf<GroupStep[]>();
      return { ok: false, conflicts: steps.map(({ key }) => key) };
    },
    commitSync: () => ({ ok: true }),
  }))();
  expectTypeOf(made).toEqualTypeOf<Driver<void, any>>();
  expectTypeOf<AtomicGroup>().toHaveProperty("commit");
}
