// Dates from their ISO text.

import { codeAt, DateType, utcTime } from "../builtins.js";

const ISO_UNITS = 24;

// As toISOString writes it: `YYYY-MM-DDTHH:MM:SS.mmmZ`. The engine's own parser takes all that Date
// takes and is slow at it; it gets what is written otherwise.
export function reviveDate(text) {
  if (
    text.length !== ISO_UNITS ||
    codeAt(text, 4) !== 45 ||
    codeAt(text, 7) !== 45 ||
    codeAt(text, 10) !== 84 ||
    codeAt(text, 13) !== 58 ||
    codeAt(text, 16) !== 58 ||
    codeAt(text, 19) !== 46 ||
    codeAt(text, 23) !== 90
  ) {
    return new DateType(text);
  }
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  const hour = twoDigits(text, 11);
  const minute = twoDigits(text, 14);
  const second = twoDigits(text, 17);
  const ms = twoDigits(text, 20) * 10 + digit(text, 22);
  // Days that not every month has, and 24 o'clock, are for the engine to judge; so is what is no digit.
  const isSure =
    year >= 100 &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= 28 &&
    hour <= 23 &&
    minute <= 59 &&
    second <= 59 &&
    ms >= 0;
  return new DateType(isSure ? utcTime(year, month - 1, day, hour, minute, second, ms) : text);
}

// NaN where a digit is missing, which no comparison takes.
function digit(text, at) {
  const value = codeAt(text, at) - 48;
  return value >= 0 && value <= 9 ? value : NaN;
}

const twoDigits = (text, at) => digit(text, at) * 10 + digit(text, at + 1);
