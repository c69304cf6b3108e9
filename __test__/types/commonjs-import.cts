// A CommonJS module written with import gets the factory as the default, with or without interop.

import { createStorage, type Storage } from "electron-async-storage";
import fsDriver, { type FSStorageOptions } from "electron-async-storage/drivers/fs";
import fsLiteDriver from "electron-async-storage/drivers/fs-lite";
import memoryDriver from "electron-async-storage/drivers/memory";
import queueDriver, { type QueueContext } from "electron-async-storage/drivers/queue";
import { defineDriver } from "electron-async-storage/drivers/utils";
import { expectTypeOf } from "expect-type";

const options: FSStorageOptions = { base: "x" };
const storage = createStorage({ driver: queueDriver({ driver: fsDriver(options) }) });
expectTypeOf(storage).toEqualTypeOf<Storage>();
expectTypeOf(memoryDriver().getInstance()).toEqualTypeOf<Map<string, any>>();
expectTypeOf(queueDriver({ driver: memoryDriver() }).getInstance()).toEqualTypeOf<QueueContext>();
createStorage({ driver: defineDriver(fsLiteDriver)({ base: "x" }) });
