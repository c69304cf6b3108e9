// Messages over a MessagePort: of a page, of Node, or of a utilityProcess. There are no sync messages.

import { told } from "./errors.js";

function listen(port, name, callback) {
  if (typeof port.addEventListener === "function") {
    port.addEventListener(name, (event) => callback(event.data));
  } else {
    port.on(name, (event) => callback(event?.data));
  }
}

export function portTransport(port) {
  const waiting = new Map();
  let lastId = 0;
  let isClosed = false;

  const transport = {
    origin: () => "port",
    redirect: () => false,
    invoke: (message) =>
      new Promise((resolve, reject) => {
        if (isClosed) return reject(told("EAS_CLOSED"));
        waiting.set(++lastId, { resolve, reject });
        port.postMessage({ id: lastId, message });
      }),
  };

  listen(port, "message", (data) => {
    if (typeof data?.number === "number") return transport.onPush(data.number);
    waiting.get(data?.id)?.resolve(data.reply);
    waiting.delete(data?.id);
  });
  listen(port, "close", () => {
    isClosed = true;
    for (const { reject } of waiting.values()) reject(told("EAS_CLOSED"));
    waiting.clear();
  });
  port.start?.();
  return transport;
}
