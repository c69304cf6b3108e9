// Groups of a storage that this one is mounted in, whose texts are values here. A check with an etag is one of
// an item that does not read as a value: its etag is the same here and there.

import { isView } from "../builtins.js";
import { encode, pack } from "../lazy-codec.js";
import { located } from "../located.js";
import { ignore } from "../thenables.js";
import { checkOfEntry, checkOfEtag } from "./conditions.js";
import { OPERATION } from "./operations.js";

const AS_READ = 2;

const isCheck = ({ type }) => type === "check";
const isWrite = ({ type }) => type !== "check";
const bytesOf = (view) => Buffer.from(view.buffer, view.byteOffset, view.byteLength);

// A value that is no text, as the storage around this one was given it: its text tells it from others.
function textFor(value) {
  if (value === undefined || value === null) return null;
  if (typeof value === "string" || isView(value)) return value;
  try {
    return encode(value);
  } catch {
    return value;
  }
}

function isSame(one, other) {
  if (isView(one) && isView(other)) return bytesOf(one).equals(bytesOf(other));
  return textFor(one) === textFor(other);
}

const answerOf = (conflicts) => (conflicts === undefined ? { ok: true } : { ok: false, conflicts });

/** The commit of a storage without schemas and defaults. */
export function plainCommits({ handle, lossRules, findValue }) {
  const writesOf = (ops) =>
    ops.filter(isWrite).flatMap(({ type, key, value, options }) => {
      const text = type === "remove" ? undefined : pack(value, lossRules, "commit", key);
      return [key, text, options];
    });

  const isPlain = ({ value, etag }) =>
    etag !== undefined || value === null || typeof value === "string";
  const checkOfPlain = ({ key, value, etag }) => {
    if (etag !== undefined) return checkOfEtag(key, etag);
    if (value === null) return checkOfEntry(key, undefined);
    return [key, AS_READ, pack(value, lossRules, "commit", key)];
  };

  // The check of an item as it is now; undefined where it reads otherwise.
  function checkOf({ key, value }, entry) {
    const found = entry === undefined ? undefined : findValue(entry[0], key);
    return isSame(found, value) ? checkOfEntry(key, entry) : undefined;
  }

  // What no text says for sure is looked at: bytes, and a stored null, which reads as none.
  const isDoubtful = (op, conflicts) =>
    !isPlain(op) || (op.value === null && conflicts.includes(op.key));

  const mixed = (checks, found) =>
    checks.map((op) => (found.has(op) ? found.get(op) : checkOfPlain(op)));
  const keysWithout = (checks, list) =>
    checks.filter((_, index) => list[index] === undefined).map(({ key }) => key);

  async function commit(checks, writes, found) {
    const list = mixed(checks, found);
    const missed = keysWithout(checks, list);
    if (missed.length > 0) return missed;
    return located(core.commit(handle, OPERATION.commit, list.flat(), writes));
  }

  function commitSync(checks, writes, found) {
    const list = mixed(checks, found);
    const missed = keysWithout(checks, list);
    if (missed.length > 0) return missed;
    return core.commitSync(handle, OPERATION.commitSync, list.flat(), writes);
  }

  return {
    async commit(ops) {
      const checks = ops.filter(isCheck);
      const writes = writesOf(ops);
      const found = new Map();
      const look = (doubtful) =>
        Promise.all(
          doubtful.map(async (op) => {
            const entry = await located(core.getEntry(handle, op.key));
            found.set(op, checkOf(op, entry));
          }),
        );
      const bytes = checks.filter((op) => !isPlain(op));
      if (bytes.length > 0) await look(bytes);
      let conflicts = await commit(checks, writes, found);
      const nulls = checks.filter((op) => isPlain(op) && isDoubtful(op, conflicts ?? []));
      if (nulls.length > 0) {
        await look(nulls);
        conflicts = await commit(checks, writes, found);
      }
      return answerOf(conflicts);
    },
    commitSync(ops) {
      const checks = ops.filter(isCheck);
      const writes = writesOf(ops);
      const found = new Map();
      const look = (doubtful) => {
        for (const op of doubtful) {
          found.set(op, checkOf(op, core.getEntrySync(handle, op.key)));
        }
      };
      look(checks.filter((op) => !isPlain(op)));
      let conflicts = commitSync(checks, writes, found);
      const nulls = checks.filter((op) => isPlain(op) && isDoubtful(op, conflicts ?? []));
      if (nulls.length > 0) {
        look(nulls);
        conflicts = commitSync(checks, writes, found);
      }
      return answerOf(conflicts);
    },
  };
}

/** The commit of a storage with schemas or defaults: what reads give is compared, and values are checked. */
export function checkedCommits(parts) {
  const { handle, lossRules, findValue, check, valueFor, line, textOf, fromText } = parts;

  const shown = (entry, place) =>
    valueFor(entry === undefined ? undefined : findValue(entry[0], place.key), place);
  const placeOf = ({ key }, operation, isSync) => ({ key, operation, isSync });

  function valuesOf(ops) {
    return ops.filter(isWrite).map((op) => {
      const value = op.type === "remove" ? undefined : fromText(op.value);
      const text = value === undefined ? undefined : pack(value, lossRules, "commit", op.key);
      return { value, write: [op.key, text, op.options], op };
    });
  }
  const writesOf = (values) => values.flatMap(({ write }) => write);

  return {
    async commit(ops) {
      const values = valuesOf(ops);
      const checks = [];
      const conflicts = [];
      const compare = async (op) => {
        if (op.etag !== undefined) {
          checks.push(...checkOfEtag(op.key, op.etag));
          return;
        }
        const entry = await located(core.getEntry(handle, op.key));
        const value = await shown(entry, placeOf(op, "commit", false));
        if (isSame(textOf(value), op.value)) checks.push(...checkOfEntry(op.key, entry));
        else conflicts.push(op.key);
      };
      // Begun behind earlier calls; later ones begin when it is done.
      const before = line.run(ignore);
      const prepared = (async () => {
        await before;
        await Promise.all(
          values.map(({ value, op }) => check(value, placeOf(op, "commit", false))),
        );
        await Promise.all(ops.filter(isCheck).map(compare));
      })();
      const found = await line.after(prepared, () =>
        conflicts.length > 0
          ? conflicts
          : located(core.commit(handle, OPERATION.commit, checks, writesOf(values))),
      );
      return answerOf(found);
    },
    commitSync(ops) {
      const values = valuesOf(ops);
      for (const { value, op } of values) check(value, placeOf(op, "commitSync", true));
      const isUnread = ({ etag }) => etag !== undefined;
      const unread = ops.filter((op) => isCheck(op) && isUnread(op));
      const entries = ops
        .filter((op) => isCheck(op) && !isUnread(op))
        .map((op) => {
          const entry = core.getEntrySync(handle, op.key);
          const value = shown(entry, placeOf(op, "commitSync", true));
          return { key: op.key, entry, isSame: isSame(textOf(value), op.value) };
        });
      const conflicts = entries.filter((each) => !each.isSame).map(({ key }) => key);
      if (conflicts.length > 0) return answerOf(conflicts);
      const checks = [
        ...entries.flatMap(({ key, entry }) => checkOfEntry(key, entry)),
        ...unread.flatMap(({ key, etag }) => checkOfEtag(key, etag)),
      ];
      return answerOf(core.commitSync(handle, OPERATION.commitSync, checks, writesOf(values)));
    },
  };
}
