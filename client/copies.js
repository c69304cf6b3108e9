// Values of texts that are read again: copying costs a fraction of parsing.

import { decode } from "../src/js/codec/index.js";

const MAX_TEXTS = 4000;
const MAX_TEXT_UNITS = 500;

/** What is more than plain data is annotated, and an escape could hide that. */
const NOT_PLAIN = /"meta"|\\u/;

/** Functions that make new values, by text. */
const copiers = new Map();

/** A function that copies plain data, which nobody else gets to see. */
function copierOf(value) {
  if (typeof value !== "object" || value === null) return () => value;
  const isList = Array.isArray(value);
  const parts = Object.entries(value)
    .filter(([, part]) => typeof part === "object" && part !== null)
    .map(([name, part]) => [name, copierOf(part)]);
  return () => {
    const copy = isList ? [...value] : { ...value };
    for (const [name, copyOfPart] of parts) copy[name] = copyOfPart();
    return copy;
  };
}

function copierFor(text) {
  const value = decode(text);
  if (text.length > MAX_TEXT_UNITS || NOT_PLAIN.test(text)) return () => value;
  const copier = copierOf(value);
  if (copiers.size >= MAX_TEXTS) copiers.clear();
  copiers.set(text, copier);
  return copier;
}

/** As `decode`, for texts that are likely to be read again. */
export const decodeAgain = (text) => (copiers.get(text) ?? copierFor(text))();
