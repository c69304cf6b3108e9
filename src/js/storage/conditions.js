// What has to hold of an item for a write to be made.

import { describe } from "../arguments.js";
import { hasOwn, isView } from "../builtins.js";

const MISSING = 0;
const ETAG = 1;
const AS_READ = 2;
const STORED = 3;

/** Whether options have a condition of their own: what another library adds to `Object.prototype` is none. */
export const hasCondition = (opts) =>
  opts !== undefined && opts !== null && hasOwn(opts, "ifMatch");

function invalid(message, operation) {
  return Object.assign(
    new Error(`[electron-async-storage] Invalid option \`ifMatch\`: ${message}`),
    { code: "EAS_INVALID_OPTION", operation },
  );
}

/** The etag of a condition, null where there must be no item, undefined where there is no condition. */
export function conditionOf({ ifMatch }, operation) {
  if (ifMatch === undefined || ifMatch === null || typeof ifMatch === "string") return ifMatch;
  throw invalid(
    `expected an etag that getEntry gave, or null for no item, got ${describe(ifMatch)}`,
    operation,
  );
}

/** The options without the condition, which is no business of a driver. */
export function withoutCondition(opts) {
  const others = Object.assign(Object.create(Object.getPrototypeOf(opts)), opts);
  delete others.ifMatch;
  return others;
}

/** Fails for a condition in the options of a call that makes none. */
export function refuseCondition(opts, operation) {
  if (!hasCondition(opts) || opts.ifMatch === undefined) return;
  throw invalid(
    `${operation} makes no conditional writes. Use setItem, removeItem, update or atomic`,
    operation,
  );
}

/** What the core takes for an item that has an etag, or that must be missing where it is null. */
export const checkOfEtag = (key, etag) =>
  etag === null ? [key, MISSING, undefined] : [key, ETAG, etag];

/** What the core takes for an item as it was read. Comparing what is stored costs less than its etag. */
export function checkOfEntry(key, entry) {
  if (entry === undefined) return [key, MISSING, undefined];
  const [coded, etag, isExact] = entry;
  if (isExact && typeof coded === "string") return [key, AS_READ, coded];
  if (isExact && isView(coded)) return [key, STORED, coded];
  return [key, ETAG, etag];
}

/** What the core takes for an item of a text or bytes as a driver has them, or for none. */
export const checkOfStored = (key, stored) =>
  stored === null ? [key, MISSING, undefined] : [key, STORED, stored];
