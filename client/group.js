// `atomic()`: a group is collected here and committed in one message.

import { invalidArgument } from "./errors.js";

/** @param textOf - the text of a value */
export function makeGroup(link, textOf) {
  const operations = [];
  let isCommitted = false;

  function add(...operation) {
    operations.push(operation);
    return group;
  }

  function finish() {
    if (isCommitted) throw invalidArgument("commit", "group");
    isCommitted = true;
    return [operations];
  }

  const group = {
    check: (key, etag) => add("check", key, etag),
    set: (key, value, opts) =>
      value === undefined ? group.remove(key, opts) : add("set", key, textOf(value), opts),
    remove: (key, opts) => add("remove", key, opts),
    commit: async () => link.call("commit", finish()),
    commitSync: () => link.callSync("commit", finish()),
  };
  return group;
}
