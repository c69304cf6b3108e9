/**
 * Key-value storage for Electron and Node.js: one API over memory, files and drivers of your own.
 *
 * @packageDocumentation
 */

import type { FSStorageOptions } from "./drivers/fs.js";
import type { FSStorageOptions as FSLiteStorageOptions } from "./drivers/fs-lite.js";
import type { QueueDriverOptions } from "./drivers/queue.js";
import type { SqliteOptions } from "./drivers/sqlite.js";

export type { Durability, FSStorageOptions, WatchMatcher, WatchOptions } from "./drivers/fs.js";
export type { QueueContext, QueueDriverOptions, QueuedOperation } from "./drivers/queue.js";
export type { FSLiteStorageOptions };

// ---------------------------------------------------------------------------------------------
// Values
// ---------------------------------------------------------------------------------------------

/**
 * What a storage keeps.
 *
 * `object` stands for plain objects, arrays, `Date`, `RegExp`, `Set`, `Map`, `Error`, `URL` and typed
 * arrays, nested to any depth, with shared references and cycles; and for any object with a `toJSON`
 * method, which is stored as what that method returns. A function, a symbol or another class instance is refused
 * with `EAS_INVALID_VALUE` as the value itself; inside a value, {@link CreateStorageOptions.onLossy} says what
 * happens to it.
 */
export type StorageValue = null | string | number | boolean | bigint | object;

/** A value, or a Promise of it. */
export type MaybePromise<T> = T | Promise<T>;

/**
 * The shape that names the type of every key of a storage.
 *
 * Give such a type to {@link createStorage}, and reads, writes and batches refuse every other key and
 * every value of the wrong type. Template literal keys work too.
 *
 * @example
 * ```ts
 * interface AppData {
 *   items: {
 *     theme: "light" | "dark";
 *     [user: `user:${string}`]: { name: string };
 *   };
 * }
 * const storage = createStorage<AppData>();
 * ```
 */
export type StorageDefinition = {
  items: Record<string, unknown>;
  [key: string]: unknown;
};

/** Objects that are a value even when they sit under a property called `items`. */
type NotAnItemMap =
  | readonly unknown[]
  | ReadonlyMap<any, any>
  | ReadonlySet<any>
  | Date
  | RegExp
  | ((...args: any) => any);

/**
 * The `items` of a definition, `never` for a value type. A type whose only property is `items` is a
 * definition, and so is a type alias with more properties; an interface such as
 * `{ id: string; items: … }` is a value.
 */
type ItemsOf<T> = 0 extends 1 & T
  ? never
  : [T] extends [never]
    ? never
    : [T] extends [{ items: infer Items }]
      ? Items extends NotAnItemMap
        ? never
        : Items extends object
          ? [keyof T] extends ["items"]
            ? Items
            : [T] extends [StorageDefinition]
              ? Items
              : never
          : never
      : never;

/** The keys of a storage: those of its {@link StorageDefinition}, or every string. */
export type StorageKey<T> = [ItemsOf<T>] extends [never]
  ? string
  : T extends { [inferred]: { keys: infer Key } }
    ? (Key & string) | AnyKey<T>
    : keyof ItemsOf<T> & string;

/** Any other key, in a form that leaves the known ones to be proposed and inferred. */
type AnyKey<T> = string extends keyof ItemsOf<T> ? string & Record<never, never> : never;

/** The type that may be written at key `K` of a `Storage<T>`. */
export type StorageItem<T, K = StorageKey<T>> = [ItemsOf<T>] extends [never]
  ? T
  : ItemsOf<T>[K & keyof ItemsOf<T>];

/**
 * The type that is read at key `K` of a `Storage<T>`. A storage without a type of its own reads `any`:
 * only the program knows what it stored.
 */
export type StoredItem<T, K = StorageKey<T>> = [ItemsOf<T>] extends [never]
  ? [StorageValue] extends [T]
    ? any
    : T
  : T extends { [inferred]: { outputs: infer Outputs } }
    ? (K extends keyof Outputs ? Outputs[K] : any) & Defined
    : StorageItem<T, K> & Defined;

/** What a read of key `K` gives: {@link StoredItem}, or `null` where the key has no default. */
export type ReadItem<T, K = StorageKey<T>> =
  | StoredItem<T, K>
  | (T extends { [inferred]: { defaults: infer Key } } ? (K extends Key ? never : null) : null);

/** Every value but `undefined`, which is no item. */
type Defined = NonNullable<unknown> | null;

/**
 * `Then` for a call with its type argument written out: `Argument` has its default `never` there. In any other
 * call the compiler infers `Argument` from the argument, and this takes nothing: the next overload is meant.
 */
type WhenGiven<Argument, Then> = [Argument] extends [never]
  ? Then
  : [Argument] extends [never]
    ? Argument
    : never;

/** `R`, at a place from which the compiler takes no hint about what `R` is. */
type Exactly<R> = [R][R extends any ? 0 : never];

// ---------------------------------------------------------------------------------------------
// Defaults and schemas
// ---------------------------------------------------------------------------------------------

/** What a schema found wrong with a value, as the Standard Schema specification has it. */
export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/**
 * A schema of any library that follows the Standard Schema specification, version 1: zod, valibot, arktype and
 * others.
 *
 * @typeParam Input - what may be written
 * @typeParam Output - what is read
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (
      value: unknown,
    ) => MaybePromise<
      | { readonly value: Output; readonly issues?: undefined }
      | { readonly issues: readonly StandardIssue[] }
    >;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/**
 * What a read does whose stored value does not pass its schema: throw `EAS_INVALID_VALUE`, give the default of the
 * key (or `null`), give the value as it is stored, or give what the function returns. Nothing is deleted.
 */
export type OnInvalid =
  | "throw"
  | "default"
  | "keep"
  | ((value: any, issues: readonly StandardIssue[], key: string) => unknown);

type AnySchema = StandardSchema<any, any>;
type SchemaTypes<Schema> = Schema extends {
  readonly "~standard": { readonly types?: infer Types };
}
  ? NonNullable<Types>
  : never;
type InputOf<Schema> = SchemaTypes<Schema> extends { readonly input: infer Input } ? Input : any;
type OutputOf<Schema> =
  SchemaTypes<Schema> extends { readonly output: infer Output } ? Output : any;

/** The keys that fit a pattern. */
type KeyOf<Pattern extends string> = Pattern extends `${infer Start}**${infer End}`
  ? `${Start}${string}${KeyOf<End>}`
  : Pattern extends `${infer Start}*${infer End}`
    ? `${Start}${string}${KeyOf<End>}`
    : Pattern;

type SchemaByKey<Schemas> = { [Key in keyof Schemas & string as KeyOf<Key>]: Schemas[Key] };

/** Keys that neither option names hold anything. */
type Others<Schemas> = string extends keyof SchemaByKey<Schemas> ? unknown : { [key: string]: any };

type Inputs<Defaults, Schemas> = {
  [Key in keyof Defaults & string]: Key extends keyof SchemaByKey<Schemas>
    ? InputOf<SchemaByKey<Schemas>[Key]>
    : Defaults[Key];
} & { [Key in keyof Schemas & string as KeyOf<Key>]: InputOf<Schemas[Key]> } & Others<Schemas>;

type Outputs<Defaults, Schemas> = {
  [Key in keyof Defaults & string]: Key extends keyof SchemaByKey<Schemas>
    ? OutputOf<SchemaByKey<Schemas>[Key]>
    : Defaults[Key];
} & { [Key in keyof Schemas & string as KeyOf<Key>]: OutputOf<Schemas[Key]> } & Others<Schemas>;

declare const inferred: unique symbol;

/**
 * The {@link StorageDefinition} that {@link createStorage} infers from `defaults` and `schemas`: what a schema takes
 * is written, what it gives is read, and a key with a default never reads as `null` for want of an item.
 */
export type InferredDefinition<Defaults, Schemas> = {
  items: Inputs<Defaults, Schemas>;
  [inferred]: {
    outputs: Outputs<Defaults, Schemas>;
    defaults: keyof Defaults & string;
    keys: (keyof Defaults & string) | Exclude<keyof SchemaByKey<Schemas>, number | symbol>;
  };
};

// ---------------------------------------------------------------------------------------------
// Options
// ---------------------------------------------------------------------------------------------

/**
 * Options of a single operation. The same object reaches a JavaScript driver, so any further property is
 * allowed; a driver called without options gets an empty object.
 */
export interface TransactionOptions {
  /**
   * For writes: the time to live in milliseconds. Once it is over, the key reads as `null` and is deleted
   * in time. memory, fs and fs-lite have it; other drivers say so with `flags.ttl`.
   *
   * @defaultValue none: the value stays until it is removed
   */
  ttl?: number | undefined;
  [option: string]: any;
}

/** Options of `setItem` and `setItemSync`. */
export interface SetItemOptions extends TransactionOptions {
  /**
   * The etag that the item must still have, as {@link Storage.getEntry} gave it; `null`: there must be no item. If it
   * is another one by now, nothing is written and the call fails with `EAS_CONFLICT`. It does not reach a driver.
   *
   * @defaultValue none: the write is made in any case
   */
  ifMatch?: string | null | undefined;
}

/** Options of `getKeys` and `getKeysSync`. */
export interface GetKeysOptions extends TransactionOptions {
  /**
   * The greatest depth to list, where the depth of a key is the number of its `:`, counted on the full key
   * whatever the mount.
   *
   * @defaultValue no limit
   */
  maxDepth?: number | undefined;
}

/** Options of `removeItem` and `removeItemSync`. */
export interface RemoveItemOptions extends TransactionOptions {
  /**
   * Whether the metadata of the key goes too.
   *
   * @defaultValue `false`
   */
  removeMeta?: boolean | undefined;
  /**
   * The etag that the item must still have, as {@link Storage.getEntry} gave it; `null`: there must be no item. If it
   * is another one by now, nothing is removed and the call fails with `EAS_CONFLICT`. It does not reach a driver.
   *
   * @defaultValue none: the item is removed in any case
   */
  ifMatch?: string | null | undefined;
}

/** Options of `getMeta` and `getMetaSync`. */
export interface GetMetaOptions extends TransactionOptions {
  /**
   * Whether to give only what the driver itself knows, without what `setMeta` stored.
   *
   * @defaultValue `false`
   */
  nativeOnly?: boolean | undefined;
}

/** Options of `getOrSet`. */
export interface GetOrSetOptions extends TransactionOptions {
  /**
   * How long after `ttl`, in milliseconds, the old value is still given, while `fn` is called once to refresh it.
   * Without a `ttl` it has no effect.
   *
   * @defaultValue none: a value is gone with its `ttl`
   */
  staleFor?: number | undefined;
}

/** One read of a batch: a key, or a key with options of its own. */
export type GetItemsRequest<K extends string = string> =
  | K
  | { key: K; options?: TransactionOptions | undefined };

/** One write of a batch; a `value` of `undefined` removes the key. */
export type SetItemsRequest<T = StorageValue> = [ItemsOf<T>] extends [never]
  ? { key: string; value: T | undefined; options?: TransactionOptions | undefined }
  : {
      [K in keyof ItemsOf<T> & string]-?: {
        key: K;
        value: StorageItem<T, K> | undefined;
        options?: TransactionOptions | undefined;
      };
    }[keyof ItemsOf<T> & string];

/** The key that a {@link GetItemsRequest} asks for. */
type RequestedKey<T, Request> = [ItemsOf<T>] extends [never]
  ? string
  : Request extends { key: infer K }
    ? K
    : Request;

/** The answers to a batch of reads, one for each request and in their order. */
export type GetItemsResult<T, Requests extends readonly unknown[]> = {
  -readonly [Index in keyof Requests]: {
    key: RequestedKey<T, Requests[Index]>;
    value: ReadItem<T, RequestedKey<T, Requests[Index]>>;
  };
};

// ---------------------------------------------------------------------------------------------
// Conditions and groups
// ---------------------------------------------------------------------------------------------

/**
 * An item with the etag of its value.
 *
 * @typeParam V - the type of the value
 */
export interface StorageEntry<V = any> {
  /** The key in normal form. */
  key: string;
  /** The value; `null` also where what is stored does not read as one. */
  value: V | null;
  /**
   * Names what is stored, whoever wrote it: another value has another etag, in every process. `null` where there is no
   * item.
   */
  etag: string | null;
}

/** What became of a group: everything was done, or nothing because of the keys that were not as checked. */
export type GroupOutcome = { ok: true } | { ok: false; conflicts: string[] };

/**
 * Changes that are made together or not at all, from {@link Storage.atomic}. Each method but the last two gives the
 * group. Of several changes of one key the last is made.
 *
 * @typeParam T - as for {@link createStorage}
 */
export interface AtomicGroup<T extends StorageValue = StorageValue> {
  /**
   * Makes the group depend on an item: it must have that etag when the group is committed.
   *
   * @param etag - as {@link Storage.getEntry} gave it; `null`: there must be no item
   * @throws {@link StorageError} `EAS_INVALID_ARGUMENT`
   */
  check(this: void, key: StorageKey<T>, etag: string | null): AtomicGroup<T>;
  /**
   * Stores a value, as it is now; `undefined` removes the key.
   *
   * @throws {@link StorageError} `EAS_INVALID_ARGUMENT`, `EAS_INVALID_OPTION`, `EAS_INVALID_VALUE`
   */
  set<K extends StorageKey<T>>(
    this: void,
    key: K,
    value: StorageItem<T, K> | undefined,
    opts?: TransactionOptions,
  ): AtomicGroup<T>;
  /**
   * Removes an item; a key without one is no error.
   *
   * @throws {@link StorageError} `EAS_INVALID_ARGUMENT`
   */
  remove(this: void, key: StorageKey<T>): AtomicGroup<T>;
  /**
   * Makes all changes, if all checks hold. A group is committed once.
   *
   * @throws {@link StorageError} (as a rejection) `EAS_ATOMIC_UNSUPPORTED` (keys in two mounts, or a driver without
   * `commit`), `EAS_READ_ONLY`, `EAS_INVALID_ARGUMENT` (a second commit), or as {@link Storage.setItem}
   */
  commit(this: void): Promise<GroupOutcome>;
  /**
   * {@link AtomicGroup.commit}, done when it returns.
   *
   * @throws {@link StorageError} also `EAS_SYNC_UNSUPPORTED`
   */
  commitSync(this: void): GroupOutcome;
}

/**
 * One step of a group as a driver gets it.
 *
 * - `check`: the item must be this very text or these bytes, or missing for `null`
 * - `set`: stores the text
 * - `remove`: removes the item; a key that is not there is no error
 */
export type GroupStep =
  | { type: "check"; key: string; value: string | Uint8Array | null }
  | { type: "set"; key: string; value: string; options?: TransactionOptions }
  | { type: "remove"; key: string; options?: TransactionOptions };

// ---------------------------------------------------------------------------------------------
// Metadata and events
// ---------------------------------------------------------------------------------------------

/** What is known about an item besides its value. */
export interface StorageMeta {
  /** Time of the last access. */
  atime?: Date | undefined;
  /** Time of the last change of the content. */
  mtime?: Date | undefined;
  /** Time of the last change of the content or of the file's own attributes (fs and fs-lite). */
  ctime?: Date | undefined;
  /** Time of creation (fs and fs-lite). */
  birthtime?: Date | undefined;
  /** Size in bytes (fs and fs-lite). */
  size?: number | undefined;
  /** Milliseconds left until the item expires. */
  ttl?: number | undefined;
  /** Whatever `setMeta` stored. */
  [key: string]: StorageValue | undefined;
}

/** `"update"`: a value was written. `"remove"`: the key is gone. */
export type WatchEvent = "update" | "remove";

/** Called with every change and the full key it happened to. */
export type WatchCallback = (event: WatchEvent, key: string) => any;

/** Ends a watch. */
export type Unwatch = () => MaybePromise<void>;

// ---------------------------------------------------------------------------------------------
// Errors
// ---------------------------------------------------------------------------------------------

/**
 * The codes that the library itself gives its errors.
 *
 * - `EAS_INVALID_KEY`: the driver cannot store under this key (a `..` segment, a NUL, a lone surrogate…)
 * - `EAS_INVALID_VALUE`: the value cannot be written as text (a function, a class instance…), or what is stored
 *   is longer than a string or a Buffer can be
 * - `EAS_INVALID_ARGUMENT`: an argument is of the wrong type or out of range
 * - `EAS_INVALID_OPTION`: an option is of the wrong type or out of range
 * - `EAS_REQUIRED_OPTION`: an option that the driver needs is missing
 * - `EAS_SYNC_UNSUPPORTED`: the driver cannot do this operation synchronously
 * - `EAS_CORRUPT_VALUE`: the stored text is not JSON (the code of a process warning)
 * - `EAS_ALREADY_MOUNTED`: another driver is mounted at this base
 * - `EAS_DISPOSED`: a write to a queue that was disposed, or a call in a context that is ending
 * - `EAS_ADDON_UNAVAILABLE`: the package has no binary for this system, or it could not be loaded
 * - `EAS_READ_ONLY`: the driver takes no writes
 * - `EAS_DRIVER_RESULT`: a JavaScript driver returned something that its interface does not allow
 * - `EAS_PANIC`: an internal failure was caught; the process goes on
 * - `EAS_MIGRATION`: a migration could not be run or undone
 * - `EAS_CONFLICT`: an item is no longer what a conditional write expects, or an import would replace it
 * - `EAS_ATOMIC_UNSUPPORTED`: a conditional write or a group where the driver makes none, or over two mounts
 * - `EAS_INSIDE_UPDATE`: a flush or a dispose by the function of an update
 * - `EAS_INVALID_IMPORT`: a line of an import does not read
 * - `EAS_ACCESS_DENIED`: no rule of `serveStorage` allows the key to this document
 * - `EAS_CLOSED`: the main process serves the storage no more
 * - `EAS_NO_SERVER`: the main process serves no storage on this channel
 * - `EAS_NOT_READY`: the main process does not know this document yet
 * - `EAS_NOT_SERVED`: a method for the storage of the main process itself
 * - `EAS_NOT_ISOLATED`: `exposeStorage` without `contextIsolation`
 * - `EAS_TOO_LARGE`: a value is longer than `serveStorage` allows
 * - `EAS_RATE_LIMITED`: more calls a second than `serveStorage` allows
 */
export type StorageErrorCode =
  | "EAS_INVALID_KEY"
  | "EAS_INVALID_VALUE"
  | "EAS_INVALID_ARGUMENT"
  | "EAS_INVALID_OPTION"
  | "EAS_REQUIRED_OPTION"
  | "EAS_SYNC_UNSUPPORTED"
  | "EAS_CORRUPT_VALUE"
  | "EAS_ALREADY_MOUNTED"
  | "EAS_DISPOSED"
  | "EAS_READ_ONLY"
  | "EAS_DRIVER_RESULT"
  | "EAS_PANIC"
  | "EAS_MIGRATION"
  | "EAS_CONFLICT"
  | "EAS_ATOMIC_UNSUPPORTED"
  | "EAS_INSIDE_UPDATE"
  | "EAS_INVALID_IMPORT"
  | "EAS_ACCESS_DENIED"
  | "EAS_CLOSED"
  | "EAS_NO_SERVER"
  | "EAS_NOT_READY"
  | "EAS_NOT_SERVED"
  | "EAS_NOT_ISOLATED"
  | "EAS_TOO_LARGE"
  | "EAS_RATE_LIMITED"
  | "EAS_ADDON_UNAVAILABLE";

/**
 * An error that the library raised. Compare `code`; the message is for people.
 *
 * What a JavaScript driver throws is no such error: it reaches the caller as the same object.
 *
 * @example
 * ```ts
 * try {
 *   await storage.setItem("../secret", 1);
 * } catch (error) {
 *   if ((error as StorageError).code === "EAS_INVALID_KEY") console.warn("pick another key");
 * }
 * ```
 */
export interface StorageError extends Error {
  /** One of the library's codes, or the operating system's own, such as `"EACCES"` or `"ENOSPC"`. */
  code: StorageErrorCode | (string & {});
  /** Name of the driver, where one was involved. */
  driver?: string | undefined;
  /** Name of the operation, such as `"setItem"`. */
  operation?: string | undefined;
  /** The key, where there was one. */
  key?: string | undefined;
  /** The place in a batch, counted from 0, of the item with a value that cannot be stored. */
  index?: number | undefined;
  /** For a value that does not pass its schema: what the schema found. */
  issues?: readonly StandardIssue[] | undefined;
  /** For an import: the number of the line, from 1. */
  line?: number | undefined;
  /** For a value that cannot be stored: where in it, such as `"users[0].account"`. */
  path?: string | undefined;
  /** The error beneath, where there was one. */
  cause?: unknown;
}

// ---------------------------------------------------------------------------------------------
// Drivers
// ---------------------------------------------------------------------------------------------

/** What a driver does by itself, so that the storage need not do it. */
export interface DriverFlags {
  /**
   * `getKeys` applies `maxDepth`.
   *
   * @defaultValue `false`
   */
  maxDepth?: boolean | undefined;
  /**
   * `setItem` applies `ttl`.
   *
   * @defaultValue `false`
   */
  ttl?: boolean | undefined;
  /**
   * Writes, removals and `clear` do nothing, or are the error `EAS_READ_ONLY`; none of them is called. A
   * wrapper passes it on, so that no event is reported for them and nothing is migrated.
   *
   * @defaultValue `false`
   */
  readOnly?: boolean | "error" | undefined;
  /**
   * `clear` does nothing, and the keys are not removed one by one either.
   *
   * @defaultValue `false`
   */
  noClear?: boolean | undefined;
  /**
   * Whether the driver makes conditional writes and groups. Of a driver of your own its `commit` says so.
   *
   * @defaultValue `false`
   */
  atomic?: boolean | undefined;
}

/**
 * Where items are kept. Any object of this shape can be mounted, `this` inside a method is that object.
 *
 * Keys arrive normalised and relative to the mount; values arrive as text (see `setItemRaw` for the other
 * way). The storage always passes an options object. A driver without `setItem`, `removeItem` and `clear`
 * is read-only: async writes to it do nothing. A `…Sync` method that is missing makes the same call on the
 * storage throw `EAS_SYNC_UNSUPPORTED`. Whatever a method throws or rejects with reaches the caller as it is.
 *
 * @typeParam OptionsT - type of `options`
 * @typeParam InstanceT - what `getInstance` returns
 */
export interface Driver<OptionsT = any, InstanceT = any> {
  /** Shown in error messages. */
  name?: string | undefined;
  /** What the driver does by itself. Default: nothing. */
  flags?: DriverFlags | undefined;
  /** The options the driver was made with. */
  options?: OptionsT | undefined;
  /** Gives the thing behind the driver: a `Map`, a client, a connection. */
  getInstance?: (() => InstanceT) | undefined;

  /** Whether there is an item at `key`. */
  hasItem(key: string, opts: TransactionOptions): MaybePromise<boolean>;
  /** The text at `key`, or `null` when there is none. */
  getItem(key: string, opts?: TransactionOptions): MaybePromise<StorageValue>;
  /** Several texts in one call. Default: a `getItem` for each. */
  getItems?(
    items: { key: string; options?: TransactionOptions }[],
    commonOptions?: TransactionOptions,
  ): MaybePromise<{ key: string; value: StorageValue }[]>;
  /** The value as it was given to `setItemRaw`. Default: the text of `getItem`, decoded. */
  getItemRaw?(key: string, opts: TransactionOptions): MaybePromise<unknown>;
  /** Stores a text; an item that is there is replaced. */
  setItem?(key: string, value: string, opts: TransactionOptions): MaybePromise<void>;
  /** Stores several texts in one call. Default: a `setItem` for each. */
  setItems?(
    items: { key: string; value: string; options?: TransactionOptions }[],
    commonOptions?: TransactionOptions,
  ): MaybePromise<void>;
  /** Stores a value as it is. Default: strings, and bytes as `base64:…` text, go through `setItem`. */
  setItemRaw?(key: string, value: any, opts: TransactionOptions): MaybePromise<void>;
  /** Removes an item; a key that is not there is no error. */
  removeItem?(key: string, opts: TransactionOptions): MaybePromise<void>;
  /** What the driver knows about an item, or `null`. */
  getMeta?(key: string, opts: TransactionOptions): MaybePromise<StorageMeta | null>;
  /**
   * The keys under `base`, `""` being all of them. Giving more keys than asked for is allowed: the storage
   * filters.
   */
  getKeys(base: string, opts: GetKeysOptions): MaybePromise<string[]>;
  /** Removes everything under `base`. Default: `getKeys` and a `removeItem` for each. */
  clear?(base: string, opts: TransactionOptions): MaybePromise<void>;
  /**
   * Makes all changes of a group if its checks hold, or none, so that no other write comes between: `setItem` with
   * `ifMatch`, `update` and `atomic` need it. Gives the keys of the checks that did not hold. Default: those calls are
   * `EAS_ATOMIC_UNSUPPORTED`.
   */
  commit?(ops: GroupStep[], opts: TransactionOptions): MaybePromise<GroupOutcome>;
  /** Lets go of everything the driver holds. */
  dispose?(): MaybePromise<void>;
  /** Reports changes, also those of others, until the function it gives is called. */
  watch?(callback: WatchCallback): MaybePromise<Unwatch>;
  /** Settles when every earlier write is where it belongs. */
  flush?(): MaybePromise<void>;

  /** {@link Driver.hasItem}, done when it returns. */
  hasItemSync?(key: string, opts: TransactionOptions): boolean;
  /** {@link Driver.getItem}, done when it returns. */
  getItemSync?(key: string, opts?: TransactionOptions): StorageValue;
  /** {@link Driver.getItems}, done when it returns. */
  getItemsSync?(
    items: { key: string; options?: TransactionOptions }[],
    commonOptions?: TransactionOptions,
  ): { key: string; value: StorageValue }[];
  /** {@link Driver.getItemRaw}, done when it returns. */
  getItemRawSync?(key: string, opts: TransactionOptions): unknown;
  /** {@link Driver.setItem}, done when it returns. */
  setItemSync?(key: string, value: string, opts: TransactionOptions): void;
  /** {@link Driver.setItems}, done when it returns. */
  setItemsSync?(
    items: { key: string; value: string; options?: TransactionOptions }[],
    commonOptions?: TransactionOptions,
  ): void;
  /** {@link Driver.setItemRaw}, done when it returns. */
  setItemRawSync?(key: string, value: any, opts: TransactionOptions): void;
  /** {@link Driver.removeItem}, done when it returns. */
  removeItemSync?(key: string, opts: TransactionOptions): void;
  /** {@link Driver.getMeta}, done when it returns. */
  getMetaSync?(key: string, opts: TransactionOptions): StorageMeta | null;
  /** {@link Driver.getKeys}, done when it returns. */
  getKeysSync?(base: string, opts: GetKeysOptions): string[];
  /** {@link Driver.clear}, done when it returns. */
  clearSync?(base: string, opts: TransactionOptions): void;
  /** {@link Driver.commit}, done when it returns. */
  commitSync?(ops: GroupStep[], opts: TransactionOptions): GroupOutcome;
  /** {@link Driver.flush}, done when it returns. */
  flushSync?(): void;
}

/**
 * A driver that this package ships: a {@link Driver} on which every method is there, options may be left
 * out, and every method that is not a `…Sync` one returns a real Promise. Making one touches nothing on
 * disk. Unsafe keys are refused with `EAS_INVALID_KEY`.
 */
export interface BuiltinDriver<OptionsT = any, InstanceT = any>
  extends Driver<OptionsT, InstanceT> {
  name: string;
  flags: DriverFlags;

  hasItem(key: string, opts?: TransactionOptions): Promise<boolean>;
  getItem(key: string, opts?: TransactionOptions): Promise<StorageValue>;
  getItems(
    items: { key: string; options?: TransactionOptions }[],
    commonOptions?: TransactionOptions,
  ): Promise<{ key: string; value: StorageValue }[]>;
  getItemRaw(key: string, opts?: TransactionOptions): Promise<unknown>;
  setItem(key: string, value: string, opts?: TransactionOptions): Promise<void>;
  setItems(
    items: { key: string; value: string; options?: TransactionOptions }[],
    commonOptions?: TransactionOptions,
  ): Promise<void>;
  setItemRaw(key: string, value: any, opts?: TransactionOptions): Promise<void>;
  removeItem(key: string, opts?: TransactionOptions): Promise<void>;
  getMeta(key: string, opts?: TransactionOptions): Promise<StorageMeta | null>;
  getKeys(base?: string, opts?: GetKeysOptions): Promise<string[]>;
  clear(base?: string, opts?: TransactionOptions): Promise<void>;
  /** `EAS_ATOMIC_UNSUPPORTED` where `flags.atomic` is `false`. */
  commit(ops: GroupStep[], opts?: TransactionOptions): Promise<GroupOutcome>;
  dispose(): Promise<void>;
  /** Only on a driver that sees changes: fs, and queue over such a driver. */
  watch?(callback: WatchCallback): Promise<Unwatch>;
  flush(): Promise<void>;

  hasItemSync(key: string, opts?: TransactionOptions): boolean;
  getItemSync(key: string, opts?: TransactionOptions): StorageValue;
  getItemsSync(
    items: { key: string; options?: TransactionOptions }[],
    commonOptions?: TransactionOptions,
  ): { key: string; value: StorageValue }[];
  getItemRawSync(key: string, opts?: TransactionOptions): unknown;
  setItemSync(key: string, value: string, opts?: TransactionOptions): void;
  setItemsSync(
    items: { key: string; value: string; options?: TransactionOptions }[],
    commonOptions?: TransactionOptions,
  ): void;
  setItemRawSync(key: string, value: any, opts?: TransactionOptions): void;
  removeItemSync(key: string, opts?: TransactionOptions): void;
  getMetaSync(key: string, opts?: TransactionOptions): StorageMeta | null;
  getKeysSync(base?: string, opts?: GetKeysOptions): string[];
  clearSync(base?: string, opts?: TransactionOptions): void;
  commitSync(ops: GroupStep[], opts?: TransactionOptions): GroupOutcome;
  flushSync(): void;
}

/** A driver as `getMount` and `getMounts` give it back. */
export interface MountedDriver extends Driver {
  /**
   * What is behind the driver. Its type is lost by mounting, hence `any`. A JavaScript driver that was
   * mounted without a `getInstance` has none here either: the call is then a `TypeError`.
   */
  getInstance: () => any;
}

/** What `entries` gives: an async iterator, or, awaited, a list. */
export type Entries<Entry> = AsyncIterableIterator<Entry> & Promise<Entry[]>;

/** A mount point. */
export interface StorageMount {
  /** The base, with a `:` at its end; `""` for the root. */
  base: string;
  /** The driver mounted there. */
  driver: MountedDriver;
}

/** What {@link defineDriver} gives: makes a driver. `options` may be left out where its type allows it. */
export type DriverFactory<OptionsT = any, InstanceT = any> = (
  ...args: undefined extends OptionsT ? [options?: OptionsT] : [options: OptionsT]
) => Driver<OptionsT, InstanceT>;

/** `this` inside the methods of a driver: the driver, options being the author's own affair. */
type DriverSelf<OptionsT, InstanceT> = Driver<OptionsT, InstanceT> & {
  hasItem(key: string, opts?: TransactionOptions): MaybePromise<boolean>;
  getItemRaw?(key: string, opts?: TransactionOptions): MaybePromise<unknown>;
  setItem?(key: string, value: string, opts?: TransactionOptions): MaybePromise<void>;
  setItemRaw?(key: string, value: any, opts?: TransactionOptions): MaybePromise<void>;
  removeItem?(key: string, opts?: TransactionOptions): MaybePromise<void>;
  getMeta?(key: string, opts?: TransactionOptions): MaybePromise<StorageMeta | null>;
  getKeys(base?: string, opts?: GetKeysOptions): MaybePromise<string[]>;
  clear?(base?: string, opts?: TransactionOptions): MaybePromise<void>;
  commit?(ops: GroupStep[], opts?: TransactionOptions): MaybePromise<GroupOutcome>;
};

/**
 * Types a driver factory; at run time it gives back the very function it is given.
 *
 * @typeParam OptionsT - what the factory takes; `void` for nothing
 * @typeParam InstanceT - what the driver's `getInstance` returns
 * @param factory - makes a driver from its options
 *
 * @example
 * ```ts
 * export default defineDriver<{ client: Redis }>((options) => ({
 *   name: "redis",
 *   options,
 *   hasItem: async (key) => (await options.client.exists(key)) === 1,
 *   getItem: (key) => options.client.get(key),
 *   getKeys: (base) => options.client.keys(`${base}*`),
 * }));
 * ```
 */
export declare function defineDriver<OptionsT = any, InstanceT = any>(
  factory: (
    options: OptionsT,
  ) => Driver<Exactly<OptionsT>, InstanceT> & ThisType<DriverSelf<OptionsT, InstanceT>>,
): DriverFactory<OptionsT, InstanceT>;

/** Module path of every built-in driver, by name. `fsLite` is another name of `fs-lite`. */
export declare const builtinDrivers: {
  readonly "fs-lite": "electron-async-storage/drivers/fs-lite";
  readonly fsLite: "electron-async-storage/drivers/fs-lite";
  readonly fs: "electron-async-storage/drivers/fs";
  readonly memory: "electron-async-storage/drivers/memory";
  readonly queue: "electron-async-storage/drivers/queue";
  readonly sqlite: "electron-async-storage/drivers/sqlite";
};

/** Name of a built-in driver. */
export type BuiltinDriverName = keyof typeof builtinDrivers;

/** Options of every built-in driver, by name. */
export type BuiltinDriverOptions = {
  "fs-lite": FSLiteStorageOptions;
  fsLite: FSLiteStorageOptions;
  fs: FSStorageOptions;
  memory: void;
  queue: QueueDriverOptions;
  sqlite: SqliteOptions;
};

/** Options of the queue driver besides the driver it wraps. */
export interface QueueOptions {
  /**
   * Number of operations handed to the driver at once.
   *
   * @defaultValue `100`
   */
  batchSize?: number | undefined;
  /**
   * Longest time, in milliseconds, that a write waits before it is flushed.
   *
   * @defaultValue `1000`
   */
  flushInterval?: number | undefined;
  /**
   * Most operations that are kept waiting; a write beyond that waits for room.
   *
   * @defaultValue `1000`
   */
  maxQueueSize?: number | undefined;
  /**
   * Whether only the last operation of a key reaches the driver (`true`), or every one in order (`false`).
   *
   * @defaultValue `true`
   */
  mergeUpdates?: boolean | undefined;
}

// ---------------------------------------------------------------------------------------------
// Storage
// ---------------------------------------------------------------------------------------------

/**
 * A key-value storage over one or more drivers.
 *
 * Every operation has a Promise form, which never throws synchronously, and (where listed) a `…Sync` form
 * with the same result, which never returns a Promise and throws `EAS_SYNC_UNSUPPORTED` when the driver
 * behind the key cannot do it. I/O errors carry the operating system's code, such as `EACCES`.
 *
 * Methods are own properties and need no `this`: take them off the object, spread it, hand it to Electron's
 * `contextBridge`. A storage can itself be mounted as a driver.
 *
 * @typeParam T - the type of every value, or a {@link StorageDefinition} with a type for each key
 */
export interface Storage<T extends StorageValue = StorageValue> {
  // --- one item ---

  /**
   * Whether there is a value at `key`.
   *
   * @throws {@link StorageError} (as a rejection) `EAS_INVALID_KEY`, or the system's code
   */
  hasItem(this: void, key: StorageKey<T>, opts?: TransactionOptions): Promise<boolean>;

  /**
   * The value at `key`, or `null` when there is none. A text that is not JSON also reads as `null`; a
   * process warning with the code `EAS_CORRUPT_VALUE` then names the key.
   *
   * A type argument (`getItem<User>(…)`) states what is there, and admits any key.
   *
   * @throws {@link StorageError} (as a rejection) `EAS_INVALID_KEY`, `EAS_INVALID_VALUE` (what is
   * stored is longer than a string can be), or the system's code
   *
   * @example
   * ```ts
   * const theme = await storage.getItem("config:theme");
   * ```
   */
  getItem<R, Key extends string = never>(
    this: void,
    key: WhenGiven<Key, string>,
    opts?: TransactionOptions,
  ): Promise<R | null>;
  getItem<K extends StorageKey<T>>(
    this: void,
    key: K,
    opts?: TransactionOptions,
  ): Promise<ReadItem<T, K>>;

  /**
   * Several values at once, in the order asked, also across mounts. A driver with `getItems` gets one call.
   * More than 256 values are decoded in parts of about 2 ms, between which the event loop turns. Values are
   * those at the time of the call, unless more than 4,096 are asked for: then a write that is made before the
   * Promise settles may be seen.
   *
   * @param items - keys, or keys with options of their own
   * @param commonOptions - options of all of them
   * @throws {@link StorageError} (as a rejection) `EAS_INVALID_KEY`, `EAS_INVALID_ARGUMENT`,
   * `EAS_DRIVER_RESULT`, or the system's code
   *
   * @example
   * ```ts
   * const [theme, lang] = await storage.getItems(["config:theme", { key: "config:lang" }]);
   * console.log(theme.value, lang.value);
   * ```
   */
  getItems<U, Requests extends readonly unknown[] = never>(
    this: void,
    items: WhenGiven<Requests, readonly GetItemsRequest[]>,
    commonOptions?: TransactionOptions,
  ): Promise<{ key: string; value: U | null }[]>;
  getItems<Requests extends readonly GetItemsRequest<StorageKey<T>>[]>(
    this: void,
    items: readonly [...Requests],
    commonOptions?: TransactionOptions,
  ): Promise<GetItemsResult<T, Requests>>;

  /**
   * The raw value at `key`, or `null`: from fs a `Buffer`, from memory what `setItemRaw` was given.
   *
   * @typeParam R - what the caller knows to be there
   * @throws {@link StorageError} (as a rejection) `EAS_INVALID_KEY`, or the system's code
   */
  getItemRaw<R = any>(this: void, key: string, opts?: TransactionOptions): Promise<R | null>;

  /**
   * Stores `value` at `key`; `undefined` removes the key. Writes of one key are applied in the order of the
   * calls, awaited or not.
   *
   * A type argument (`setItem<User>(…)`) states the type of the value, and admits any key.
   *
   * @throws {@link StorageError} (as a rejection) `EAS_INVALID_KEY`, `EAS_INVALID_VALUE`,
   * `EAS_INVALID_OPTION` (a `ttl` that is no number of milliseconds, an `ifMatch` that is no etag), `EAS_CONFLICT` for
   * an `ifMatch`, or the system's code, the old value then being kept
   *
   * @example
   * ```ts
   * await storage.setItem("session:token", token, { ttl: 60_000 });
   * ```
   */
  setItem<U extends StorageValue, Key extends string = never>(
    this: void,
    key: WhenGiven<Key, string>,
    value: U | undefined,
    opts?: SetItemOptions,
  ): Promise<void>;
  setItem<K extends StorageKey<T>>(
    this: void,
    key: K,
    value: StorageItem<T, K> | undefined,
    opts?: SetItemOptions,
  ): Promise<void>;

  /**
   * Stores several values at once, with one watch event for each key. A driver with `setItems` gets one call
   * for each mount.
   *
   * Values are taken at the call. Those of more than 4,096 items are taken in slices, so that the event loop
   * turns in between, and at the latest before the next call of any storage does anything: leave them
   * unchanged until then.
   *
   * @param items - what to store; a value of `undefined` removes its key
   * @param commonOptions - options of all of them
   * @throws {@link StorageError} (as a rejection) as {@link Storage.setItem}
   */
  setItems<U extends StorageValue, Items extends readonly unknown[] = never>(
    this: void,
    items: WhenGiven<
      Items,
      readonly {
        key: string;
        value: U | undefined;
        options?: TransactionOptions | undefined;
      }[]
    >,
    commonOptions?: TransactionOptions,
  ): Promise<void>;
  setItems(
    this: void,
    items: readonly SetItemsRequest<T>[],
    commonOptions?: TransactionOptions,
  ): Promise<void>;

  /**
   * Stores bytes, a string, or (in memory) any value as it is, without encoding it.
   *
   * @throws {@link StorageError} (as a rejection) `EAS_INVALID_KEY`, `EAS_INVALID_VALUE` (the driver cannot
   * keep such a value), or the system's code
   */
  setItemRaw<R = any>(this: void, key: string, value: R, opts?: TransactionOptions): Promise<void>;

  /**
   * Removes the value at `key`; a key without one is no error.
   *
   * @param opts - `true`, or `{ removeMeta: true }`, removes the metadata too
   * @throws {@link StorageError} (as a rejection) `EAS_INVALID_KEY`, `EAS_CONFLICT` for an `ifMatch`, or the system's
   * code
   */
  removeItem(this: void, key: StorageKey<T>, opts?: RemoveItemOptions | boolean): Promise<void>;

  // --- changes of what was read ---

  /**
   * The item with the etag of its value, for `ifMatch` and {@link AtomicGroup.check}. Works over every driver. A default
   * is no item.
   *
   * @throws {@link StorageError} (as a rejection) as {@link Storage.getItem}
   *
   * @example
   * ```ts
   * const { value, etag } = await storage.getEntry("note");
   * await storage.setItem("note", `${value}!`, { ifMatch: etag }); // EAS_CONFLICT if it changed meanwhile
   * ```
   */
  getEntry<R, Key extends string = never>(
    this: void,
    key: WhenGiven<Key, string>,
    opts?: TransactionOptions,
  ): Promise<StorageEntry<R>>;
  getEntry<K extends StorageKey<T>>(
    this: void,
    key: K,
    opts?: TransactionOptions,
  ): Promise<StorageEntry<StoredItem<T, K>>>;

  /**
   * Replaces the value at `key` by what `fn` makes of it, and gives that. No write of the package in between is lost,
   * from whatever thread or process: `fn` runs again with the new value then. So it should do nothing but compute;
   * it may read, and write other keys. `undefined` removes the item.
   *
   * Updates of one key take turns. Nothing is locked while `fn` runs.
   *
   * @param fn - gets the value, the default of the key, or `null`
   * @param opts - as for `setItem`: without `ttl` the new value does not expire
   * @throws what `fn` throws, nothing being written; {@link StorageError} (as a rejection) `EAS_CONFLICT` after 100
   * runs of `fn` or 5 s of conflicts, `EAS_ATOMIC_UNSUPPORTED`, `EAS_READ_ONLY`, `EAS_DISPOSED`, or as
   * {@link Storage.setItem}
   *
   * @example
   * ```ts
   * const visits = await storage.update("visits", (count) => (count ?? 0) + 1);
   * ```
   */
  update<R, Key extends string = never>(
    this: void,
    key: WhenGiven<Key, string>,
    fn: (value: R | null) => MaybePromise<R | undefined>,
    opts?: TransactionOptions,
  ): Promise<R | undefined>;
  update<K extends StorageKey<T>, Next extends StorageItem<T, K> | undefined>(
    this: void,
    key: K,
    fn: (value: ReadItem<T, K>) => MaybePromise<Next>,
    opts?: TransactionOptions,
  ): Promise<Next>;

  /**
   * A group of changes that are made together, or not at all: also after a crash. All keys must be in one mount.
   *
   * @example
   * ```ts
   * const from = await storage.getEntry("accounts:ann");
   * const result = await storage
   *   .atomic()
   *   .check("accounts:ann", from.etag)
   *   .set("accounts:ann", from.value - 10)
   *   .set("transfers:1", { from: "ann", amount: 10 })
   *   .commit();
   * if (!result.ok) console.log("changed meanwhile:", result.conflicts);
   * ```
   */
  atomic(this: void): AtomicGroup<T>;

  // --- metadata ---

  /**
   * What the driver knows about the item, overlaid by what `setMeta` stored. `atime` and `mtime` are Dates,
   * `ttl` is in milliseconds left, `size` in bytes.
   *
   * @param opts - `true`, or `{ nativeOnly: true }`, leaves out what `setMeta` stored
   * @throws {@link StorageError} (as a rejection) `EAS_INVALID_KEY`, or the system's code
   */
  getMeta(this: void, key: string, opts?: GetMetaOptions | boolean): Promise<StorageMeta>;

  /**
   * Stores metadata of your own beside the item, in place of what was stored before.
   *
   * @throws {@link StorageError} (as a rejection) as {@link Storage.setItem}
   */
  setMeta(this: void, key: string, value: StorageMeta, opts?: TransactionOptions): Promise<void>;

  /**
   * Removes what `setMeta` stored.
   *
   * @throws {@link StorageError} (as a rejection) `EAS_INVALID_KEY`, or the system's code
   */
  removeMeta(this: void, key: string, opts?: TransactionOptions): Promise<void>;

  // --- many items ---

  /**
   * The keys under `base` in all mounts, without those that an inner mount hides and without metadata.
   *
   * @param base - default: all keys
   * @throws {@link StorageError} (as a rejection) `EAS_INVALID_KEY`, `EAS_INVALID_ARGUMENT`, or the system's
   * code
   */
  getKeys(this: void, base?: string, opts?: GetKeysOptions): Promise<StorageKey<T>[]>;

  /**
   * Removes exactly what `getKeys(base)` lists, and its metadata: not the version of the data. What is written after the call stays, also when
   * the call is not awaited.
   *
   * @param base - default: everything
   * @throws {@link StorageError} (as a rejection) `EAS_INVALID_KEY`, or the system's code
   */
  clear(this: void, base?: string, opts?: TransactionOptions): Promise<void>;

  /**
   * The items under `base`, one after the other, as `[key, value]`. The keys are those at the time of the call; an
   * item that goes meanwhile, or does not read as a value, is left out. Values are read in parts of 256, between which
   * the event loop turns. Defaults are not among them. Awaited instead of iterated, it gives a list of them all.
   *
   * @param base - default: all items
   * @throws {@link StorageError} (as a rejection of a step) as {@link Storage.getKeys} and {@link Storage.getItems}
   *
   * @example
   * ```ts
   * for await (const [key, value] of storage.entries("users")) console.log(key, value);
   * ```
   */
  entries(this: void, base?: string): Entries<[StorageKey<T>, StoredItem<T>]>;

  /**
   * The value at `key`; where there is none, what `fn` gives, stored. Calls at the same time share one call of `fn`.
   * An error of `fn` is not stored and rejects the calls that share it; `undefined` stores nothing and gives `null`.
   * An item that was written while `fn` was running stays, and is given.
   *
   * With `ttl` and `staleFor`, the value is fresh for `ttl` ms. For `staleFor` ms more it is given at once, by
   * `getItem` too, and the first `getOrSet` calls `fn` to refresh it. An error then leaves the old value and is a
   * process warning `EAS_REFRESH`.
   *
   * @throws {@link StorageError} (as a rejection) as {@link Storage.getItem} and {@link Storage.setItem}; what `fn`
   * throws
   *
   * @example
   * ```ts
   * const rates = await storage.getOrSet("rates", fetchRates, { ttl: 60_000, staleFor: 3_600_000 });
   * ```
   */
  getOrSet<R, Key extends string = never>(
    this: void,
    key: WhenGiven<Key, string>,
    fn: () => MaybePromise<R>,
    options?: GetOrSetOptions,
  ): Promise<R>;
  getOrSet<K extends StorageKey<T>>(
    this: void,
    key: K,
    fn: () => MaybePromise<StorageItem<T, K>>,
    options?: GetOrSetOptions,
  ): Promise<StoredItem<T, K>>;

  // --- life ---

  /**
   * Flushes, stops watchers and timers, and disposes every driver. Updates whose functions are still running fail with
   * `EAS_DISPOSED`. A second call does nothing.
   *
   * @throws {@link StorageError} (as a rejection) what the last flush failed with; `EAS_MIGRATION` inside a step or a
   * hook of a migration; `EAS_INSIDE_UPDATE` inside the function of an update
   */
  dispose(this: void): Promise<void>;

  /**
   * Calls `callback` for every change: of other processes too where the driver sees them (fs), else of this
   * storage.
   *
   * @returns a function that ends this watch
   * @throws {@link StorageError} (as a rejection) `EAS_INVALID_ARGUMENT`, or the system's code
   */
  watch(this: void, callback: WatchCallback): Promise<Unwatch>;

  /**
   * Calls `callback` with the new value of `key` and the one before whenever the value differs, as `getItem` gives it:
   * not for the value of now, and not for a write of an equal value. Writes in quick succession may be reported as
   * one.
   *
   * @returns a function that ends this watch
   * @throws {@link StorageError} (as a rejection) as {@link Storage.getItem} and {@link Storage.watch}
   *
   * @example
   * ```ts
   * const stop = await storage.watchItem("theme", (theme, previous) => applyTheme(theme));
   * ```
   */
  watchItem<R, Key extends string = never>(
    this: void,
    key: WhenGiven<Key, string>,
    callback: (value: R | null, previous: R | null) => any,
  ): Promise<Unwatch>;
  watchItem<K extends StorageKey<T>>(
    this: void,
    key: K,
    callback: (value: ReadItem<T, K>, previous: ReadItem<T, K>) => any,
  ): Promise<Unwatch>;

  /** Ends every watch of this storage. */
  unwatch(this: void): Promise<void>;

  /**
   * Settles when everything written before is where it belongs: queues are empty, files are synced to disk. It does not
   * wait for the function of an update that is running.
   *
   * @param base - only the mounts at or under it; default: all
   * @throws {@link StorageError} (as a rejection) what a write failed with; it is kept for the next flush;
   * `EAS_MIGRATION` inside a step or a hook of a migration; `EAS_INSIDE_UPDATE` inside the function of an update
   */
  flush(this: void, base?: string): Promise<void>;

  // --- mounts ---

  /**
   * Puts `driver` in charge of the keys under `base`.
   *
   * @returns the storage
   * @throws {@link StorageError} `EAS_ALREADY_MOUNTED`, `EAS_INVALID_ARGUMENT`
   */
  mount(this: void, base: string, driver: Driver): Storage<T>;

  /**
   * Takes the driver at `base` away; the root stays.
   *
   * @param dispose - whether the driver is disposed, default `true`
   */
  unmount(this: void, base: string, dispose?: boolean): Promise<void>;

  /**
   * The mount in charge of `key`.
   *
   * @param key - default: the root
   */
  getMount(this: void, key?: string): StorageMount;

  /**
   * The mounts under `base`, longest base first.
   *
   * @param base - default: all mounts
   * @param options - `parents`: also the mounts that `base` lies in, default `false`
   */
  getMounts(this: void, base?: string, options?: { parents?: boolean | undefined }): StorageMount[];

  // --- migrations ---

  /**
   * Runs the migrations above the stored version, in order, up to the `version` option. All or nothing: on
   * a failure what the steps wrote is undone, and the version stays. Concurrent calls run once. Inside a step or a
   * hook it is an error.
   *
   * @throws whatever a step or hook threw, or {@link StorageError} `EAS_MIGRATION`, `EAS_READ_ONLY` (as a
   * rejection)
   */
  migrate(this: void): Promise<void>;

  /** The stored version, or `null` before the first migration. */
  getStorageVersion(this: void): Promise<number | null>;

  // --- the same, synchronously ---

  /**
   * {@link Storage.hasItem}, done when it returns.
   *
   * @throws {@link StorageError} also `EAS_SYNC_UNSUPPORTED`
   */
  hasItemSync(this: void, key: StorageKey<T>, opts?: TransactionOptions): boolean;

  /**
   * {@link Storage.getItem}, done when it returns.
   *
   * @throws {@link StorageError} also `EAS_SYNC_UNSUPPORTED`
   */
  getItemSync<R, Key extends string = never>(
    this: void,
    key: WhenGiven<Key, string>,
    opts?: TransactionOptions,
  ): R | null;
  getItemSync<K extends StorageKey<T>>(
    this: void,
    key: K,
    opts?: TransactionOptions,
  ): ReadItem<T, K>;

  /**
   * {@link Storage.getItems}, done when it returns.
   *
   * @throws {@link StorageError} also `EAS_SYNC_UNSUPPORTED`
   */
  getItemsSync<U, Requests extends readonly unknown[] = never>(
    this: void,
    items: WhenGiven<Requests, readonly GetItemsRequest[]>,
    commonOptions?: TransactionOptions,
  ): { key: string; value: U | null }[];
  getItemsSync<Requests extends readonly GetItemsRequest<StorageKey<T>>[]>(
    this: void,
    items: readonly [...Requests],
    commonOptions?: TransactionOptions,
  ): GetItemsResult<T, Requests>;

  /**
   * {@link Storage.getItemRaw}, done when it returns.
   *
   * @throws {@link StorageError} also `EAS_SYNC_UNSUPPORTED`
   */
  getItemRawSync<R = any>(this: void, key: string, opts?: TransactionOptions): R | null;

  /**
   * {@link Storage.setItem}, done when it returns.
   *
   * @throws {@link StorageError} also `EAS_SYNC_UNSUPPORTED`
   */
  setItemSync<U extends StorageValue, Key extends string = never>(
    this: void,
    key: WhenGiven<Key, string>,
    value: U | undefined,
    opts?: SetItemOptions,
  ): void;
  setItemSync<K extends StorageKey<T>>(
    this: void,
    key: K,
    value: StorageItem<T, K> | undefined,
    opts?: SetItemOptions,
  ): void;

  /**
   * {@link Storage.setItems}, done when it returns.
   *
   * @throws {@link StorageError} also `EAS_SYNC_UNSUPPORTED`
   */
  setItemsSync<U extends StorageValue, Items extends readonly unknown[] = never>(
    this: void,
    items: WhenGiven<
      Items,
      readonly {
        key: string;
        value: U | undefined;
        options?: TransactionOptions | undefined;
      }[]
    >,
    commonOptions?: TransactionOptions,
  ): void;
  setItemsSync(
    this: void,
    items: readonly SetItemsRequest<T>[],
    commonOptions?: TransactionOptions,
  ): void;

  /**
   * {@link Storage.setItemRaw}, done when it returns.
   *
   * @throws {@link StorageError} also `EAS_SYNC_UNSUPPORTED`
   */
  setItemRawSync<R = any>(this: void, key: string, value: R, opts?: TransactionOptions): void;

  /**
   * {@link Storage.removeItem}, done when it returns.
   *
   * @throws {@link StorageError} also `EAS_SYNC_UNSUPPORTED`
   */
  removeItemSync(this: void, key: StorageKey<T>, opts?: RemoveItemOptions | boolean): void;

  /**
   * {@link Storage.getEntry}, done when it returns.
   *
   * @throws {@link StorageError} also `EAS_SYNC_UNSUPPORTED`
   */
  getEntrySync<R, Key extends string = never>(
    this: void,
    key: WhenGiven<Key, string>,
    opts?: TransactionOptions,
  ): StorageEntry<R>;
  getEntrySync<K extends StorageKey<T>>(
    this: void,
    key: K,
    opts?: TransactionOptions,
  ): StorageEntry<StoredItem<T, K>>;

  /**
   * {@link Storage.update}, done when it returns. It takes no turn.
   *
   * @throws {@link StorageError} also `EAS_SYNC_UNSUPPORTED`, as well for an `fn` that gives a Promise
   */
  updateSync<R, Key extends string = never>(
    this: void,
    key: WhenGiven<Key, string>,
    fn: (value: R | null) => R | undefined,
    opts?: TransactionOptions,
  ): R | undefined;
  updateSync<K extends StorageKey<T>, Next extends StorageItem<T, K> | undefined>(
    this: void,
    key: K,
    fn: (value: ReadItem<T, K>) => Next,
    opts?: TransactionOptions,
  ): Next;

  /**
   * {@link Storage.getMeta}, done when it returns.
   *
   * @throws {@link StorageError} also `EAS_SYNC_UNSUPPORTED`
   */
  getMetaSync(this: void, key: string, opts?: GetMetaOptions | boolean): StorageMeta;

  /**
   * {@link Storage.setMeta}, done when it returns.
   *
   * @throws {@link StorageError} also `EAS_SYNC_UNSUPPORTED`
   */
  setMetaSync(this: void, key: string, value: StorageMeta, opts?: TransactionOptions): void;

  /**
   * {@link Storage.removeMeta}, done when it returns.
   *
   * @throws {@link StorageError} also `EAS_SYNC_UNSUPPORTED`
   */
  removeMetaSync(this: void, key: string, opts?: TransactionOptions): void;

  /**
   * {@link Storage.getKeys}, done when it returns.
   *
   * @throws {@link StorageError} also `EAS_SYNC_UNSUPPORTED`
   */
  getKeysSync(this: void, base?: string, opts?: GetKeysOptions): StorageKey<T>[];

  /**
   * {@link Storage.entries} as an iterator, which reads in parts of 256 when it is asked for more.
   *
   * @throws {@link StorageError} also `EAS_SYNC_UNSUPPORTED`
   */
  entriesSync(this: void, base?: string): IterableIterator<[StorageKey<T>, StoredItem<T>]>;

  /**
   * {@link Storage.clear}, done when it returns.
   *
   * @throws {@link StorageError} also `EAS_SYNC_UNSUPPORTED`
   */
  clearSync(this: void, base?: string, opts?: TransactionOptions): void;

  /**
   * {@link Storage.flush}, done when it returns.
   *
   * @throws {@link StorageError} also `EAS_SYNC_UNSUPPORTED`, as well where an operation in a queue waits for an older
   * one whose Promise a driver has not settled
   */
  flushSync(this: void, base?: string): void;

  // --- short names ---

  /** Short for {@link Storage.getKeys}. */
  keys: Storage<T>["getKeys"];
  /** Short for {@link Storage.getItem}. */
  get: Storage<T>["getItem"];
  /** Short for {@link Storage.setItem}. */
  set: Storage<T>["setItem"];
  /** Short for {@link Storage.hasItem}. */
  has: Storage<T>["hasItem"];
  /** Short for {@link Storage.removeItem}. */
  del: Storage<T>["removeItem"];
  /** Short for {@link Storage.removeItem}. */
  remove: Storage<T>["removeItem"];
  /** Short for {@link Storage.getKeysSync}. */
  keysSync: Storage<T>["getKeysSync"];
  /** Short for {@link Storage.getItemSync}. */
  getSync: Storage<T>["getItemSync"];
  /** Short for {@link Storage.setItemSync}. */
  setSync: Storage<T>["setItemSync"];
  /** Short for {@link Storage.hasItemSync}. */
  hasSync: Storage<T>["hasItemSync"];
  /** Short for {@link Storage.removeItemSync}. */
  delSync: Storage<T>["removeItemSync"];
  /** Short for {@link Storage.removeItemSync}. */
  removeSync: Storage<T>["removeItemSync"];
}

/** The defaults of some keys of a storage. */
type DefaultsOf<T> = [ItemsOf<T>] extends [never]
  ? Readonly<Record<string, unknown>>
  : { readonly [K in keyof ItemsOf<T>]?: ItemsOf<T>[K] | undefined };

/** Options of {@link createStorage}. */
export interface CreateStorageOptions<T extends StorageValue = StorageValue> {
  /**
   * The driver at the root.
   *
   * @defaultValue a memory driver
   */
  driver?: Driver | undefined;
  /**
   * The version that `migrate` brings the data to.
   *
   * @defaultValue none: `migrate` does nothing
   */
  version?: number | undefined;
  /**
   * What to do about a value that does not come back as it is: functions and symbols inside it are left out
   * (`null` in a list), and an instance of a class becomes a plain object of its own enumerable properties.
   *
   * - `"warn"`: a process warning `EAS_LOSSY_VALUE` names the key, the path and what is lost, once for each class
   *   or property name
   * - `"error"`: the write fails with `EAS_INVALID_VALUE`, and nothing is written
   * - `"ignore"`: nothing is said
   *
   * @defaultValue `"warn"`
   */
  onLossy?: "warn" | "error" | "ignore" | undefined;
  /**
   * The values that reads give where there is no item: `getItem`, `getItems` and `watchItem` know them, each with a
   * copy of its own; `hasItem`, `getKeys`, `entries`, `getOrSet`, snapshots and exports do not. A stored `null` is an
   * item. Values are taken when the storage is made.
   *
   * @defaultValue none
   */
  defaults?: DefaultsOf<T> | undefined;
  /**
   * A schema for each key, or for the keys of a pattern: `*` stands for one segment, `**` for one or more. The exact
   * key wins, then the first pattern that fits. A write is checked, and stored as it is given; a read gives what the
   * schema makes of the stored value. Migrations, snapshots, restores, exports and imports pass them by, and so do
   * raw values.
   *
   * @defaultValue none
   */
  schemas?: Readonly<Record<string, AnySchema>> | undefined;
  /**
   * What a read does whose stored value does not pass its schema.
   *
   * @defaultValue `"throw"`
   */
  onInvalid?: OnInvalid | undefined;
  /** What to run to reach each version. */
  migrations?: MigrationOptions<T> | undefined;
  /** Called around the migrations. */
  migrationHooks?: MigrationHooks<T> | undefined;
}

/** One step of a migration. What it writes is undone when it, or a later step, fails. */
export type MigrationFunction<T extends StorageValue = StorageValue> = (
  storage: Storage<T>,
) => MaybePromise<void>;

/** The step that leads to each version: whole numbers from 1, in plain form. */
export interface MigrationOptions<T extends StorageValue = StorageValue> {
  [version: number]: MigrationFunction<T>;
}

/**
 * The storage that hooks get: the storage itself, with the two methods that the guide of the TypeScript package
 * calls. Any storage of `createStorage` and `prefixStorage` has them; they do not show.
 */
export type MigrationStorage<T extends StorageValue = StorageValue> = Storage<T> & {
  /** As `setItem`. */
  _setItemInternal(this: void, key: string, value: any, opts?: TransactionOptions): Promise<void>;
  /** As `getItem`. */
  _getItemInternal(this: void, key: string, opts?: TransactionOptions): Promise<any>;
};

/** Functions that `migrate` calls, and waits for, around its steps. */
export interface MigrationHooks<T extends StorageValue = StorageValue> {
  /** Before the first step; an error here stops the migration. */
  beforeMigration?:
    | ((fromVersion: number, toVersion: number, storage: MigrationStorage<T>) => MaybePromise<void>)
    | undefined;
  /** After the last step; an error here undoes the migration. */
  afterMigration?:
    | ((fromVersion: number, toVersion: number, storage: MigrationStorage<T>) => MaybePromise<void>)
    | undefined;
  /**
   * After a failure, when the steps are undone; what a `beforeMigration` that succeeded wrote goes afterwards.
   * What this writes stays, unless it fails itself. `migrate` then rejects with the same error.
   */
  onMigrationError?:
    | ((
        error: Error,
        fromVersion: number,
        toVersion: number,
        storage: MigrationStorage<T>,
      ) => MaybePromise<void>)
    | undefined;
}

/**
 * Makes a storage.
 *
 * @typeParam T - the type of every value, or a {@link StorageDefinition} with a type for each key
 * An option with an unknown name has no effect; a process warning `EAS_UNKNOWN_OPTION` names the nearest that is
 * known. So it is with the options of the drivers.
 *
 * @param options - the driver at the root (default: memory), and the migrations
 * @throws {@link StorageError} `EAS_INVALID_OPTION`, also for a driver in place of the options
 *
 * @example
 * ```ts
 * import { createStorage } from "electron-async-storage";
 * import fsDriver from "electron-async-storage/drivers/fs";
 *
 * const storage = createStorage<{ items: { theme: "light" | "dark"; count: number } }>({
 *   driver: fsDriver({ base: "./data" }),
 * });
 * await storage.setItem("theme", "dark");
 * const count = storage.getItemSync("count"); // number | null
 * ```
 */
export declare function createStorage<T extends StorageValue = StorageValue>(
  options?: CreateStorageOptions<T> & { defaults?: undefined; schemas?: undefined },
): Storage<T>;

/** Options of {@link createStorage} besides those that it infers types from. */
type OtherOptions = Omit<CreateStorageOptions, "defaults" | "schemas">;

/**
 * Makes a storage whose types come from its defaults and schemas. Keys that are in neither hold anything.
 *
 * @throws {@link StorageError} `EAS_INVALID_OPTION`, or `EAS_INVALID_VALUE` for a default that cannot be stored
 *
 * @example
 * ```ts
 * import { createStorage } from "electron-async-storage";
 * import { z } from "zod";
 *
 * const storage = createStorage({
 *   defaults: { theme: "dark", zoom: 1 },
 *   schemas: { "users:*": z.object({ name: z.string(), visits: z.number().default(0) }) },
 * });
 * const theme = storage.getItemSync("theme"); // string
 * const ann = await storage.getItem("users:ann"); // { name: string; visits: number } | null
 * ```
 */
export declare function createStorage<
  Defaults extends Record<string, unknown>,
  Schemas extends Record<string, AnySchema>,
>(
  options: OtherOptions & { defaults: Defaults; schemas: Schemas },
): Storage<InferredDefinition<Defaults, Schemas>>;
// The second parameter has the overload for one type argument meant where one is given.
export declare function createStorage<Defaults extends Record<string, unknown>, _ extends never>(
  options: OtherOptions & { defaults: Defaults; schemas?: undefined },
): Storage<InferredDefinition<Defaults, Record<never, never>>>;
export declare function createStorage<Schemas extends Record<string, AnySchema>, _ extends never>(
  options: OtherOptions & { defaults?: undefined; schemas: Schemas },
): Storage<InferredDefinition<Record<never, never>, Schemas>>;
/**
 * Makes a storage with defaults or schemas whose types are those of the type argument.
 *
 * @typeParam T - the type of every value, or a {@link StorageDefinition} with a type for each key
 */
export declare function createStorage<T extends StorageValue = StorageValue>(
  options?: CreateStorageOptions<T>,
): Storage<T>;

// ---------------------------------------------------------------------------------------------
// Views and copies of a storage
// ---------------------------------------------------------------------------------------------

/**
 * The part of a storage under `base`, as a storage of its own. Keys go in and come back without the base.
 *
 * @typeParam T - as for {@link createStorage}, of the part
 *
 * @example
 * ```ts
 * const users = prefixStorage<User>(storage, "users");
 * await users.setItem("ann", ann); // stored at "users:ann"
 * ```
 */
export declare function prefixStorage<T extends StorageValue = StorageValue>(
  storage: Storage<T> | Storage<any>,
  base: string,
): Storage<T>;

/** Values by their key, the key being relative to the base of the snapshot. */
export type Snapshot<T = string> = Record<string, T>;

/**
 * A copy of every value under `base`. What does not read as a value, such as bytes that `setItemRaw` stored on fs,
 * comes as a `Buffer`; keys that go meanwhile are left out.
 *
 * @param base - `""` for everything
 * @throws {@link StorageError} (as a rejection) `EAS_INVALID_KEY`, or the system's code
 *
 * @example
 * ```ts
 * const before = await snapshot(storage, "config");
 * await restoreSnapshot(storage, before, "config");
 * ```
 */
export declare function snapshot<T extends StorageValue = StorageValue>(
  storage: Storage<T>,
  base: string,
): Promise<Snapshot<StoredItem<T>>>;

/**
 * Writes the values of a snapshot under `base`; other keys stay as they are. A `Buffer` is stored by `setItemRaw`; a
 * `Uint8Array` that is no `Buffer` is a value.
 *
 * @param base - default `""`
 * @throws {@link StorageError} (as a rejection) as {@link Storage.setItem}
 */
export declare function restoreSnapshot(
  storage: Storage<any>,
  snapshot: Snapshot<StorageValue>,
  base?: string,
): Promise<void>;

/**
 * {@link snapshot}, done when it returns.
 *
 * @throws {@link StorageError} also `EAS_SYNC_UNSUPPORTED`
 */
export declare function snapshotSync<T extends StorageValue = StorageValue>(
  storage: Storage<T>,
  base: string,
): Snapshot<StoredItem<T>>;

/**
 * {@link restoreSnapshot}, done when it returns.
 *
 * @throws {@link StorageError} also `EAS_SYNC_UNSUPPORTED`
 */
export declare function restoreSnapshotSync(
  storage: Storage<any>,
  snapshot: Snapshot<StorageValue>,
  base?: string,
): void;

// ---------------------------------------------------------------------------------------------
// Text, export and import
// ---------------------------------------------------------------------------------------------

/**
 * The text that a storage keeps of a value: that of superjson 2.
 *
 * @throws {@link StorageError} `EAS_INVALID_VALUE`
 */
export declare function stringify(value: StorageValue | undefined): string;

/**
 * The value of such a text; JSON without an envelope reads as that JSON value.
 *
 * @typeParam R - what the caller knows to be in it
 * @throws {@link StorageError} `EAS_CORRUPT_VALUE`, `EAS_INVALID_ARGUMENT`
 */
export declare function parse<R = any>(text: string): R;

/**
 * The items under `base` as lines of JSON (NDJSON) without line ends: first
 * `{ "format": "electron-async-storage", "formatVersion": 1, "storageVersion": … }`, then a line for each item with
 * `key`, `value` (as it is stored) or `raw` (base64), and where there are any `expires` (ms since 1970) and `metadata`.
 * Items are as they are when their line is made.
 *
 * @param base - default: everything
 * @throws {@link StorageError} `EAS_INVALID_ARGUMENT`; (as a rejection of a step) as {@link Storage.getItemRaw}
 *
 * @example
 * ```ts
 * for await (const line of exportStorage(storage)) file.write(`${line}\n`);
 * ```
 */
export declare function exportStorage(
  storage: Storage<any>,
  base?: string,
): AsyncIterableIterator<string>;

/** Options of {@link importStorage}. */
export interface ImportOptions {
  /**
   * Where the items go.
   *
   * @defaultValue the keys as they are in the lines
   */
  base?: string | undefined;
  /**
   * What to do about a key that has an item: fail with `EAS_CONFLICT`, leave the item, or replace it.
   *
   * @defaultValue `"error"`
   */
  onConflict?: "error" | "skip" | "overwrite" | undefined;
}

/**
 * Writes the items of an export. What has expired meanwhile is left out. Empty lines are passed over.
 *
 * @throws {@link StorageError} (as a rejection) `EAS_INVALID_IMPORT` with the number of the `line`, those before it
 * being imported; `EAS_CONFLICT`; `EAS_INVALID_ARGUMENT`, `EAS_INVALID_OPTION`; or as {@link Storage.setItem}
 */
export declare function importStorage(
  storage: Storage<any>,
  lines: AsyncIterable<string> | Iterable<string>,
  options?: ImportOptions,
): Promise<void>;

// ---------------------------------------------------------------------------------------------
// Keys
// ---------------------------------------------------------------------------------------------

/**
 * The one spelling of a key: cut at the first `?`, with `/` and `\` as `:`, no empty segments.
 *
 * @example
 * ```ts
 * normalizeKey("/users\\ann/"); // "users:ann"
 * ```
 */
export declare function normalizeKey(key?: string): string;

/** {@link normalizeKey} with a `:` at the end; `""` stays `""`. */
export declare function normalizeBaseKey(base?: string): string;

/** Joins parts of a key and normalises the result. */
export declare function joinKeys(...keys: string[]): string;

/** Whether `key` has at most `depth` colons; always `true` for an undefined `depth`. */
export declare function filterKeyByDepth(key: string, depth: number | undefined): boolean;

/** Whether `key` lies under `base` and holds no metadata; every base is fine when it is undefined. */
export declare function filterKeyByBase(key: string, base: string | undefined): boolean;
