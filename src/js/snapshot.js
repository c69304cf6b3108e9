// Copies of what lies under a base. Works on any storage.

import { checkStorage, wrongArgument } from "./arguments.js";
import { peekOf, plainOf } from "./drivers/ownership.js";
import { normalizeBaseKey } from "./keys.js";
import { decode } from "./lazy-codec.js";
import { VERSION_KEY } from "./migrate.js";

// `__proto__` is a key like any other: it must not become the prototype of the copy.
function put(target, key, value) {
  Object.defineProperty(target, key, {
    value,
    configurable: true,
    enumerable: true,
    writable: true,
  });
  return target;
}

// Listings leave out the versions of the storage and of those that are mounted in it. They are as much a
// part of the data: without its version, old data would not meet its migrations again.
export const versionKeys = (storage, base) => [
  base + VERSION_KEY,
  ...(storage.getMounts?.(base) ?? [])
    .map((mount) => normalizeBaseKey(mount.base) + VERSION_KEY)
    .filter((key) => key !== base + VERSION_KEY),
];

const isStored = ({ value }) => value !== null && value !== undefined;

// What reads as null may be gone by now, or no value at all, unless who read it knows. Bytes of memory that were
// stored raw look like a value of that type.
const isDoubtful = (storage, { value }) =>
  (value === undefined ||
    (value === null && peekOf(storage) === undefined) ||
    ArrayBuffer.isView(value)) &&
  typeof storage.getItemRaw === "function";

async function itemsOf(storage, keys) {
  const peek = peekOf(storage);
  if (peek !== undefined) return peek.items(keys);
  return typeof storage.getItems === "function"
    ? storage.getItems(keys)
    : Promise.all(keys.map(async (key) => ({ key, value: await storage.getItem(key) })));
}

function itemsOfSync(storage, keys) {
  const peek = peekOf(storage);
  if (peek !== undefined) return peek.itemsSync(keys);
  return typeof storage.getItemsSync === "function"
    ? storage.getItemsSync(keys)
    : keys.map((key) => ({ key, value: storage.getItemSync(key) }));
}

/** The value of one item for a copy; null where there is none. */
export async function valueForCopy(storage, key) {
  const peek = peekOf(storage);
  if (peek === undefined) return storage.getItem(key);
  const [{ value }] = await peek.items([key]);
  return value ?? null;
}

// Whether a value is the raw bytes themselves, and not what a driver with reads of its own made of them.
const isItself = (value, bytes) =>
  bytes.equals(Buffer.from(value.buffer, value.byteOffset, value.byteLength));

// Whether a text is that of null: a storage that is mounted in another encodes what it is given once more.
function isNullInside(value) {
  if (typeof value !== "string") return value === null;
  try {
    return isNullInside(decode(value));
  } catch {
    return false;
  }
}

// The item as its raw value says: undefined where there is none, a Buffer where it is no value.
function settledItem(item, raw) {
  if (raw === null || raw === undefined) return undefined;
  const { key } = item;
  if (typeof raw !== "string" && !ArrayBuffer.isView(raw)) return { key, value: raw };
  const bytes =
    typeof raw === "string"
      ? Buffer.from(raw)
      : Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  if (ArrayBuffer.isView(item.value) && !isItself(item.value, bytes)) return item;
  try {
    const value = decode(bytes.toString());
    return { key, value: isNullInside(value) ? null : value };
  } catch {
    return { key, value: bytes };
  }
}

const toSnapshot = (items, base) =>
  items
    .filter((item) => item !== undefined)
    .reduce((copy, { key, value }) => put(copy, key.slice(base.length), value), {});

// The values of a copy, and the Buffers in it, which are raw.
function toItems(copy, base, operation) {
  if (copy === null || typeof copy !== "object") {
    throw wrongArgument("copy", "an object", copy, operation);
  }
  const items = Object.entries(copy).map(([key, value]) => ({ key: base + key, value }));
  const isRaw = ({ value }) => Buffer.isBuffer(value);
  return { values: items.filter((item) => !isRaw(item)), raw: items.filter(isRaw) };
}

export async function snapshot(given, givenBase) {
  checkStorage(given, "getKeys", "snapshot");
  const storage = plainOf(given);
  const base = normalizeBaseKey(givenBase);
  const keys = await storage.getKeys(base);
  const [items, versions] = await Promise.all([
    itemsOf(storage, keys),
    itemsOf(storage, versionKeys(storage, base)),
  ]);
  const settled = await Promise.all(
    items.map(async (item) =>
      isDoubtful(storage, item) ? settledItem(item, await storage.getItemRaw(item.key)) : item,
    ),
  );
  return toSnapshot([...versions.filter(isStored), ...settled], base);
}

export function snapshotSync(given, givenBase) {
  checkStorage(given, "getKeysSync", "snapshotSync");
  const storage = plainOf(given);
  const base = normalizeBaseKey(givenBase);
  const keys = storage.getKeysSync(base);
  const items = itemsOfSync(storage, keys);
  const versions = itemsOfSync(storage, versionKeys(storage, base));
  const settled = items.map((item) =>
    isDoubtful(storage, item) ? settledItem(item, storage.getItemRawSync(item.key)) : item,
  );
  return toSnapshot([...versions.filter(isStored), ...settled], base);
}

export async function restoreSnapshot(given, copy, base) {
  checkStorage(given, "setItem", "restoreSnapshot");
  const storage = plainOf(given);
  const { values, raw } = toItems(copy, normalizeBaseKey(base), "restoreSnapshot");
  const writes = raw.map(({ key, value }) => storage.setItemRaw(key, value));
  if (typeof storage.setItems === "function") writes.push(storage.setItems(values));
  else writes.push(...values.map(({ key, value }) => storage.setItem(key, value)));
  await Promise.all(writes);
}

export function restoreSnapshotSync(given, copy, base) {
  checkStorage(given, "setItemSync", "restoreSnapshotSync");
  const storage = plainOf(given);
  const { values, raw } = toItems(copy, normalizeBaseKey(base), "restoreSnapshotSync");
  if (typeof storage.setItemsSync === "function") storage.setItemsSync(values);
  else for (const { key, value } of values) storage.setItemSync(key, value);
  for (const { key, value } of raw) storage.setItemRawSync(key, value);
}
