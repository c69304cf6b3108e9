"use strict";

// What changes in the served storage, brought to the clients that may know: noted under a number for each,
// and pushed as that number alone. A push may reach the next document of a frame, so it holds nothing else.

const LONGEST_WAIT_MS = 1000;
const REPEAT_MS = 200;
const MAX_REPEAT_MS = 30_000;

class Feed {
  /** @param {() => { client, rights, push }[]} recipients - those that are there now, with their rights of now */
  constructor(recipients) {
    this.recipients = recipients;
    this.pending = [];
    /** Whether the storage is watched. */
    this.isReady = false;
    this.ready = new Promise((resolve) => {
      this.setReady = resolve;
    });
    this.turn = undefined;
    this.timer = undefined;
  }

  /** When the storage is watched, or after a while: nobody waits for a driver that does not say so. */
  readySoon() {
    const late = new Promise((resolve) => {
      setTimeout(resolve, LONGEST_WAIT_MS).unref?.();
    });
    return Promise.race([this.ready, late]);
  }

  /** A change of the storage. */
  add(event, key) {
    this.pending.push({ event, key });
    this.schedule();
  }

  /** Values that may be others now, although nobody wrote: a write failed after it was seen. */
  refresh(keys) {
    for (const key of keys) this.add("refresh", key);
  }

  /** The storage is watched from now on. Clients that could not wait may have missed something. */
  start() {
    this.isReady = true;
    this.setReady();
    for (const { client } of this.recipients()) if (client.isEarly) client.changes.lose();
    this.push(({ changes, isEarly }) => isEarly && changes.last > 0);
  }

  watch(client, isWatching) {
    client.isWatching = isWatching;
  }

  schedule() {
    this.turn ??= setImmediate(() => {
      this.turn = undefined;
      this.distribute();
    });
  }

  distribute() {
    const changes = this.pending.splice(0);
    const before = new Map();
    for (const { client, rights } of this.recipients()) {
      before.set(client, client.changes.last);
      note(client, rights, changes);
    }
    this.push((client) => client.changes.last !== before.get(client));
  }

  /** Pushes to those clients. What never arrived is pushed again, ever more rarely. */
  push(isMeant, repeatMs = REPEAT_MS) {
    let isAnyPushed = false;
    for (const { client, rights, push } of this.recipients()) {
      if (rights.scope.read.isEmpty || !isMeant(client)) continue;
      client.isPushed = true;
      isAnyPushed = true;
      push(client.changes.last);
    }
    if (!isAnyPushed || repeatMs > MAX_REPEAT_MS) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.push(({ isPushed }) => isPushed, repeatMs * 2);
    }, repeatMs);
    this.timer.unref?.();
  }

  close() {
    clearImmediate(this.turn);
    clearTimeout(this.timer);
    this.turn = undefined;
    this.timer = undefined;
    this.schedule = () => {};
    this.push = () => {};
  }
}

function note(client, { scope }, changes) {
  // A document that may see nothing at the moment has missed something when it may again.
  if (scope.read.isEmpty) {
    if (changes.length > 0) client.changes.lose();
    return;
  }
  for (const { event, key } of changes) {
    if (key.endsWith("$")) continue;
    const isWanted = client.isWatching
      ? scope.read.has(key)
      : client.isMirrored && scope.sync.has(key);
    if (isWanted) client.changes.add(event, key);
  }
}

module.exports = { Feed };
