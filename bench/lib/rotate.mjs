// Sides run in turn, in short slices of one process, so that whatever else the machine does falls on
// all of them alike.

import { median, spread } from "./stats.mjs";

const collect = globalThis.gc;
if (typeof collect !== "function") throw new Error("Run node with --expose-gc");

const WARM_UP_NS = 60e6;

async function timed(run, count) {
  const start = process.hrtime.bigint();
  await run(count);
  return Number(process.hrtime.bigint() - start);
}

/** Warms a side up and gives the number of operations that fill a slice. */
async function calibrate(run, sliceMs) {
  const sliceNs = sliceMs * 1e6;
  let count = 1;
  let spentNs = 0;
  for (;;) {
    const ns = await timed(run, count);
    spentNs += ns;
    const wanted = Math.max(1, Math.round((count * sliceNs) / ns));
    // Until both hold, the code may not be optimised yet and the estimate is of the slow kind.
    if (spentNs >= WARM_UP_NS && ns >= sliceNs / 2) return Math.min(wanted, count * 2);
    count = Math.max(1, Math.min(wanted, count * 4));
  }
}

/**
 * Times every side `rounds` times, `slices` slices to a round, in an order that turns with the round.
 * Gives the nanoseconds of one operation for each side and round.
 *
 * @param {{ run: (count: number) => unknown, settle?: () => unknown }[]} sides
 */
export async function rotate(sides, { rounds, sliceMs, slices = 2 }) {
  const counts = [];
  for (const side of sides) {
    counts.push(await calibrate(side.run, sliceMs));
    await side.settle?.();
  }
  const times = sides.map(() => []);
  for (let round = 0; round < rounds; round++) {
    const totals = sides.map(() => 0);
    for (let slice = 0; slice < slices; slice++) {
      for (let turn = 0; turn < sides.length; turn++) {
        const at = (turn + round) % sides.length;
        const { run, settle } = sides[at];
        collect();
        // A collection ages code and empties caches; a few operations bring both back.
        await run(Math.ceil(counts[at] / 10));
        await settle?.();
        totals[at] += await timed(run, counts[at]);
        await settle?.();
      }
    }
    for (const [at, total] of totals.entries()) times[at].push(total / counts[at] / slices);
  }
  return times;
}

/** Peer's time / ours, round by round. */
export async function pair(ours, peer, budget) {
  const [oursNs, peerNs] = await rotate([ours, peer], budget);
  const ratios = oursNs.map((ns, round) => peerNs[round] / ns);
  return {
    ratio: median(ratios),
    spread: spread(ratios),
    oursNs: median(oursNs),
    peerNs: median(peerNs),
  };
}
