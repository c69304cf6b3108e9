// The options that are known, and warnings of others: a misspelt one would have no effect and no word said.

import { warn } from "./hooks.js";

const FS = ["base", "ignore", "readOnly", "noClear", "mode", "durability"];

// By what takes them. Whatever reads a new option adds its name here.
const KNOWN = {
  createStorage: [
    "driver",
    "version",
    "migrations",
    "migrationHooks",
    "onLossy",
    "defaults",
    "schemas",
    "onInvalid",
  ],
  memory: [],
  fs: [...FS, "watchOptions"],
  "fs-lite": FS,
  sqlite: ["base", "file", "readOnly", "noClear", "durability", "mode"],
  queue: ["driver", "batchSize", "flushInterval", "maxQueueSize", "mergeUpdates"],
  // Those of chokidar, of which only some have an effect.
  watchOptions: [
    "ignored",
    "ignoreInitial",
    "persistent",
    "ignorePermissionErrors",
    "followSymlinks",
    "cwd",
    "disableGlobbing",
    "usePolling",
    "interval",
    "binaryInterval",
    "alwaysStat",
    "depth",
    "awaitWriteFinish",
    "atomic",
    "useFsEvents",
  ],
};

/**
 * Warns of each option that `taker` does not know.
 *
 * @param {string} taker - a name of the table
 * @param {any} options
 * @param {string} [title] - what messages call it
 */
export function warnOfUnknown(taker, options, title = taker) {
  if (options === null || typeof options !== "object" || Array.isArray(options)) return;
  const known = KNOWN[taker];
  if (known === undefined) return;
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const nearest = nearestTo(name, known);
    const advice = nearest === undefined ? "There are none." : `Did you mean \`${nearest}\`?`;
    warn(
      "EAS_UNKNOWN_OPTION",
      `[electron-async-storage] [${title}] Unknown option \`${name}\`, which has no effect. ${advice}`,
    );
  }
  if (known.includes("watchOptions")) {
    warnOfUnknown("watchOptions", options.watchOptions, `${title} watchOptions`);
  }
}

function nearestTo(name, known) {
  let nearest;
  let least = Infinity;
  for (const other of known) {
    const distance = editsBetween(name.toLowerCase(), other.toLowerCase());
    if (distance < least) {
      least = distance;
      nearest = other;
    }
  }
  return nearest;
}

// How many letters to add, take out, replace or swap with the next.
function editsBetween(one, other) {
  let before = [];
  let last = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const cost = one[i - 1] === other[j - 1] ? 0 : 1;
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + cost);
      const isSwap = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      if (isSwap) row[j] = Math.min(row[j], before[j - 2] + 1);
    }
    before = last;
    last = row;
  }
  return last[other.length];
}
