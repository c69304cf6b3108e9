// Plain JSON values straight into memory that the native core reads: no strings are made of them that
// would have to be put together here and taken apart there. What is not plain, or is too large, is left
// to the codec; both write the same text.

import { objectPrototype } from "../builtins.js";
import { pack } from "../lazy-codec.js";
import { BAIL, bytes } from "./memory.js";
import { writeEnvelope } from "./values.js";

const MOST_SKIPPED = 15;

// Values of a batch stand one behind the other, until they fill an eighth: there is room for a large one
// behind them, and processors have them at hand.
const MUCH = bytes.length / 8;
const MOST_AT_ONCE = 256;
let filled = 0;

// A getter may store values of its own.
let isBusy = false;

// Programs store values of one kind together: after some that were not plain, fewer are tried.
let misses = 0;
let skips = 0;

function isTried(value) {
  if (typeof value !== "object" || value === null) return false;
  if (skips > 0) {
    skips--;
    return false;
  }
  // Properties that other code gave to all objects would show in the loop over a record.
  for (const _ in objectPrototype) return false;
  return true;
}

function write(value, rules, operation, key, index) {
  if (!isTried(value)) return pack(value, rules, operation, key, index);
  const end = writeEnvelope(value, filled);
  if (end === BAIL) {
    misses = misses < MOST_SKIPPED ? 2 * misses + 1 : MOST_SKIPPED;
    skips = misses;
    return pack(value, rules, operation, key, index);
  }
  misses = 0;
  const length = end - filled;
  filled = end;
  return length;
}

/**
 * What the native core takes: how many bytes of its memory hold the text, or what `pack` gives, which gets
 * the other arguments.
 */
export function hand(value, rules, operation, key) {
  if (isBusy) return pack(value, rules, operation, key);
  isBusy = true;
  filled = 0;
  try {
    return write(value, rules, operation, key);
  } finally {
    isBusy = false;
  }
}

/**
 * Calls `take(texts, from)` with what `hand` gives for the values of the items, as often as it takes to hand
 * over all of them. The texts stand one behind the other. Undefined stays undefined. Each value is asked for
 * when it is written: one object may stand for many of them.
 */
export function handAll(items, take, rules, operation, keys) {
  const isFirst = !isBusy;
  isBusy = true;
  try {
    const { length } = items;
    let texts = [];
    for (let i = 0; i < length; i++) {
      if (isFirst && texts.length === 0) filled = 0;
      const { value } = items[i];
      if (value === undefined) texts[texts.length] = undefined;
      else if (isFirst) texts[texts.length] = write(value, rules, operation, keys?.[i], i);
      else texts[texts.length] = pack(value, rules, operation, keys?.[i], i);
      if (texts.length < MOST_AT_ONCE && filled < MUCH && i + 1 < length) continue;
      take(texts, i + 1 - texts.length);
      texts = [];
    }
  } finally {
    if (isFirst) isBusy = false;
  }
}
