// Annotations: what JSON alone cannot tell of a value, collected while it is written.

import { create, join, keysOf, sort, stringify } from "../builtins.js";
import { isIndex, segmentsTo, segmentText } from "./paths.js";
import { quote } from "./texts.js";

// Paths and annotation texts in turn. Array indexes come first, as in the keys of the JavaScript
// object that superjson collects them in.
class Notes {
  static kept = new Notes();

  constructor() {
    this.indexed = [];
    this.named = [];
  }
}

// Files the annotation of the value just written under its place in the container.
export function addNote(session, notes, parent, key) {
  const { note } = session;
  session.note = undefined;
  const target = notes === undefined ? new Notes() : notes;
  const segment = segmentText(parent, key);
  if (typeof note === "string") {
    const list = isIndex(segment) ? target.indexed : target.named;
    list[list.length] = segment;
    list[list.length] = note;
  } else {
    addPrefixed(target.named, segment, note.indexed);
    addPrefixed(target.named, segment, note.named);
  }
  return target;
}

function addPrefixed(target, prefix, list) {
  for (let i = 0; i < list.length; i += 2) {
    target[target.length] = `${prefix}.${list[i]}`;
    target[target.length] = list[i + 1];
  }
}

export function notesText(notes) {
  return `${pairsText(pairsText("", notes.indexed), notes.named)}}`;
}

function pairsText(start, list) {
  let text = start;
  for (let i = 0; i < list.length; i += 2) {
    text += `${text === "" ? "{" : ","}${quote(list[i])}:${list[i + 1]}`;
  }
  return text;
}

// The shortest path stands for the object, the others are listed under it.
export function equalitiesText(session) {
  const shared = [];
  for (let visit = session.last; visit !== undefined; visit = visit.previous) {
    if (visit.repeats !== undefined) shared[shared.length] = visit;
  }
  const byPath = create(null);
  let rootPaths;
  for (let i = shared.length - 1; i >= 0; i--) {
    const { parent, key, repeats } = shared[i];
    const paths = [segmentsTo(parent, key)];
    for (let j = 0; j < repeats.length; j++) paths[j + 1] = repeats[j];
    sort(paths, (a, b) => a.length - b.length);
    const others = [];
    for (let j = 1; j < paths.length; j++) others[j - 1] = join(paths[j], ".");
    if (paths[0].length === 0) rootPaths = others;
    else byPath[join(paths[0], ".")] = others;
  }
  if (rootPaths === undefined) return stringify(byPath);
  return stringify(keysOf(byPath).length === 0 ? [rootPaths] : [rootPaths, byPath]);
}
