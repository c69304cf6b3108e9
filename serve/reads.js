"use strict";

// What a client may ask to read. Each function reads its arguments and gives what is to be done once every
// key is judged.

const { chain } = require("./chain.js");
const { listKeys } = require("./listing.js");
const { readEntry } = require("./mirror.js");
const { textOf, rawTo } = require("./values.js");
const { failure, own } = require("./shared.js");

const isBytes = (value) => ArrayBuffer.isView(value);

module.exports = {
  hasItem(request, [key, options]) {
    const name = request.keyToRead(key);
    request.noOptions(options);
    return () => request.call("hasItem", name);
  },

  getItem(request, [key, options]) {
    const name = request.keyToRead(key);
    request.noOptions(options);
    return () => chain(request.call("getItem", name), textOf);
  },

  getItems(request, [items, options]) {
    request.noOptions(options);
    const names = request.list(items, "items").map((item) => {
      if (typeof item === "string") return request.keyToRead(item);
      request.noOptions(own(item, "options"));
      return request.keyToRead(own(item, "key"));
    });
    return () =>
      chain(request.call("getItems", names), (items) => items.map(({ value }) => textOf(value)));
  },

  getItemRaw(request, [key, options]) {
    const name = request.keyToRead(key);
    request.noOptions(options);
    return () => chain(request.call("getItemRaw", name), (raw) => rawTo(raw, name));
  },

  getEntry(request, [key, options]) {
    const name = request.keyToRead(key);
    request.noOptions(options);
    return () =>
      chain(request.call("getEntry", name), ({ value, etag }) => ({ text: textOf(value), etag }));
  },

  /** The state and the text of a key of a mirror. */
  readSync(request, [key]) {
    const name = request.keyToRead(key);
    return () => {
      if (!request.scope.sync.has(name)) {
        throw failure(
          "EAS_SYNC_UNSUPPORTED",
          `getItemSync of ${JSON.stringify(name)} cannot answer at once: give the key a rule with \`sync: true\` in serveStorage, or use the Promise form.`,
          { key: name, operation: "getItemSync" },
        );
      }
      const [, state, text] = readEntry(request.storage, name);
      return [state, text];
    };
  },

  getMeta(request, [key, options]) {
    const name = request.keyToRead(key);
    const given = request.options(options, ["nativeOnly"], "nativeOnly");
    return () =>
      chain(request.call("getMeta", name, given), (meta) => {
        const plain = {};
        for (const field of Object.keys(meta ?? {})) {
          const value = meta[field];
          if (typeof value !== "function" && !isBytes(value)) plain[field] = value;
        }
        return textOf(plain);
      });
  },

  getKeys(request, [base, options]) {
    const under = request.base(base);
    const maxDepth = own(request.options(options, ["maxDepth"]), "maxDepth");
    return () =>
      listKeys(request.storage, request.scope.read, under, { isSync: request.isSync, maxDepth });
  },
};
