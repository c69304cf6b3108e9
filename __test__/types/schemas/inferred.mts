// Types of a storage that come from its defaults and schemas.

import type { StandardSchemaV1 } from "@standard-schema/spec";
import { type } from "arktype";
import {
  createStorage,
  exportStorage,
  importStorage,
  parse,
  prefixStorage,
  type StandardSchema,
  type Storage,
  stringify,
} from "electron-async-storage";
import { expectTypeOf } from "expect-type";
import * as v from "valibot";
import { z } from "zod";

// A key with a default never reads as null; the others hold anything.
{
  const storage = createStorage({ defaults: { theme: "dark", zoom: 1, tags: ["a"] } });
  expectTypeOf(await storage.getItem("theme")).toEqualTypeOf<string>();
  expectTypeOf(storage.getItemSync("zoom")).toEqualTypeOf<number>();
  expectTypeOf(await storage.get("tags")).toEqualTypeOf<string[]>();
  expectTypeOf(await storage.getItem("other")).toBeAny();
  const [theme, other] = await storage.getItems(["theme", { key: "other" }]);
  expectTypeOf(theme.value).toEqualTypeOf<string>();
  expectTypeOf(other.value).toBeAny();
  await storage.setItem("theme", "light");
  await storage.setItem("theme", undefined);
  // @ts-expect-error the default is a string
  await storage.setItem("theme", 1);
  // @ts-expect-error the default is a number
  storage.setItemSync("zoom", "big");
  await storage.watchItem("zoom", (value, previous) => {
    expectTypeOf(value).toEqualTypeOf<number>();
    expectTypeOf(previous).toEqualTypeOf<number>();
  });
  expectTypeOf(await storage.getOrSet("zoom", () => 2)).toEqualTypeOf<number>();
}

// What a schema takes is written, what it gives is read; patterns name their keys.
{
  const storage = createStorage({
    schemas: {
      zod: z.object({ name: z.string(), visits: z.number().default(0) }),
      valibot: v.object({ name: v.optional(v.string(), "Ann") }),
      arktype: type({ name: "string", "born?": "Date" }),
      "users:*": z.object({ id: z.coerce.number<string>() }),
      "logs:**": v.string(),
    },
  });
  expectTypeOf(await storage.getItem("zod")).toEqualTypeOf<{
    name: string;
    visits: number;
  } | null>();
  await storage.setItem("zod", { name: "Ann" });
  // @ts-expect-error the name is missing
  await storage.setItem("zod", { visits: 1 });
  expectTypeOf(storage.getItemSync("valibot")).toEqualTypeOf<{ name: string } | null>();
  storage.setItemSync("valibot", {});
  // @ts-expect-error the name is a string
  storage.setItemSync("valibot", { name: 1 });
  expectTypeOf(await storage.getItem("arktype")).toEqualTypeOf<{
    name: string;
    born?: Date;
  } | null>();
  // @ts-expect-error a Date is meant
  await storage.setItem("arktype", { name: "Ann", born: "today" });
  expectTypeOf(await storage.getItem("users:1")).toEqualTypeOf<{ id: number } | null>();
  await storage.setItem("users:1", { id: "1" });
  // @ts-expect-error the schema takes a string
  await storage.setItem("users:1", { id: 1 });
  expectTypeOf(await storage.getItem("logs:a:b")).toEqualTypeOf<string | null>();
  expectTypeOf(await storage.getItem("other")).toBeAny();
}

// Both together: the schema has the types, the default takes null away.
{
  const storage = createStorage({
    defaults: { window: { width: 800 }, "users:me": { name: "me" } },
    schemas: {
      window: z.object({ width: z.number(), height: z.number().default(600) }),
      "users:*": z.object({ name: z.string() }),
    },
    onInvalid: (value, issues, key) => {
      expectTypeOf(key).toEqualTypeOf<string>();
      expectTypeOf(issues[0]?.message).toEqualTypeOf<string | undefined>();
      return value;
    },
    version: 1,
    migrations: {
      1: async (old) => {
        expectTypeOf(old).toEqualTypeOf<Storage>();
      },
    },
  });
  expectTypeOf(await storage.getItem("window")).toEqualTypeOf<{ width: number; height: number }>();
  expectTypeOf(await storage.getItem("users:me")).toEqualTypeOf<{ name: string }>();
  expectTypeOf(await storage.getItem("users:you")).toEqualTypeOf<{ name: string } | null>();
  createStorage().mount("inner", storage);
  await importStorage(storage, exportStorage(storage));
  const anyStorage: Storage<any> = storage;
  await anyStorage.getItem("other");
  prefixStorage(storage, "users");
}

// A pattern for all keys leaves no others.
{
  const storage = createStorage({ schemas: { "**": z.number() } });
  expectTypeOf(await storage.getItem("any:key")).toEqualTypeOf<number | null>();
  // @ts-expect-error not a number
  await storage.setItem("any:key", "text");
}

// A type argument names the types; the options must fit it.
{
  const storage = createStorage<{ items: { theme: "light" | "dark"; count: number } }>({
    defaults: { theme: "dark" },
    schemas: { count: z.number() },
    onInvalid: "default",
  });
  expectTypeOf(await storage.getItem("theme")).toEqualTypeOf<"light" | "dark" | null>();
  // @ts-expect-error no such theme
  createStorage<{ items: { theme: "light" | "dark" } }>({ defaults: { theme: "blue" } });
  // @ts-expect-error no such choice
  createStorage({ onInvalid: "ignore" });
  // @ts-expect-error a number is no schema
  createStorage({ schemas: { a: 1 } });
}

// Keys that are known only at run time hold anything; options that are any make a plain storage.
{
  const storage = createStorage({ defaults: { theme: "dark" }, schemas: { "n:*": z.number() } });
  const key: string = Object.keys({ a: 1 }).join();
  expectTypeOf(await storage.getItem(key)).toBeAny();
  await storage.setItem(key, 1);
  for (const each of await storage.getKeys()) storage.removeItemSync(each);
  const options: any = {};
  expectTypeOf(createStorage(options)).toEqualTypeOf<Storage>();
}

// Without either nothing changes.
expectTypeOf(createStorage()).toEqualTypeOf<Storage>();
expectTypeOf(createStorage({ onLossy: "ignore" })).toEqualTypeOf<Storage>();

// Entries, and what is computed.
{
  const storage = createStorage<{ items: { a: number; b: string } }>();
  for await (const entry of storage.entries()) {
    expectTypeOf(entry).toEqualTypeOf<["a" | "b", number | string]>();
  }
  for (const [key] of storage.entriesSync()) expectTypeOf(key).toEqualTypeOf<"a" | "b">();
  expectTypeOf(
    await storage.getOrSet("a", async () => 1, { ttl: 1, staleFor: 2 }),
  ).toEqualTypeOf<number>();
  // @ts-expect-error a number is meant
  await storage.getOrSet("a", () => "1");
  expectTypeOf(await createStorage().getOrSet<string>("a", () => "1")).toEqualTypeOf<string>();
  await createStorage().watchItem<number>("a", (value) => {
    expectTypeOf(value).toEqualTypeOf<number | null>();
  });
}

// Schemas are those of the specification.
expectTypeOf<StandardSchemaV1<string, number>>().toExtend<StandardSchema<string, number>>();

// Text, export and import.
{
  const storage = createStorage();
  expectTypeOf(stringify({ a: 1 })).toEqualTypeOf<string>();
  expectTypeOf(parse("1")).toBeAny();
  expectTypeOf(parse<number>("1")).toEqualTypeOf<number>();
  const lines: string[] = [];
  for await (const line of exportStorage(storage, "base")) lines.push(line);
  await importStorage(storage, lines, { base: "base", onConflict: "skip" });
  await importStorage(storage, exportStorage(storage));
  // @ts-expect-error no such choice
  await importStorage(storage, lines, { onConflict: "merge" });
}
