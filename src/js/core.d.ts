// What Rust gives the facade. `tsc` checks the modules here against it, and a test of the addon that it
// names each function that Rust installs and no other.

/** A storage, or a driver as a storage of its own. */
interface Handle {
  readonly handle: unique symbol;
}

/** A batch of reads on its way across the boundary in slices. */
interface Reads {
  readonly reads: unique symbol;
}

/** A batch of writes on its way across the boundary in pieces. */
interface Writes {
  readonly writes: unique symbol;
}

/** A function that answers at once, or by a Promise where it has to wait. */
type Eventually<T> = T | Promise<T>;

/** What copies of a value are made from: see templates.js. */
type Template = import("./templates.js").Template;

type CallOptions = object | null | undefined;

/** The options of single items of a batch; what has none gets the common ones. */
type ItemOptions = readonly CallOptions[] | undefined;

/** The inside of a plain envelope, or NUL and a whole text; what is no text is a driver's own value. */
type Coded = string | undefined;

/** A boolean and a whole number may come as they are. */
type CodedOrValue = Coded | Template | number | boolean;

/** A packed text, or how many bytes of the shared memory hold one. */
type Handed = string | number;

/** `[atime, mtime, ctime, birthtime, size, ttl]`, or what a user's driver gave. */
type NativeMeta = readonly (number | undefined)[] | object | undefined;

type Keys = readonly unknown[];

type Entry = readonly [coded: Coded, etag: string, isExact: boolean];

/**
 * `[key, kind, expected, …]`: the kind is 0 for no item, 1 for an etag, 2 for what `getEntry` gave as
 * `coded`, 3 for a text or bytes as the driver has them.
 */
type Checks = readonly unknown[];

/** `[key, text, options, …]`: a text that is `undefined` removes. */
type GroupWrites = readonly unknown[];

interface Core {
  // ---- Databases. Each takes the handle of a sqlite driver. ----
  verifyDatabase(handle: Handle): Promise<[ok: boolean, problems: string[]]>;
  backupDatabase(handle: Handle, file: unknown): Promise<void>;
  compactDatabase(handle: Handle): Promise<void>;

  // ---- Items. Each function takes the key as the caller gave it, and checks it. ----
  hasItem(handle: Handle, key: unknown, options?: CallOptions): Eventually<boolean>;
  hasItemSync(handle: Handle, key: unknown, options?: CallOptions): boolean;
  /** A text that comes again gives the template that was made of it. */
  getItem(handle: Handle, key: unknown, options?: CallOptions): Eventually<CodedOrValue>;
  getItemSync(handle: Handle, key: unknown, options?: CallOptions): CodedOrValue;
  getItemRaw(handle: Handle, key: unknown, options?: CallOptions): Eventually<any>;
  getItemRawSync(handle: Handle, key: unknown, options?: CallOptions): any;
  /** The text as the driver has it. */
  readText(handle: Handle, key: unknown, options?: CallOptions): Eventually<string | undefined>;
  readTextSync(handle: Handle, key: unknown, options?: CallOptions): string | undefined;
  setItem(handle: Handle, key: unknown, value: Handed, options?: CallOptions): Eventually<void>;
  setItemSync(handle: Handle, key: unknown, value: Handed, options?: CallOptions): void;
  writeText(handle: Handle, key: unknown, text: string, options?: CallOptions): Eventually<void>;
  writeTextSync(handle: Handle, key: unknown, text: string, options?: CallOptions): void;
  setItemRaw(handle: Handle, key: unknown, value: any, options?: CallOptions): Eventually<void>;
  setItemRawSync(handle: Handle, key: unknown, value: any, options?: CallOptions): void;
  removeItem(
    handle: Handle,
    key: unknown,
    removeMeta: unknown,
    options?: CallOptions,
  ): Eventually<void>;
  removeItemSync(handle: Handle, key: unknown, removeMeta: unknown, options?: CallOptions): void;

  // ---- Conditions and groups ----
  /** The item with its etag; `isExact` says that `coded` is what is stored, to the byte. */
  getEntry(handle: Handle, key: unknown, options?: CallOptions): Eventually<Entry | undefined>;
  getEntrySync(handle: Handle, key: unknown, options?: CallOptions): Entry | undefined;
  /**
   * The value of an item for an update, which has a number of its own: the core keeps what is stored under it, until
   * `swap` or `forget` takes it. Fails where no change could be made.
   */
  findForUpdate(
    handle: Handle,
    key: unknown,
    update: number,
    options?: CallOptions,
  ): Eventually<CodedOrValue>;
  findForUpdateSync(
    handle: Handle,
    key: unknown,
    update: number,
    options?: CallOptions,
  ): CodedOrValue;
  /**
   * Makes one change if the item is still what the update found, and says whether it did. A text that is `undefined`
   * removes.
   */
  swap(update: number, text: Handed | undefined, options?: CallOptions): Eventually<boolean>;
  swapSync(update: number, text: Handed | undefined, options?: CallOptions): boolean;
  /** The update ends without a `swap`. */
  forget(update: number): void;
  /** Gives the keys whose condition does not hold; `undefined` when the group was made. */
  commit(
    handle: Handle,
    operation: number,
    checks: Checks,
    writes: GroupWrites,
  ): Eventually<string[] | undefined>;
  commitSync(
    handle: Handle,
    operation: number,
    checks: Checks,
    writes: GroupWrites,
  ): string[] | undefined;
  /** As `commit`, with the texts as the driver is to have them. */
  commitTexts(
    handle: Handle,
    operation: number,
    checks: Checks,
    writes: GroupWrites,
  ): Eventually<string[] | undefined>;
  commitTextsSync(
    handle: Handle,
    operation: number,
    checks: Checks,
    writes: GroupWrites,
  ): string[] | undefined;

  // ---- Batches ----
  getItems(
    handle: Handle,
    keys: Keys,
    own: ItemOptions,
    common: CallOptions,
    isQuiet?: boolean,
  ): Eventually<readonly Coded[]>;
  /** With `isQuiet`, bytes that are no text read as missing, without a warning and without being noted. */
  getItemsSync(
    handle: Handle,
    keys: Keys,
    own: ItemOptions,
    common: CallOptions,
    isQuiet?: boolean,
  ): readonly Coded[];
  readTexts(
    handle: Handle,
    keys: Keys,
    own: ItemOptions,
    common: CallOptions,
  ): Eventually<readonly (string | undefined)[]>;
  readTextsSync(
    handle: Handle,
    keys: Keys,
    own: ItemOptions,
    common: CallOptions,
  ): readonly (string | undefined)[];
  openBatch(): Reads;
  askFor(reads: Reads, keys: Keys, own: ItemOptions, common: CallOptions): void;
  find(handle: Handle, reads: Reads, common: CallOptions, isQuiet?: boolean): Eventually<void>;
  takeFound(reads: Reads, from: number, to: number): readonly Coded[];
  openWrites(): Writes;
  /** Adds items; a value that is `undefined` removes. */
  addWrites(
    writes: Writes,
    keys: Keys,
    values: readonly (Handed | undefined)[],
    own: ItemOptions,
    common: CallOptions,
  ): void;
  /** Forgets a batch that is not to be stored. */
  dropWrites(writes: Writes): void;
  setItems(handle: Handle, writes: Writes, common: CallOptions): Eventually<void>;
  setItemsSync(handle: Handle, writes: Writes, common: CallOptions): void;
  /** The texts are as the driver is to have them; one that is `undefined` removes. */
  writeTexts(
    handle: Handle,
    keys: Keys,
    texts: readonly unknown[],
    own: ItemOptions,
    common: CallOptions,
  ): Eventually<void>;
  writeTextsSync(
    handle: Handle,
    keys: Keys,
    texts: readonly unknown[],
    own: ItemOptions,
    common: CallOptions,
  ): void;

  // ---- Metadata ----
  /** The metadata of the driver, and what was set. */
  getMeta(
    handle: Handle,
    key: unknown,
    nativeOnly: unknown,
    options?: CallOptions,
  ): Eventually<readonly [NativeMeta, Coded]>;
  getMetaSync(
    handle: Handle,
    key: unknown,
    nativeOnly: unknown,
    options?: CallOptions,
  ): readonly [NativeMeta, Coded];
  setMeta(handle: Handle, key: unknown, packed: string, options?: CallOptions): Eventually<void>;
  setMetaSync(handle: Handle, key: unknown, packed: string, options?: CallOptions): void;
  removeMeta(handle: Handle, key: unknown, options?: CallOptions): Eventually<void>;
  removeMetaSync(handle: Handle, key: unknown, options?: CallOptions): void;

  // ---- Keys and whole storages ----
  getKeys(handle: Handle, base?: unknown, options?: CallOptions): Eventually<string[]>;
  getKeysSync(handle: Handle, base?: unknown, options?: CallOptions): string[];
  /** The keys as the driver gives them, those of metadata too. */
  listDriver(handle: Handle, base?: unknown, options?: CallOptions): Eventually<string[]>;
  listDriverSync(handle: Handle, base?: unknown, options?: CallOptions): string[];
  clear(handle: Handle, base?: unknown, options?: CallOptions): Eventually<void>;
  clearSync(handle: Handle, base?: unknown, options?: CallOptions): void;
  flush(handle: Handle, base?: unknown): Eventually<void>;
  flushSync(handle: Handle, base?: unknown): void;
  dispose(handle: Handle): Eventually<void>;
  /** `emit` must not throw. Gives the number of the listener. */
  watch(handle: Handle, emit: (event: string, key: string) => void): Eventually<number>;
  unwatch(handle: Handle, listener: number): Eventually<void>;
  /** The text of a key that was read is no value. */
  noteCorrupt(handle: Handle, key: unknown, withoutWarning?: boolean): void;
  /** Reports the keys of items of a driver that expired, for as long as what it gives is not collected. */
  onExpired(handle: Handle, report: (key: string) => void): object | undefined;
  /** Whether a clear leaves the item because of what its mount is. */
  refusesClearOf(handle: Handle, key: unknown): boolean;

  // ---- Storages and mounts ----
  createStorage(driver: Handle): Handle;
  mount(handle: Handle, base: string, driver: Handle): void;
  unmount(handle: Handle, base: unknown, dispose: unknown): Eventually<void>;
  mountOf(handle: Handle, key: unknown): string;
  mountBases(handle: Handle, base: unknown, parents: unknown): string[];

  // ---- Migrations ----
  isMigrationOpen(handle: Handle): Eventually<boolean>;
  beginMigration(handle: Handle): Eventually<void>;
  commitMigration(handle: Handle): Eventually<void>;
  /** What was written so far is what `undoSteps` goes back to. */
  beginSteps(handle: Handle): Eventually<void>;
  /** Puts back what was there before the steps; the migration stays open. */
  undoSteps(handle: Handle): Eventually<void>;
  /** Puts back what was there before the migration, without `all` all but what was written since `undoSteps`. */
  endMigration(handle: Handle, all: boolean): Eventually<void>;

  // ---- Drivers ----
  readonly driverNames: readonly string[];
  /** `handles` are those of the drivers among the options: no other External is taken for one. */
  openDriver(name: string, options: unknown, handles: readonly Handle[]): Handle;
  describeDriver(
    driver: Handle,
  ): readonly [
    maxDepth: boolean,
    ttl: boolean,
    readOnly: boolean | "error",
    noClear: boolean,
    watches: boolean,
    atomic: boolean,
  ];
  /** The methods of drivers, in the order of the numbers that `invoke` is called with. */
  readonly calls: readonly string[];
  /**
   * A driver of a user. `invoke` calls method `number`, or its Sync form for a number from 16, and gives
   * itself when the method gave a Promise, whose outcome goes to `settle` with `ticket`.
   */
  jsDriver(
    invoke: (number: number, ticket: number, first?: any, second?: any, third?: any) => unknown,
    name: string,
    traits: readonly [
      maxDepth: boolean,
      ttl: boolean,
      readOnly: boolean | "error",
      noClear: boolean,
      clearsBase: boolean,
    ],
    /** For each method in the order of `calls`: whether it is there, whether its Sync form is. */
    capabilities: readonly boolean[],
    /** For each method: whether its Sync form does what the other does. */
    twins: readonly boolean[],
  ): Handle;
  settle(ticket: number, isFailure: boolean, value: unknown): void;
  queueStatus(driver: Handle): readonly [size: number, isFlushing: boolean, isDisposed: boolean];
  queueOperations(driver: Handle): any[];
  queueOperation(driver: Handle, key: unknown): any;

  // ---- The context ----
  setWarner(warn: (code: string, message: string) => void): void;
  /** Timers and the clock for drivers that are written in JavaScript. */
  setClock(setTimer: (ms: number, fired: () => void) => void, now: () => number): void;
  /** Rust calls it with a list, where to begin, and what to put there. */
  setFiller(fill: (list: unknown[], at: number, ...values: unknown[]) => void): void;
  /** Rust calls it with a text that is read again, and keeps what it gives; an empty answer means that the value has none. */
  setTemplateMaker(make: (coded: string) => Template | undefined): void;
  /** Rust calls it with a value that a driver in JavaScript gave, for its etag; undefined where it has no text. */
  setEncoder(encode: (value: unknown) => string | undefined): void;
  /** The memory in which texts are handed over. */
  readonly scratch: ArrayBuffer;
  /** Escapes a text in that memory, as JSON does; gives its new end, at most `limit`, or -1 for the codec. */
  escapeScratch(from: number, to: number, limit: number): number;
  /** Compiles the codec, and gives the function that fills an object with what it exports. */
  evaluateCodec(): (codec: object, builtins: object) => void;
  finishAll(): void;
  normalizeKey(key: unknown): string;
}

/** The parameters of the scripts that the modules are bundled into. */
declare const core: Core;
/** What a script fills with what it gives: the exports of the addon, or the codec. */
declare const api: Record<string, unknown>;
