// The values of what the native core gives.

import { decode } from "../lazy-codec.js";
import { copyOf, Template, templateOf } from "../templates.js";

const { parse } = JSON;

// Of the inside of an envelope, or of NUL and a whole text. Throws for a text that is no value.
export function valueIn(text) {
  if (text.charCodeAt(0) !== 0) {
    try {
      return parse(text);
    } catch {
      return decode(`{"json":${text}}`);
    }
  }
  return text.length === 1 ? null : decode(text.slice(1));
}

core.setTemplateMaker((text) => {
  try {
    return templateOf(valueIn(text));
  } catch {
    return undefined;
  }
});

/** Whether the core gave a value's text, or what stands for it, and no Promise. */
export const isReady = (stored) =>
  typeof stored !== "object" || stored === null || Template.is(stored);

/** Makes the values of one storage's items. A text that is no value reads as null and is kept. */
export function valueReader(handle) {
  return function readValue(stored, key) {
    if (typeof stored === "string") {
      try {
        return valueIn(stored);
      } catch {
        core.noteCorrupt(handle, key);
        return null;
      }
    }
    if (typeof stored !== "object" || stored === null) return stored ?? null;
    return Template.is(stored) ? copyOf(stored) : stored;
  };
}

function finderWith(onUnreadable) {
  return function findValue(stored, key) {
    if (typeof stored === "string") {
      if (stored.length === 1 && stored.charCodeAt(0) === 0) return undefined;
      try {
        return valueIn(stored);
      } catch {
        onUnreadable(key);
        return undefined;
      }
    }
    if (typeof stored !== "object" || stored === null) return stored ?? undefined;
    return Template.is(stored) ? copyOf(stored) : stored;
  };
}

/** As `valueReader`, but gives undefined where there is no item, or none that reads as a value. */
export const valueFinder = (handle) => finderWith((key) => core.noteCorrupt(handle, key));

/** As what `valueFinder` gives, for who looks at the bytes of an item that does not read. */
export const peekValue = finderWith(() => undefined);
