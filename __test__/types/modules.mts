// An ES module gets factories from default imports, and types from named ones.

import type * as api from "electron-async-storage";
import fsDriver, {
  type Durability,
  type FSStorageOptions,
  type WatchOptions,
} from "electron-async-storage/drivers/fs";
import fsLiteDriver, {
  type FSStorageOptions as FSLiteOptions,
} from "electron-async-storage/drivers/fs-lite";
import memoryDriver, { type MemoryDriver } from "electron-async-storage/drivers/memory";
import queueDriver, {
  type QueueContext,
  type QueueDriverOptions,
  type QueuedOperation,
} from "electron-async-storage/drivers/queue";
import { expectTypeOf } from "expect-type";

expectTypeOf(memoryDriver()).toEqualTypeOf<MemoryDriver>();
expectTypeOf(fsDriver).parameter(0).toEqualTypeOf<FSStorageOptions>();
expectTypeOf(fsLiteDriver).parameter(0).toEqualTypeOf<FSLiteOptions>();
expectTypeOf(queueDriver).parameter(0).toEqualTypeOf<QueueDriverOptions>();
expectTypeOf<FSStorageOptions["watchOptions"]>().toEqualTypeOf<WatchOptions | undefined>();
expectTypeOf<FSStorageOptions["durability"]>().toEqualTypeOf<Durability | undefined>();
expectTypeOf<QueueContext["queue"]>().toEqualTypeOf<ReadonlyMap<string, QueuedOperation>>();

const later = await import("electron-async-storage/drivers/memory");
expectTypeOf(later.default()).toEqualTypeOf<MemoryDriver>();

// What Node adds to the names of a CommonJS module is left out.
expectTypeOf<Exclude<keyof typeof api, "default" | "module.exports">>().toEqualTypeOf<
  | "builtinDrivers"
  | "createStorage"
  | "defineDriver"
  | "exportStorage"
  | "filterKeyByBase"
  | "filterKeyByDepth"
  | "importStorage"
  | "joinKeys"
  | "normalizeBaseKey"
  | "normalizeKey"
  | "parse"
  | "prefixStorage"
  | "restoreSnapshot"
  | "restoreSnapshotSync"
  | "snapshot"
  | "snapshotSync"
  | "stringify"
>();

// The names that 0.0.5 of the TypeScript package exported as types.
export type Inherited = [
  api.BuiltinDriverName,
  api.BuiltinDriverOptions,
  api.CreateStorageOptions,
  api.Driver,
  api.DriverFlags,
  api.GetKeysOptions,
  api.MigrationFunction,
  api.MigrationHooks,
  api.MigrationOptions,
  api.QueueOptions,
  api.Snapshot,
  api.Storage,
  api.StorageMeta,
  api.StorageValue,
  api.TransactionOptions,
  api.Unwatch,
  api.WatchCallback,
  api.WatchEvent,
];

// @ts-expect-error helpers of the declarations stay private
export type Hidden = api.ItemsOf<string>;
