// Plans by the text of their meta.

import { MapType, mapClear, mapGet, mapSet, mapSize, parse, stringify } from "../builtins.js";
import { Plan } from "./plan.js";

const MAX_CACHED_PLANS = 256;
const MAX_CACHED_META_UNITS = 512;
const plans = new MapType();
let lastPlan = Plan.kept;

// A slice keeps the whole text that it was cut from.
const copyOf = (text) => parse(stringify(text));

// Values of one kind share their meta: its text stands for its plan. They are often read together,
// and comparing costs less than hashing.
export function planOf(metaText) {
  if (lastPlan.text === metaText) return lastPlan;
  let plan = mapGet(plans, metaText);
  if (plan === undefined) {
    plan = new Plan(parse(metaText));
    if (metaText.length > MAX_CACHED_META_UNITS) return plan;
    plan.text = copyOf(metaText);
    if (mapSize(plans) >= MAX_CACHED_PLANS) mapClear(plans);
    mapSet(plans, plan.text, plan);
  }
  lastPlan = plan;
  return plan;
}
