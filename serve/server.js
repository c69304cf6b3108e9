"use strict";

// Answers messages: who sent it, what may they do, is the call well formed, then what the storage says. The
// channel and the ports bring the messages; nothing here throws.

const { chain, chainCatch } = require("./chain.js");
const { toWire } = require("./errors.js");
const { entriesOf, mirrorInSlices, mirrorSync } = require("./mirror.js");
const { Request } = require("./request.js");
const reads = require("./reads.js");
const { Slices } = require("./slices.js");
const { swap } = require("./swap.js");
const writes = require("./writes.js");
const { failure, own, VERSION } = require("./shared.js");

const OPERATIONS = new Map(Object.entries({ ...reads, ...writes, swap }));
/** Operations that have no form for a client that waits. */
const ASYNC_ONLY = new Set(["watch", "pull"]);
/** Operations that walk or wait for more than one item: each counts as ten calls. */
const COSTLY = new Set(["flush", "clear", "getKeys", "hello"]);
const CLIENT_ID = /^[0-9a-f]{32}$/;

const AGAIN = { v: VERSION, again: true };

/** How many items a call works on. */
function itemsOf(op, args) {
  const first = Array.isArray(args) ? args[0] : undefined;
  if (Array.isArray(first)) return first.length;
  return COSTLY.has(op) ? 500 : 1;
}

class Server {
  /** @param feed - what changes, for the clients that may know */
  constructor({ storage, limits, feed }) {
    Object.assign(this, { storage, limits, feed });
    this.slices = new Slices();
  }

  /** What a message says of its sender: `{ id, origin }`, or undefined when it is none of this protocol. */
  static read(message) {
    const id = own(message, "client");
    const origin = own(message, "origin");
    if (typeof id !== "string" || !CLIENT_ID.test(id) || typeof origin !== "string")
      return undefined;
    return { id, origin, version: own(message, "v") };
  }

  /**
   * @param message - what came
   * @param {boolean} isSync - whether the client waits
   * @param sender - `{ identify(stated) }`: gives the client, its rights and its budget, or undefined
   * @returns an answer, or a Promise of one when the client does not wait
   */
  answer(message, isSync, sender) {
    let reply = {};
    try {
      const stated = Server.read(message);
      if (stated === undefined) {
        throw failure("EAS_INVALID_ARGUMENT", "Not a message of electron-async-storage");
      }
      if (stated.version !== VERSION) {
        throw failure(
          "EAS_NOT_SERVED",
          `The client speaks version ${String(stated.version)} of the protocol, the server version ${VERSION}: bundle the preload from the same version of electron-async-storage.`,
        );
      }
      const known = sender.identify(stated);
      if (known === undefined) return AGAIN;
      reply = { epoch: known.client.epoch, rights: known.rights.id };
      return chainCatch(
        () => this.respond(message, isSync, known, reply),
        (error) => this.refuse(error, reply),
      );
    } catch (error) {
      return this.refuse(error, reply);
    }
  }

  refuse(error, reply) {
    return { v: VERSION, ...reply, error: toWire(error) };
  }

  respond(message, isSync, known, reply) {
    const op = own(message, "op");
    const args = own(message, "args");
    known.budget.takeCall(itemsOf(op, args));
    if (typeof op !== "string" || !Array.isArray(args)) {
      throw failure("EAS_INVALID_ARGUMENT", "Not a message of electron-async-storage");
    }
    if (isSync && ASYNC_ONLY.has(op)) {
      throw failure("EAS_SYNC_UNSUPPORTED", `${op} has no synchronous form`, { operation: op });
    }
    const finish = (ok) => ({ v: VERSION, ...reply, ok });
    if (op === "hello") return chain(this.hello(args, isSync, known), finish);
    if (op === "watch") return finish(this.feed.watch(known.client, args[0] === true));
    if (op === "pull") return this.pull(args[0], known, finish);
    if (op === "bye") return finish(known.leave?.());
    return this.operate(op, args, isSync, known, reply, finish);
  }

  operate(op, args, isSync, known, reply, finish) {
    const read = OPERATIONS.get(op);
    if (read === undefined) {
      throw failure("EAS_NOT_SERVED", `There is no ${op.slice(0, 40)} outside the main process.`, {
        operation: op.slice(0, 40),
      });
    }
    const { client, rights } = known;
    const { storage, limits } = this;
    const request = new Request({ op, storage, scope: rights.scope, client, limits, isSync });
    const run = read(request, args);
    request.judge();

    // What the client holds of the written keys is looked at when the write is done, whether it succeeded:
    // while it is under way a read may have seen it already.
    const addEntries = (answer) => {
      const entries = entriesOf(storage, rights.scope, client, request.writes);
      return entries === undefined ? answer : { ...answer, entries };
    };
    const withEntries = (answer) =>
      isSync || request.writes.length === 0
        ? addEntries(answer)
        : this.slices.take(() => addEntries(answer));
    const fail = (error) => {
      if (request.writes.length > 0) this.feed.refresh(request.writes);
      return withEntries(this.refuse(error, reply));
    };
    const done = (ok) => {
      if (op === "getKeys") known.budget.chargeItems(ok.length);
      // What a clear removed is not named: the client gets what is left.
      if (op === "clear" && client.isMirrored) {
        return chain(this.mirrorFor(client, rights.scope, known.budget, isSync), finish);
      }
      return withEntries(finish(ok));
    };
    const perform = () => chainCatch(() => chain(run(), done), fail);
    const { barrier } = client;
    if (barrier === undefined || isSync) return perform();
    return barrier.then(perform);
  }

  hello(args, isSync, known) {
    const { feed } = this;
    if (feed.isReady) return this.greet(args, isSync, known);
    const greet = () => {
      known.client.isEarly = !feed.isReady;
      return this.greet(args, isSync, known);
    };
    return isSync ? greet() : feed.readySoon().then(greet);
  }

  greet(args, isSync, { client, rights, budget }) {
    const { scope } = rights;
    // Without a word of rights the client knows that it may do nothing.
    if (scope.read.isEmpty) return {};
    client.isMirrored = !scope.sync.isEmpty;
    // What changes from here on has a number of its own; what came before is in the mirror.
    client.changes.forget();
    const ok = { isAllowed: true, limits: this.limits, last: client.changes.last };
    this.feed.watch(client, own(args[0], "isWatching") === true);
    if (!client.isMirrored) return ok;
    budget.takeMirror();
    return chain(this.mirrorFor(client, scope, budget, isSync), (mirror) => ({ ...ok, mirror }));
  }

  /** The mirror of a client as things are, which its budget is charged for. */
  mirrorFor(client, scope, budget, isSync) {
    const make = isSync ? mirrorSync : mirrorInSlices;
    return chain(make(this.storage, scope, client, this.limits), ({ bytes, ...mirror }) => {
      const keys = mirror.slices.reduce((sum, [, entries]) => sum + entries.length / 4, 0);
      budget.chargeMirror(keys, bytes);
      return mirror;
    });
  }

  pull(seen, { client, rights }, finish) {
    client.isPushed = false;
    const list = client.changes.since(seen);
    const { last } = client.changes;
    if (list === undefined) return finish({ isFresh: true });
    const { scope } = rights;
    const known = list.filter(({ key }) => scope.read.has(key));
    const entries = entriesOf(
      this.storage,
      scope,
      client,
      known.map(({ key }) => key),
    );
    const events = client.isWatching
      ? known.filter(({ event }) => event !== "refresh").flatMap(({ event, key }) => [event, key])
      : [];
    return { ...finish({ last, events }), entries };
  }
}

module.exports = { Server };
