// Copies of what lies under a base. Unlike those of the main process they have no version: a client does not
// see it, and migrations are the main process's own.

import { normalizeBaseKey } from "../src/js/keys.js";

// `__proto__` is a key like any other: it must not become the prototype of the copy.
// What went meanwhile reads as null, and so do raw values: a null in their place would be restored over them.
const toSnapshot = (items, base) =>
  items.reduce(
    (copy, { key, value }) =>
      value === null
        ? copy
        : Object.defineProperty(copy, key.slice(base.length), {
            value,
            configurable: true,
            enumerable: true,
            writable: true,
          }),
    {},
  );

const toItems = (copy, base) =>
  Object.entries(copy).map(([key, value]) => ({ key: normalizeBaseKey(base) + key, value }));

export async function snapshot(storage, base) {
  const items = await storage.getItems(await storage.getKeys(base));
  return toSnapshot(items, normalizeBaseKey(base));
}

export const snapshotSync = (storage, base) =>
  toSnapshot(storage.getItemsSync(storage.getKeysSync(base)), normalizeBaseKey(base));

export const restoreSnapshot = (storage, copy, base) => storage.setItems(toItems(copy, base));

export const restoreSnapshotSync = (storage, copy, base) =>
  storage.setItemsSync(toItems(copy, base));
