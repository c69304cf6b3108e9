// What the codec says of values of which a part is lost, in the few words that a preload has room for. In
// the place of src/js/codec/losses.js.

import { tagOf } from "../../src/js/builtins.js";
import { describe, pathText, refusal } from "../../src/js/codec/refusal.js";

const VANISHING =
  /Promise|Buffer|DataView|Blob|File|Weak|Registry|Big.+Array|Float16|Generator|Iterator|SearchParams|FormData|Headers|Stream/;

/** Throws for an object of which nothing would be left. */
export function refuseVanishing(value, parent, key) {
  if (VANISHING.test(tagOf(value)) && !Object.hasOwn(value, Symbol.toStringTag)) {
    throw refusal(parent, key, describe(value));
  }
}

/** A part that is left out, or becomes null in a list, or loses its class. */
export function loseValue({ rules }, value, parent, key) {
  rules?.report(`At ${pathText(parent, key)}, ${describe(value)} loses a part when it is stored.`);
}

export { loseValue as loseClass };

export function reportLosses() {}
