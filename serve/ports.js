"use strict";

// Clients at the other end of a MessagePort, such as a utilityProcess. The main process gives each its
// rights when it connects the port.

const { rightsOfPort } = require("./access.js");
const { Client } = require("./clients.js");
const { Budget } = require("./limits.js");
const { CLOSED, failure, own, VERSION } = require("./shared.js");

/** Ports of Electron's main process are event emitters, those of Node and of pages are event targets. */
function listen(port, name, callback) {
  if (typeof port.addEventListener === "function") {
    port.addEventListener(name, (event) => callback(event.data));
  } else {
    port.on(name, (event) => callback(event?.data));
  }
}

class PortClient {
  constructor(port, options, server) {
    if (typeof port?.postMessage !== "function") {
      throw failure("EAS_INVALID_ARGUMENT", "Invalid port: expected a MessagePort", {
        operation: "connect",
      });
    }
    this.port = port;
    this.rights = rightsOfPort(options);
    this.budget = new Budget(server.limits);
    this.client = undefined;
    this.isOpen = true;
    this.isServed = true;
    this.server = server;
  }

  start(onClose) {
    listen(this.port, "message", (data) => void this.take(data));
    listen(this.port, "close", () => {
      this.isOpen = false;
      onClose();
    });
    this.port.start?.();
  }

  identify({ id }) {
    if (this.client?.id !== id) this.client = new Client(id, undefined);
    const { client, rights, budget } = this;
    return { client, rights, budget };
  }

  async take(data) {
    const id = own(data, "id");
    let reply = { v: VERSION, closed: true };
    try {
      if (this.isServed) reply = await this.server.answer(own(data, "message"), false, this);
    } catch {
      reply = { v: VERSION, error: { message: "The storage failed" } };
    }
    this.post({ id, reply });
  }

  post(message) {
    try {
      if (this.isOpen) this.port.postMessage(message);
    } catch {
      // The other end is gone.
    }
  }

  recipient() {
    const { client, rights } = this;
    return { client, rights, push: (number) => this.post({ number }) };
  }

  /** From here on it says "closed" to what still comes. */
  close() {
    this.isServed = false;
    this.post({ number: CLOSED });
  }
}

module.exports = { PortClient };
