// Whether two values are alike: of the same kinds, with the same contents and the same shared parts.

import { types } from "node:util";

function detailOf(value) {
  if (value instanceof Error) return [value.name, value.message];
  if (value instanceof URL) return [value.href];
  if (types.isDate(value)) return [String(value.getTime())];
  if (types.isRegExp(value)) return [String(value)];
  if (types.isMap(value)) return [...value].flat();
  if (types.isSet(value)) return [...value];
  return [];
}

/** A text that is the same for values that are alike, and for no others. */
export function portrait(value) {
  const met = new Map();
  const draw = (part) => {
    if (typeof part === "string") return JSON.stringify(part);
    if (typeof part === "bigint") return `${part}n`;
    if (Object.is(part, -0)) return "-0";
    if (typeof part !== "object" || part === null) return String(part);
    if (met.has(part)) return `#${met.get(part)}`;
    met.set(part, met.size);
    const kind = Object.prototype.toString.call(part);
    const names = part instanceof Error ? ["cause"] : Object.keys(part).sort();
    const own = names.map((name) => `${JSON.stringify(name)}:${draw(part[name])}`);
    return `${kind}(${detailOf(part).map(draw)}){${own}}`;
  };
  return draw(value);
}

export const isSame = (one, other) => portrait(one) === portrait(other);
