// Stored text to values, read as a whole. In the place of src/js/codec/decode.js.

import { isRecord } from "../../src/js/codec/corrupt.js";
import { reviveGraph } from "../../src/js/codec/graph.js";
import { Plan } from "../../src/js/codec/plan.js";
import { reviveTree } from "../../src/js/codec/tree.js";

const PARTS = ["json", "meta", "expires", "fresh"];

export function decode(text) {
  const stored = JSON.parse(text.replace(/^\ufeff/, ""));
  const isEnvelope =
    isRecord(stored) &&
    Object.hasOwn(stored, "json") &&
    Object.keys(stored).every((name) => PARTS.includes(name));
  if (!isEnvelope) return stored;
  if (stored.meta === undefined) return stored.json;
  const plan = new Plan(stored.meta);
  if (plan.equalities !== undefined) return reviveGraph(stored.json, plan);
  return plan.root === undefined ? stored.json : reviveTree(stored.json, plan.root);
}
