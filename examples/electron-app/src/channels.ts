// The names under which the two processes talk.

/** Renderer to main: stores a setting. */
export const SET = "settings:set";
/** Main to renderer: a setting changed. */
export const CHANGED = "settings:changed";
/** Renderer to main: adds a line to the log of the session. */
export const RECORD = "session:record";
/** Renderer to main: describes the machine. */
export const DESCRIBE = "machine:describe";
/** The command-line switch that tells the preload script where the settings are. */
export const FOLDER_SWITCH = "--settings-folder=";
