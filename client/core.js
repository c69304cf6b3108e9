// What the modules of the facade ask the native core for, in JavaScript: here there is no addon.

export const core = {
  normalizeKey(key) {
    const end = key.indexOf("?");
    const path = end === -1 ? key : key.slice(0, end);
    return path.replace(/[:/\\]+/g, ":").replace(/^:|:$/g, "");
  },
};
