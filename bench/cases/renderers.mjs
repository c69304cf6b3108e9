// Sandboxed renderers: a thread stands for the renderer, this one for the main process.

import { EventEmitter } from "node:events";
import { createRequire } from "node:module";
import { MessageChannel, Worker } from "node:worker_threads";
import { newFolder } from "../lib/folder.mjs";
import { median } from "../lib/stats.mjs";
import * as ours from "../peers/ours.mjs";

const require = createRequire(import.meta.url);
const CHANNEL = "electron-async-storage";
const SMALL = { theme: "dark", size: 14, tabs: [1, 2, 3] };

/** A main process with a storage of settings. `answer` takes what its channel gets. */
class Main extends EventEmitter {
  constructor(count) {
    super();
    const { serveStorage } = require("../../serve/index.js");
    this.storage = ours.fsStorage(newFolder());
    for (let index = 0; index < count; index++)
      this.storage.setItemSync(`settings:k${index}`, SMALL);
    this.handlers = new Map([["echo", (_event, message) => message]]);
    this.server = serveStorage(this.storage, {
      ipcMain: this,
      access: [{ origins: "app://main", keys: "settings:**", can: "write", sync: true }],
      limits: { callsPerSecond: 1e9, mirrorBytes: 1e9 },
    });
    this.on("one", (event, key) => {
      event.returnValue = this.storage.getItemSync(key);
    });
  }

  handle(channel, handler) {
    this.handlers.set(channel, handler);
  }

  /** What a renderer thread says of its task. */
  async run(task, channel = CHANNEL) {
    const { port1, port2 } = new MessageChannel();
    const flag = new Int32Array(new SharedArrayBuffer(4));
    const frame = {
      processId: 1,
      routingId: 1,
      origin: "app://main",
      url: "app://main/",
      parent: null,
      send: (_channel, ...args) => port1.postMessage({ kind: "push", args }),
    };
    const sender = { id: 1 };
    const eventOf = () => ({ senderFrame: frame, sender, processId: 1, frameId: 1 });
    // A task of its own for each message, as in Electron: a port of Node takes up to a thousand at once.
    const inbox = [];
    const answerNext = async () => {
      const { event, id, to, message } = inbox.shift();
      if (inbox.length > 0) setImmediate(answerNext);
      const reply = await this.handlers.get(to)(event, message);
      port1.postMessage({ kind: "reply", id, reply });
    };
    port1.on("message", ({ kind, id, channel: to, message }) => {
      const event = eventOf();
      if (kind === "invoke") {
        inbox.push({ event, id, to, message });
        if (inbox.length === 1) setImmediate(answerNext);
        return;
      }
      this.emit(to, event, message);
      port1.postMessage({ kind: "sync", reply: event.returnValue });
      Atomics.store(flag, 0, 1);
      Atomics.notify(flag, 0);
    });
    const worker = new Worker(new URL("../children/renderer.mjs", import.meta.url), {
      workerData: { port: port2, flag, task, channel },
      transferList: [port2],
    });
    try {
      return await new Promise((resolve, reject) => {
        worker.once("message", resolve);
        worker.once("error", reject);
      });
    } finally {
      port1.close();
      await worker.terminate();
    }
  }

  async close() {
    this.server.dispose();
    await this.storage.dispose();
  }
}

async function withMain(count, use) {
  const main = new Main(count);
  try {
    return await use(main);
  } finally {
    await main.close();
  }
}

/** Keeps this thread busy for 20 of every 25 ms. */
function keepBusy() {
  const timer = setInterval(() => {
    const end = performance.now() + 20;
    while (performance.now() < end);
  }, 25);
  return () => clearInterval(timer);
}

const start = (isBusy) => ({
  operation: `100 settings at the start of a sandboxed preload, main ${isBusy ? "busy 20 of every 25 ms" : "idle"}`,
  against: "one sync message a key",
  // Between threads a sync message costs a part of what it does between Electron's processes: beside an idle
  // main process the row is only reported.
  goal: isBusy ? 2 : undefined,
  measure: ({ rounds }) =>
    withMain(100, async (main) => {
      const stop = isBusy ? keepBusy() : () => {};
      try {
        const runs = [];
        for (let round = 0; round < rounds; round++) runs.push(await main.run({ name: "start" }));
        const oursMs = median(runs.map((run) => run.oursMs));
        const peerMs = median(runs.map((run) => run.peerMs));
        return { ratio: peerMs / oursMs, ours: oursMs, peer: peerMs, unit: "ms" };
      } finally {
        stop();
      }
    }),
});

const read = {
  operation: "getItemSync of a small value in a sandboxed preload",
  against: "absolute",
  goal: 0.5,
  unit: "µs",
  absolute: true,
  measure: () =>
    withMain(100, async (main) => {
      const { us } = await main.run({ name: "read" });
      return { ours: us, unit: "µs" };
    }),
};

const mirror = {
  operation: "main's time for the mirror of a sandboxed preload, 1,000 keys on disk",
  against: "absolute",
  unit: "ms",
  absolute: true,
  measure: ({ rounds }) =>
    withMain(1000, async (main) => {
      const times = [];
      for (let round = 0; round < rounds; round++) {
        const frame = {
          processId: 1,
          routingId: 1,
          origin: "app://main",
          url: "app://main/",
          parent: null,
        };
        const event = { senderFrame: frame, sender: { id: 1 }, processId: 1, frameId: 1 };
        const message = {
          v: 1,
          client: "0".repeat(32),
          origin: "app://main",
          op: "hello",
          args: [],
        };
        const began = performance.now();
        main.emit(CHANNEL, event, message);
        times.push(performance.now() - began);
        if (event.returnValue.ok.mirror.slices[0][1].length !== 4000) throw new Error("no mirror");
      }
      return { ours: median(times), unit: "ms" };
    }),
};

/** The longest time that this thread's loop did not turn beside a flood. */
async function longestStall(main, task, channel) {
  let longest = 0;
  let last = performance.now();
  let isOver = false;
  const turn = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (!isOver) setImmediate(turn);
  };
  turn();
  await main.run(task, channel);
  isOver = true;
  return longest;
}

const flood = {
  operation:
    "main's longest stall beside a sandboxed preload that floods it with values of 17 KB, beyond that of a server that only echoes",
  against: "absolute",
  goal: 20,
  unit: "ms",
  absolute: true,
  measure: ({ rounds }) =>
    withMain(100, async (main) => {
      const args = ["settings:k1", JSON.stringify({ json: Array(1000).fill({ theme: "dark" }) })];
      const task = { name: "flood", op: "setItem", args, ms: 300, perMs: 5 };
      const [served, echoed] = [[], []];
      for (let round = 0; round < Math.min(rounds, 8); round++) {
        served.push(await longestStall(main, task, CHANNEL));
        echoed.push(await longestStall(main, task, "echo"));
      }
      // What the server itself does it does in every round; a busy machine interrupts only some.
      return { ours: Math.max(0, Math.min(...served) - Math.min(...echoed)), unit: "ms" };
    }),
};

export const quick = [start(false), start(true), read, mirror, flood];
export const full = [];
