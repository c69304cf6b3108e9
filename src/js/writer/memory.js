// The memory that the native core reads texts from, and what is in it as bytes.

import { codeAt } from "../builtins.js";

export const bytes = new Uint8Array(core.scratch);
export const view = new DataView(core.scratch);

// Each part is checked for room before it is written. The margin is for what a word writes past the
// end of a part, and for the brackets that close all that is open.
export const END = bytes.length - 64;
export const BAIL = -1;
export const OPEN_RECORD = 123;
export const CLOSE_RECORD = 125;
export const OPEN_LIST = 91;
export const CLOSE_LIST = 93;
export const COMMA = 44;
export const COLON = 58;
export const QUOTE = 34;
export const BACKSLASH = 92;
export const MINUS = 45;
export const POINT = 46;
export const ZERO = 48;

// Four characters as they lie in memory.
export const wordOf = (text, at) =>
  (codeAt(text, at) || 0) |
  ((codeAt(text, at + 1) || 0) << 8) |
  ((codeAt(text, at + 2) || 0) << 16) |
  ((codeAt(text, at + 3) || 0) << 24);

export const NULL_WORD = wordOf("null", 0);
export const TRUE_WORD = wordOf("true", 0);
export const FALSE_WORD = wordOf("fals", 0);
export const LETTER_E = codeAt("e", 0);
