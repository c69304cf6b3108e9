// The drivers that the contract suite runs over, and what each can do.

import type { Driver } from "../../index.js";
import { folder } from "./folders.js";
import { committingDriver, plainDriver, promiseDriver, syncMethodsDriver } from "./js-drivers.js";
import type { Mode } from "./modes.js";
import { builtin, createStorage, isBuiltin, memoryDriver, prefixStorage } from "./package.js";

/** How a raw value comes back. */
export type Raw =
  /** The very kind of value, objects by reference. */
  | "value"
  /** Bytes as a Buffer, a string as the bytes of its UTF-8. */
  | "bytes"
  /** Strings as strings and bytes as a Buffer, in a driver's own methods for raw values; nothing else is taken. */
  | "typed"
  /** Strings as strings and bytes as a Buffer; nothing else is taken. */
  | "text";

export interface Subject {
  title: string;
  /** The built-in drivers that it needs. */
  builtins?: readonly string[];
  /** An empty driver; call it inside a test. */
  open(): Driver;
  modes: readonly Mode[];
  raw: Raw;
  /** Whether every key can be kept, hostile ones too. */
  anyKey: boolean;
  /** In which modes it makes conditional writes and groups. */
  groups: readonly Mode[];
  /** Whether a batch is written item by item, so that one which is refused does not keep the others back. */
  batchesAreSingles?: boolean;
  /** Whether a write is reported done before the file system has seen it. */
  writesBehind?: boolean;
  /** The name that errors have. */
  driver: string;
}

const both: readonly Mode[] = ["async", "sync"];

/** The methods of single items replaced by ones that do the same. */
function spread(driver: Driver): Driver {
  const replaced: any = {};
  for (const name of ["getItem", "setItem", "removeItem"].flatMap((name) => [
    name,
    `${name}Sync`,
  ])) {
    replaced[name] = (...args: unknown[]) => (driver as any)[name](...args);
  }
  return { ...driver, ...replaced };
}

const all: Subject[] = [
  {
    title: "memory",
    builtins: ["memory"],
    open: memoryDriver,
    modes: both,
    raw: "value",
    anyKey: true,
    groups: both,
    driver: "memory",
  },
  ...["fs", "fs-lite"].map(
    (name): Subject => ({
      title: name,
      builtins: [name],
      open: () => builtin(name, { base: folder() }),
      modes: both,
      raw: "bytes",
      anyKey: false,
      groups: both,
      driver: name,
    }),
  ),
  {
    title: "sqlite",
    builtins: ["sqlite"],
    open: () => builtin("sqlite", { base: folder() }),
    modes: both,
    raw: "typed",
    anyKey: true,
    groups: both,
    driver: "sqlite",
  },
  {
    title: "queue over sqlite",
    builtins: ["queue", "sqlite"],
    open: () => builtin("queue", { driver: builtin("sqlite", { base: folder() }) }),
    modes: both,
    raw: "typed",
    anyKey: true,
    groups: both,
    writesBehind: true,
    driver: "queue",
  },
  {
    title: "queue over memory",
    builtins: ["queue"],
    open: () => builtin("queue", { driver: memoryDriver() }),
    modes: both,
    raw: "value",
    anyKey: true,
    groups: both,
    driver: "queue",
  },
  {
    title: "queue over fs",
    builtins: ["queue", "fs"],
    open: () => builtin("queue", { driver: builtin("fs", { base: folder() }) }),
    modes: both,
    raw: "bytes",
    anyKey: false,
    groups: both,
    writesBehind: true,
    driver: "queue",
  },
  {
    title: "queue over a driver of Promises",
    builtins: ["queue"],
    open: () => builtin("queue", { driver: promiseDriver() }),
    modes: ["async"],
    raw: "text",
    anyKey: true,
    groups: [],
    // Errors name the driver that they come from.
    driver: "promising",
  },
  {
    title: "a JavaScript driver whose methods give values",
    open: () => plainDriver(),
    modes: ["async"],
    raw: "value",
    anyKey: true,
    groups: [],
    driver: "plain",
  },
  {
    title: "a JavaScript driver whose methods give Promises",
    open: () => promiseDriver(),
    modes: ["async"],
    raw: "text",
    anyKey: true,
    groups: [],
    driver: "promising",
  },
  {
    title: "a JavaScript driver with Sync methods beside Promises",
    open: () => syncMethodsDriver(),
    modes: both,
    raw: "value",
    anyKey: true,
    groups: [],
    driver: "two-faced",
  },
  {
    title: "a JavaScript driver with commit",
    open: () => committingDriver(),
    modes: both,
    raw: "value",
    anyKey: true,
    groups: both,
    driver: "committing",
  },
  {
    title: "a spread of the memory driver with setItem replaced",
    open() {
      const memory = memoryDriver();
      return { ...memory, setItem: async (key, value, opts) => memory.setItem(key, value, opts) };
    },
    modes: both,
    raw: "value",
    anyKey: true,
    groups: ["sync"],
    driver: "memory",
  },
  ...["fs", "fs-lite"].map(
    (name): Subject => ({
      title: `a spread of ${name} with single methods replaced`,
      builtins: [name],
      open: () => spread(builtin(name, { base: folder() })),
      batchesAreSingles: true,
      modes: both,
      raw: "bytes",
      anyKey: false,
      groups: [],
      driver: name,
    }),
  ),
  {
    title: "a spread of a queue with single methods replaced",
    builtins: ["queue"],
    open: () => spread(builtin("queue", { driver: memoryDriver() })),
    modes: both,
    raw: "value",
    anyKey: true,
    groups: [],
    driver: "queue",
  },
  {
    title: "a queue over a spread of the memory driver",
    builtins: ["queue"],
    open: () => builtin("queue", { driver: spread(memoryDriver()) }),
    modes: both,
    raw: "value",
    anyKey: true,
    groups: [],
    driver: "memory",
  },
  {
    title: "an object that inherits from the memory driver",
    open: () => Object.create(memoryDriver()),
    modes: both,
    raw: "value",
    anyKey: true,
    groups: both,
    driver: "memory",
  },
  {
    title: "a storage as a driver",
    open: () => createStorage() as Driver,
    modes: both,
    raw: "value",
    anyKey: true,
    groups: both,
    driver: "custom",
  },
  {
    title: "a spread of a storage as a driver",
    open: () => ({ ...createStorage() }) as Driver,
    modes: both,
    raw: "value",
    anyKey: true,
    groups: both,
    driver: "custom",
  },
  {
    title: "a prefix of a storage as a driver",
    open: () => prefixStorage(createStorage(), "some:base") as unknown as Driver,
    modes: both,
    raw: "value",
    anyKey: true,
    groups: both,
    driver: "custom",
  },
  {
    title: "a queue over a storage",
    builtins: ["queue"],
    open: () => builtin("queue", { driver: createStorage() as Driver }),
    modes: both,
    raw: "value",
    anyKey: true,
    groups: both,
    driver: "custom",
  },
];

/** Those whose built-in drivers the addon has. */
export const subjects: readonly Subject[] = all.filter(({ builtins = [] }) =>
  builtins.every(isBuiltin),
);
