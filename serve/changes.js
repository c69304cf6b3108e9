"use strict";

// The changes that one client has not fetched yet, each with its number. The numbers count what the client
// may know of, so that they tell nothing of other keys.

const KEPT = 1000;

class Changes {
  constructor() {
    /** The number of the last change. */
    this.last = 0;
    /** Changes up to this number are no longer kept. */
    this.dropped = 0;
    this.list = [];
  }

  /** @param {"update" | "remove" | "refresh"} event - refresh: the value may be another one, without a write */
  add(event, key) {
    this.last++;
    if (this.list.length >= KEPT) this.forget();
    else this.list.push({ number: this.last, event, key });
  }

  /** Something happened that is not known: the client has to look at everything again. */
  lose() {
    this.last++;
    this.forget();
  }

  forget() {
    this.list = [];
    this.dropped = this.last;
  }

  /** What came after a number, or undefined when that is no longer known. */
  since(seen) {
    if (!Number.isSafeInteger(seen) || seen < this.dropped || seen > this.last) return undefined;
    while (this.list.length > 0 && this.list[0].number <= seen) this.list.shift();
    if (seen > this.dropped) this.dropped = seen;
    return this.list;
  }
}

module.exports = { Changes };
