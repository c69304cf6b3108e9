// A view of a client's storage under a base.

import { normalizeBaseKey, normalizeKey } from "../src/js/keys.js";

const ITEM = /^(?:get|set|has|del|remove|update)/;
const BATCH = /^[gs]etItems/;
const LISTING = /^(?:getKeys|keys)/;
const UNDER = /^(?:clear|flush)/;

/** Calls `use` with a result at once, or when its Promise has one. */
const after = (result, use) => (result instanceof Promise ? result.then(use) : use(result));

export function prefixStorage(storage, givenBase) {
  const base = normalizeBaseKey(givenBase);
  if (!base) return storage;

  // A key that names nothing must not become the key of the base itself.
  const full = (key) => (normalizeKey(key) === "" ? "" : base + key);
  const relative = (key) => (key.startsWith(base) ? key.slice(base.length) : key);
  const fullItem = (item) =>
    typeof item === "string" ? full(item) : { ...item, key: full(item?.key) };
  const relativeItem = (item) => ({ ...item, key: relative(item.key) });
  const under = (key) => base + normalizeKey(key);

  // Depth counts on the key as the caller sees it.
  const deeper = (opts) =>
    opts?.maxDepth === undefined
      ? opts
      : { ...opts, maxDepth: opts.maxDepth + base.split(":").length - 1 };

  function viewOf(name, method) {
    if (BATCH.test(name)) {
      return (items, opts) =>
        after(method(Array.isArray(items) ? items.map(fullItem) : items, opts), (found) =>
          found?.map(relativeItem),
        );
    }
    if (LISTING.test(name)) {
      return (key, opts) => after(method(under(key), deeper(opts)), (keys) => keys.map(relative));
    }
    if (UNDER.test(name)) return (key, opts) => method(under(key), opts);
    if (/^getEntry/.test(name)) return (key, opts) => after(method(full(key), opts), relativeItem);
    if (name === "watch") {
      return (callback) =>
        method(
          typeof callback === "function" &&
            ((event, key) => key.startsWith(base) && callback(event, relative(key))),
        );
    }
    if (name === "atomic") return () => groupView(method());
    return ITEM.test(name) ? (key, ...rest) => method(full(key), ...rest) : method;
  }

  function groupView(group) {
    const view = {};
    for (const name of ["check", "set", "remove"]) {
      view[name] = (key, ...rest) => {
        group[name](full(key), ...rest);
        return view;
      };
    }
    const result = (outcome) =>
      outcome.conflicts ? { ...outcome, conflicts: outcome.conflicts.map(relative) } : outcome;
    for (const name of ["commit", "commitSync"]) view[name] = () => after(group[name](), result);
    return view;
  }

  const entries = Object.entries(storage).map(([name, method]) => [name, viewOf(name, method)]);
  return Object.fromEntries(entries);
}
