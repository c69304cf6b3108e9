// What the meta of an envelope asks for.

import { hasOwn, isArray, keysOf } from "../builtins.js";
import { corrupt, isRecord } from "./corrupt.js";
import { segmentsIn } from "./paths.js";

// One annotated place: where it is inside the place around it, what type it has, and the
// annotated places inside it.
class Step {
  static kept = new Step([]);

  constructor(segments) {
    this.segments = segments;
    this.type = undefined;
    this.inside = undefined;
  }
}

// Each annotation is [type], [type, annotations inside], or an object of annotations by path.
function stepsFrom(values, isLegacy) {
  const root = new Step(["json"]);
  const pending = [{ step: root, annotation: values }];
  while (pending.length > 0) {
    const { step, annotation } = pending[pending.length - 1];
    pending.length--;
    let byPath = annotation;
    if (isArray(annotation)) {
      step.type = typeIn(annotation);
      byPath = annotation[1];
      if (byPath === undefined) continue;
    }
    step.inside = [];
    const paths = pathsOf(byPath);
    for (let i = 0; i < paths.length; i++) {
      const inner = new Step(segmentsIn(paths[i], isLegacy));
      step.inside[i] = inner;
      pending[pending.length] = { step: inner, annotation: byPath[paths[i]] };
    }
  }
  return root;
}

export function pathsOf(byPath) {
  if (!isRecord(byPath)) throw corrupt("a malformed annotation");
  return keysOf(byPath);
}

function typeIn(annotation) {
  const { length } = annotation;
  const type = annotation[0];
  const mayHoldValues = type === "set" || type === "map" || type === "Error";
  if (type === undefined || !(length === 1 || (length === 2 && mayHoldValues))) {
    throw corrupt("a malformed annotation");
  }
  return type;
}

// What the meta of an envelope asks for. Reading never changes it: equal metas share one.
export class Plan {
  static kept = new Plan({});

  constructor(meta) {
    if (!isRecord(meta)) throw corrupt("a meta that is no object");
    this.text = undefined; // of the meta, where the plan is shared
    const version = hasOwn(meta, "v") ? meta.v : 0;
    if (typeof version !== "number") throw corrupt("a version that is no number");
    this.isLegacy = version < 1;
    this.root = hasOwn(meta, "values") ? stepsFrom(meta.values, this.isLegacy) : undefined;
    this.equalities = hasOwn(meta, "referentialEqualities")
      ? meta.referentialEqualities
      : undefined;
  }
}
