import assert from "node:assert/strict";

export const title = "an app that imports every module runs, and ends by itself";

/** What entry.mjs prints, also when it runs from a bundle. */
export const expected = {
  when: 0,
  queued: 1,
  lite: [true],
  key: "a:b",
  error: "[electron-async-storage] [demo] no",
  imported: ["lite:theme"],
};

export function check({ node }) {
  assert.deepEqual(JSON.parse(node(["entry.mjs"])), expected);
}
