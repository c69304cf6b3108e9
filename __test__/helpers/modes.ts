// One face for both forms of a storage's methods, so that a fact is written once and checked in both.

import { types } from "node:util";
import { expect } from "vitest";
import type { Storage } from "../../index.js";

export type Mode = "async" | "sync";

const METHODS = [
  "hasItem",
  "getItem",
  "getItems",
  "getItemRaw",
  "setItem",
  "setItems",
  "setItemRaw",
  "removeItem",
  "getMeta",
  "setMeta",
  "removeMeta",
  "getKeys",
  "clear",
  "flush",
] as const;

export type Method = (typeof METHODS)[number];

export const methods: readonly Method[] = METHODS;

/** The methods of a storage, each with a Promise of its outcome in either mode. */
export type Calls = {
  [Name in Method]: (...args: unknown[]) => Promise<any>;
};

type Functions = Record<string, (...args: unknown[]) => unknown>;

/**
 * Calls one method. Also checks what holds of every call: the Promise form gives a Promise and never
 * throws, the Sync form gives none.
 */
export async function invoke(
  storage: Storage<any>,
  name: Method,
  mode: Mode,
  args: unknown[],
): Promise<any> {
  const functions = storage as unknown as Functions;
  if (mode === "async") {
    let promise: unknown;
    expect(() => {
      promise = functions[name](...args);
    }, `${name} throws synchronously`).not.toThrow();
    expect(types.isPromise(promise), `${name} gives a Promise`).toBe(true);
    return promise;
  }
  const result = functions[`${name}Sync`](...args);
  expect(types.isPromise(result), `${name}Sync gives a Promise`).toBe(false);
  return result;
}

export function callsOf(storage: Storage<any>, mode: Mode): Calls {
  const entries = METHODS.map((name) => [
    name,
    (...args: unknown[]) => invoke(storage, name, mode, args),
  ]);
  return Object.fromEntries(entries);
}

/** The error of a call that fails; a call that succeeds fails the test. */
export async function failureOf(outcome: Promise<unknown> | (() => unknown)): Promise<any> {
  try {
    await (typeof outcome === "function" ? outcome() : outcome);
  } catch (error) {
    return error;
  }
  return expect.unreachable("the call succeeds");
}
