// A link across `contextBridge`, which passes functions and plain data, and of an error only its message:
// the preload gives results and errors as data, the page makes them what they were.

import { plainError, revive } from "./errors.js";
import { own } from "./shared/protocol.js";

const METHODS = ["post", "callSync", "readSync", "hasSync", "keysSync"];

const refused = (error) => [null, plainError(error)];

/** What is exposed to a page. */
export function bridgeOf(link) {
  const bridge = {
    call: (op, args) => link.call(op, args).then((ok) => [ok], refused),
    watch: (listener) =>
      link.watch((event, key) => void listener(event, key)).then((stop) => [stop], refused),
  };
  for (const name of METHODS) {
    bridge[name] = (...args) => {
      try {
        return [link[name](...args)];
      } catch (error) {
        return refused(error);
      }
    };
  }
  return bridge;
}

function result(answer) {
  const error = own(answer, 1);
  if (error !== undefined) throw revive(error);
  return own(answer, 0);
}

/** The link of a page. */
export function linkOf(bridge) {
  const link = {
    call: async (op, args) => result(await bridge.call(op, args)),
    watch: async (listener) => result(await bridge.watch(listener)),
  };
  for (const name of METHODS) link[name] = (...args) => result(bridge[name](...args));
  return link;
}
