// Contexts come and go: worker threads that are ended at random moments, vm contexts, repeated loading.

import { supervise } from "../child.mjs";
import { hasGauges } from "../gauges.mjs";

export default {
  name: "contexts",
  title: "worker threads are terminated while they work",
  share: 2.2,
  async run(task, outcome) {
    if (!hasGauges)
      outcome.note("this system does not tell of threads and descriptors: not compared");
    await supervise("contexts", { ...task, atOnce: 8 }, outcome, {
      flags: ["--expose-gc"],
      // Fewer arenas: what the allocator keeps for threads that are gone is no leak.
      env: { MALLOC_ARENA_MAX: "2" },
    });
  },
};
