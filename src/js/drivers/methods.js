// The methods of a built-in driver.

import { readBatch } from "../arguments.js";
import { located } from "../located.js";
import { readMeta } from "../meta.js";
import { OPERATION } from "../storage/operations.js";
import { readGroup } from "./group-ops.js";

const { commit: COMMIT, commitSync: COMMIT_SYNC } = OPERATION;

const outcomeOf = (conflicts) =>
  conflicts === undefined ? { ok: true } : { ok: false, conflicts };

// The methods of a built-in driver. Texts go through as they are; other values are kept as raw.
export function methods(handle) {
  const write = (name) => {
    const set = core[`writeText${name}`];
    const setRaw = core[`setItemRaw${name}`];
    return (key, value, opts) =>
      typeof value === "string" ? set(handle, key, value, opts) : setRaw(handle, key, value, opts);
  };
  const setItem = write("");
  const setItemSync = write("Sync");
  const items = (keys, values) => keys.map((key, index) => ({ key, value: values[index] ?? null }));
  const texts = (list) => list.map((item) => item.value);
  return {
    async hasItem(key, opts) {
      return located(core.hasItem(handle, key, opts));
    },
    async getItem(key, opts) {
      return (await located(core.readText(handle, key, opts))) ?? null;
    },
    async getItems(list, commonOptions) {
      const { keys, options } = readBatch(list, commonOptions);
      return items(keys, await located(core.readTexts(handle, keys, options, commonOptions)));
    },
    async getItemRaw(key, opts) {
      return (await located(core.getItemRaw(handle, key, opts))) ?? null;
    },
    async getKeys(base, opts) {
      return located(core.listDriver(handle, base, opts));
    },
    async getMeta(key, opts) {
      return readMeta((await located(core.getMeta(handle, key, true, opts)))[0]);
    },
    async setItem(key, value, opts) {
      await located(setItem(key, value, opts));
    },
    async setItems(list, commonOptions) {
      const { keys, options } = readBatch(list, commonOptions);
      await located(core.writeTexts(handle, keys, texts(list), options, commonOptions));
    },
    async setItemRaw(key, value, opts) {
      await located(core.setItemRaw(handle, key, value, opts));
    },
    async removeItem(key, opts) {
      await located(core.removeItem(handle, key, false, opts));
    },
    async clear(base, opts) {
      await located(core.clear(handle, base, opts));
    },
    async commit(ops, opts) {
      const { checks, writes } = readGroup(ops, opts, "commit");
      return outcomeOf(await located(core.commitTexts(handle, COMMIT, checks, writes)));
    },
    async flush() {
      await located(core.flush(handle));
    },
    async dispose() {
      await located(core.dispose(handle));
    },
    hasItemSync(key, opts) {
      return core.hasItemSync(handle, key, opts);
    },
    getItemSync(key, opts) {
      return core.readTextSync(handle, key, opts) ?? null;
    },
    getItemsSync(list, commonOptions) {
      const { keys, options } = readBatch(list, commonOptions);
      return items(keys, core.readTextsSync(handle, keys, options, commonOptions));
    },
    getItemRawSync(key, opts) {
      return core.getItemRawSync(handle, key, opts) ?? null;
    },
    getKeysSync(base, opts) {
      return core.listDriverSync(handle, base, opts);
    },
    getMetaSync(key, opts) {
      return readMeta(core.getMetaSync(handle, key, true, opts)[0]);
    },
    setItemSync(key, value, opts) {
      setItemSync(key, value, opts);
    },
    setItemsSync(list, commonOptions) {
      const { keys, options } = readBatch(list, commonOptions);
      core.writeTextsSync(handle, keys, texts(list), options, commonOptions);
    },
    setItemRawSync(key, value, opts) {
      core.setItemRawSync(handle, key, value, opts);
    },
    removeItemSync(key, opts) {
      core.removeItemSync(handle, key, false, opts);
    },
    clearSync(base, opts) {
      core.clearSync(handle, base, opts);
    },
    commitSync(ops, opts) {
      const { checks, writes } = readGroup(ops, opts, "commitSync");
      return outcomeOf(core.commitTextsSync(handle, COMMIT_SYNC, checks, writes));
    },
    flushSync() {
      core.flushSync(handle);
    },
  };
}
