// What apps write around a store: one key's changes, entries, values that are computed when they are missing.

import { entriesOf, entriesSyncOf } from "./entries.js";
import { getOrSetOf } from "./get-or-set.js";
import { watchItemOf } from "./watch-item.js";

/**
 * @param {any} parts - of a storage: `shown` is what its user has, `readable` reads without defaults; `check`,
 * `output` and `line` are those of its schemas
 */
export function dailyMethods(parts) {
  const { storage, found, shown = storage, readable = found } = parts;
  return {
    watchItem: watchItemOf(shown),
    entries: entriesOf(shown, readable),
    entriesSync: entriesSyncOf(shown, readable),
    getOrSet: getOrSetOf(parts),
  };
}
