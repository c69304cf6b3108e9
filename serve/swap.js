"use strict";

// `update` of a client: its function runs in the client, and what it made of a value is stored if the value is
// still that one. The storage's own condition guards against other processes.

const { chain, chainCatch } = require("./chain.js");
const { readValue, textOf } = require("./values.js");

/**
 * Replaces the value if it is the one that the client saw, else gives the one that there is. A client that
 * has seen none only reads.
 */
function swap(request, [key, seen, text, options]) {
  const name = request.keyToWrite(key);
  request.reads.push(name);
  const given = request.options(options, ["ttl"]);
  if (!request.has("getEntry")) throw request.notServed("update");
  const isRead = seen === undefined;
  const isRemoval = text === undefined || text === null;
  const value = isRead || isRemoval ? undefined : readValue(text, name, request.limits.valueBytes);

  const write = (etag) =>
    isRemoval
      ? request.call("removeItem", name, { ifMatch: etag })
      : request.call("setItem", name, value, { ...given, ifMatch: etag });

  const attempt = () =>
    chain(request.call("getEntry", name), ({ etag }) =>
      chain(request.call("getItem", name), (current) => {
        const now = textOf(current);
        if (isRead || now !== seen) return { isDone: false, text: now };
        const done = () => chain(write(etag), () => ({ isDone: true }));
        return chainCatch(done, (error) => {
          // Another one wrote in between: what is there now decides.
          if (error?.code === "EAS_CONFLICT") return attempt();
          throw error;
        });
      }),
    );
  return attempt;
}

module.exports = { swap };
