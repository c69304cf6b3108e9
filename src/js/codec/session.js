// What one call of encode remembers: the objects that it met, and where.

import { MapType, mapGet, mapSet } from "../builtins.js";
import { segmentsTo } from "./paths.js";

const FEW_VISITS = 24;
export const NAN = { NaN: true }; // stands for NaN where values are compared with ===

// One object (or NaN, or a bigint: superjson gives those an identity too) and where it was met
// first. `text` stays undefined while its content is being written: meeting it then is a cycle.
export class Visit {
  static kept = new Visit(undefined, undefined, "", undefined);

  constructor(value, parent, key, previous) {
    this.value = value;
    this.parent = parent;
    this.key = key;
    this.previous = previous;
    this.text = undefined;
    this.note = undefined;
    this.repeats = undefined;
  }
}

// `note` annotates the value written last: undefined for plain JSON, text for a value of an
// annotated type, Notes for a plain container with annotated values inside.
export class Session {
  static kept = new Session();

  // `entry` is the function whose caller is that of the storage.
  constructor(rules, operation, key, itemIndex, entry) {
    this.rules = rules;
    this.operation = operation;
    this.key = key;
    this.itemIndex = itemIndex;
    this.entry = entry;
    this.losses = undefined;
    this.last = undefined;
    this.count = 0;
    this.index = undefined;
    this.note = undefined;
    this.hasRepeats = false;
    this.replacements = undefined;
  }
}

// A few objects are compared one by one, which costs less than hashing them; more get an index.
export function findVisit(session, value) {
  if (session.index !== undefined) return mapGet(session.index, value);
  for (let visit = session.last; visit !== undefined; visit = visit.previous) {
    if (visit.value === value) return visit;
  }
  return undefined;
}

export function enter(session, value, parent, key) {
  const visit = new Visit(value, parent, key, session.last);
  session.last = visit;
  if (session.index !== undefined) mapSet(session.index, value, visit);
  else if (++session.count > FEW_VISITS) indexVisits(session);
  return visit;
}

function indexVisits(session) {
  session.index = new MapType();
  for (let visit = session.last; visit !== undefined; visit = visit.previous) {
    mapSet(session.index, visit.value, visit);
  }
}

export function leave(session, visit, text, note) {
  visit.text = text;
  visit.note = note;
  session.note = note;
  return text;
}

export function repeat(session, visit, parent, key) {
  session.hasRepeats = true;
  if (visit.repeats === undefined) visit.repeats = [];
  visit.repeats[visit.repeats.length] = segmentsTo(parent, key);
  session.note = visit.note;
  return visit.text === undefined ? "null" : visit.text;
}

export function writeLeaf(session, identity, parent, key, text, note) {
  const seen = findVisit(session, identity);
  if (seen !== undefined) return repeat(session, seen, parent, key);
  return leave(session, enter(session, identity, parent, key), text, note);
}
