// Rates: the same count in a client, which stops early, and in the main process.

/** Something that is used up and flows back in time. */
export function makeBucket(capacity, perSecond, now = Date.now) {
  let level = capacity;
  let at = now();
  return {
    /** Takes what is there; a cost above the capacity empties a full bucket. */
    take(cost) {
      const time = now();
      level = Math.min(capacity, level + (Math.max(0, time - at) * perSecond) / 1000);
      at = time;
      const paid = Math.min(cost, capacity);
      const isThere = level >= paid;
      if (isThere) level -= paid;
      return isThere;
    },
    /** Takes it although it is not there: what was given out already. */
    charge(cost) {
      level -= cost;
    },
  };
}
