// Paths inside a value, as annotations and error messages write them.

import { ArrayType, codeAt, includes, indexOf, slice } from "../builtins.js";
import { corrupt } from "./corrupt.js";
import { refusal } from "./refusal.js";

const isUnsafeName = (name) =>
  name === "__proto__" || name === "constructor" || name === "prototype";

export function segmentText(parent, key) {
  if (typeof key === "number") return `${key}`;
  if (isUnsafeName(key)) {
    throw refusal(parent, key, "a value other than plain JSON, under a name no reader follows");
  }
  if (!includes(key, ".") && !includes(key, "\\")) return key;
  let segment = "";
  for (let i = 0; i < key.length; i++) {
    segment += key[i] === "." || key[i] === "\\" ? `\\${key[i]}` : key[i];
  }
  return segment;
}

export function segmentsTo(parent, key) {
  let depth = 0;
  for (let visit = parent; visit !== undefined; visit = visit.parent) depth++;
  const segments = new ArrayType(depth);
  let name = key;
  for (let visit = parent; visit !== undefined; visit = visit.parent) {
    segments[--depth] = segmentText(visit, name);
    name = visit.key;
  }
  return segments;
}

export function isIndex(segment) {
  const first = codeAt(segment, 0);
  if (!(first >= 48 && first <= 57)) return false;
  const index = segment >>> 0;
  return index !== 0xffffffff && `${index}` === segment;
}

export function segmentsIn(path, isLegacy) {
  if (includes(path, "\\")) return escapedSegmentsIn(path, isLegacy);
  const segments = [];
  let start = 0;
  for (let end = indexOf(path, "."); end !== -1; end = indexOf(path, ".", start)) {
    segments[segments.length] = safeName(slice(path, start, end));
    start = end + 1;
  }
  segments[segments.length] = safeName(start === 0 ? path : slice(path, start));
  return segments;
}

// Before version 1 of the format, a backslash escaped nothing but a dot.
function escapedSegmentsIn(path, isLegacy) {
  const segments = [];
  let segment = "";
  for (let i = 0; i < path.length; i++) {
    const next = path[i + 1];
    if (path[i] === ".") {
      segments[segments.length] = safeName(segment);
      segment = "";
    } else if (path[i] === "\\" && (next === "." || (next === "\\" && !isLegacy))) {
      segment += next;
      i++;
    } else if (path[i] === "\\" && !isLegacy) {
      throw corrupt("an annotation path with a stray backslash");
    } else {
      segment += path[i];
    }
  }
  segments[segments.length] = safeName(segment);
  return segments;
}

function safeName(segment) {
  if (isUnsafeName(segment)) throw corrupt("an annotation path that leaves the value");
  return segment;
}
