// Copies of what lies under a base. Works on any storage.

import { normalizeBaseKey } from "./keys.js";

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
  return toSnapshot(items, base);
}

export function snapshotSync(storage, givenBase) {
  const base = normalizeBaseKey(givenBase);
  const keys = storage.getKeysSync(base);
  const items =
    typeof storage.getItemsSync === "function"
      ? storage.getItemsSync(keys)
      : keys.map((key) => ({ key, value: storage.getItemSync(key) }));
  return toSnapshot(items, base);
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
