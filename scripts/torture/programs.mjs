// What the model attack draws at random: mounts with drivers and wrappers, and the operations on them.

import fc from "fast-check";
import { KINDS, LINKED, NO_ITEMS, WRAPPERS } from "./stores.mjs";

// --- drivers ---

const kind = fc.constantFrom(...KINDS);
const queueOptions = fc.record({
  batchSize: fc.integer({ min: 1, max: 4 }),
  flushInterval: fc.constantFrom(1, 3, 1000),
  maxQueueSize: fc.integer({ min: 1, max: 6 }),
  mergeUpdates: fc.boolean(),
});
const wrapper = fc.oneof(
  { weight: 2, arbitrary: queueOptions },
  { weight: 1, arbitrary: fc.constantFrom(...WRAPPERS) },
);
const driverPlan = fc.record({
  kind,
  flag: fc.constantFrom(undefined, undefined, undefined, "readOnly", "noClear"),
  isSealed: fc.constantFrom(false, false, true),
  hasTraps: fc.boolean(),
  wrappers: fc.array(wrapper, { maxLength: 2 }),
});
const bases = fc.constantFrom("a:", "a:b:", "b:", "c:d:");
export const mountPlan = fc.record({
  root: driverPlan,
  mounts: fc.uniqueArray(fc.record({ base: bases, driver: driverPlan }), {
    selector: ({ base }) => base,
    maxLength: 3,
  }),
  isWatched: fc.constantFrom(false, false, true),
});

// --- operations ---

const segment = fc.constantFrom("a", "b", "c", "d", "é<", "con");
const root = fc.oneof(fc.constant(""), bases);
const key = fc.oneof(
  {
    weight: 15,
    arbitrary: fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(":")),
  },
  { weight: 1, arbitrary: root.map((base) => base + LINKED) },
);
/** Keys that can be read, and never are items. */
const noItem = fc.tuple(root, fc.constantFrom(...NO_ITEMS)).map((parts) => parts.join(""));
const keyToRead = fc.oneof({ weight: 9, arbitrary: key }, { weight: 1, arbitrary: noItem });
const base = fc.oneof(
  fc.constant(""),
  bases,
  key.map((text) => `${text}:`),
  fc.tuple(root, fc.constantFrom("notes:", "notes:deep:")).map((parts) => parts.join("")),
);

const value = fc.oneof(
  fc.integer(),
  fc.constantFrom("", "text", null, true, false, 0, -0, Number.NaN),
  fc.string({ unit: "grapheme", maxLength: 20 }),
  fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }),
  fc.date(),
  fc.array(fc.oneof(fc.integer(), fc.constant(undefined), fc.date()), { maxLength: 4 }),
  fc.dictionary(fc.constantFrom("x", "y.z", "json", "meta"), fc.oneof(fc.string(), fc.date())),
  fc
    .array(fc.tuple(fc.string(), fc.integer()), { maxLength: 3 })
    .map((entries) => new Map(entries)),
  fc.array(fc.integer(), { maxLength: 3 }).map((items) => new Set(items)),
  fc.uint8Array({ maxLength: 8 }),
  fc.integer({ min: 1000, max: 60_000 }).map((size) => "large ".repeat(size / 6)),
);
const written = fc.oneof(
  { weight: 9, arbitrary: value },
  { weight: 1, arbitrary: fc.constant(undefined) },
);

const sync = fc.boolean();
const write = fc.oneof(
  { weight: 5, arbitrary: fc.record({ op: fc.constant("set"), sync, key, value: written }) },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant("remove"), sync, key, withMeta: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant("setItems"),
      sync,
      items: fc.array(fc.record({ key, value: written }), { maxLength: 5 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("clear"), sync, base }) },
);
export const operation = fc.oneof(
  { weight: 8, arbitrary: write },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("get"), sync, key: keyToRead }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("has"), sync, key: keyToRead }) },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant("getItems"),
      sync,
      keys: fc.array(keyToRead, { maxLength: 5 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant("getKeys"),
      sync,
      base,
      maxDepth: fc.option(fc.nat({ max: 3 }), { nil: undefined }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant("setMeta"),
      sync,
      key,
      meta: fc.dictionary(fc.constantFrom("owner", "tags"), fc.string()),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("removeMeta"), sync, key }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("getMeta"), sync, key }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("flush"), sync }) },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant("unawaited"),
      writes: fc.array(write, { minLength: 2, maxLength: 8 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant("abandon"),
      // So many items take a clear some time.
      bulk: fc.constantFrom(0, 0, 0, 200),
      writes: fc.array(write, { maxLength: 5 }),
      end: fc.constantFrom("flush", "flushSync", "dispose"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("snapshot"), base }) },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant("restore"),
      base: root,
      items: fc.dictionary(key, value, { maxKeys: 5 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant("behind"),
      base: root,
      action: fc.constantFrom("get", "set", "remove"),
    }),
  },
);

/** The base of the items that take a clear some time. */
export const BULK = "bulk:";
