// An item together with the etag that names its value.

import { normalizeKey } from "../keys.js";
import { located } from "../located.js";
import { isThenable } from "../thenables.js";

/** @param {any} parts - of a storage; `output` and `line` are those of its schemas */
export function entryMethods({ handle, findValue, output, line }) {
  const begin = (start) => (line === undefined ? start() : line.run(start));
  const storedIn = (found, key) => (found === undefined ? undefined : findValue(found[0], key));
  const entryOf = (found, value, key) => ({
    key: normalizeKey(key),
    value: value ?? null,
    etag: found === undefined ? null : found[1],
  });

  return {
    async getEntry(key, opts) {
      const found = await located(begin(() => core.getEntry(handle, key, opts)));
      let value = storedIn(found, key);
      if (output !== undefined) {
        value = output(value, { key, operation: "getEntry", isSync: false });
        if (isThenable(value)) value = await value;
      }
      return entryOf(found, value, key);
    },
    getEntrySync(key, opts) {
      const found = core.getEntrySync(handle, key, opts);
      let value = storedIn(found, key);
      if (output !== undefined) {
        value = output(value, { key, operation: "getEntrySync", isSync: true });
      }
      return entryOf(found, value, key);
    },
  };
}
