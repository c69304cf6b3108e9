"use strict";

const native = require("./loader.js");

// One plain assignment per name: Node finds the names that `import { … }` may ask for by reading
// this text, without running it.
exports.createStorage = native.createStorage;
exports.prefixStorage = native.prefixStorage;
exports.snapshot = native.snapshot;
exports.restoreSnapshot = native.restoreSnapshot;
exports.snapshotSync = native.snapshotSync;
exports.restoreSnapshotSync = native.restoreSnapshotSync;
exports.exportStorage = native.exportStorage;
exports.importStorage = native.importStorage;
exports.stringify = native.stringify;
exports.parse = native.parse;
exports.defineDriver = native.defineDriver;
exports.builtinDrivers = native.builtinDrivers;
exports.normalizeKey = native.normalizeKey;
exports.normalizeBaseKey = native.normalizeBaseKey;
exports.joinKeys = native.joinKeys;
exports.filterKeyByDepth = native.filterKeyByDepth;
exports.filterKeyByBase = native.filterKeyByBase;
