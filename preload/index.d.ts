/**
 * The storage of the main process in a sandboxed preload. Requires `electron` and nothing else.
 *
 * @packageDocumentation
 */

import type { Storage, StorageValue } from "../index.js";

export {
  normalizeKey,
  prefixStorage,
  restoreSnapshot,
  restoreSnapshotSync,
  snapshot,
  snapshotSync,
} from "../index.js";

/** The text that a storage keeps for a value. */
export declare function stringify(value: unknown): string;

/** The value of such a text. */
export declare function parse<T = any>(text: string): T;

/** Options of {@link connectStorage}. */
export interface ConnectStorageOptions {
  /**
   * The IPC channel of `serveStorage`.
   *
   * @defaultValue `"electron-async-storage"`
   */
  channel?: string | undefined;
  /**
   * Gets what nobody can be told otherwise, such as a refused `setItemSync`.
   *
   * @defaultValue `console.warn`
   */
  onError?: ((error: Error) => void) | undefined;
}

/** A storage of what the main process serves to this document. Sync reads need rules with `sync: true`. */
export declare function connectStorage<T extends StorageValue = StorageValue>(
  options?: ConnectStorageOptions,
): Storage<T>;

/**
 * Puts the storage on the page, for `storageFromBridge` of `electron-async-storage/renderer`. A page without
 * access gets nothing.
 *
 * @param name - the property of `window`, default `"storage"`
 * @throws {@link StorageError} `EAS_NOT_ISOLATED` without `contextIsolation`
 */
export declare function exposeStorage(name?: string, options?: ConnectStorageOptions): void;
