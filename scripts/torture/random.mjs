// Numbers that look random and come again with the same seed.

/** Turns a text into 32 bits (FNV-1a). */
function hash(text) {
  let bits = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    bits = Math.imul(bits ^ text.charCodeAt(index), 0x01000193);
  }
  return bits >>> 0;
}

/** A generator (mulberry32) whose whole course follows from the seed. */
export class Random {
  #state;

  constructor(seed) {
    this.#state = hash(String(seed));
  }

  /** From 0 to below 1. */
  unit() {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 4294967296;
  }

  /** A whole number from 0 to below `bound`. */
  below(bound) {
    return Math.floor(this.unit() * bound);
  }

  /** A whole number from `low` to `high`, both included. */
  between(low, high) {
    return low + this.below(high - low + 1);
  }

  /** True in about `share` of the calls. */
  chance(share) {
    return this.unit() < share;
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  /** `count` things that `make` gives. */
  list(count, make) {
    return Array.from({ length: count }, () => make(this));
  }
}

/** The generator of one round: a round can be run again without those before it. */
export function randomOf({ seed, attack }, round) {
  return new Random(`${seed}/${attack}/${round}`);
}
