// Applies annotations and shared references.

import { hasOwn, isArray, MapType, mapEach, mapGet, mapSet, mapSize } from "../builtins.js";
import { corrupt, isRecord, listOf, textOf } from "./corrupt.js";
import { segmentsIn } from "./paths.js";
import { pathsOf } from "./plan.js";
import { revive, runFills } from "./revive.js";
import { holdsPlace } from "./tree.js";

// A place in the JSON value that some path leads to or through. Places said to hold the same object
// are merged, with all places inside, so that it does not matter in which order and through which
// of its paths an object is described.
class Place {
  static kept = new Place(undefined);

  constructor(json) {
    this.json = json;
    this.type = undefined;
    this.children = undefined;
    this.mergedInto = undefined;
    this.isMade = false;
    this.value = undefined;
  }
}

function currentPlace(place) {
  let current = place;
  while (current.mergedInto !== undefined) {
    const next = current.mergedInto;
    if (next.mergedInto !== undefined) current.mergedInto = next.mergedInto;
    current = next;
  }
  return current;
}

function placeAt(base, segments, isReference = false) {
  let place = currentPlace(base);
  for (let i = 0; i < segments.length; i++) {
    const segment = segments[i];
    // superjson counts a function as a shared object, although JSON text leaves the property out.
    if (isReference && i === segments.length - 1 && isRecord(place.json)) {
      if (!hasOwn(place.json, segment)) return undefined;
    }
    if (!holdsPlace(place.json, segment)) return undefined;
    if (place.children === undefined) place.children = new MapType();
    let child = mapGet(place.children, segment);
    if (child === undefined) {
      child = new Place(place.json[segment]);
      mapSet(place.children, segment, child);
    }
    place = currentPlace(child);
  }
  return place;
}

function markTypes(root, rootStep) {
  const pending = [{ place: root, step: rootStep }];
  while (pending.length > 0) {
    const { place, step } = pending[pending.length - 1];
    pending.length--;
    if (step.type !== undefined) place.type = step.type;
    if (step.inside === undefined) continue;
    for (let i = 0; i < step.inside.length; i++) {
      const inner = step.inside[i];
      const innerPlace = placeAt(place, inner.segments);
      if (innerPlace === undefined) continue;
      pending[pending.length] = { place: innerPlace, step: inner };
    }
  }
}

// The path that stands for an object leads to its content. The others lead to copies of it, or to
// null where the object contains itself.
function merge(one, other) {
  const pending = [one, other];
  while (pending.length > 0) {
    const a = currentPlace(pending[pending.length - 2]);
    const b = currentPlace(pending[pending.length - 1]);
    pending.length -= 2;
    if (a === b) continue;
    const isAKept = childCount(a) >= childCount(b);
    const kept = isAKept ? a : b;
    const dropped = isAKept ? b : a;
    kept.json = a.json;
    kept.type = a.type;
    dropped.mergedInto = kept;
    const { children } = dropped;
    dropped.children = undefined;
    if (children === undefined) continue;
    mapEach(children, (child, segment) => {
      const twin = mapGet(kept.children, segment);
      if (twin === undefined) {
        mapSet(kept.children, segment, child);
      } else {
        pending[pending.length] = twin;
        pending[pending.length] = child;
      }
    });
  }
}

const childCount = (place) => (place.children === undefined ? 0 : mapSize(place.children));

// The paths of one object are listed under one of them, those of the root come first in an array.
function mergeShared(root, { equalities, isLegacy }) {
  let byPath = equalities;
  if (isArray(equalities)) {
    if (equalities.length < 1 || equalities.length > 2) throw corrupt("malformed references");
    mergeAll(root, root, equalities[0], isLegacy);
    if (equalities.length === 1) return;
    byPath = equalities[1];
  }
  const paths = pathsOf(byPath);
  for (let i = 0; i < paths.length; i++) {
    const place = placeAt(root, segmentsIn(paths[i], isLegacy), true);
    if (place !== undefined) mergeAll(root, place, byPath[paths[i]], isLegacy);
  }
}

function mergeAll(root, place, paths, isLegacy) {
  const list = listOf(paths);
  for (let i = 0; i < list.length; i++) {
    const other = placeAt(root, segmentsIn(textOf(list[i]), isLegacy), true);
    if (other !== undefined) merge(place, other);
  }
}

export function reviveGraph(json, plan) {
  const fills = [];
  const root = new Place(json);
  if (plan.root !== undefined) markTypes(root, plan.root);
  mergeShared(root, plan);
  const made = makeValues(currentPlace(root), fills);
  for (let i = 0; i < made.length; i++) linkChildren(made[i]);
  runFills(fills);
  return currentPlace(root).value;
}

function makeValues(root, fills) {
  const made = [];
  const pending = [root];
  while (pending.length > 0) {
    const place = pending[pending.length - 1];
    pending.length--;
    if (place.isMade) continue;
    place.isMade = true;
    place.value = place.type === undefined ? place.json : revive(place.type, place.json, fills);
    made[made.length] = place;
    if (place.children === undefined) continue;
    mapEach(place.children, (child) => {
      pending[pending.length] = currentPlace(child);
    });
  }
  return made;
}

function linkChildren({ json, children }) {
  if (children === undefined) return;
  mapEach(children, (child, segment) => {
    if (!holdsPlace(json, segment)) throw corrupt("shared references of different form");
    json[segment] = currentPlace(child).value;
  });
}
