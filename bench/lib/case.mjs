// A row of the goals: what is measured, against whom, and the ratio that is wanted.

import { repeat } from "./repeat.mjs";
import { pair } from "./rotate.mjs";

async function open(side, keys, values) {
  const subject = await side.open();
  await side.fill?.(subject, keys, values);
  return {
    run: repeat(side.expression, { subject, keys, values }),
    settle: side.settle && (() => side.settle(subject)),
    close: () => side.close?.(subject) ?? subject.dispose?.(),
  };
}

/**
 * A row that times the same work on both sides.
 *
 * `ours` and `peer` are `{ open, expression, fill, settle, close }`: `open` gives the subject that the
 * expression (see repeat.mjs) works on, `fill` puts in what is read, `settle` waits, untimed, for work
 * that a slice left behind. `per` is the number of items that one evaluation handles, and `budget`
 * what the row changes in the budget of the run.
 */
export function compare({ ours, peer, keys, values, per = 1, budget: own, ...row }) {
  return {
    ...row,
    async measure(budget) {
      const opened = [];
      try {
        for (const side of [ours, peer]) opened.push(await open(side, keys, values));
        const { oursNs, peerNs, ...result } = await pair(opened[0], opened[1], {
          ...budget,
          ...own,
        });
        return { ...result, ours: oursNs / per / 1000, peer: peerNs / per / 1000, unit: "µs" };
      } finally {
        for (const { close } of opened) await close();
      }
    },
  };
}

/** Sides that differ only in how their storage is opened. */
export function compareStorages({ openOurs, openPeer, expression, fill, settle, ...row }) {
  const side = (openStorage) => ({ open: openStorage, expression, fill, settle });
  return compare({ ...row, ours: side(openOurs), peer: side(openPeer) });
}
