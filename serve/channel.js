"use strict";

// The channel of `ipcMain`. Every sync message is answered, whatever happens: a window that waits for an
// answer stands still. After a server has closed, its listener stays and says so.

const { CLOSED, DEFAULT_CHANNEL, failure, VERSION } = require("./shared.js");

const CLOSED_REPLY = { v: VERSION, closed: true };
const FAILED_REPLY = { v: VERSION, error: { message: "The storage failed" } };

/** By ipcMain and channel: there is one listener, for the server of now and those after it. */
const endpoints = new WeakMap();

class Endpoint {
  constructor(ipcMain, channel, siblings) {
    this.server = undefined;
    this.siblings = siblings;
    ipcMain.on(channel, (event, message) => {
      let reply = FAILED_REPLY;
      try {
        reply = this.answer(event, message, true);
      } catch {
        // The reply says so.
      } finally {
        event.returnValue = reply;
      }
    });
    ipcMain.handle(channel, async (event, message) => {
      try {
        return await this.answer(event, message, false);
      } catch {
        return FAILED_REPLY;
      }
    });
  }

  answer(event, message, isSync) {
    if (this.server !== undefined) return this.server.answer(event, message, isSync);
    return this.redirect(event) ?? CLOSED_REPLY;
  }

  /** The registered preload knows the default channel only: another server of its session says where it is. */
  redirect(event) {
    for (const [channel, { server }] of this.siblings) {
      if (server?.registers(event)) return { v: VERSION, channel };
    }
    return undefined;
  }
}

function endpointOf(ipcMain, channel) {
  let siblings = endpoints.get(ipcMain);
  if (siblings === undefined) {
    siblings = new Map();
    endpoints.set(ipcMain, siblings);
  }
  let endpoint = siblings.get(channel);
  if (endpoint === undefined) {
    endpoint = new Endpoint(ipcMain, channel, siblings);
    siblings.set(channel, endpoint);
  }
  return endpoint;
}

/**
 * Puts a server on a channel.
 *
 * @param server - `{ answer(event, message, isSync), registers(event) }`
 * @returns a function that closes it
 */
function openChannel(ipcMain, channel, server, isRegistered) {
  const endpoint = endpointOf(ipcMain, channel);
  if (endpoint.server !== undefined) {
    throw failure(
      "EAS_INVALID_OPTION",
      `The channel ${JSON.stringify(channel)} has a server: dispose it first, or name another channel.`,
      { operation: "serveStorage" },
    );
  }
  endpoint.server = server;
  if (isRegistered) endpointOf(ipcMain, DEFAULT_CHANNEL);
  return () => {
    endpoint.server = undefined;
  };
}

/** Pushes a number to a document. Electron logs a frame that is gone; it is looked at just before. */
function pushTo(frame, channel, number) {
  try {
    frame.send(channel, number);
  } catch {
    // It is gone.
  }
}

module.exports = { openChannel, pushTo, CLOSED };
