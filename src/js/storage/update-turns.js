// The order of updates of one key, and which updates a call is made inside of.

import { around, canTellCallers, runInside } from "../async-context.js";

/**
 * One call of `update`.
 *
 * @typedef {object} Update
 * @property {object} handle - of its storage
 * @property {Update[]} outer - those whose functions it was made inside of
 * @property {boolean} isRunning - whether its function is
 * @property {boolean} isWaiting - whether others are before it
 * @property {Line | undefined} line - of its key
 * @property {(error: unknown) => void} [abort] - has it fail without its function
 */

/** @typedef {{ updates: Set<Update>, last: Promise<unknown> }} Line */

// The storages of those Sync ones whose functions run: what is inside of them is called before they end.
const running = [];
/** @type {Set<Update>} */
const waiting = new Set();

const updatesAround = () => around().filter(({ isUpdate, isRunning }) => isUpdate && isRunning);

/** Whether this call is made by the function of an update of a storage. */
export const isInsideUpdate = (handle) =>
  running.includes(handle) || updatesAround().some((update) => update.handle === handle);

export function newUpdate(handle) {
  return {
    isUpdate: true,
    handle,
    outer: updatesAround(),
    isRunning: false,
    isWaiting: false,
    line: undefined,
    abort: undefined,
  };
}

/** Calls the function of an update. */
export async function runOf(update, run) {
  update.isRunning = true;
  try {
    return await new Promise((resolve, reject) => {
      update.abort = reject;
      runInside(update, run).then(resolve, reject);
    });
  } finally {
    update.abort = undefined;
    update.isRunning = false;
  }
}

/** Calls the function of a Sync update of a storage. */
export function runSync(handle, fn, value) {
  running.push(handle);
  try {
    return fn(value);
  } finally {
    running.pop();
  }
}

// Whether updates in a line wait for one that this update is made inside of: it would wait for itself.
function isWaitedFor(line, update) {
  const held = update.outer.map((outer) => outer.line);
  const seen = new Set();
  const leadsBack = (next) => {
    if (held.includes(next)) return true;
    if (seen.has(next)) return false;
    seen.add(next);
    return [...waiting].some(
      (other) => other.outer.some((outer) => next.updates.has(outer)) && leadsBack(other.line),
    );
  };
  return update.outer.length > 0 && leadsBack(line);
}

/** Nothing is kept of a key without updates. */
export function makeTurns() {
  /** @type {Map<string, Line>} */
  const lines = new Map();

  /** Runs an update when those of its key before it are over. */
  return async function inTurn(key, update, run) {
    // Without a way to know what is inside of what, updates run side by side, and again after a conflict.
    if (!canTellCallers()) return run();
    let line = lines.get(key);
    if (line === undefined) {
      line = { updates: new Set(), last: Promise.resolve() };
      lines.set(key, line);
    }
    update.line = line;
    if (isWaitedFor(line, update)) return run();
    const before = line.last;
    let leave = (_) => {};
    line.last = new Promise((resolve) => {
      leave = resolve;
    });
    const isFirst = line.updates.size === 0;
    line.updates.add(update);
    try {
      if (!isFirst) {
        update.isWaiting = true;
        if (update.outer.length > 0) waiting.add(update);
        await before;
        waiting.delete(update);
        update.isWaiting = false;
      }
      return await run();
    } finally {
      line.updates.delete(update);
      if (line.updates.size === 0) lines.delete(key);
      leave(undefined);
    }
  };
}
