// `atomic()`: changes that are made together, or not at all.

import { wrongArgument } from "../arguments.js";
import { pack } from "../lazy-codec.js";
import { located } from "../located.js";
import { isThenable } from "../thenables.js";
import { checkOfEtag, refuseCondition } from "./conditions.js";
import { OPERATION } from "./operations.js";
import { needsPromise } from "./validation.js";

const committed = (conflicts) =>
  conflicts === undefined ? { ok: true } : { ok: false, conflicts };

function refuseKey(key, operation) {
  if (typeof key !== "string") throw wrongArgument("key", "a string", key, operation);
}

/** @param {any} parts - of a storage; `check` and `line` are those of its schemas */
export const groupsOf = ({ handle, lossRules, check, line }) =>
  function atomic() {
    const checks = [];
    const writes = [];
    // What asynchronous schemas have yet to say, with the keys.
    const validations = [];
    let isCommitted = false;

    function refuseLate(operation) {
      if (!isCommitted) return;
      throw Object.assign(
        new Error(
          `[electron-async-storage] ${operation}() was called on a group that is committed. Make a new one with atomic().`,
        ),
        { code: "EAS_INVALID_ARGUMENT", operation },
      );
    }

    function write(operation, key, value, opts) {
      const text = value === undefined ? undefined : pack(value, lossRules, operation, key);
      const wait = check?.(value, { key, operation, isSync: false });
      if (isThenable(wait)) validations.push({ wait, key });
      writes.push(key, text, opts);
    }

    const commit = () => core.commit(handle, OPERATION.commit, checks, writes);

    const group = {
      check(key, etag) {
        refuseLate("check");
        refuseKey(key, "check");
        if (etag !== null && typeof etag !== "string") {
          throw wrongArgument("etag", "a string, or null for no item", etag, "check");
        }
        checks.push(...checkOfEtag(key, etag));
        return group;
      },
      set(key, value, opts) {
        refuseLate("set");
        refuseKey(key, "set");
        refuseCondition(opts, "set");
        write("set", key, value, opts);
        return group;
      },
      remove(key) {
        refuseLate("remove");
        refuseKey(key, "remove");
        writes.push(key, undefined, undefined);
        return group;
      },
      async commit() {
        refuseLate("commit");
        isCommitted = true;
        if (line === undefined) return committed(await located(commit()));
        const wait = Promise.all(validations.map((each) => each.wait));
        const started = validations.length === 0 ? line.run(commit) : line.after(wait, commit);
        return committed(await located(started));
      },
      commitSync() {
        refuseLate("commitSync");
        if (validations.length > 0) {
          const { key } = validations[0];
          throw needsPromise("The schema", { key, operation: "commitSync" });
        }
        isCommitted = true;
        return committed(core.commitSync(handle, OPERATION.commitSync, checks, writes));
      },
    };
    return group;
  };
