// Reads that give undefined where there is no item: for what a stored null is not the same as none.

import { readBatch } from "../arguments.js";
import { located } from "../located.js";
import { SLICE } from "./turns.js";
import { valueFinder } from "./values.js";

export function findingReads(handle, readItems, readManyItems) {
  const findValue = valueFinder(handle);
  return {
    async getItem(key, opts) {
      return findValue(await located(core.getItem(handle, key, opts)), key);
    },
    getItemSync: (key, opts) => findValue(core.getItemSync(handle, key, opts), key),
    async getItems(items, commonOptions) {
      const { keys, options } = readBatch(items, commonOptions);
      if (keys.length > SLICE) return readManyItems(keys, options, commonOptions, findValue);
      const stored = await located(core.getItems(handle, keys, options, commonOptions));
      return readItems(keys, stored, findValue);
    },
    getItemsSync(items, commonOptions) {
      const { keys, options } = readBatch(items, commonOptions);
      const stored = core.getItemsSync(handle, keys, options, commonOptions);
      return readItems(keys, stored, findValue);
    },
  };
}
