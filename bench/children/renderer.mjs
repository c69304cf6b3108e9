// A thread in the place of a renderer: its sync messages wait for the thread of the main process, as those of
// Electron do.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";

const { port, flag, task } = workerData;
const preload = fileURLToPath(new URL("../../preload/index.js", import.meta.url));
const KEYS = Array.from({ length: 100 }, (_, index) => `settings:k${index}`);

let waiting = 0;
const settlers = new Map();
const pushes = [];

function sendSync(channel, message) {
  Atomics.store(flag, 0, 0);
  port.postMessage({ kind: "sync", channel, message });
  // What wakes this thread may still be meant for the message before.
  while (Atomics.load(flag, 0) === 0) Atomics.wait(flag, 0, 0);
  for (;;) {
    const received = receiveMessageOnPort(port);
    if (received === undefined) throw new Error("no answer");
    if (received.message.kind === "sync") return received.message.reply;
    take(received.message);
  }
}

function take({ kind, id, reply, args }) {
  if (kind === "reply") settlers.get(id)?.(reply);
  else for (const listener of pushes) listener({}, ...args);
}

const ipcRenderer = {
  sendSync,
  invoke: (channel, message) =>
    new Promise((resolve) => {
      settlers.set(++waiting, resolve);
      port.postMessage({ kind: "invoke", id: waiting, channel, message });
    }),
  on: (_channel, listener) => pushes.push(listener),
};
port.on("message", take);

globalThis.origin = "app://main";
const source = readFileSync(preload, "utf8");

function loadPreload() {
  const module = { exports: {} };
  const require = createRequire(import.meta.url);
  new Function("require", "module", "exports", source)(
    (id) => (id === "electron" ? { ipcRenderer } : require(id)),
    module,
    module.exports,
  );
  return module.exports;
}

const TASKS = {
  /** Milliseconds from the start of a preload until 100 settings are read, in each way. */
  start() {
    const began = performance.now();
    const storage = loadPreload().connectStorage();
    const ours = KEYS.map((key) => storage.getItemSync(key));
    const oursMs = performance.now() - began;
    const again = performance.now();
    const theirs = KEYS.map((key) => sendSync("one", key));
    const peerMs = performance.now() - again;
    if (JSON.stringify(ours) !== JSON.stringify(theirs)) throw new Error("other values");
    return { oursMs, peerMs };
  },

  /** Microseconds of a read of a small value that was decoded before. */
  async read() {
    const storage = loadPreload().connectStorage();
    await storage.getItem(KEYS[0]);
    const COUNT = 20_000;
    const times = [];
    for (let round = 0; round < 20; round++) {
      const began = performance.now();
      for (let count = 0; count < COUNT; count++) storage.getItemSync(KEYS[count % 100]);
      times.push(((performance.now() - began) * 1000) / COUNT);
    }
    return { us: times.sort((a, b) => a - b)[10] };
  },

  /** Calls that wait for no answer, `perMs` of them each millisecond for `ms`; it ends when all are answered. */
  async flood({ op, args, ms, perMs }) {
    const client = { v: 1, client: "0".repeat(32), origin: "app://main" };
    // With a mirror, each answer to a write says what is there.
    const hello = { ...client, op: "hello", args: [{ isWatching: true }] };
    const replies = [await ipcRenderer.invoke(workerData.channel, hello)];
    const message = { ...client, op, args };
    const began = performance.now();
    for (let passed = 0; passed < ms; passed = performance.now() - began) {
      while (replies.length < passed * perMs) {
        replies.push(ipcRenderer.invoke(workerData.channel, message));
      }
      // The flag is 0 as long as no sync message is under way.
      Atomics.wait(flag, 0, 0, 1);
    }
    const refused = (await Promise.all(replies)).find((reply) => reply.error || reply.again);
    if (refused) throw new Error(`refused: ${JSON.stringify(refused)}`);
    return { count: replies.length };
  },
};

parentPort.postMessage(await TASKS[task.name](task));
