// Arguments of calls, and errors for wrong ones.

export function readBatch(items, commonOptions) {
  if (!Array.isArray(items)) {
    throw Object.assign(
      new TypeError(
        `[electron-async-storage] Invalid items: expected an array, got ${describe(items)}`,
      ),
      { code: "EAS_INVALID_ARGUMENT" },
    );
  }
  /** @type {any[] | undefined} */
  let options;
  const keys = items.map((item, index) => {
    if (typeof item === "string") return item;
    if (item === null || typeof item !== "object") return item;
    if (item.options !== undefined && item.options !== null) {
      options ??= new Array(items.length);
      options[index] = commonOptions ? { ...commonOptions, ...item.options } : item.options;
    }
    return item.key;
  });
  return { keys, options };
}

export function describe(value) {
  if (value === null) return "null";
  return typeof value === "object" ? "an object" : typeof value;
}

export function wrongArgument(what, expected, given, operation) {
  return Object.assign(
    new TypeError(
      `[electron-async-storage] Invalid ${what}: expected ${expected}, got ${describe(given)}`,
    ),
    { code: "EAS_INVALID_ARGUMENT", operation },
  );
}

/** Refuses what is no storage: it lacks the method that the operation calls first. */
export function checkStorage(given, method, operation) {
  if (typeof given?.[method] !== "function") {
    throw wrongArgument("storage", "a storage", given, operation);
  }
}
