// One client for each document and channel, whatever copies of this package run in it, and what is put on
// the page.

import { bridgeOf } from "./bridge.js";
import { makeLink } from "./link.js";
import { DEFAULT_CHANNEL, failure, VERSION } from "./shared/protocol.js";
import { storageOver } from "./storage.js";
import { ipcTransport } from "./transport-ipc.js";

const SHARED = Symbol.for(`electron-async-storage.${VERSION}`);

const isIsolated = () => globalThis.process?.contextIsolated !== false;

/**
 * The links of this document by channel, and the names on its page. Another version of this package may have
 * made them: only what `makeLink` gives is known of a link.
 */
function ofDocument({ ipcRenderer }) {
  const { document } = globalThis;
  let shared = globalThis[SHARED];
  if (shared?.document !== document || shared?.ipcRenderer !== ipcRenderer) {
    shared = { document, ipcRenderer, links: new Map(), names: new Set() };
    // Without isolation the page could reach what is shared.
    if (isIsolated()) {
      Object.defineProperty(globalThis, SHARED, { value: shared, configurable: true });
    }
  }
  return shared;
}

function linkFor({ channel = DEFAULT_CHANNEL, onError } = {}) {
  const electron = nodeRequire("electron");
  const shared = ofDocument(electron);
  const { links } = shared;
  let link = links.get(channel);
  if (link === undefined) {
    link = makeLink(ipcTransport(electron.ipcRenderer, channel), (error) => console.warn(error));
    links.set(channel, link);
    globalThis.addEventListener?.("pagehide", link.bye);
  }
  if (onError !== undefined) link.onError = onError;
  return { link, electron, names: shared.names };
}

/** A storage of what the main process serves to this document. */
export const connectStorage = (options) => storageOver(linkFor(options).link);

/** Puts the storage on the page, as `window[name]`. A page without access gets nothing. */
export function exposeStorage(name = "storage", options) {
  const notIsolated = () => failure("EAS_NOT_ISOLATED", "exposeStorage needs contextIsolation.");
  if (!isIsolated()) throw notIsolated();
  const { link, electron, names } = linkFor(options);
  if (names.has(name) || !link.hasAccess()) return;
  try {
    electron.contextBridge.exposeInMainWorld(name, bridgeOf(link));
  } catch (error) {
    throw String(error).includes("contextIsolation") ? notIsolated() : error;
  }
  names.add(name);
}
