"use strict";

// What has to be looked at before calls are answered, in slices: a driver may finish hundreds of writes at
// once, and the other work of the main process runs in between.

const LONGEST_SLICE_MS = 4;

class Slices {
  constructor() {
    this.waiting = [];
    /** When the slice that is under way ends. */
    this.end = undefined;
  }

  /** What `work` gives: now, or a Promise when it has to wait for its slice. Nothing overtakes. */
  take(work) {
    if (this.waiting.length === 0 && this.hasTime()) return work();
    return new Promise((resolve, reject) => {
      this.waiting.push(() => {
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  hasTime() {
    const now = performance.now();
    if (this.end === undefined) {
      this.end = now + LONGEST_SLICE_MS;
      setImmediate(() => this.begin());
    }
    return now < this.end;
  }

  begin() {
    this.end = undefined;
    while (this.waiting.length > 0 && this.hasTime()) this.waiting.shift()();
  }
}

module.exports = { Slices };
