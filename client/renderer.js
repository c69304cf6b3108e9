// electron-async-storage/renderer

import { linkOf } from "./bridge.js";
import { invalidArgument } from "./errors.js";
import { makeLink } from "./link.js";
import { failure } from "./shared/protocol.js";
import { storageOver } from "./storage.js";
import { portTransport } from "./transport-port.js";

export * from "./common.js";

/** A storage of what a preload exposed. */
export function storageFromBridge(bridge) {
  if (typeof bridge?.call !== "function") {
    throw failure(
      "EAS_ACCESS_DENIED",
      "There is no storage on this page: no rule of serveStorage's access list names its origin, or no preload exposed it.",
    );
  }
  return storageOver(linkOf(bridge));
}

/** A storage at the other end of a port that the main process connected. */
export function connectStorage(options) {
  const { port, onError = (error) => console.warn(error) } = options ?? {};
  if (typeof port?.postMessage !== "function") {
    throw invalidArgument("connectStorage", "port: expected a MessagePort");
  }
  return storageOver(makeLink(portTransport(port), onError));
}
