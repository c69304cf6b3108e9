// Values of which a part is lost: functions, symbols and instances of classes inside a value.

import { create, hasOwn, slice, tagOf, toStringTag } from "../builtins.js";
import { classOf, describe, itemText, pathText, placeEnd, refusal } from "./refusal.js";

const AWAIT = "Await it first.";
const RAW = "Store its bytes with setItemRaw.";
const CONTENT = "Store what it refers to.";
const COPY = "Store a copy of its content, such as an array or a plain object.";

// Objects of which nothing would be left, and what to store in their place.
const VANISHING = Object.assign(create(null), {
  Promise: AWAIT,
  ArrayBuffer: RAW,
  SharedArrayBuffer: RAW,
  DataView: RAW,
  Blob: RAW,
  File: RAW,
  WeakMap: CONTENT,
  WeakSet: CONTENT,
  WeakRef: CONTENT,
  FinalizationRegistry: CONTENT,
  BigInt64Array: "Store an array of bigints, or its bytes with setItemRaw.",
  BigUint64Array: "Store an array of bigints, or its bytes with setItemRaw.",
  Float16Array: "Store a Float32Array, or its bytes with setItemRaw.",
  Generator: COPY,
  AsyncGenerator: COPY,
  "Array Iterator": COPY,
  "Map Iterator": COPY,
  "Set Iterator": COPY,
  "String Iterator": COPY,
  "RegExp String Iterator": COPY,
  "Iterator Helper": COPY,
  URLSearchParams: COPY,
  FormData: COPY,
  Headers: COPY,
  ReadableStream: COPY,
});

/** Throws for an object of which nothing would be left. */
export function refuseVanishing(value, parent, key) {
  const kind = slice(tagOf(value), 8, -1);
  // A class that only names itself so has its own properties; the tag is the prototype's then too.
  if (hasOwn(VANISHING, kind) && !hasOwn(value, toStringTag)) {
    throw refusal(parent, key, describe(value), VANISHING[kind]);
  }
}

/** A part that is left out, or becomes null in a list. */
export function loseValue(session, value, parent, key) {
  if (session.rules === undefined || session.rules.onLossy === "ignore") return;
  const end = typeof key === "number" ? "becomes null" : "is left out";
  lose(session, value, parent, key, end, `name ${nearestName(parent, key)}`);
}

/** An instance of a class, of which its own enumerable properties are stored as a plain object. */
export function loseClass(session, value, parent, key) {
  if (session.rules === undefined || session.rules.onLossy === "ignore") return;
  const end = "is stored as a plain object of its own properties";
  lose(session, value, parent, key, end, `class ${classOf(value) ?? tagOf(value)}`);
}

function lose(session, value, parent, key, end, name) {
  const { rules } = session;
  if (rules.onLossy === "error") {
    const advice = '`onLossy` is "error": store plain data, or give the object a toJSON method.';
    throw refusal(parent, key, `${describe(value)}, which would not come back as it is`, advice);
  }
  if (rules.isReported(name)) return;
  if (session.losses === undefined) session.losses = [];
  const { losses } = session;
  for (let i = 0; i < losses.length; i++) if (losses[i].name === name) return;
  const text = `at ${placeEnd(pathText(parent, key))}, ${describe(value)} ${end}`;
  losses[losses.length] = { name, text };
}

// In a list, the name that the list has.
function nearestName(parent, key) {
  let name = key;
  for (let visit = parent; visit !== undefined && typeof name === "number"; visit = visit.parent) {
    name = visit.key;
  }
  return name;
}

/** Reports what was lost, now that the rest is written. */
export function reportLosses(session) {
  const { rules, losses } = session;
  const place = itemText(session);
  for (let i = 0; i < losses.length; i++) {
    rules.report(
      losses[i].name,
      `[electron-async-storage] A value loses a part when it is stored: ${place}${losses[i].text}. ` +
        "Leave the part out, or give it a toJSON method; `onLossy` of createStorage says what else to do.",
    );
  }
}
