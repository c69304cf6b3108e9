import assert from "node:assert/strict";

export const title = "a worker thread, a second context of the addon, reads with getItemSync";

export function check({ node }) {
  const answer = JSON.parse(node(["worker.mjs"]));
  assert.deepEqual(answer, { name: "dark", since: 7, written: "yes" });
}
