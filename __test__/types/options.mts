// Which options and hooks are taken, and what errors carry.

import {
  type CreateStorageOptions,
  createStorage,
  type Durability,
  type FSLiteStorageOptions,
  type FSStorageOptions,
  filterKeyByBase,
  filterKeyByDepth,
  joinKeys,
  type MigrationFunction,
  type MigrationHooks,
  type MigrationOptions,
  type MigrationStorage,
  normalizeBaseKey,
  normalizeKey,
  type QueueOptions,
  type Storage,
  type StorageError,
  type StorageErrorCode,
  type WatchOptions,
} from "electron-async-storage";
import fsDriver from "electron-async-storage/drivers/fs";
import fsLiteDriver from "electron-async-storage/drivers/fs-lite";
import {
  createError,
  createRequiredError,
  joinKeys as joinDriverKeys,
  normalizeKey as normalizeDriverKey,
} from "electron-async-storage/drivers/utils";
import { expectTypeOf } from "expect-type";

// fs
{
  const options: FSStorageOptions = {
    base: "./data",
    ignore: ["**/temp/**"],
    readOnly: "error",
    noClear: false,
    durability: "full",
    watchOptions: {
      ignored: [/(^|[/\\])\../, "**/*.tmp", (path) => path.endsWith("x")],
      ignoreInitial: false,
      persistent: true,
      ignorePermissionErrors: true,
      awaitWriteFinish: { stabilityThreshold: 2000 },
      usePolling: true,
    },
  };
  fsDriver(options);
  fsDriver({ base: "x", watchOptions: { ignored: /x/ } });
  fsDriver({ base: "x", watchOptions: { ignored: "**/x" } });
  expectTypeOf<Durability>().toEqualTypeOf<"background" | "full" | "none">();
  // @ts-expect-error a readOnly that is none
  fsDriver({ base: "x", readOnly: "silent" });
  // @ts-expect-error a durability that is none
  fsDriver({ base: "x", durability: "later" });
  // @ts-expect-error patterns come in an array
  fsDriver({ base: "x", ignore: "**/x" });
  // @ts-expect-error the function is fs-lite's
  fsDriver({ base: "x", ignore: (path: string) => path === "x" });
  // @ts-expect-error persistent is a boolean
  fsDriver({ base: "x", watchOptions: { persistent: "yes" } });
  // @ts-expect-error no such option
  fsDriver({ base: "x", watchOption: {} });
  // @ts-expect-error base is a string
  fsDriver({ base: 1 });
  const watchOptions: WatchOptions = { depth: 3 };
  fsDriver({ base: "x", watchOptions });
  // @ts-expect-error `base` is required
  fsDriver({});
  // @ts-expect-error `base` is required
  fsDriver({ base: undefined });
  // @ts-expect-error `base` is required
  fsDriver();
  // @ts-expect-error `base` is required
  fsLiteDriver({ readOnly: true });
}

// fs-lite
{
  const options: FSLiteStorageOptions = {
    base: "./data",
    ignore: (path) => path.includes("temp"),
    durability: "none",
  };
  fsLiteDriver({ ...options, readOnly: true, noClear: true });
  fsLiteDriver({ ...options, readOnly: "error" });
  const { flags } = fsLiteDriver(options);
  expectTypeOf(flags.readOnly).toEqualTypeOf<boolean | "error" | undefined>();
  expectTypeOf(flags.noClear).toEqualTypeOf<boolean | undefined>();
  // @ts-expect-error the patterns are fs's
  fsLiteDriver({ base: "x", ignore: ["**/x"] });
  // @ts-expect-error fs-lite does not watch
  fsLiteDriver({ base: "x", watchOptions: {} });
}

// A queue's limits are numbers.
{
  const options: QueueOptions = { batchSize: 1, flushInterval: 1, mergeUpdates: true };
  // @ts-expect-error a number
  options.maxQueueSize = "1";
}

// Single operations take any object.
{
  const storage = createStorage();
  await storage.setItem("a", 1, { ttl: 1000, mine: { deep: true } });
  await storage.getItem("a", { mine: Symbol("mine") });
  await storage.getKeys("a", { maxDepth: 1, mine: 1 });
  // @ts-expect-error milliseconds
  await storage.setItem("a", 1, { ttl: "1s" });
  // @ts-expect-error a number
  storage.getKeysSync("a", { maxDepth: "1" });
  // @ts-expect-error an object or a boolean
  storage.removeItemSync("a", "meta");
}

// Migrations get the storage, in its type.
{
  type Data = { items: { count: number } };
  const step: MigrationFunction<Data> = async (storage) => {
    expectTypeOf(storage).toEqualTypeOf<Storage<Data>>();
    await storage.setItem("count", 1);
  };
  const migrations: MigrationOptions<Data> = { 1: step, 2: () => {} };
  const migrationHooks: MigrationHooks<Data> = {
    beforeMigration: async (from, to) => {
      expectTypeOf([from, to]).toEqualTypeOf<number[]>();
    },
    afterMigration(_from, _to, storage) {
      expectTypeOf(storage).toEqualTypeOf<MigrationStorage<Data>>();
    },
    onMigrationError(error, from, to, storage) {
      expectTypeOf(error).toEqualTypeOf<Error>();
      expectTypeOf(from).toEqualTypeOf<number>();
      expectTypeOf(to).toEqualTypeOf<number>();
      expectTypeOf(storage).toEqualTypeOf<MigrationStorage<Data>>();
    },
  };
  const options: CreateStorageOptions<Data> = { version: 2, migrations, migrationHooks };
  expectTypeOf(createStorage(options)).toEqualTypeOf<Storage<Data>>();
  createStorage({
    version: 1,
    migrations: {
      1: async (storage) => {
        const old = await storage.getItem("old");
        await storage.setItem("new", old.value);
      },
    },
  });
  // @ts-expect-error a version is a number
  createStorage({ version: "1" });
  // @ts-expect-error a step is a function
  createStorage({ migrations: { 1: "x" } });
}

// Errors
{
  const known: StorageErrorCode = "EAS_INVALID_KEY";
  const error: StorageError = Object.assign(new Error("x"), { code: "EACCES" });
  expectTypeOf<typeof known>().toExtend<StorageError["code"]>();
  expectTypeOf(error.key).toEqualTypeOf<string | undefined>();
  expectTypeOf(error.cause).toEqualTypeOf<unknown>();
  // @ts-expect-error no such code
  const unknownCode: StorageErrorCode = "EAS_NOTHING";
  const made = createError("mine", unknownCode, { cause: error, code: "EAS_INVALID_VALUE" });
  expectTypeOf(made).toExtend<Error>();
  expectTypeOf(made.driver).toEqualTypeOf<string | undefined>();
  expectTypeOf(createRequiredError("mine", "base")).toEqualTypeOf<StorageError>();
  expectTypeOf(createRequiredError("mine", ["a", "b"])).toExtend<Error>();
  // @ts-expect-error the message is missing
  createError("mine");
}

// Keys
expectTypeOf(normalizeKey()).toEqualTypeOf<string>();
expectTypeOf(normalizeBaseKey("a")).toEqualTypeOf<string>();
expectTypeOf(joinKeys("a", "b")).toEqualTypeOf<string>();
expectTypeOf(filterKeyByDepth("a", undefined)).toEqualTypeOf<boolean>();
expectTypeOf(filterKeyByBase("a", undefined)).toEqualTypeOf<boolean>();
expectTypeOf(normalizeDriverKey(undefined, "/")).toEqualTypeOf<string>();
expectTypeOf(joinDriverKeys("a")).toEqualTypeOf<string>();
// @ts-expect-error a separator that is none
normalizeDriverKey("a", ".");
