// Messages over `ipcRenderer`, which a sandboxed preload has.

import { told } from "./errors.js";
import { DEFAULT_CHANNEL } from "./shared/protocol.js";

export function ipcTransport(ipcRenderer, channel) {
  let isFixed = channel !== DEFAULT_CHANNEL;
  let name;

  function listen(given) {
    name = given;
    ipcRenderer.on(name, (_event, number) => transport.onPush(number));
  }

  const transport = {
    /** The origin of the document of now. */
    origin: () => String((globalThis.self ?? globalThis).origin),

    /** The server of this document listens elsewhere. */
    redirect(given) {
      if (isFixed || typeof given !== "string") return false;
      isFixed = true;
      listen(given);
      return true;
    },

    async invoke(message) {
      try {
        return await ipcRenderer.invoke(name, message);
      } catch (error) {
        throw String(error).includes("No handler") ? told("EAS_NO_SERVER") : error;
      }
    },

    sync: (message) => ipcRenderer.sendSync(name, message),
  };
  listen(channel);
  return transport;
}
