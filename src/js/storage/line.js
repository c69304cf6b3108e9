// The order of the calls, where one of them has to wait before it can begin.

import { ignore } from "../thenables.js";

/** Calls begin in the order in which they were made; none waits unless an earlier one does. */
export function makeLine() {
  let count = 0;
  let last = Promise.resolve();

  async function join(wait, begin) {
    count += 1;
    const before = last;
    let release = ignore;
    last = new Promise((resolve) => {
      release = () => resolve(undefined);
    });
    let begun;
    try {
      await before;
      await wait;
      begun = begin();
    } finally {
      count -= 1;
      release();
    }
    return begun;
  }

  return {
    /** Begins a call at once, or behind those that wait. */
    run: (begin) => (count === 0 ? begin() : join(undefined, begin)),
    /** Begins a call when `wait` is fulfilled; does not begin it where `wait` fails. */
    after(wait, begin) {
      wait.then(ignore, ignore);
      return join(wait, begin);
    },
    isFree: () => count === 0,
  };
}
