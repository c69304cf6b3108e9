// Counts among others, as a process or as a worker thread.

import { isMainThread, workerData } from "node:worker_threads";
import { taskOfChild, tell } from "../child.mjs";
import { count } from "../counting.mjs";

if (isMainThread) {
  await count(taskOfChild(), () => tell({ at: "up" }));
  process.exit(0);
} else {
  await count(workerData, () => {});
}
