// What both subpaths export beside their own.

export { decode as parse, encode as stringify } from "../src/js/codec/index.js";
export { normalizeKey } from "../src/js/keys.js";
export { prefixStorage } from "./prefix.js";
export { restoreSnapshot, restoreSnapshotSync, snapshot, snapshotSync } from "./snapshot.js";
