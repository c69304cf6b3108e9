// Storages are made, used and dropped, some disposed and some not; memory stays flat.

import { supervise } from "../child.mjs";
import { hasGauges } from "../gauges.mjs";

export default {
  name: "leaks",
  title: "storages are made, used and dropped",
  share: 3.8,
  async run(task, outcome) {
    if (!hasGauges) {
      outcome.skipped = "this system does not tell how much memory is resident";
      return;
    }
    await supervise("leaks", task, outcome, {
      flags: ["--expose-gc"],
      env: { MALLOC_ARENA_MAX: "2" },
    });
  },
};
