// What the lines of an export begin with, and how its items are known.

export const FORMAT = "electron-async-storage";
export const FORMAT_VERSION = 1;

// So many items are read, or written, at the same time.
export const AT_ONCE = 64;
