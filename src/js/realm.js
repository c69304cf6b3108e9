// The realm of the core, where these modules run in another one: in Jest, or in a context of `node:vm`.

export const isGuest = Object.getPrototypeOf(core.calls) !== Array.prototype;

/** Has the lists of keys that an object's methods give belong to this realm. */
export function takeHome(object) {
  const { getKeys, getKeysSync } = object;
  object.getKeys = async (base, opts) => Array.from(await getKeys(base, opts));
  object.getKeysSync = (base, opts) => Array.from(getKeysSync(base, opts));
}
