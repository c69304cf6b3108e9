import type { BuiltinDriver } from "../index.js";
import type { Durability as FSDurability } from "./fs.js";

/**
 * Keeps items in one SQLite database, which several processes and threads can use at once. Writes that come
 * together share a transaction, and reads wait for no write. Nothing on disk is touched before the first use.
 *
 * @throws StorageError `EAS_REQUIRED_OPTION` without `base` and `file`, `EAS_INVALID_OPTION` with both; at
 * the first use `EAS_FOREIGN_DATABASE` for a file that is no database of this package, `EAS_NEWER_LAYOUT` for
 * one of a later version, `EAS_DAMAGED` for one that is damaged
 *
 * @example
 * ```ts
 * import sqliteDriver from "electron-async-storage/drivers/sqlite";
 *
 * const storage = createStorage({ driver: sqliteDriver({ base: "./data" }) });
 * await storage.setItem("user:profile", { name: "John" });
 * ```
 */
declare function sqliteDriver(options: sqliteDriver.SqliteOptions): sqliteDriver.SqliteDriver;

declare namespace sqliteDriver {
  /** When a write is safe from a power cut: as for the fs driver. A kill of the process loses nothing. */
  type Durability = FSDurability;

  /** What every sqlite driver can be given. */
  interface SqliteCommonOptions {
    /**
     * When a write is safe from a power cut. The database stays whole in each case.
     *
     * @defaultValue `"background"`
     */
    durability?: Durability | undefined;
    /**
     * Whether writes, removals and `clear` do nothing, or with `"error"` are the error `EAS_READ_ONLY`. No
     * database is made then, and one is read where nothing can be written.
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
     * The permissions of a new database, such as `0o600`; not used on Windows.
     *
     * @defaultValue `0o666`, less the umask
     */
    mode?: number | undefined;
  }

  /** Where the database is: exactly one of the two. */
  type SqlitePlace =
    | {
        /** The folder that gets a `storage.db`; made by the first write. */
        base: string;
        file?: undefined;
      }
    | {
        /** The database itself; its folder is made by the first write. */
        file: string;
        base?: undefined;
      };

  /** Options of the sqlite driver. */
  type SqliteOptions = SqliteCommonOptions & SqlitePlace;

  /** What the sqlite driver's factory gives. */
  interface SqliteDriver extends BuiltinDriver<SqliteOptions, never> {
    /** Looks through the whole database. `problems` are in SQLite's words. */
    verify(): Promise<{ ok: boolean; problems: string[] }>;
    /**
     * Writes a whole database of one moment to a file, while this one is in use. A file that is there is
     * replaced once the copy is complete.
     */
    backup(file: string): Promise<void>;
    /** Gives the room of what was removed back to the file system. */
    compact(): Promise<void>;
  }

  export type { Durability, SqliteDriver, SqliteOptions };
  export { sqliteDriver as default };
}

export = sqliteDriver;
