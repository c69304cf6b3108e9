// First operations: each key is read, or written as a new one, once. Each round works on storages of its
// own, with more keys than a cache would hold and a value of its own for each, as in a program that starts.

import { compileRepeat } from "./repeat.mjs";
import { median, spread } from "./stats.mjs";

const collect = globalThis.gc;

export const COLD_KEYS = 20_000;

// By then the engine has compiled both sides.
const WARM_UP_ROUNDS = 3;

async function timeRound(side, keys, values) {
  const subject = await side.open();
  if (side.fill) await side.fill(subject, keys, values);
  const run = side.start(subject, keys, values);
  collect();
  const start = process.hrtime.bigint();
  await run(side.isBatch ? 1 : keys.length);
  const ns = Number(process.hrtime.bigint() - start);
  await side.settle?.(subject);
  await (side.close?.(subject) ?? subject.dispose?.());
  return ns / keys.length;
}

/**
 * A row as `compare` makes it, of first operations. `values` makes
 * those of the keys, and `isBatch` says that one evaluation handles all of them.
 */
export function compareCold({ ours, peer, keys, values: makeValues, isBatch = false, ...row }) {
  return {
    ...row,
    async measure({ rounds }) {
      // A function of its own for each side: see repeat.mjs.
      const sides = [ours, peer].map((side) => ({
        ...side,
        isBatch,
        start: compileRepeat(side.expression),
      }));
      const values = makeValues();
      const times = sides.map(() => []);
      for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
        for (let turn = 0; turn < sides.length; turn++) {
          const at = (turn + Math.abs(round)) % sides.length;
          const ns = await timeRound(sides[at], keys, values);
          if (round >= 0) times[at].push(ns);
        }
      }
      const [oursNs, peerNs] = times;
      const ratios = oursNs.map((ns, round) => peerNs[round] / ns);
      return {
        ratio: median(ratios),
        spread: spread(ratios),
        ours: median(oursNs) / 1000,
        peer: median(peerNs) / 1000,
        unit: "µs",
      };
    },
  };
}
