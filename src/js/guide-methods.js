// Methods that the guide of the TypeScript package tells its users to call in the hooks of a migration.

/** Puts them on a storage, where they do not show. */
export function withGuideMethods(storage) {
  const { getItem, setItem } = storage;
  return Object.defineProperties(storage, {
    _getItemInternal: { value: (key, opts) => getItem(key, opts), configurable: true },
    _setItemInternal: {
      value: (key, value, opts) => setItem(key, value, opts),
      configurable: true,
    },
  });
}
