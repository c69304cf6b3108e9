// The keys that Sync reads are answered from: what the main process gave, each with the stamp of its look
// at the storage, and above it what this client wrote and the main process has not confirmed.

import { ABSENT, ITEM, UNFIT } from "./shared/protocol.js";
import { byteLength } from "./sizes.js";

/** A write that nobody can foresee the result of. */
export const UNKNOWN = Symbol();

/**
 * @param limit - its most bytes
 * @param {Map} [former] - slots of a mirror before it, whose writes are still under way
 */
export function makeMirror(limit, former) {
  const slots = new Map();
  let bytes = 0;
  let isWhole = false;
  let wholeStamp = 0;
  let isInMirror = () => false;
  let wholeBases = [];
  let unsupported = [];
  let defaults = new Map();

  function slotOf(key) {
    let slot = slots.get(key);
    if (slot === undefined) {
      // Of two looks the one with the higher stamp is newer; a stamp of 0 is none.
      slot = { key, state: ABSENT, text: null, expires: 0, stamp: 0, size: 0, writes: [] };
      slots.set(key, slot);
    }
    return slot;
  }

  function store(slot, stamp, state, text, expires) {
    // What is older than the whole says nothing new of any key.
    if (stamp <= slot.stamp || stamp < wholeStamp) return;
    const size = text === null ? 0 : byteLength(slot.key) + byteLength(text);
    const isFit = bytes - slot.size + size <= limit;
    bytes -= slot.size;
    slot.size = isFit ? size : 0;
    bytes += slot.size;
    slot.state = isFit ? state : UNFIT;
    slot.text = isFit ? text : null;
    slot.expires = expires;
    slot.stamp = stamp;
  }

  /** Entries in fours: key, state, text, expiry. */
  function apply([stamp, entries]) {
    for (let at = 0; at < entries.length; at += 4) {
      store(slotOf(entries[at]), stamp, entries[at + 1], entries[at + 2], entries[at + 3]);
    }
  }

  /** What a key without an item reads as. */
  const absent = (key) => ({ state: ABSENT, text: defaults.get(key) ?? null });

  const isOver = ({ expires }) => expires !== 0 && expires <= Date.now();

  function unasked(key) {
    const isKnown = isWhole && !unsupported.some((base) => key.startsWith(base));
    return isKnown && isInMirror(key) ? absent(key) : undefined;
  }

  /** `{ state, text }` of a key as things are, or undefined when only the main process knows. */
  function look(key) {
    const slot = slots.get(key);
    if (slot === undefined) return unasked(key);
    const { writes } = slot;
    if (writes.length > 0) {
      if (!isInMirror(key)) return undefined;
      const last = writes[writes.length - 1];
      if (last.text === UNKNOWN) return undefined;
      return last.text === null || isOver(last) ? absent(key) : { state: ITEM, text: last.text };
    }
    if (isOver(slot)) return absent(key);
    return slot.stamp === 0 ? unasked(key) : slot;
  }

  for (const [key, { writes }] of former ?? []) {
    if (writes.length > 0) slotOf(key).writes = writes;
  }

  return {
    slots,
    apply,
    look,

    /** A mirror of the whole, as old as its stamp. Newer entries, and writes under way, stay. */
    replace(whole) {
      const { stamp } = whole;
      if (stamp > wholeStamp) {
        wholeStamp = stamp;
        ({ isWhole, unsupported, wholeBases } = whole);
        const pattern = new RegExp(whole.pattern);
        isInMirror = (key) => pattern.test(key);
        defaults = new Map(whole.defaults);
        for (const slot of slots.values()) {
          if (isInMirror(slot.key)) store(slot, stamp, ABSENT, null, 0);
        }
      }
      whole.slices.forEach(apply);
    },

    /** Puts a write on top, and gives what takes it away again. */
    write(key, text, expires) {
      const { writes } = slotOf(key);
      const write = { text, expires };
      writes.push(write);
      return (isDone) => {
        const at = writes.indexOf(write);
        // What is done has come after the writes before it, whose answers may be late.
        if (at >= 0) writes.splice(isDone ? 0 : at, isDone ? at + 1 : 1);
        // A key that the main process said nothing of has no place here.
        if (writes.length === 0 && slots.get(key)?.stamp === 0) slots.delete(key);
      };
    },

    /** Whether every key under a base that is an item is known. */
    knows: (base) =>
      isWhole &&
      wholeBases.some((one) => base.startsWith(one)) &&
      !unsupported.some((one) => one.startsWith(base) || base.startsWith(one)),

    /** The keys under a base that are items. */
    keys: (base) =>
      [...slots.keys()].filter(
        (key) =>
          key.startsWith(base) && !key.endsWith("$") && (look(key)?.state ?? ABSENT) !== ABSENT,
      ),
  };
}
