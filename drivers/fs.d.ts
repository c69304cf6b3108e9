import type { BuiltinDriver, Unwatch, WatchCallback } from "../index.js";

/**
 * Keeps every item in a file of its own and watches for changes, those of other processes included. The key
 * `a:b:c` is the file `a/b/c` under `base`. Writes are atomic: a reader sees the old value or the new one.
 *
 * @throws StorageError `EAS_REQUIRED_OPTION` without `base`, `EAS_INVALID_OPTION`
 *
 * @example
 * ```ts
 * import fsDriver from "electron-async-storage/drivers/fs";
 *
 * const storage = createStorage({
 *   driver: fsDriver({ base: "./data", ignore: ["temp/**"] }),
 * });
 * const unwatch = await storage.watch((event, key) => console.log(event, key));
 * ```
 */
declare function fsDriver(options: fsDriver.FSStorageOptions): fsDriver.FSDriver;

declare namespace fsDriver {
  /**
   * When a write is safe from a power cut.
   *
   * - `"background"`: files and their folders are synced off the JavaScript thread within a second, and by
   *   `flush`, `dispose` and a normal exit
   * - `"full"`: synced before the write is reported done
   * - `"none"`: left to the operating system
   *
   * A crash of the process alone loses nothing in any of them.
   */
  type Durability = "background" | "full" | "none";

  /** Options of the fs driver. */
  interface FSStorageOptions {
    /** The folder the files are in; made by the first write. */
    base: string;
    /**
     * Glob patterns of files that are neither listed, watched nor cleared, matched against the path relative
     * to `base` (an absolute pattern: against the absolute path). A `!` in front takes a pattern back.
     *
     * @defaultValue everything in folders called `node_modules` or `.git`, at any depth
     */
    ignore?: string[] | undefined;
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
    /** How to watch. */
    watchOptions?: WatchOptions | undefined;
  }

  /** Says which paths to leave out: a glob pattern, a regular expression, or a function of the path. */
  type WatchMatcher = string | RegExp | ((path: string, stats?: any) => boolean);

  /** How to watch; the names are chokidar's, whose other options are accepted and have no effect. */
  interface WatchOptions {
    /**
     * What gives no events, matched against the path relative to `base`, as `ignore` is.
     *
     * @defaultValue nothing beyond `ignore`
     */
    ignored?: WatchMatcher | WatchMatcher[] | undefined;
    /**
     * Whether to say nothing of what is there when the watch begins; `false` reports each item as an
     * `"update"` first.
     *
     * @defaultValue `true`
     */
    ignoreInitial?: boolean | undefined;
    /**
     * Whether the watch keeps the process alive.
     *
     * @defaultValue `true`
     */
    persistent?: boolean | undefined;
    /**
     * Whether to pass over folders that may not be read, instead of failing.
     *
     * @defaultValue `false`
     */
    ignorePermissionErrors?: boolean | undefined;
    [option: string]: any;
  }

  /** What the fs driver's factory gives. */
  interface FSDriver extends BuiltinDriver<FSStorageOptions, never> {
    /** Reports changes of this and of other processes until the function it gives is called. */
    watch(callback: WatchCallback): Promise<Unwatch>;
  }

  export type { Durability, FSDriver, FSStorageOptions, WatchMatcher, WatchOptions };
  export { fsDriver as default };
}

export = fsDriver;
