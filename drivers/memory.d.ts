import type { BuiltinDriver } from "../index.js";

/**
 * Keeps items in the memory of this process. Every method has its `…Sync` form, a time to live is
 * supported, and everything is gone when the process ends.
 *
 * @example
 * ```ts
 * import memoryDriver from "electron-async-storage/drivers/memory";
 *
 * const storage = createStorage({ driver: memoryDriver() });
 * storage.setItemSync("config:theme", "dark");
 * ```
 */
declare function memoryDriver(options?: void): memoryDriver.MemoryDriver;

declare namespace memoryDriver {
  /** What the memory driver's factory gives. */
  interface MemoryDriver extends BuiltinDriver<void, Map<string, any>> {
    /**
     * A live `Map` of what is stored, by key and in the order of insertion: texts as drivers see them, and raw
     * values. What is set, deleted or cleared in it is so in the driver.
     */
    getInstance: () => Map<string, any>;
  }

  export type { MemoryDriver };
  export { memoryDriver as default };
}

export = memoryDriver;
