// Worker threads that count; one after the other is terminated, and another one takes its place.

import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { taskOfChild, tell } from "../child.mjs";
import { Random } from "../random.mjs";

const { atOnce, actor, log, seed, untilMs, ...task } = taskOfChild();
const random = new Random(seed);
const script = new URL("./counter.mjs", import.meta.url);
let lives = 0;

async function thread() {
  while (Date.now() < untilMs) {
    const life = lives++;
    const worker = new Worker(script, {
      workerData: {
        ...task,
        actor: `${actor}-${life}`,
        log: `${log}-${life}`,
        seed: `${seed}/${life}`,
        untilMs,
      },
    });
    worker.on("error", (error) => tell({ loss: `a worker failed: ${error.stack}` }));
    const gone = once(worker, "exit");
    await Promise.race([gone, pause(random.between(100, 1500))]);
    if (Date.now() < untilMs) {
      tell({ fault: 1 });
      await worker.terminate();
    }
    await gone;
  }
}

await Promise.all(Array.from({ length: atOnce }, thread));
process.exit(0);
