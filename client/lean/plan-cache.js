// Plans, each made anew. In the place of src/js/codec/plan-cache.js.

import { Plan } from "../../src/js/codec/plan.js";

export const planOf = (text) => new Plan(JSON.parse(text));
