// What every driver promises, whatever it is made of. One suite, run over each subject.

import { describe, expect, it } from "vitest";
import { builtinDrivers } from "../helpers/package.js";
import { subjects } from "../helpers/subjects.js";
import { batchFacts } from "./batch.js";
import { clearFacts } from "./clear.js";
import { conditionalFacts } from "./conditional.js";
import { driverObjectFacts } from "./driver-object.js";
import { hostileKeyFacts } from "./hostile-keys.js";
import { itemFacts } from "./items.js";
import { keyFacts } from "./keys.js";
import { lifeFacts } from "./life.js";
import { metaFacts } from "./meta.js";
import { mountFacts } from "./mounts.js";
import { orderFacts } from "./order.js";
import { rawFacts } from "./raw.js";
import { syncFacts } from "./sync.js";

it("every built-in driver is a subject of the suite", () => {
  const modules = new Set(Object.values(builtinDrivers));
  const covered = new Set(
    subjects.flatMap(({ builtins = [] }) =>
      builtins.map((name) => builtinDrivers[name as keyof typeof builtinDrivers]),
    ),
  );
  expect([...covered].sort()).toEqual([...modules].sort());
});

describe.each(subjects.map((subject) => ({ ...subject })))("$title", (subject) => {
  itemFacts(subject);
  keyFacts(subject);
  batchFacts(subject);
  rawFacts(subject);
  metaFacts(subject);
  clearFacts(subject);
  mountFacts(subject);
  orderFacts(subject);
  conditionalFacts(subject);
  hostileKeyFacts(subject);
  syncFacts(subject);
  lifeFacts(subject);
  driverObjectFacts(subject);
});
