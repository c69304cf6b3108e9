// What both halves of the bridge know: the version of the protocol, its special numbers, and how fields of
// a message are read. docs/renderers.md describes the messages.

/** Both halves refuse another one. */
export const VERSION = 1;

/** The channel of `serveStorage` and `connectStorage` when none is named. */
export const DEFAULT_CHANNEL = "electron-async-storage";

/** Pushed in place of a number of changes when the server closes. */
export const CLOSED = -1;

// What is known about a key of a mirror.

/** There is no item; its value is the default, or null. */
export const ABSENT = 0;
export const ITEM = 1;
/** The served storage cannot read it synchronously. */
export const UNSUPPORTED = 2;
/** Its value has no room in the mirror. */
export const UNFIT = 3;

/** An own property of what the other side sent; never one that is inherited. */
export const own = (object, name) =>
  object !== null && typeof object === "object" && Object.hasOwn(object, name)
    ? object[name]
    : undefined;

/** An error of the package with a code; `details` are its further properties, such as `key`. */
export const failure = (code, message, details) =>
  Object.assign(new Error(`[electron-async-storage] ${message}`), { code }, details);
