// Patterns of keys, against regular expressions.

import fc from "fast-check";
import { expect, it } from "vitest";
// @ts-expect-error a module without declarations
import { keyPattern } from "../src/js/storage/key-patterns.js";

const SOURCES: Record<string, string> = { "*": "[^:]+", "**": "[^:]+(?::[^:]+)*" };

it("a pattern fits what the regular expression of its parts fits", () => {
  const parts = fc.array(fc.constantFrom("a", "b", "*", "**"), { minLength: 1, maxLength: 6 });
  const segments = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(parts, segments, (pattern, key) => {
      const source = pattern.map((part) => SOURCES[part] ?? part).join(":");
      const isFitting = new RegExp(`^${source}$`).test(key.join(":"));
      expect(keyPattern(pattern.join(":"))?.(key.join(":"))).toBe(isFitting);
    }),
    { numRuns: 2_000 },
  );
});

it.each(["a*", "*a", "a:b*c", "***", "a:***:b"])("%s has a * inside a segment", (pattern) => {
  expect(keyPattern(pattern)).toBeUndefined();
});

it("many ** in a pattern take no time that grows with their number", () => {
  const pattern = keyPattern(`${"**:a:".repeat(30)}z`);
  expect(pattern?.(Array.from({ length: 2_000 }, () => "a").join(":"))).toBe(false);
});
