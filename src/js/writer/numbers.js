// Numbers as JSON.

import { codeAt, floor } from "../builtins.js";
import { BAIL, bytes, MINUS, POINT, ZERO } from "./memory.js";

function writeDigits(number, at, count) {
  let rest = number;
  for (let place = at + count - 1; place >= at; place--) {
    const next = (rest / 10) | 0;
    bytes[place] = ZERO + rest - next * 10;
    rest = next;
  }
  return at + count;
}

function digitCount(number) {
  let count = 1;
  for (let limit = 10; number >= limit; limit *= 10) count++;
  return count;
}

export function writeNumber(number, start) {
  const size = number < 0 ? -number : number;
  if (!(size < 1e15) || floor(size) !== size || (size === 0 && 1 / number < 0)) {
    return writeOtherNumber(number, start);
  }
  let at = start;
  if (number < 0) bytes[at++] = MINUS;
  if (size < 1e9) return writeDigits(size, at, digitCount(size));
  const high = floor(size / 1e9);
  at = writeDigits(high, at, digitCount(high));
  return writeDigits(size - high * 1e9, at, 9);
}

// At most so many decimals, as prices, scores and coordinates have.
const DECIMALS = 6;
const UNIT = 10 ** DECIMALS;

function writeOtherNumber(number, start) {
  // Those that JSON lacks: no two of them are alike.
  if (number - number !== 0 || number === 0) return BAIL;
  const size = number < 0 ? -number : number;
  const scaled = floor(size * UNIT + 0.5);
  // No two numbers of up to 15 digits are the same double: these digits are the shortest ones.
  if (scaled < 1e15 && scaled / UNIT === size && size >= 1e-6) {
    return writeDecimals(number < 0, scaled, start);
  }
  const text = `${number}`;
  for (let i = 0; i < text.length; i++) bytes[start + i] = codeAt(text, i);
  return start + text.length;
}

function writeDecimals(isNegative, scaled, start) {
  let at = start;
  if (isNegative) bytes[at++] = MINUS;
  const whole = floor(scaled / UNIT);
  at = writeDigits(whole, at, digitCount(whole));
  bytes[at] = POINT;
  at = writeDigits(scaled - whole * UNIT, at + 1, DECIMALS);
  while (bytes[at - 1] === ZERO) at--;
  return at;
}
