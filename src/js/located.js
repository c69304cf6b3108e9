// Errors of Promises with the line of their caller.

import { isThenable } from "./thenables.js";

const { captureStackTrace } = Error;

/**
 * Waits for what the core gave, in place of the method that was called: an error gets its stack here, where the
 * engine knows who awaits the method. Nothing is captured for a call that succeeds.
 */
export const located = (result) => (isThenable(result) ? settled(result) : result);

async function settled(pending) {
  try {
    return await pending;
  } catch (error) {
    throw withCaller(error);
  }
}

/**
 * What an async method throws for an error of the core, where it waits by itself: a function that waits for it
 * would take as long as the method. The core makes errors without a stack when no call is running. What a
 * driver threw stays as it is.
 */
export function withCaller(error) {
  if (error === null || typeof error !== "object") return error;
  const { stack } = error;
  if (typeof stack === "string" && !stack.includes("\n    at ")) {
    captureStackTrace?.(error, withCaller);
  }
  return error;
}
