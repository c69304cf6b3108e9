// What a storage should hold: one plain Map for each mount.

const depthOf = (key) => key.split(":").length - 1;

/** A storage in Maps, with the rules of mounts and no others. */
export class Model {
  /** By base, which is empty or ends in `:`: the values by full key. */
  #mounts = new Map();
  /** Custom metadata by key, and the keys of which it is unknown whether there is any. */
  #meta = new Map();
  #unknownMeta = new Set();

  constructor(bases) {
    for (const base of bases) this.#mounts.set(base, new Map());
  }

  baseOf(key) {
    const bases = [...this.#mounts.keys()].filter((base) => key.startsWith(base));
    return bases.reduce((longest, base) => (base.length > longest.length ? base : longest));
  }

  #itemsOf(key) {
    return this.#mounts.get(this.baseOf(key));
  }

  has(key) {
    return this.#itemsOf(key).has(key);
  }

  get(key) {
    return this.#itemsOf(key).get(key) ?? null;
  }

  set(key, value) {
    if (value === undefined) this.remove(key, false);
    else this.#itemsOf(key).set(key, value);
  }

  remove(key, withMeta) {
    this.#itemsOf(key).delete(key);
    if (withMeta) this.#forgetMeta(key);
  }

  keys(base = "", maxDepth = Number.POSITIVE_INFINITY) {
    return [...this.#mounts.values()]
      .flatMap((items) => [...items.keys()])
      .filter((key) => key.startsWith(base) && depthOf(key) <= maxDepth)
      .sort();
  }

  clear(base) {
    for (const key of this.keys(base)) this.remove(key, true);
    // Metadata without an item may go or stay.
    for (const key of this.#meta.keys()) if (key.startsWith(base)) this.#unknownMeta.add(key);
  }

  setMeta(key, meta) {
    this.#unknownMeta.delete(key);
    this.#meta.set(key, meta);
  }

  #forgetMeta(key) {
    this.#unknownMeta.delete(key);
    this.#meta.delete(key);
  }

  removeMeta(key) {
    this.#forgetMeta(key);
  }

  /** The custom metadata of a key; undefined when it is not known. */
  meta(key) {
    return this.#unknownMeta.has(key) ? undefined : (this.#meta.get(key) ?? {});
  }
}
