// Metadata of items.

const META_NAMES = ["atime", "mtime", "ctime", "birthtime", "size", "ttl"];

// Metadata as the native core gives it: an array of numbers, or a user's driver's own object.
export function readMeta(native) {
  if (!Array.isArray(native)) return native ?? null;
  const meta = {};
  META_NAMES.forEach((name, index) => {
    const value = native[index];
    if (value !== undefined) meta[name] = index < 4 ? new Date(value) : value;
  });
  return meta;
}
