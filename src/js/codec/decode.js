// Stored text to values.

import { codeAt, hasOwn, keysOf, lastIndexOf, parse, slice } from "../builtins.js";
import { isRecord } from "./corrupt.js";
import { reviveGraph } from "./graph.js";
import { Plan } from "./plan.js";
import { planOf } from "./plan-cache.js";
import { reviveTree } from "./tree.js";

const BYTE_ORDER_MARK = 0xfeff;

// A byte order mark before the text is no part of it.
export function decode(given) {
  const text = codeAt(given, 0) === BYTE_ORDER_MARK ? slice(given, 1) : given;
  if (slice(text, -7) === '"v":1}}') {
    const split = splitEnvelope(text);
    if (split !== undefined) return restore(split.json, split.plan);
  }
  const stored = parse(text);
  if (!isRecord(stored)) return stored;
  const names = keysOf(stored);
  if (names.length === 1 && names[0] === "json") return stored.json;
  if (!isEnvelope(stored, names)) return stored;
  return hasOwn(stored, "meta") ? restore(stored.json, new Plan(stored.meta)) : stored.json;
}

// The two parts of an envelope as encode and superjson write it. If both are JSON, the whole is the
// envelope of just these two; if not, the text is something else and decode reads it as a whole.
function splitEnvelope(text) {
  const start = '{"json":';
  const end = lastIndexOf(text, ',"meta":{');
  if (end < start.length || slice(text, 0, start.length) !== start) return undefined;
  try {
    return {
      json: parse(slice(text, start.length, end)),
      plan: planOf(slice(text, end + start.length, -1)),
    };
  } catch {
    return undefined;
  }
}

function restore(json, plan) {
  if (plan.equalities !== undefined) return reviveGraph(json, plan);
  return plan.root === undefined ? json : reviveTree(json, plan.root);
}

function isEnvelope(value, names) {
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    if (name !== "json" && name !== "meta" && name !== "expires" && name !== "fresh") return false;
  }
  return hasOwn(value, "json");
}
