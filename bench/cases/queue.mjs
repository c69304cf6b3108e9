import { existsSync } from "node:fs";
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

// The goals hold in memory; what a disk makes of them its file system decides.
const TMPFS = existsSync("/dev/shm") ? "/dev/shm" : undefined;

// Fewer than maxQueueSize, so that what is timed is the queue and not the wait for its room.
const BURST = 500;
// More than maxQueueSize: most of them wait for room, and all are timed until they are in the files.
const MANY = 5000;

const burst = (expression, end = "") =>
  `await (async () => { for (let at = 0; at < keys.length; at++) {
    const key = keys[at]; const value = values[at % values.length]; ${expression}; } ${end} })()`;

const row = (operation, goal, expression, { writes = false, folder } = {}) => {
  const side = (open, drain) => ({
    open: () => open(newFolder(folder)),
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

const drained = (operation, goal) => {
  const side = (open, drain) => ({
    async open() {
      const storage = await open(newFolder(TMPFS));
      return { storage, drain: () => drain(storage), dispose: () => storage.dispose() };
    },
    expression: burst("await subject.storage.setItem(key, value)", "await subject.drain();"),
    fill: ({ storage }, keys, list) =>
      storage.setItems(itemsOf(keys, list)).then(() => drain(storage)),
  });
  return compare({
    operation: `queue over fs ${operation}, tmpfs`,
    against: "upstream queue over fs",
    goal,
    keys: keysOf(MANY),
    values: values.profile,
    per: MANY,
    ours: side(ours.queueStorage, drainOurs),
    peer: side(upstream.queueStorage, drainUpstream),
    budget: { sliceMs: 0 },
  });
};

export const quick = [row("getItem awaited, on disk", 4, "await subject.getItem(key)")];

const SET = "await subject.setItem(key, value)";

export const full = [
  row("setItem awaited, bursts of 500, tmpfs", 10, SET, { writes: true, folder: TMPFS }),
  row("setItem awaited, bursts of 500", undefined, SET, { writes: true }),
  drained("setItem awaited and drained, 5,000", 5),
];
