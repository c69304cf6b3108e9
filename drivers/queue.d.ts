import type { BuiltinDriver, Driver, QueueOptions, TransactionOptions } from "../index.js";

/**
 * Collects writes and hands them to another driver in batches. Reads see what is still waiting. Operations
 * of one key reach the driver in the order they were made. `flush`, `dispose` and a normal exit of the
 * process write out what waits; a write after `dispose` fails with `EAS_DISPOSED`.
 *
 * @throws StorageError `EAS_REQUIRED_OPTION` without `driver`, `EAS_INVALID_OPTION`
 *
 * @example
 * ```ts
 * import fsDriver from "electron-async-storage/drivers/fs";
 * import queueDriver from "electron-async-storage/drivers/queue";
 *
 * const storage = createStorage({
 *   driver: queueDriver({ driver: fsDriver({ base: "./logs" }), flushInterval: 5000 }),
 * });
 * await storage.flush();
 * ```
 */
declare function queueDriver(options: queueDriver.QueueDriverOptions): queueDriver.QueueDriver;

declare namespace queueDriver {
  /** Options of the queue driver. */
  interface QueueDriverOptions extends QueueOptions {
    /** The driver that the batches go to. */
    driver: Driver;
  }

  /** A write or a removal that waits to be flushed. */
  interface QueuedOperation {
    /** What is to be done. */
    type: "set" | "remove";
    /** The key it is done to. */
    key: string;
    /** What to write; absent from a removal. */
    value?: any;
    /** The options of the call. */
    options?: TransactionOptions | undefined;
    /** When the call was made, in milliseconds since the epoch. */
    timestamp: number;
    /** Whether the value goes to the driver's raw method. */
    isRaw?: boolean | undefined;
  }

  /** The state of a queue, live: it shows what is so at the moment it is read. */
  interface QueueContext {
    /** What waits: a `Map` of the newest operation of each key, read only. */
    readonly queue: ReadonlyMap<string, QueuedOperation>;
    /** Never set: the timer is not one of JavaScript's. */
    readonly flushTimer?: undefined;
    /** Whether a batch is on its way to the driver. */
    readonly flushing: boolean;
    /** Whether the driver was disposed. */
    readonly disposed: boolean;
  }

  /** What the queue driver's factory gives. */
  interface QueueDriver extends BuiltinDriver<QueueDriverOptions, QueueContext> {
    /** The live state of the queue. */
    getInstance: () => QueueContext;
  }

  export type { QueueContext, QueueDriver, QueueDriverOptions, QueuedOperation };
  export { queueDriver as default };
}

export = queueDriver;
