// What a storage should hold: one plain Map for each mount.

const depthOf = (key) => key.split(":").length - 1;

/** A storage in Maps, with the rules of mounts, of read-only drivers and of those that refuse `clear`. */
export class Model {
  /** By base, which is empty or ends in `:`: `flag`, `"readOnly"` or `"noClear"` or none, and the values by full key. */
  #mounts = new Map();
  /** Custom metadata by key, and the keys of which it is unknown whether there is any. */
  #meta = new Map();
  #unknownMeta = new Set();
  /** The keys that were removed at any time. */
  #removed = new Set();

  constructor(mounts) {
    for (const { base, flag } of mounts) this.#mounts.set(base, { flag, items: new Map() });
  }

  baseOf(key) {
    const bases = [...this.#mounts.keys()].filter((base) => key.startsWith(base));
    return bases.reduce((longest, base) => (base.length > longest.length ? base : longest));
  }

  #mountOf(key) {
    return this.#mounts.get(this.baseOf(key));
  }

  isReadOnly(key) {
    return this.#mountOf(key).flag === "readOnly";
  }

  wasRemoved(key) {
    return this.#removed.has(key);
  }

  /** Puts items where a mount begins with them, by relative key. */
  fill(base, items) {
    this.#mounts.get(base).items.clear();
    for (const key of [...this.#meta.keys(), ...this.#unknownMeta]) {
      if (this.baseOf(key) === base) this.#forgetMeta(key);
    }
    for (const [key, value] of Object.entries(items)) {
      // What an inner mount hides is not there.
      if (this.baseOf(base + key) === base) this.#mountOf(base + key).items.set(base + key, value);
    }
  }

  has(key) {
    return this.#mountOf(key).items.has(key);
  }

  get(key) {
    return this.#mountOf(key).items.get(key) ?? null;
  }

  set(key, value) {
    if (value === undefined) this.remove(key, false);
    else if (!this.isReadOnly(key)) this.#mountOf(key).items.set(key, value);
  }

  remove(key, withMeta) {
    if (this.isReadOnly(key)) return;
    this.#removed.add(key);
    this.#mountOf(key).items.delete(key);
    if (withMeta) this.#forgetMeta(key);
  }

  keys(base = "", maxDepth = Number.POSITIVE_INFINITY) {
    return [...this.#mounts.values()]
      .flatMap(({ items }) => [...items.keys()])
      .filter((key) => key.startsWith(base) && depthOf(key) <= maxDepth)
      .sort();
  }

  clear(base) {
    const isCleared = (key) => key.startsWith(base) && !this.#mountOf(key).flag;
    for (const key of this.keys(base).filter(isCleared)) this.remove(key, true);
    // Metadata without an item may go or stay.
    for (const key of this.#meta.keys()) if (isCleared(key)) this.#unknownMeta.add(key);
  }

  setMeta(key, meta) {
    if (this.isReadOnly(key)) return;
    this.#unknownMeta.delete(key);
    this.#meta.set(key, meta);
  }

  #forgetMeta(key) {
    this.#unknownMeta.delete(key);
    this.#meta.delete(key);
  }

  removeMeta(key) {
    if (!this.isReadOnly(key)) this.#forgetMeta(key);
  }

  /** The custom metadata of a key; undefined when it is not known. */
  meta(key) {
    return this.#unknownMeta.has(key) ? undefined : (this.#meta.get(key) ?? {});
  }
}
