// Contexts come and go: worker threads that are ended at random moments, vm contexts, repeated loading.

import { supervise } from "../child.mjs";
import { hasGauges } from "../gauges.mjs";
import { Outcome } from "../outcome.mjs";

/** The part of the time in which workers without the package show what Node itself keeps of each. */
const BARE_PART = 5;

export default {
  name: "contexts",
  title: "worker threads are terminated while they work",
  share: 2.2,
  async run(task, outcome) {
    if (!hasGauges)
      outcome.note("this system does not tell of threads and descriptors: not compared");
    const options = {
      flags: ["--expose-gc"],
      // Fewer arenas: what the allocator keeps for threads that are gone is no leak.
      env: { MALLOC_ARENA_MAX: "2" },
    };
    // Node itself keeps something of each worker that was terminated, whatever it did.
    let bareBytes = 0;
    const bareMs = Math.max(0, task.deadlineMs - Date.now()) / BARE_PART;
    await supervise(
      "contexts",
      { ...task, atOnce: 8, isBare: true, deadlineMs: Date.now() + bareMs },
      new Outcome(),
      {
        ...options,
        onMessage: ({ loss, grownPerWorker }) => {
          if (loss) outcome.loss(`workers without the package: ${loss}`);
          if (grownPerWorker) bareBytes = grownPerWorker;
        },
      },
    );
    await supervise("contexts", { ...task, atOnce: 8, bareBytes }, outcome, options);
  },
};
