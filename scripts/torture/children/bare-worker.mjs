// A worker thread that ends as the others do, and never loads the package.

import { workerData } from "node:worker_threads";
import { Counters } from "../counters.mjs";
import { endAsTold } from "../ends.mjs";

setInterval(() => {}, 1);
endAsTold(workerData);
new Counters(workerData.counters, workerData.slot).add("up");
