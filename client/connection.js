// The connection of one document: who it is, whether the main process knows it yet, and the order of what
// it sends. What is asked for before the first answer waits, so that nothing overtakes it.

import { revive, told } from "./errors.js";
import { own, VERSION } from "./shared/protocol.js";

/** A document asks again, while it is not yet the one that the main process sees in its frame. */
const RETRY_MS = [0, 10, 40, 150, 400];

/** It gives no rights: it tells the documents of a frame apart. Node 18 has no global crypto. */
const randomId = () =>
  Array.from(globalThis.crypto?.getRandomValues(new Uint8Array(32)) ?? Array(32), (byte) =>
    ((byte ?? Math.random() * 16) & 15).toString(16),
  ).join("");

/**
 * @param transport - how messages go
 * @param handlers - `greeted(ok, isAnew)`: the main process answered to who this is; `entries(stamped)`: looks at
 *   keys; `lost()`: what is known is of a server that is no more, or of other rights
 */
export function makeConnection(transport, { greeted, entries, lost }) {
  const client = randomId();
  let queue = [];
  let epoch;
  let rights;
  let greeting;

  const message = (op, args) => ({ v: VERSION, client, origin: transport.origin(), op, args });
  const hello = () => message("hello", [{ isWatching: connection.isWatching }]);

  /** What was known holds no more. */
  function forget() {
    connection.isKnown = false;
    lost();
  }

  /** What a reply gives. Throws what it refuses with. */
  function take(reply, isGreeting) {
    if (own(reply, "v") !== VERSION) throw told("EAS_NO_SERVER");
    if (own(reply, "closed")) {
      forget();
      throw told("EAS_CLOSED");
    }
    if (own(reply, "again")) {
      connection.isKnown = false;
      throw told("EAS_NOT_READY");
    }
    if (reply.error !== undefined && reply.epoch === undefined) throw revive(reply.error);
    const isAnew = reply.epoch !== epoch || reply.rights !== rights;
    if (!isGreeting) {
      if (isAnew && connection.isKnown) forget();
      else if (reply.entries !== undefined) entries(reply.entries);
    } else if (reply.error === undefined) {
      ({ epoch, rights } = reply);
      connection.isKnown = true;
      connection.isAllowed = reply.ok.isAllowed;
      greeted(reply.ok, isAnew);
      release();
    }
    if (reply.error !== undefined) throw revive(reply.error);
    return reply.ok;
  }

  /** Sends what waited, or refuses it. */
  function release(error) {
    const waiting = queue;
    queue = [];
    for (const go of waiting) go(error);
  }

  async function askOnce() {
    const reply = await transport.invoke(hello());
    return transport.redirect(own(reply, "channel")) ? askOnce() : take(reply, true);
  }

  async function askOften() {
    for (const ms of [...RETRY_MS, undefined]) {
      try {
        return await askOnce();
      } catch (error) {
        // A sync message may have been answered meanwhile.
        if (connection.isKnown) return undefined;
        if (error.code !== "EAS_NOT_READY" || ms === undefined) {
          release(error);
          throw error;
        }
        await new Promise((resolve) => setTimeout(resolve, ms));
        if (connection.isKnown) return undefined;
      }
    }
  }

  const send = async (op, args) => take(await transport.invoke(message(op, args)), false);

  const connection = {
    isKnown: false,
    isWatching: false,
    isAllowed: false,
    hasSync: transport.sync !== undefined,

    /** Says who this is, until the main process sees it too. */
    ask() {
      greeting ??= askOften().finally(() => {
        greeting = undefined;
      });
      return greeting;
    },

    /** The same in one sync message. */
    askSync() {
      if (!connection.hasSync) throw told("EAS_NOT_READY");
      const reply = transport.sync(hello());
      if (transport.redirect(own(reply, "channel"))) connection.askSync();
      else take(reply, true);
    },

    /** An operation of the main process. */
    call(op, args) {
      if (connection.isKnown) return send(op, args);
      const result = new Promise((resolve, reject) => {
        // As they are at the call.
        const taken = structuredClone(args);
        queue.push((error) => (error ? reject(error) : resolve(send(op, taken))));
      });
      connection.ask().catch(() => {});
      return result;
    },

    /** The same, waited for. What was asked for before it is sent before it. */
    callSync(op, args) {
      if (!connection.isKnown) connection.askSync();
      return take(transport.sync(message(op, args)), false);
    },

    /** The document goes: what still waits is sent as long as that is possible. */
    leave() {
      release();
      send("bye", []).catch(() => {});
      // It may come back from the cache of pages: it asks again then.
      connection.isKnown = false;
    },
  };
  return connection;
}
