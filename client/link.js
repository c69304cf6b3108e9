// A client: operations on texts, a mirror for Sync reads, and events. The storage of a preload and the
// bridge to a page both stand on one.

import { makeConnection } from "./connection.js";
import { effectsOf, textsIn } from "./effects.js";
import { invalidArgument, raise, syncUnsupported } from "./errors.js";
import { makeMirror } from "./mirror.js";
import { makeBucket } from "./shared/bucket.js";
import { ABSENT, CLOSED, failure, ITEM, UNFIT, UNSUPPORTED } from "./shared/protocol.js";
import { byteLength } from "./sizes.js";

/** What a page may ask a preload for; those with a `!` have a Sync form too. */
const OPERATIONS =
  "hasItem getItem getItems getItemRaw getEntry getMeta getKeys swap! setItem! setItems! setItemRaw removeItem! setMeta removeMeta clear! flush commit!".split(
    " ",
  );

const WITHOUT_RULE = "give all keys there a rule with `sync: true`, or ";
const WHY = {
  [UNSUPPORTED]: "main cannot read it at once; ",
  [UNFIT]: "it has no room in the mirror; raise limits.mirrorBytes, or ",
};

export function makeLink(transport, onError) {
  let mirror = makeMirror(0);
  let hasMirror = false;
  let limits;
  let bucket;
  /** The number of the last change that is known, and of the last that was heard of. */
  let seen = 0;
  let wanted = 0;
  // biome-ignore lint/correctness/noUnusedVariables: it is read where it is assigned
  let pulling;
  const listeners = new Set();

  const connection = makeConnection(transport, {
    greeted(ok, isAnew) {
      const before = limits && isAnew && mirror.keys("");
      if (isAnew) {
        mirror = makeMirror(ok.limits?.mirrorBytes, mirror.slots);
        seen = 0;
      }
      if (ok.limits !== undefined && limits?.callsPerSecond !== ok.limits.callsPerSecond) {
        bucket = makeBucket(ok.limits.callsPerSecond, ok.limits.callsPerSecond);
      }
      limits = ok.limits ?? {};
      hasMirror = ok.mirror !== undefined;
      if (hasMirror) mirror.replace(ok.mirror);
      // Who listens has yet to hear of what came in between.
      if (isAnew || listeners.size === 0) seen = Math.max(seen, ok.last ?? 0);
      else hear(ok.last);
      if (before) tellAll(before);
    },
    entries: (stamped) => mirror.apply(stamped),
    lost() {
      hasMirror = false;
      connection.ask().catch(() => {});
    },
  });

  function report(error) {
    try {
      link.onError(error);
    } catch (thrown) {
      raise(thrown);
    }
  }

  /** What is refused in any case is not sent. */
  function check(op, args, isSync) {
    if (!OPERATIONS.includes(isSync ? `${op}!` : op) && !OPERATIONS.includes(`${op}!`)) {
      throw isSync
        ? syncUnsupported(`${op}Sync`)
        : failure("EAS_NOT_SERVED", `There is no ${op} outside the main process.`);
    }
    if (!Array.isArray(args)) throw invalidArgument(op, "arguments");
    const refuse = (code, what) => {
      throw failure(code, `${what} serveStorage allows in its limits.`, { operation: op });
    };
    if (bucket?.take(1) === false) refuse("EAS_RATE_LIMITED", "More calls a second than");
    for (const text of textsIn(op, args)) {
      if (byteLength(text) > limits?.valueBytes)
        refuse("EAS_TOO_LARGE", "The value is longer than");
    }
  }

  /** Shows what an operation writes, and gives what takes that away again. */
  function show(effects) {
    const undoes = effects.map((effect) => mirror.write(...effect));
    return (isDone) => {
      for (const undo of undoes) undo(isDone);
    };
  }

  /** After a clear the main process says what is left. */
  function cleared(whole) {
    if (whole) mirror.replace(whole);
  }

  function emit(event, key) {
    for (const listener of [...listeners]) {
      try {
        listener(event, key);
      } catch (error) {
        raise(error);
      }
    }
  }

  /** After something was missed: what went, and everything that is there. */
  async function tellAll(before) {
    if (listeners.size === 0) return;
    try {
      const keys = new Set(await connection.call("getKeys", [""]));
      for (const key of before) if (!keys.has(key)) emit("remove", key);
      for (const key of keys) emit("update", key);
    } catch (error) {
      report(error);
    }
  }

  async function pull() {
    while (wanted > seen) {
      const from = seen;
      const reply = await connection.call("pull", [from]);
      if (reply.isFresh) {
        const before = mirror.keys("");
        await connection.ask();
        tellAll(before);
      } else if (from === seen) {
        seen = reply.last;
        for (let at = 0; at < reply.events.length; at += 2) {
          emit(reply.events[at], reply.events[at + 1]);
        }
      }
      if (seen === from) return;
    }
  }

  transport.onPush = (number) => {
    if (number === CLOSED) hasMirror = connection.isKnown = false;
    hear(number);
  };

  /** Fetches the changes up to this one. */
  function hear(number) {
    if (!(number > seen)) return;
    wanted = number;
    // The main process pushes again what was not fetched.
    pulling ??= pull()
      .catch((error) => {
        if (!/READY|RATE/.test(error.code)) report(error);
      })
      .finally(() => {
        pulling = undefined;
      });
  }

  /** One sync message brings the whole mirror, where there is one. */
  function fetchSync() {
    if (!hasMirror && !(connection.isKnown && connection.isAllowed)) connection.askSync();
  }

  /** What the mirror does not hold is asked for: the main process says why. */
  function askFor(key, operation) {
    if (!connection.hasSync) throw syncUnsupported(operation, key);
    const [state, text] = connection.callSync("readSync", [key]);
    return { state, text };
  }

  function look(key, operation) {
    fetchSync();
    const found = mirror.look(key) ?? askFor(key, operation);
    if (found.state > ITEM) throw syncUnsupported(operation, key, WHY[found.state]);
    return found;
  }

  function unlisten(listener) {
    if (!listeners.delete(listener) || listeners.size > 0) return;
    connection.isWatching = false;
    connection.call("watch", [false]).catch(() => {});
  }

  const link = {
    onError,

    /** Before its document is committed it is not known: calls are refused until it is. */
    hasAccess() {
      try {
        if (!connection.isKnown) connection.askSync();
        return connection.isAllowed;
      } catch (error) {
        return error.code === "EAS_NOT_READY";
      }
    },

    bye() {
      hasMirror = false;
      connection.leave();
    },

    /** An operation in its Promise form. */
    async call(op, args) {
      check(op, args);
      const undo = show(effectsOf(op, args));
      let isDone = false;
      try {
        const result = await connection.call(op, args);
        isDone = true;
        return op === "clear" ? cleared(result) : result;
      } finally {
        undo(isDone);
      }
    },

    /**
     * A write that is shown at once and sent. What fails is reported, as there is nobody to throw at; what
     * is known to be refused throws.
     */
    post(op, args) {
      check(op, args, true);
      const effects = effectsOf(op, args);
      const undo = show(effects);
      connection.call(op, args).then(
        () => undo(true),
        (error) => {
          undo();
          report(error);
          for (const [key] of effects) {
            emit(mirror.look(key)?.state === ABSENT ? "remove" : "update", key);
          }
        },
      );
    },

    /** An operation that waits for the main process. */
    callSync(op, args) {
      check(op, args, true);
      if (!connection.hasSync) throw syncUnsupported(`${op}Sync`);
      const result = connection.callSync(op, args);
      return op === "clear" ? cleared(result) : result;
    },

    /** The text of a key, or null. */
    readSync: (key) => look(key, "getItemSync").text,

    hasSync: (key) => look(key, "hasItemSync").state === ITEM,

    /** The keys under a base, when all that may be read there are in the mirror. */
    keysSync(base) {
      fetchSync();
      if (connection.isAllowed && !mirror.knows(base))
        throw syncUnsupported("getKeysSync", base, WITHOUT_RULE);
      return mirror.keys(base);
    },

    async watch(listener) {
      listeners.add(listener);
      connection.isWatching = true;
      try {
        await connection.call("watch", [true]);
      } catch (error) {
        unlisten(listener);
        throw error;
      }
      return () => unlisten(listener);
    },
  };

  connection.ask().catch((error) => {
    // Calls say the same to those who make them.
    if (error.code !== "EAS_NOT_READY") report(error);
  });
  return link;
}
