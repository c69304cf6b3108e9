/**
 * The storage of the main process on a page, or in a utility process.
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

/**
 * A storage of what a preload exposed.
 *
 * @typeParam S - the type of the storage, such as `typeof storage` of the main process
 * @param bridge - `window.storage`, or what the preload named it
 * @throws {@link StorageError} `EAS_ACCESS_DENIED` where nothing was exposed
 *
 * @example
 * ```ts
 * import { storageFromBridge } from "electron-async-storage/renderer";
 *
 * declare const window: { storage: unknown };
 * const storage = storageFromBridge(window.storage);
 * const theme = storage.getItemSync("settings:theme");
 * ```
 */
export declare function storageFromBridge<S extends Storage<any> = Storage>(bridge: unknown): S;

/** A `MessagePort` of a page, of Node or of Electron. */
export interface PortLike {
  postMessage(message: any): void;
  start?(): void;
}

/** Options of {@link connectStorage}. */
export interface ConnectPortOptions {
  /** The port whose other end the main process gave to `connect`. */
  port: PortLike;
  /**
   * Gets what nobody can be told otherwise, such as a refused `setItemSync`.
   *
   * @defaultValue `console.warn`
   */
  onError?: ((error: Error) => void) | undefined;
}

/** A storage at the other end of a port. */
export declare function connectStorage<T extends StorageValue = StorageValue>(
  options: ConnectPortOptions,
): Storage<T>;
