// Applies annotations to a value without shared references.

import { hasOwn, isArray } from "../builtins.js";
import { corrupt, isRecord } from "./corrupt.js";
import { isIndex } from "./paths.js";
import { revive, runFills } from "./revive.js";

// Without shared references every annotation names a place of its own, so values are put where
// their source was, from the outside in.
export function reviveTree(json, rootStep) {
  const fills = [];
  const root = { json };
  const pending = [{ base: root, steps: [rootStep] }];
  while (pending.length > 0) {
    const { base, steps } = pending[pending.length - 1];
    pending.length--;
    for (let i = 0; i < steps.length; i++) {
      const { segments, type, inside } = steps[i];
      const holder = holderOf(base, segments);
      if (holder === undefined) continue;
      const segment = segments[segments.length - 1];
      const source = holder[segment];
      if (type !== undefined) holder[segment] = revive(type, source, fills);
      if (inside !== undefined) pending[pending.length] = { base: source, steps: inside };
    }
  }
  runFills(fills);
  return root.json;
}

function holderOf(base, segments) {
  const last = segments.length - 1;
  let holder = base;
  for (let i = 0; i < last; i++) {
    if (!holdsPlace(holder, segments[i])) return undefined;
    holder = holder[segments[i]];
  }
  return holdsPlace(holder, segments[last]) ? holder : undefined;
}

// False for a named property of an array: superjson annotates those of RegExp matches, although
// JSON text leaves the properties out.
export function holdsPlace(container, segment) {
  if (isArray(container)) {
    if (!isIndex(segment)) return false;
  } else if (!isRecord(container)) {
    throw corrupt("an annotation path through a value that holds no others");
  }
  if (!hasOwn(container, segment)) throw corrupt("an annotation path that leads nowhere");
  return true;
}
