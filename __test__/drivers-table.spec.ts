// A driver is one Rust file, one row of the table and one module under drivers/: none is forgotten.

import { describe, expect, it } from "vitest";
// @ts-expect-error: a script of the repository, without types of its own
import { check, collect } from "../scripts/check-drivers.mjs";

describe("the places where a driver shows", () => {
  it("agree", () => {
    expect(check(collect())).toEqual([]);
  });

  it.each([
    ["builtinDrivers", { builtinDrivers: {} }],
    ["the folder", { files: [] }],
    ["package.json", { exports: {} }],
    ["the types", { types: "" }],
  ])("are told apart when %s lacks them", (_, lacking) => {
    const found: string[] = check({ ...collect(), ...lacking });
    expect(found.length).toBeGreaterThan(0);
    for (const difference of found) expect(difference).toContain("lacks the driver");
  });

  it("are told apart when one has more", () => {
    const { files, ...rest } = collect();
    expect(check({ ...rest, files: [...files, "redis.js"] })).toEqual([
      'the folder drivers/ (*.js) has "redis", which the table has not',
    ]);
  });
});
