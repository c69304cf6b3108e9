// Which methods are the package's own, and which of them would go past a method that was replaced.
//
// A spread of a built-in driver, an object that inherits from one, a Proxy around one and one with a spy
// on it are drivers of their users. Each of their methods is used for what its name says; one of the
// package that does the work of others is used only where those are its own too.

/**
 * Reads for a copy, which leave no trace. What is no value is undefined; a null is one that is stored.
 *
 * @typedef {object} Peek
 * @property {(keys: string[]) => Promise<{ key: string, value: any }[]>} items
 * @property {(keys: string[]) => { key: string, value: any }[]} itemsSync
 */

/**
 * @typedef {object} Owner
 * @property {any} methods
 * @property {unknown} [keep]
 * @property {(base?: string) => any} [traits]
 * @property {(key: string) => boolean} [refusesClearOf] - of a storage, whose mounts may differ
 * @property {(key: string) => void} [noteCorrupt]
 * @property {(report: (key: string) => void) => object | undefined} [onExpired]
 * @property {Peek} [peek] - of a storage
 * @property {any} [commits] - of a storage, which has no such methods: `commit` and `commitSync` of its driver
 * @property {any} [plain] - the same storage without schemas and defaults
 * @property {any} [asDriver] - the driver that a storage with schemas or defaults is
 */

// By method. An owner lives as long as one of its methods does.
/** @type {WeakMap<Function, Owner>} */
const owners = new WeakMap();

const BUILT_ON = {
  getItems: ["getItem"],
  getItemsSync: ["getItemSync"],
  setItems: ["setItem"],
  setItemsSync: ["setItemSync"],
  clear: ["removeItem", "getKeys"],
  clearSync: ["removeItemSync", "getKeysSync"],
  commit: ["getItem", "setItem", "removeItem"],
  commitSync: ["getItemSync", "setItemSync", "removeItemSync"],
};

/** @param {Owner} owner */
export function own(owner) {
  for (const method of Object.values(owner.methods)) {
    if (typeof method === "function") owners.set(method, owner);
  }
}

export const ownerOf = (method) => (typeof method === "function" ? owners.get(method) : undefined);

// Whether the method is one of the package that would go past a method of the driver.
export function goesPast(driver, name) {
  const singles = BUILT_ON[name];
  if (singles === undefined) return false;
  const owner = ownerOf(driver[name]);
  return owner !== undefined && singles.some((single) => driver[single] !== owner.methods[single]);
}

/**
 * The method `commit` or `commitSync` of a driver, or what stands for it in a storage that is one; undefined where
 * it would go past a method that was replaced.
 */
export function commitOf(driver, name) {
  if (typeof driver[name] === "function") {
    return goesPast(driver, name) ? undefined : driver[name];
  }
  const singles = BUILT_ON[name];
  const owner = ownerOf(driver[singles[0]]);
  if (owner?.commits === undefined) return undefined;
  const isWhole = singles.every((single) => driver[single] === owner.methods[single]);
  return isWhole ? owner.commits[name] : undefined;
}

// Whether the Sync form of a method does what the other form does: it does not where one of them was
// replaced alone.
export const areTwins = (driver, name) => ownerOf(driver[name]) === ownerOf(driver[`${name}Sync`]);

// The owner of a storage's methods, all of which are as they were made.
function ownerOfAll(storage) {
  const owner = ownerOf(storage?.getItem);
  if (owner === undefined) return undefined;
  const names = Object.keys(owner.methods);
  return names.every((name) => storage[name] === owner.methods[name]) ? owner : undefined;
}

/**
 * The storage without its schemas and defaults, for what carries old forms. Methods that its user replaced are
 * used: then it is the storage itself.
 */
export const plainOf = (storage) => ownerOfAll(storage)?.plain ?? storage;

/** How a copy reads the storage; undefined where its user replaced a method, and for all others. */
export const peekOf = (storage) => ownerOfAll(storage)?.peek;

/** The driver that a storage with schemas or defaults is; undefined for all others. */
export const driverOf = (storage) => ownerOfAll(storage)?.asDriver;
