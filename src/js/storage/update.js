// `update`: read, compute, and write if the item is still what was read; again if it is not.

import { wrongArgument } from "../arguments.js";
import { normalizeKey } from "../keys.js";
import { pack } from "../lazy-codec.js";
import { located } from "../located.js";
import { ignore, isThenable } from "../thenables.js";
import { hand } from "../writer/index.js";
import { refuseCondition } from "./conditions.js";
import { now } from "./turns.js";
import { isInsideUpdate, makeTurns, newUpdate, runOf, runSync } from "./update-turns.js";
import { isReady } from "./values.js";

const MOST_RUNS = 100;
const MOST_MS = 5000;

const { findForUpdateSync, swapSync } = core;

// The core keeps what each update found under its number: it compares that when it writes.
let lastNumber = 0;

/** What the updates of one storage have in common, whatever object they are called on. */
export function updatesOf(handle) {
  const running = new Set();

  function disposed() {
    try {
      core.mountOf(handle, "");
    } catch (error) {
      return Object.assign(error, { operation: "update" });
    }
  }

  return {
    inTurn: makeTurns(),
    running,
    /** Has those fail whose functions are running: the storage is disposed. */
    abort() {
      for (const update of running) update.abort?.(disposed());
    },
    refuseDisposed() {
      const error = disposed();
      if (error !== undefined) throw error;
    },
    /** Fails for a call that is made by the function of an update. */
    refuseInside(operation) {
      if (!isInsideUpdate(handle)) return;
      throw Object.assign(
        new Error(
          `[electron-async-storage] ${operation}() was called by the function of an update. Call it when the update is done.`,
        ),
        { code: "EAS_INSIDE_UPDATE", operation },
      );
    },
  };
}

// Whether a function may run again after a conflict; the time counts from the first one.
function makeLimit() {
  let runs = 1;
  let end;
  return {
    isReached() {
      runs += 1;
      end ??= now() + MOST_MS;
      return runs > MOST_RUNS || now() > end;
    },
  };
}

function checkArguments(fn, opts, operation) {
  if (typeof fn !== "function") {
    throw wrongArgument("argument `fn`", "a function", fn, operation);
  }
  refuseCondition(opts, operation);
}

function needsPromise(key) {
  return Object.assign(
    new Error(
      `[electron-async-storage] The function for key ${JSON.stringify(key)} gave a Promise, which updateSync cannot wait for. Use update.`,
    ),
    { code: "EAS_SYNC_UNSUPPORTED", operation: "updateSync", key },
  );
}

/** @param {any} parts - of a storage; `check`, `valueFor` and `line` are those of its schemas and defaults */
export function updateMethods(parts) {
  const { handle, findValue, lossRules, conflictAt, updates } = parts;
  const { check, valueFor = (value) => value ?? null, line } = parts;

  const begin = (start) => (line === undefined ? start() : line.run(start));
  const normal = (key) => (typeof key === "string" ? normalizeKey(key) : key);
  const changed = (key, operation) =>
    conflictAt(key, operation, "it was changed each time before the new value could be written");

  function change(key, number, next, opts) {
    if (line === undefined) {
      const text = next === undefined ? undefined : hand(next, lossRules, "update", key);
      return core.swap(number, text, opts);
    }
    const text = next === undefined ? undefined : pack(next, lossRules, "update", key);
    const wait = check(next, { key, operation: "update", isSync: false });
    const write = () => core.swap(number, text, opts);
    return wait === undefined ? line.run(write) : line.after(wait, write);
  }

  async function run(update, key, fn, opts) {
    const number = ++lastNumber;
    const limit = makeLimit();
    try {
      for (;;) {
        const found = begin(() => core.findForUpdate(handle, key, number, opts));
        const stored = isReady(found) ? found : await located(found);
        const place = { key, operation: "update", isSync: false };
        const value = await valueFor(findValue(stored, key), place);
        updates.refuseDisposed();
        const next = await runOf(update, () => fn(value));
        if (await located(change(key, number, next, opts))) return next;
        if (limit.isReached()) throw changed(key, "update");
      }
    } catch (error) {
      core.forget(number);
      throw error;
    }
  }

  return {
    async update(key, fn, opts) {
      checkArguments(fn, opts, "update");
      const update = newUpdate(handle);
      updates.running.add(update);
      try {
        return await updates.inTurn(normal(key), update, () => run(update, key, fn, opts));
      } finally {
        updates.running.delete(update);
      }
    },
    updateSync(key, fn, opts) {
      checkArguments(fn, opts, "updateSync");
      const place = { key, operation: "updateSync", isSync: true };
      const number = ++lastNumber;
      let limit;
      try {
        for (;;) {
          const stored =
            opts === undefined
              ? findForUpdateSync(handle, key, number)
              : findForUpdateSync(handle, key, number, opts);
          const next = runSync(handle, fn, valueFor(findValue(stored, key), place));
          if (isThenable(next)) {
            next.then(ignore, ignore);
            throw needsPromise(normal(key));
          }
          check?.(next, place);
          const text = next === undefined ? undefined : hand(next, lossRules, "updateSync", key);
          const isDone = opts === undefined ? swapSync(number, text) : swapSync(number, text, opts);
          if (isDone) return next;
          limit ??= makeLimit();
          if (limit.isReached()) throw changed(key, "updateSync");
        }
      } catch (error) {
        core.forget(number);
        throw error;
      }
    },
  };
}
