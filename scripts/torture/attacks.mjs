// Every attack, in the order in which they are made.
//
// An attack is `{ name, title, share, run }`. `share` is its part of the time, 1 when left out.
// `run(task, outcome)` makes rounds from `task.from` on, as long as `isOn` says so, draws what is random
// from `randomOf(task, round)`, and tells `outcome` what it did and found.

import contexts from "./attacks/contexts.mjs";
import counters from "./attacks/counters.mjs";
import faults from "./attacks/faults.mjs";
import hostile from "./attacks/hostile.mjs";
import kill from "./attacks/kill.mjs";
import leaks from "./attacks/leaks.mjs";
import memcheck from "./attacks/memcheck.mjs";
import model from "./attacks/model.mjs";
import power from "./attacks/power.mjs";
import processes from "./attacks/processes.mjs";

export const attacks = [
  kill,
  power,
  faults,
  contexts,
  memcheck,
  leaks,
  processes,
  counters,
  hostile,
  model,
];
