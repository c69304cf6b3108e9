// Values that are computed when they are missing, and again when they are stale.

import { wrongArgument } from "../arguments.js";
import { hasOwn } from "../builtins.js";
import { warn } from "../hooks.js";
import { normalizeKey } from "../keys.js";
import { decode, pack } from "../lazy-codec.js";
import { located } from "../located.js";
import { isThenable } from "../thenables.js";
import { messageOf } from "../thrown.js";
import { readStored, withMembers } from "./stored-text.js";

// Other code may replace it by a clock of its own, such as a test.
const now = () => Date.now();

// What another library adds to `Object.prototype` is no option.
const optionOf = (options, name) => (options && hasOwn(options, name) ? options[name] : undefined);

function readMs(options, name) {
  const ms = optionOf(options, name);
  if (ms === undefined || ms === null || ms === 0 || ms === Infinity) return undefined;
  if (typeof ms === "number" && ms > 0) return ms;
  const given = typeof ms === "number" ? `${ms}` : `${typeof ms} ${String(ms)}`;
  throw Object.assign(
    new Error(
      `[electron-async-storage] Invalid option \`${name}\`: expected a number of ms from 0, got ${given}`,
    ),
    { code: "EAS_INVALID_OPTION", operation: "getOrSet" },
  );
}

// A read of such a key gives none, a write refuses it.
function emptyKey(key) {
  return Object.assign(
    new Error(
      `[electron-async-storage] Invalid key: ${JSON.stringify(key)}. A key must name an item; it has no segment left in normal form`,
    ),
    { code: "EAS_INVALID_KEY", operation: "getOrSet", key },
  );
}

// The option itself stays with its caller; `ttl` is for as long as the item is there at all.
function readTimes(options) {
  if (options !== undefined && options !== null && typeof options !== "object") {
    throw wrongArgument("options", "an object", options, "getOrSet");
  }
  const ttl = readMs(options, "ttl");
  const isForever = optionOf(options, "staleFor") === Infinity;
  const staleFor = readMs(options, "staleFor");
  if (ttl === undefined || (staleFor === undefined && !isForever)) {
    return { freshMs: undefined, lifeMs: ttl, writeOptions: options };
  }
  const lifeMs = staleFor === undefined ? undefined : ttl + staleFor;
  const { staleFor: _, ...others } = options;
  return { freshMs: ttl, lifeMs, writeOptions: { ...others, ttl: lifeMs } };
}

const textOf = (packed) => (packed[0] === "\0" ? packed.slice(1) : `{"json":${packed}}`);

/** @param {any} parts - of a storage; `check`, `output` and `line` are those of its schemas */
export function getOrSetOf(parts) {
  const { handle, lossRules, hasTtl, check, output, line } = parts;
  // By key. Calls at the same time share one; it goes on when its caller has got the old value.
  const refreshes = new Map();
  let ended = 0;

  const begin = (start) => (line === undefined ? start() : line.run(start));

  // `{ text, value }`, where `value` is a first copy; without a text what the driver has is the value.
  async function find(key, options) {
    const stored = await begin(() => readStored(handle, key, options));
    if (stored === undefined || stored.expires <= now()) return undefined;
    return { ...stored, hasCopy: true, isStale: stored.fresh <= now() };
  }

  const isOther = (found, seen) =>
    found !== undefined &&
    (found.text !== seen?.text || (!found.text && found.value !== seen?.value));

  async function compute(key, fn, times, seen) {
    const computed = await fn();
    if (computed === undefined) return undefined;
    const packed = pack(computed, lossRules, "getOrSet", key);
    const wait = check?.(computed, { key, operation: "getOrSet", isSync: false });
    // What was written while `fn` was running is newer than what it gives.
    const found = await find(key);
    if (isOther(found, seen)) return found;
    const write = () => {
      const start = now();
      let members =
        times.freshMs === undefined ? "" : `,"fresh":${Math.ceil(start + times.freshMs)}`;
      if (times.lifeMs !== undefined && !hasTtl(key)) {
        members += `,"expires":${Math.ceil(start + times.lifeMs)}`;
      }
      const given = members === "" ? packed : `\0${withMembers(textOf(packed), members)}`;
      return core.setItem(handle, key, given, times.writeOptions);
    };
    await located(isThenable(wait) ? line.after(wait, write) : begin(write));
    return { text: textOf(packed) };
  }

  function refresh(name, run) {
    const running = refreshes.get(name);
    if (running !== undefined) return running;
    const started = run().finally(() => {
      refreshes.delete(name);
      ended += 1;
    });
    refreshes.set(name, started);
    return started;
  }

  async function lookUp(key, name, fn, times, options) {
    const before = ended;
    const found = await find(key, options);
    const run = async () => {
      if (ended === before) return compute(key, fn, times, found);
      // One that ended since may have stored what the look was too early for.
      const seen = await find(key, options);
      return seen === undefined || seen.isStale ? compute(key, fn, times, seen) : seen;
    };
    if (found === undefined) return refresh(name, run);
    if (found.isStale) {
      refresh(name, run).catch((error) => {
        if (error?.code === "EAS_DISPOSED") return;
        warn(
          "EAS_REFRESH",
          `[electron-async-storage] getOrSet could not refresh ${JSON.stringify(name)}, which keeps its old value: ${messageOf(error)}`,
        );
      });
    }
    return found;
  }

  // Each caller gets a copy of its own.
  function takeValue(found) {
    if (found.text === undefined) return found.value;
    if (!found.hasCopy) return decode(found.text);
    found.hasCopy = false;
    return found.value;
  }

  return async function getOrSet(key, fn, options) {
    if (typeof fn !== "function") {
      throw wrongArgument("argument `fn`", "a function", fn, "getOrSet");
    }
    const times = readTimes(options);
    const name = typeof key === "string" ? normalizeKey(key) : key;
    if (name === "") throw emptyKey(key);
    const found = await lookUp(key, name, fn, times, options);
    if (found === undefined) return null;
    const value = takeValue(found);
    if (output === undefined) return value;
    return output(value, { key, operation: "getOrSet", isSync: false });
  };
}
