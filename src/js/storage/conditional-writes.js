// Writes that are made only if their item is still what the caller read.

import { normalizeKey } from "../keys.js";
import { pack } from "../lazy-codec.js";
import { located } from "../located.js";
import { checkOfEtag, conditionOf, withoutCondition } from "./conditions.js";
import { OPERATION } from "./operations.js";

/** @param {any} parts - of a storage */
export function conditionalWrites({ handle, lossRules, conflictAt }) {
  const changed = (key, operation) =>
    conflictAt(
      key,
      operation,
      "it is no longer what `ifMatch` names. Read it again with getEntry, or use update",
    );

  async function commit(operation, key, etag, writes) {
    const conflicts = await located(
      core.commit(handle, OPERATION[operation], checkOfEtag(key, etag), writes),
    );
    if (conflicts !== undefined) throw changed(key, operation);
  }

  function commitSync(operation, key, etag, writes) {
    const check = checkOfEtag(key, etag);
    const conflicts = core.commitSync(handle, OPERATION[operation], check, writes);
    if (conflicts !== undefined) throw changed(key, operation);
  }

  // The arguments of a commit; undefined where the condition is none.
  function setting(operation, key, value, opts) {
    const etag = conditionOf(opts, operation);
    if (etag === undefined) return undefined;
    const text = value === undefined ? undefined : pack(value, lossRules, operation, key);
    return [operation, key, etag, [key, text, withoutCondition(opts)]];
  }

  function removal(operation, key, removeMeta, opts) {
    const etag = conditionOf(opts, operation);
    if (etag === undefined) return undefined;
    const others = withoutCondition(opts);
    const writes = [key, undefined, others];
    if (removeMeta) writes.push(`${normalizeKey(key)}$`, undefined, others);
    return [operation, key, etag, writes];
  }

  return {
    setting,
    removal,
    commit: (given) => commit(...given),
    commitSync: (given) => commitSync(...given),
  };
}
