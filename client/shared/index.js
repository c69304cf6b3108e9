// What the main process has in common with its clients, made into serve/shared.js.

export { decode as parse, encode as stringify } from "../../src/js/codec/index.js";
export { normalizeKey } from "../../src/js/keys.js";
export { makeBucket } from "./bucket.js";
export * from "./protocol.js";
