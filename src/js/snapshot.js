// Copies of what lies under a base. Works on any storage.

import { normalizeBaseKey } from "./keys.js";
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
const versionKeys = (storage, base) => [
  base + VERSION_KEY,
  ...(storage.getMounts?.(base) ?? [])
    .map((mount) => normalizeBaseKey(mount.base) + VERSION_KEY)
    .filter((key) => key !== base + VERSION_KEY),
];

const isStored = ({ value }) => value !== null && value !== undefined;

const toSnapshot = (items, base) =>
  items.reduce((copy, { key, value }) => put(copy, key.slice(base.length), value), {});

const toItems = (copy, base) =>
  Object.entries(copy).map(([key, value]) => ({ key: base + key, value }));

export async function snapshot(storage, givenBase) {
  const base = normalizeBaseKey(givenBase);
  const keys = await storage.getKeys(base);
  const items =
    typeof storage.getItems === "function"
      ? await storage.getItems(keys)
      : await Promise.all(keys.map(async (key) => ({ key, value: await storage.getItem(key) })));
  const versions = await Promise.all(
    versionKeys(storage, base).map(async (key) => ({ key, value: await storage.getItem(key) })),
  );
  return toSnapshot([...versions.filter(isStored), ...items], base);
}

export function snapshotSync(storage, givenBase) {
  const base = normalizeBaseKey(givenBase);
  const keys = storage.getKeysSync(base);
  const items =
    typeof storage.getItemsSync === "function"
      ? storage.getItemsSync(keys)
      : keys.map((key) => ({ key, value: storage.getItemSync(key) }));
  const versions = versionKeys(storage, base).map((key) => ({
    key,
    value: storage.getItemSync(key),
  }));
  return toSnapshot([...versions.filter(isStored), ...items], base);
}

export async function restoreSnapshot(storage, copy, base) {
  const items = toItems(copy, normalizeBaseKey(base));
  if (typeof storage.setItems === "function") await storage.setItems(items);
  else await Promise.all(items.map(({ key, value }) => storage.setItem(key, value)));
}

export function restoreSnapshotSync(storage, copy, base) {
  const items = toItems(copy, normalizeBaseKey(base));
  if (typeof storage.setItemsSync === "function") storage.setItemsSync(items);
  else for (const { key, value } of items) storage.setItemSync(key, value);
}
