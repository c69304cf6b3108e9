import type { BuiltinDriver } from "../index.js";
import type { Durability as FSDurability } from "./fs.js";

/**
 * The fs driver without watching, and with a function to leave files out. Both drivers can use one folder:
 * they write the same files.
 *
 * @throws StorageError `EAS_REQUIRED_OPTION` without `base`, `EAS_INVALID_OPTION`
 *
 * @example
 * ```ts
 * import fsLiteDriver from "electron-async-storage/drivers/fs-lite";
 *
 * const storage = createStorage({
 *   driver: fsLiteDriver({ base: "./data", ignore: (path) => path.endsWith(".tmp") }),
 * });
 * ```
 */
declare function fsLiteDriver(options: fsLiteDriver.FSStorageOptions): fsLiteDriver.FSLiteDriver;

declare namespace fsLiteDriver {
  /** When a write is safe from a power cut: as for the fs driver. */
  type Durability = FSDurability;

  /** Options of the fs-lite driver. */
  interface FSStorageOptions {
    /** The folder the files are in; made by the first write. */
    base: string;
    /**
     * Called with a path relative to `base`; a file for which it returns `true` is neither listed nor
     * cleared.
     *
     * @defaultValue nothing is left out
     */
    ignore?: ((path: string) => boolean) | undefined;
    /**
     * Whether writes, removals and `clear` do nothing. With `"error"` they are the error `EAS_READ_ONLY`.
     *
     * @defaultValue `false`
     */
    readOnly?: boolean | "error" | undefined;
    /**
     * Whether `clear` does nothing.
     *
     * @defaultValue `false`
     */
    noClear?: boolean | undefined;
    /**
     * When a write is safe from a power cut.
     *
     * @defaultValue `"background"`
     */
    durability?: Durability | undefined;
    /**
     * The permissions of new files and of temporary ones from their first byte, less the umask, such as
     * `0o600`; folders that the driver makes get the matching bits to enter, and the owner all of them. A
     * file that is replaced keeps its own. Without effect on Windows.
     *
     * @defaultValue `0o666`
     */
    mode?: number | undefined;
  }

  /** What the fs-lite driver's factory gives. */
  interface FSLiteDriver extends BuiltinDriver<FSStorageOptions, never> {}

  export type { Durability, FSLiteDriver, FSStorageOptions };
  export { fsLiteDriver as default };
}

export = fsLiteDriver;
