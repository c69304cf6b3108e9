// The text of an item, with what it says of its time besides the value.

import { decode } from "../lazy-codec.js";
import { located } from "../located.js";
import { isEnvelope } from "./envelope.js";

function timesIn(text) {
  if (!text.includes('"fresh":') && !text.includes('"expires":')) return {};
  const stored = JSON.parse(text);
  return isEnvelope(stored) ? stored : {};
}

/**
 * When the item of a text is stale, and when it expires.
 *
 * @returns {{ fresh?: number, expires?: number }}
 */
export function timesOf(text) {
  const { fresh, expires } = timesIn(text);
  return {
    fresh: typeof fresh === "number" ? fresh : undefined,
    expires: typeof expires === "number" ? expires : undefined,
  };
}

/** Puts members into an envelope: after the value, since a store that adds its own expects the value first. */
export const withMembers = (text, members) =>
  members === "" ? text : `${text.slice(0, -1)}${members}}`;

/**
 * What is stored: `{ text, value, fresh, expires }`, only a value where the driver keeps no text, or undefined where
 * there is nothing that reads as a value.
 */
export async function readStored(handle, key, options) {
  const stored = await located(core.readText(handle, key, options));
  if (stored === undefined || stored === null || stored === "") return undefined;
  if (typeof stored !== "string") return { value: stored };
  try {
    const text = stored.replace(/^\ufeff/, "");
    return { ...timesOf(text), text, value: decode(text) };
  } catch {
    core.noteCorrupt(handle, key);
    return undefined;
  }
}
