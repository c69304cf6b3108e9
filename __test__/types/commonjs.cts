// A CommonJS module gets the factory itself from require, the same one as `.default`.

import storageModule = require("electron-async-storage");
import fsDriver = require("electron-async-storage/drivers/fs");
import fsLiteDriver = require("electron-async-storage/drivers/fs-lite");
import memoryDriver = require("electron-async-storage/drivers/memory");
import queueDriver = require("electron-async-storage/drivers/queue");
import utils = require("electron-async-storage/drivers/utils");

import { expectTypeOf } from "expect-type";

const storage = storageModule.createStorage<number>({ driver: memoryDriver() });
expectTypeOf(storage).toEqualTypeOf<storageModule.Storage<number>>();
expectTypeOf(storage.getItemSync("a")).toEqualTypeOf<number | null>();

expectTypeOf(memoryDriver.default).toEqualTypeOf<typeof memoryDriver>();
expectTypeOf(fsDriver.default).toEqualTypeOf<typeof fsDriver>();
expectTypeOf(fsLiteDriver.default).toEqualTypeOf<typeof fsLiteDriver>();
expectTypeOf(queueDriver.default).toEqualTypeOf<typeof queueDriver>();

const options: fsDriver.FSStorageOptions = { base: "x", durability: "none" };
const liteOptions: fsLiteDriver.FSStorageOptions = { base: "x", ignore: () => false };
const queueOptions: queueDriver.QueueDriverOptions = { driver: fsDriver(options) };
storage.mount("a", queueDriver(queueOptions)).mount("b", fsLiteDriver(liteOptions));
expectTypeOf(queueDriver(queueOptions).getInstance()).toEqualTypeOf<queueDriver.QueueContext>();
expectTypeOf(utils.createError("mine", "message")).toExtend<Error>();

// @ts-expect-error the memory driver has no options
memoryDriver(options);
