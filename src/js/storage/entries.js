// The items under a base, one after the other.

import { ignore } from "../thenables.js";
import { LONGEST_TURN_MS, nextTurn, now, SLICE } from "./turns.js";

const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
const AsyncIteratorPrototype = Object.getPrototypeOf(
  Object.getPrototypeOf(async function* () {}.prototype),
);

// Own methods, which contextBridge passes on; those of a generator are its prototype's.
const iterator = (prototype, next, end) =>
  Object.assign(Object.create(prototype), { next, return: end });

// Those who await it get a list, as the libraries do that know storages with an `entries` of Promises.
function asyncIterator(next, end) {
  const entries = iterator(AsyncIteratorPrototype, next, end);
  const listed = async () => {
    const list = [];
    for await (const entry of entries) list.push(entry);
    return list;
  };
  return Object.assign(entries, {
    // biome-ignore lint/suspicious/noThenProperty: it can be awaited
    then: (onListed, onFailed) => listed().then(onListed, onFailed),
    catch: (onFailed) => listed().catch(onFailed),
    finally: (onEnd) => listed().finally(onEnd),
  });
}

const isThere = ({ value }) => value !== undefined;
const entryOf = ({ key, value }) => [key, value];

// What goes meanwhile is left out.
async function* walk(listing, readable) {
  const keys = await listing;
  let start = now();
  for (let at = 0; at < keys.length; at += SLICE) {
    if (now() - start > LONGEST_TURN_MS) {
      await nextTurn();
      start = now();
    }
    const items = await readable.getItems(keys.slice(at, at + SLICE));
    yield* items.filter(isThere).map(entryOf);
  }
}

function* walkSync(keys, readable) {
  for (let at = 0; at < keys.length; at += SLICE) {
    const items = readable.getItemsSync(keys.slice(at, at + SLICE));
    yield* items.filter(isThere).map(entryOf);
  }
}

/** The keys are those of the call. */
export const entriesOf = (storage, readable) => (base) => {
  const listing = storage.getKeys(base);
  // It is for the first step to report.
  listing.catch(ignore);
  const steps = walk(listing, readable);
  return asyncIterator(
    () => steps.next(),
    (value) => steps.return(value),
  );
};

export const entriesSyncOf = (storage, readable) => (base) => {
  const steps = walkSync(storage.getKeysSync(base), readable);
  return iterator(
    IteratorPrototype,
    () => steps.next(),
    (value) => steps.return(value),
  );
};

const mapped = (result, map) => (result.done ? result : { ...result, value: map(result.value) });

export const mapEntries = (entries, map) =>
  asyncIterator(
    async () => mapped(await entries.next(), map),
    async (value) => entries.return(value),
  );

export const mapEntriesSync = (entries, map) =>
  iterator(
    IteratorPrototype,
    () => mapped(entries.next(), map),
    (value) => entries.return(value),
  );
