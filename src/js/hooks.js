// What Rust calls, and what it has the process call.

import { encode } from "./lazy-codec.js";

export function warn(code, message) {
  if (typeof process !== "undefined" && typeof process.emitWarning === "function") {
    process.emitWarning(message, { code, type: "StorageWarning" });
  }
}

core.setWarner(warn);

// Those of the moment, since tests put others in their place. A timer does not keep the process alive.
core.setClock(
  (ms, fired) => {
    const timer = setTimeout(fired, ms);
    timer?.unref?.();
  },
  () => Date.now(),
);

core.setFiller((list, at, ...values) => {
  for (let index = 0; index < values.length; index++) list[at + index] = values[index];
});

core.setEncoder((value) => {
  try {
    return encode(value);
  } catch {
    return undefined;
  }
});

// `process.exit()` and uncaught exceptions end the main thread without a word to its addons. An addon
// that is loaded again joins the listener of the first: Node takes many listeners for a leak.
if (typeof process !== "undefined" && typeof process.on === "function") {
  const EXIT_HOOKS = Symbol.for("electron-async-storage.exitHooks");
  let listener = process.listeners("exit").find((each) => each[EXIT_HOOKS]);
  if (!listener) {
    const hooks = [];
    listener = () => {
      for (const finishAll of hooks) finishAll();
    };
    listener[EXIT_HOOKS] = hooks;
    process.on("exit", listener);
  }
  listener[EXIT_HOOKS].push(core.finishAll);
}
