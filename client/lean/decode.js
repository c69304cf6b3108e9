// Stored text to values, read as a whole. In the place of src/js/codec/decode.js.

import { isRecord } from "../../src/js/codec/corrupt.js";
import { reviveGraph } from "../../src/js/codec/graph.js";
import { Plan } from "../../src/js/codec/plan.js";
import { reviveTree } from "../../src/js/codec/tree.js";

const PARTS = ["json", "meta", "expires", "fresh"];

export function decode(text) {
  const stored = JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  if (!isRecord(stored)) return stored;
  const names = Object.keys(stored);
  if (names.length === 1 && names[0] === "json") return stored.json;
  if (!names.includes("json") || !names.every((name) => PARTS.includes(name))) return stored;
  if (!names.includes("meta")) return stored.json;
  const plan = new Plan(stored.meta);
  if (plan.equalities !== undefined) return reviveGraph(stored.json, plan);
  return plan.root === undefined ? stored.json : reviveTree(stored.json, plan.root);
}
