// The names under which the two processes talk.

/** Renderer to main: stores a setting. */
export const SET = "settings:set";
/** Renderer to main: adds a line to the log of the session. */
export const RECORD = "session:record";
/** Renderer to main: describes the machine. */
export const DESCRIBE = "machine:describe";
