import type { Storage } from "../index.js";

/** Options of {@link importElectronStore} and {@link importUnstorage}. */
export interface ImportOptions {
  /**
   * Where the keys go: `theme` becomes `BASE:theme`.
   *
   * @defaultValue `""`, the root
   */
  base?: string | undefined;
  /**
   * Whether to read and compare only. The report is that of the real run.
   *
   * @defaultValue `false`
   */
  dryRun?: boolean | undefined;
  /**
   * Whether a key that holds another value already takes the imported one. Without it such a key stays
   * as it is and is reported under `conflicts`.
   *
   * @defaultValue `false`
   */
  overwrite?: boolean | undefined;
}

/**
 * Why something was not imported.
 *
 * - `"unchanged"`: the storage holds this very value already
 * - `"internal"`: the source keeps it for itself (`__internal__` of electron-store, folders that unstorage
 *   ignores)
 * - `"invalid-key"`: the name cannot be a key here (it is empty, ends in `$` or has a `?`)
 * - `"no-value"`: there is nothing that could be stored (the text `undefined`, metadata that is no object)
 * - `"not-a-file"`: a link to a folder, a socket or the like
 */
export type SkipReason =
  | "unchanged"
  | "internal"
  | "invalid-key"
  | "no-value"
  | "not-a-file"
  | "no-item";

/** What an import did, or with `dryRun` would do. */
export interface ImportReport {
  /** Whether nothing was written because of `dryRun`. */
  dryRun: boolean;
  /** The keys that were written, in full. */
  imported: string[];
  /** The keys whose metadata was written. */
  importedMeta: string[];
  /** What was left out; `source` is the name in the source. */
  skipped: { source: string; reason: SkipReason }[];
  /**
   * What was not written because the key is taken: by another value in the storage, or by an earlier
   * item of the same source whose name becomes the same key.
   */
  conflicts: { source: string; key: string; reason: "existing-value" | "same-key" }[];
}

/**
 * Copies the file of electron-store, or of conf, into a storage. Each property at the top of the file
 * becomes one key, objects stay whole. The file is left as it is.
 *
 * When the Promise resolves, everything is written and flushed. A second run finds every value unchanged, so
 * an import that was interrupted can simply run again.
 *
 * @param file - the path of the file, for electron-store `config.json` in `app.getPath("userData")`
 * @throws an Error (as a rejection) when the file is missing, encrypted, or no JSON object
 *
 * @example
 * ```ts
 * const report = await importElectronStore(join(app.getPath("userData"), "config.json"), storage, {
 *   base: "settings",
 *   dryRun: true,
 * });
 * console.log(report.imported, report.conflicts);
 * ```
 */
export declare function importElectronStore(
  file: string,
  storage: Storage<any>,
  options?: ImportOptions,
): Promise<ImportReport>;

/**
 * Copies a folder that the fs or fs-lite driver of unstorage wrote into a storage. Values read as unstorage
 * reads them, bytes that are no text are stored raw, and metadata comes along. The folder is left as it is.
 *
 * When the Promise resolves, everything is written and flushed. A second run finds every value unchanged.
 *
 * @param folder - the `base` of the unstorage driver
 * @throws an Error (as a rejection) when the folder is missing or a file cannot be read
 *
 * @example
 * ```ts
 * const report = await importUnstorage("./.data/kv", storage, { base: "kv" });
 * ```
 */
export declare function importUnstorage(
  folder: string,
  storage: Storage<any>,
  options?: ImportOptions,
): Promise<ImportReport>;
