import { compare } from "../lib/case.mjs";
import { newFolder } from "../lib/folder.mjs";
import { itemsOf, keysOf, values } from "../lib/values.mjs";
import * as ours from "../peers/ours.mjs";
import * as upstream from "../peers/upstream.mjs";

// The upstream queue has no way to wait for its flush other than to look.
async function drainUpstream(storage) {
  const queue = storage.getMount("").driver.getInstance();
  while (queue.queue.size > 0 || queue.flushing) {
    await storage.flush();
    await new Promise(setImmediate);
  }
}
const drainOurs = (storage) => storage.flush();

// Fewer than maxQueueSize, so that what is timed is the queue and not the wait for its room.
const BURST = 500;
const burst = (expression) =>
  `await (async () => { for (let at = 0; at < keys.length; at++) {
    const key = keys[at]; const value = values[at % values.length]; ${expression}; } })()`;

const row = (operation, goal, expression, { writes = false } = {}) => {
  const side = (open, drain) => ({
    open: () => open(newFolder()),
    expression: burst(expression),
    async fill(storage, keys, list) {
      await storage.setItems(itemsOf(keys, list));
      await drain(storage);
    },
    settle: writes ? drain : undefined,
  });
  return compare({
    operation: `queue over fs ${operation}`,
    against: "upstream queue over fs",
    goal,
    keys: keysOf(BURST),
    values: values.profile,
    per: BURST,
    ours: side(ours.queueStorage, drainOurs),
    peer: side(upstream.queueStorage, drainUpstream),
    // One burst to a slice: a second one would meet the first, still being written.
    budget: writes ? { sliceMs: 0 } : {},
  });
};

export const quick = [row("getItem awaited, on disk", 4, "await subject.getItem(key)")];

export const full = [
  row("setItem awaited, bursts of 500", 8, "await subject.setItem(key, value)", { writes: true }),
];
