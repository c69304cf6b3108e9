// What worker threads share with the thread that ends them: proof of what they were doing.

/** The counters of one worker, in the order of their slots. */
export const SLOTS = ["up", "begun", "done", "events", "unsettled", "queued", "caught"];

const SLOT = Object.fromEntries(SLOTS.map((name, index) => [name, index]));

/** The counters of one worker in an array that all share. */
export class Counters {
  #shared;
  #first;

  constructor(buffer, worker) {
    this.#shared = new Int32Array(buffer);
    this.#first = worker * SLOTS.length;
  }

  add(name, count = 1) {
    Atomics.add(this.#shared, this.#first + SLOT[name], count);
  }

  get(name) {
    return Atomics.load(this.#shared, this.#first + SLOT[name]);
  }

  /** Whether operations were begun that are not done. */
  get isActive() {
    return this.get("begun") > this.get("done");
  }

  clear() {
    for (const name of SLOTS) Atomics.store(this.#shared, this.#first + SLOT[name], 0);
  }

  static bytesFor(workers) {
    return workers * SLOTS.length * Int32Array.BYTES_PER_ELEMENT;
  }
}
