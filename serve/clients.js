"use strict";

// The documents that have asked for something, one for each frame. A document that comes into a frame takes
// the place of the one before it, so that reloads leave nothing behind.

const { randomBytes } = require("node:crypto");
const { Changes } = require("./changes.js");
const { isStillThere } = require("./frames.js");

class Client {
  constructor(id, sender) {
    this.id = id;
    /** Another one for each record of a client: numbers and stamps of different records do not compare. */
    this.epoch = randomBytes(8).toString("hex");
    this.sender = sender;
    this.changes = new Changes();
    /** Whether it has a mirror, and whether it wants to hear of all keys. */
    this.isMirrored = false;
    this.isWatching = false;
    /** Rises with every look at the storage for this client, and orders what the looks found. */
    this.clock = 0;
    /** Settles when what later calls of this client must not overtake is under way. */
    this.barrier = undefined;
    /** The last number that it was pushed, and whether it has asked since. */
    this.isPushed = false;
    /** Whether it came before the storage was watched. */
    this.isEarly = false;
    this.formerId = undefined;
  }

  stamp() {
    return ++this.clock;
  }
}

const frameKey = ({ webContents, processId, routingId }) =>
  `${webContents.id}:${processId}:${routingId}`;

class Clients {
  constructor() {
    this.byFrame = new Map();
    this.known = new WeakSet();
  }

  /** The client of a message, made at its first one. A message that a former document sent late gets none. */
  meet(id, sender) {
    const key = frameKey(sender);
    const former = this.byFrame.get(key);
    if (former?.id === id && former.sender.origin === sender.origin) return former;
    if (former?.formerId === id) return new Client(id, sender);
    this.sweep(sender.webContents);
    this.follow(sender.webContents);
    const client = new Client(id, sender);
    client.formerId = former?.id;
    this.byFrame.set(key, client);
    return client;
  }

  /** Takes away a document that says that it goes. */
  leave(id, sender) {
    const key = frameKey(sender);
    if (this.byFrame.get(key)?.id === id) this.byFrame.delete(key);
  }

  /** Frames that are gone: what is left in the map are those that are there. */
  sweep(webContents) {
    for (const [key, { sender }] of this.byFrame) {
      if (sender.webContents === webContents && !isStillThere(sender)) this.byFrame.delete(key);
    }
  }

  follow(webContents) {
    if (this.known.has(webContents) || typeof webContents.once !== "function") return;
    this.known.add(webContents);
    const drop = () => {
      for (const [key, { sender }] of this.byFrame) {
        if (sender.webContents === webContents) this.byFrame.delete(key);
      }
    };
    webContents.once("destroyed", drop);
    webContents.on?.("render-process-gone", drop);
  }

  /** Those that are there, each with the sender as it is now. */
  live() {
    const list = [];
    for (const [key, client] of this.byFrame) {
      const now = isStillThere(client.sender);
      if (now === undefined) this.byFrame.delete(key);
      else list.push({ client, now });
    }
    return list;
  }
}

module.exports = { Client, Clients };
