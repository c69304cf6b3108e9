import type { StorageError, StorageErrorCode } from "../index.js";

export { defineDriver, joinKeys } from "../index.js";

/** What an error of a driver may carry besides its message. */
export interface DriverErrorOptions {
  /** The error beneath. */
  cause?: unknown;
  /** One of the library's codes, or any other. */
  code?: StorageErrorCode | (string & {}) | undefined;
  /** Name of the operation that failed. */
  operation?: string | undefined;
  /** The key it failed for. */
  key?: string | undefined;
}

/**
 * An error with the message `[electron-async-storage] [DRIVER] MESSAGE`, to be thrown by a driver.
 *
 * @param driver - name of the driver
 * @param message - what went wrong, with the offending value and what to do
 * @param opts - what else the error carries
 *
 * @example
 * ```ts
 * throw createError("redis", `Cannot reach ${host}: is the server running?`, { cause: error });
 * ```
 */
export declare function createError(
  driver: string,
  message: string,
  opts?: DriverErrorOptions,
): Error & Partial<Omit<StorageError, keyof Error>>;

/**
 * An error that says which option is missing, with the code `EAS_REQUIRED_OPTION`.
 *
 * @param driver - name of the driver
 * @param name - name of the option, or of several of which one is needed
 */
export declare function createRequiredError(driver: string, name: string | string[]): StorageError;

/**
 * The one spelling of a key, with the separator of your choice.
 *
 * @param sep - what stands between the segments, default `":"`
 */
export declare function normalizeKey(key: string | undefined, sep?: ":" | "/"): string;
