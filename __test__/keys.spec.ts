// The key algebra that the package exports.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createStorage,
  filterKeyByBase,
  filterKeyByDepth,
  joinKeys,
  normalizeBaseKey,
  normalizeKey,
  utils,
} from "./helpers/package.js";

const FORMS: [given: string, normal: string][] = [
  ["", ""],
  ["a", "a"],
  ["a:b", "a:b"],
  ["a/b\\c", "a:b:c"],
  ["::a:::b::", "a:b"],
  ["/a//b/", "a:b"],
  ["a?b:c", "a"],
  ["?", ""],
  ["a:?b", "a"],
  ["a?b?c", "a"],
  [":", ""],
  ["\\/:", ""],
  ["a b:c.d", "a b:c.d"],
  ["ключ/é", "ключ:é"],
  ["a$", "a$"],
  ["..", ".."],
];

describe("normalizeKey", () => {
  it.each(FORMS)("%j becomes %j", (given, normal) => {
    expect(normalizeKey(given)).toBe(normal);
    expect(utils.normalizeKey(given)).toBe(normal);
  });

  it("gives the empty key for nothing", () => {
    expect(normalizeKey(undefined)).toBe("");
    expect(normalizeKey(null as any)).toBe("");
    expect(normalizeKey()).toBe("");
  });

  it("is what a storage does to its keys", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (key) => {
        const normal = normalizeKey(key);
        expect(normalizeKey(normal)).toBe(normal);
        expect(normal).not.toMatch(/^:|:$|::|[?/\\]/);
        if (normal === "" || normal.endsWith("$")) return;
        const storage = createStorage();
        storage.setItemSync(key, 1);
        expect(storage.getKeysSync()).toEqual([normal]);
      }),
    );
  });

  it("takes another separator in the drivers' utils", () => {
    expect(utils.normalizeKey("a/b\\c?d", "/")).toBe("a/b/c");
    expect(utils.normalizeKey("::a", ":")).toBe("a");
  });
});

describe("normalizeBaseKey", () => {
  it.each([
    ["", ""],
    [":", ""],
    ["a", "a:"],
    ["a:", "a:"],
    ["/a/b//", "a:b:"],
    ["a?b", "a:"],
  ])("%j becomes %j", (given, base) => {
    expect(normalizeBaseKey(given)).toBe(base);
  });

  it("gives the empty base for nothing", () => {
    expect(normalizeBaseKey(undefined)).toBe("");
  });
});

describe("joinKeys", () => {
  it.each([
    [["a", "b"], "a:b"],
    [["a:", ":b", "c/d"], "a:b:c:d"],
    [["", "a", "", "b", ""], "a:b"],
    [[], ""],
    [["a"], "a"],
  ] as [string[], string][])("%j becomes %j", (parts, key) => {
    expect(joinKeys(...parts)).toBe(key);
    expect(utils.joinKeys(...parts)).toBe(key);
  });
});

describe("the filters", () => {
  it.each([
    ["a", 0, true],
    ["a:b", 0, false],
    ["a:b", 1, true],
    ["a:b:c", 1, false],
    ["a:b:c", 2, true],
    ["a:b:c", undefined, true],
  ] as const)("depth of %j within %j: %j", (key, depth, expected) => {
    expect(filterKeyByDepth(key, depth)).toBe(expected);
  });

  it.each([
    ["a:b", "a:", true],
    ["ab", "a:", false],
    ["a:b$", "a:", false],
    ["a:b", "", true],
    ["a:b", undefined, true],
    ["a$", undefined, false],
  ] as const)("%j under %j: %j", (key, base, expected) => {
    expect(filterKeyByBase(key, base)).toBe(expected);
  });
});
