// The algebra of keys.

// Most keys are in normal form; telling is cheaper than asking the native core.
const NOT_NORMAL = /[?/\\]|::|^:|:$/;

export function normalizeKey(key) {
  if (key === undefined || key === null || key === "") return "";
  return NOT_NORMAL.test(key) ? core.normalizeKey(key) : key;
}

export function normalizeBaseKey(base) {
  const key = normalizeKey(base);
  return key ? `${key}:` : "";
}

export function joinKeys(...keys) {
  return normalizeKey(keys.join(":"));
}

export function filterKeyByDepth(key, depth) {
  return depth === undefined || key.split(":").length - 1 <= depth;
}

export function filterKeyByBase(key, base) {
  return (!base || key.startsWith(base)) && !key.endsWith("$");
}
