// The format of stored values, for programs.

import superjson from "superjson";
import { describe, expect, it } from "vitest";
import { failureOf } from "./helpers/modes.js";
import { builtin, createStorage, parse, stringify } from "./helpers/package.js";

const shared = { n: 1 };

describe.each<[title: string, value: any]>([
  ["a record", { a: 1, b: [true, null, "x"] }],
  ["a Date", new Date(5)],
  ["a Map of Sets", new Map([["a", new Set([1n])]])],
  ["special numbers", [Number.NaN, Infinity, -0]],
  ["shared references", { one: shared, other: shared }],
  ["null", null],
  ["undefined", undefined],
])("%s", (_title, value) => {
  it("goes to the text of superjson and back", () => {
    expect(JSON.parse(stringify(value))).toEqual(JSON.parse(superjson.stringify(value)));
    expect(parse(stringify(value))).toEqual(value);
    expect(superjson.parse(stringify(value))).toEqual(value);
  });
});

it("the text is the one that a driver sees", async () => {
  const driver = builtin("memory");
  const storage = createStorage({ driver });
  const value = { at: new Date(5), name: "ж" };
  await storage.setItem("a", value);
  expect(await driver.getItem("a")).toBe(stringify(value));
  await driver.setItem("b", stringify(value));
  expect(await storage.getItem("b")).toEqual(value);
});

it("each parse gives a new value", () => {
  const text = stringify({ list: [1] });
  expect(parse(text)).not.toBe(parse(text));
});

it("JSON without an envelope, a mark in front and the members of time are read", () => {
  expect(parse('{"theme":"dark"}')).toEqual({ theme: "dark" });
  expect(parse("\ufeff[1]")).toEqual([1]);
  expect(parse('{"expires":5,"json":1,"fresh":3}')).toBe(1);
});

it("a value that cannot be stored is refused", async () => {
  for (const value of [() => 1, Symbol("x"), Promise.resolve(1)]) {
    expect((await failureOf(() => stringify(value as any))).code).toBe("EAS_INVALID_VALUE");
  }
});

it.each(["", "{oops", '{"json":1,"meta":{"values":["set"],"v":1}}'])(
  "text that holds no value is an error: %j",
  async (text) => {
    const error = await failureOf(() => parse(text));
    expect(error).toMatchObject({ code: "EAS_CORRUPT_VALUE", operation: "parse" });
  },
);

it.each([undefined, null, 5, Buffer.from("1")])("what is no text is an error: %j", async (text) => {
  expect((await failureOf(() => parse(text as any))).code).toBe("EAS_INVALID_ARGUMENT");
});

describe("a number or a boolean", () => {
  const texts = ["0", "-0", "7", "-7", "123456789012345", "1234567890123456", "-999999999999999"];
  texts.push("12345678901234567890", "1e3", "0.5", "-1.25e-7", "true", "false", "null");

  it.each(texts)("%s reads as JSON has it", async (json) => {
    const driver = builtin("memory");
    const storage = createStorage({ driver });
    const expected = JSON.parse(json);
    for (const text of [`{"json":${json}}`, json]) {
      await driver.setItem("a", text);
      expect(storage.getItemSync("a"), text).toBe(expected);
      expect(await storage.getItem("a"), text).toBe(expected);
      storage.updateSync("a", (found) => {
        expect(found, text).toBe(expected);
        return found;
      });
    }
  });

  it.each(["01", "-", "-01", "--1", "+1", "1x", "truex", "1,2", "1.", ".5"])(
    "%s is corrupt",
    async (json) => {
      const driver = builtin("memory");
      const storage = createStorage({ driver });
      await driver.setItem("a", `{"json":${json}}`);
      expect(storage.getItemSync("a")).toBeNull();
    },
  );
});
