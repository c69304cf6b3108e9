// What tells the callers inside of a call from all others, through every `await`.

import { now } from "./storage/turns.js";

let getAsyncHooks;

// The facade has no `require`. The loader gives one; a program that loads the binary by itself may not.
api.setAsyncHooks = (get) => {
  getAsyncHooks = get;
};

// Made when it is first needed: from then on the runtime follows every Promise of the program.
let storage;
let users = 0;
let lastUse = 0;
let isEnding = false;

// To begin and to end it costs as much as hundreds of calls, so it ends when nobody has called for a while.
const IDLE_MS = 1000;
const later = setTimeout;

function endLater() {
  isEnding = true;
  const timer = later(() => {
    isEnding = false;
    if (users > 0) return;
    if (now() - lastUse < IDLE_MS) endLater();
    else storage.disable();
  }, IDLE_MS);
  timer?.unref?.();
}

function open() {
  if (getAsyncHooks === undefined) return undefined;
  const { AsyncLocalStorage } = getAsyncHooks();
  return new AsyncLocalStorage();
}

/** Whether a call inside can be told from others: not where the binary was loaded without the loader. */
export const canTellCallers = () => getAsyncHooks !== undefined;

/** What the calls around this one gave to `runInside`, the outermost first. */
export const around = () => storage?.getStore() ?? [];

/** Calls `run`, which finds `value` around it. */
export async function runInside(value, run) {
  storage ??= open();
  if (storage === undefined) return run();
  users += 1;
  lastUse = now();
  try {
    return await storage.run([...around(), value], run);
  } finally {
    users -= 1;
    lastUse = now();
    if (!isEnding) endLater();
  }
}
