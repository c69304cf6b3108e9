// A chain of migrations that each rewrite every item, and check that they find the state before them.

import { createStorage } from "./package.mjs";

const ITEMS = 30;

const itemOf = (index) => `items:n${index}`;
const textOf = (index, version) => `version ${version} of ${index} `.repeat(1 + (index % 7) * 40);

async function step(storage, version, complain) {
  const keys = (await storage.getKeys("items")).sort();
  const expected = version === 1 ? 0 : ITEMS + ((version - 1) % 3);
  if (keys.length !== expected) {
    complain(`before version ${version} there are ${keys.length} items instead of ${expected}`);
  }
  for (const key of keys) {
    const value = await storage.getItem(key);
    const index = Number(key.slice("items:n".length));
    if (value !== textOf(index, version - 1)) {
      complain(`before version ${version} ${key} holds ${JSON.stringify(value)?.slice(0, 40)}`);
    }
  }
  const count = ITEMS + (version % 3);
  const writes = [];
  for (let index = 0; index < count; index++) {
    writes.push(storage.setItem(itemOf(index), textOf(index, version)));
  }
  for (let index = count; index < ITEMS + 3; index++) {
    writes.push(storage.removeItem(itemOf(index)));
  }
  await Promise.all(writes);
}

/** Brings a base of a driver `count` versions further, one process's way of doing it. */
export async function migrated(open, base, count, complain) {
  const driver = open({ base, durability: "none" });
  const first = createStorage({ driver });
  const from = (await first.getStorageVersion()) ?? 0;
  const version = from + count;
  const migrations = {};
  for (let next = 1; next <= version; next++) {
    migrations[next] = (storage) => step(storage, next, complain);
  }
  await first.dispose();
  const storage = createStorage({
    driver: open({ base, durability: "none" }),
    version,
    migrations,
  });
  await storage.migrate();
  const stored = await storage.getStorageVersion();
  if (stored !== version)
    complain(`after migrate() the version is ${stored} instead of ${version}`);
  const listed = await storage.getKeys("items");
  if (listed.length !== ITEMS + (version % 3))
    complain(`${listed.length} items at version ${version}`);
  await storage.dispose();
}
