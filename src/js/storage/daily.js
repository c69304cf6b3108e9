// What apps write around a store: one key's changes, entries, values that are computed when they are missing, and
// changes of what was read that lose no other change.

import { entriesOf, entriesSyncOf } from "./entries.js";
import { entryMethods } from "./entry.js";
import { getOrSetOf } from "./get-or-set.js";
import { groupsOf } from "./group.js";
import { updateMethods } from "./update.js";
import { watchItemOf } from "./watch-item.js";

/**
 * @param {any} parts - of a storage: `shown` is what its user has, `readable` reads without defaults; `check`,
 * `output`, `valueFor` and `line` are those of its schemas
 */
export function dailyMethods(parts) {
  const { storage, found, shown = storage, readable = found } = parts;
  return {
    watchItem: watchItemOf(shown),
    entries: entriesOf(shown, readable),
    entriesSync: entriesSyncOf(shown, readable),
    getOrSet: getOrSetOf(parts),
    ...entryMethods(parts),
    ...updateMethods(parts),
    atomic: groupsOf(parts),
  };
}
