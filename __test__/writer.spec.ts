// Plain values are written to memory that the native core reads. Whatever the writer takes on, the
// text is that of the codec.

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { syncMethodsDriver } from "./helpers/js-drivers.js";
import { createStorage } from "./helpers/package.js";
import { type Handed, loadCodec, loadWriter, storable } from "./helpers/values.js";

const codec = loadCodec();
const memory = new ArrayBuffer(4096);
const { hand, handAll } = loadWriter(codec.pack, memory);

const textAt = (from: number, length: number) => Buffer.from(memory, from, length).toString("utf8");

function textOf(handed: Handed): string {
  if (typeof handed === "number") return textAt(0, handed);
  return handed[0] === "\0" ? handed.slice(1) : `{"json":${handed}}`;
}

/** Says whether the writer took it on; after values that it did not, it tries fewer. */
function written(value: unknown): boolean {
  for (let i = 0; i < 32; i++) if (typeof hand(value) === "number") return true;
  return false;
}

const plainNumbers = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.tuple(fc.maxSafeInteger(), fc.integer({ min: 0, max: 12 })).map(([n, d]) => n / 10 ** d),
  fc.tuple(fc.integer(), fc.integer({ min: 0, max: 8 })).map(([n, d]) => n / 10 ** d),
);

describe("what is handed over", () => {
  it("is the text of the codec, for generated values", () => {
    fc.assert(
      fc.property(storable(), (value) => {
        expect(textOf(hand(value))).toBe(codec.encode(value));
      }),
      { numRuns: 3000 },
    );
  });

  it("is the text of the codec, for generated JSON", () => {
    const json = fc.jsonValue({ stringUnit: "binary", noUnicodeString: false } as object);
    fc.assert(
      fc.property(json, (value) => {
        expect(textOf(hand(value))).toBe(codec.encode(value));
      }),
      { numRuns: 3000 },
    );
  });

  it("is the text of the codec, whichever of many objects are shared", () => {
    const place = fc.tuple(fc.nat(60), fc.constantFrom("list", "record"));
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(60)), fc.array(place, { size: "large" }), (own, places) => {
        const objects = Array.from({ length: 61 }, (_, i) => (i % 2 === 0 ? { i } : [i]));
        // Each once, but for some that may stand at several places.
        const value = places.map(([i, kind], at) => {
          const object = own.includes(i) ? objects[i] : { at };
          return kind === "list" ? [object] : { object };
        });
        expect(textOf(hand(value))).toBe(codec.encode(value));
      }),
      { numRuns: 1000 },
    );
  });

  it("has every character as JSON has it", () => {
    for (let unit = 0; unit < 0x10000; unit += unit < 0x900 || (unit & 0xff) > 0xfb ? 1 : 61) {
      const character = String.fromCharCode(unit);
      const value = [`a${character}b`, character, `${character}\ude00`, `\ud83d${character}`];
      expect(textOf(hand(value))).toBe(codec.encode(value));
    }
    for (const character of ["\x7f", "\x80", "ÿ", "\u07ff", "\u0800", "\uffff", "😀", "\ud83d"]) {
      const value = {
        [character]: 1,
        [`a${character}`]: character,
        [`abc${character}d`]: { x: 2 },
      };
      expect(textOf(hand(value))).toBe(codec.encode(value));
    }
  });

  it("has numbers as JSON has them", () => {
    fc.assert(
      fc.property(fc.array(plainNumbers, { maxLength: 8 }), (numbers) => {
        expect(textOf(hand(numbers))).toBe(codec.encode(numbers));
      }),
      { numRuns: 5000 },
    );
    const edges = [1e-6, 1.5e-6, 9.9e-7, 1e-7, 0.1 + 0.2, 999_999_999.999_999, 1e9, 1e15, 1e21];
    for (const edge of [...edges, 5e-324, Number.MAX_VALUE, 2 ** 31, 2 ** 53, 123456789.0000001]) {
      for (const number of [edge, -edge, edge - 1, edge + 1, edge / 3, edge * 1.000001]) {
        expect(textOf(hand([number]))).toBe(codec.encode([number]));
      }
    }
  });

  it.each([
    ["an empty record", {}],
    ["an empty list", []],
    ["one byte a character", { ü: 'é"\\ÿ\u007f\u00a0' }],
    ["names in the order of indexes", { b: 1, 2: 2, 1: 3 }],
    ["a name that would be a prototype", JSON.parse('{"__proto__":{"__proto__":1},"a":[]}')],
    ["no prototype", Object.assign(Object.create(null), { a: 1 })],
    ["all kinds of plain values", { s: "", n: 0, t: true, f: false, z: null, l: [[], {}, -1.5] }],
    ["many numbers", Array.from({ length: 500 }, (_, i) => i)],
    ["many containers", Array.from({ length: 300 }, (_, i) => (i % 2 === 0 ? [i] : { i }))],
    ["a long string", ["x".repeat(1000)]],
    ["a long string of wide characters", ["ж".repeat(400)]],
    ["long lines", [`${'a "line"\n'.repeat(60)}\\`, "after"]],
    [
      "characters of two, three and four bytes",
      { жук: "жук €uro 漢字 😀", "😀": ["\uffff\ud7ff\ue000"] },
    ],
    ["long names", { ["x".repeat(500)]: 1, ["ж".repeat(200)]: { ["y".repeat(200)]: 2 } }],
    ["lines", { text: 'a\n\tb\r\n"c"\b\f\\' }],
  ])("stands in memory: %s", (_, value) => {
    expect(written(value)).toBe(true);
    expect(textOf(hand(value))).toBe(codec.encode(value));
  });

  const many = Array.from({ length: 100 }, () => ({}));
  const ring: unknown[] = [...many];
  ring.push(ring);
  const shared = { a: 1 };
  const cycle: unknown[] = [];
  cycle.push({ cycle });
  it.each([
    ["control characters", ["\u0001"]],
    ["the first half of a pair", ["a\ud83d"]],
    ["the second half of a pair", ["\ude00a"]],
    ["halves in the wrong order", ["\ude00\ud83d"]],
    ["undefined", [undefined]],
    ["a hole", Object.assign([1], { 2: 2 })],
    ["negative zero", [-0]],
    ["NaN", { a: Number.NaN }],
    ["a bigint", [1n]],
    ["a Date", { d: new Date(0) }],
    ["a toJSON method", { a: { toJSON: () => 1 } }],
    ["a list with a toJSON method", Object.assign([1], { toJSON: () => 2 })],
    ["a shared object", [shared, shared]],
    ["a cycle", cycle],
    ["a shared object among many", [...many, { many }, many[30]]],
    ["a cycle among many", ring],
    ["a long string", ["x".repeat(3000)]],
    ["a long string with half a pair", [`${"x".repeat(400)}\ud83d`]],
    ["a long string with a replaced half", [`${"x".repeat(400)}\ufffd`]],
    ["a long string with a control character", [`\u0001${"x".repeat(400)}`]],
    ["a long name", { ["x".repeat(3000)]: 1 }],
    ["more than there is memory", Array.from({ length: 5000 }, (_, i) => i)],
    ["great depth", JSON.parse("[".repeat(200) + "]".repeat(200))],
  ])("is left to the codec: %s", (_, value) => {
    expect(written(value)).toBe(false);
    expect(textOf(hand(value))).toBe(codec.encode(value));
  });

  it("is the text of the codec at every end of memory", () => {
    for (let length = 3700; length < 4200; length++) {
      const values = [
        Array.from({ length: length / 40 }, () => "x".repeat(37)),
        { a: [length, "x".repeat(length % 90)], list: Array.from({ length: length / 2 }, () => 1) },
        Array.from({ length: length / 22 }, () => -1.234567890123456e-300),
        Array.from({ length: length / 5 }, () => null),
        Object.fromEntries(
          Array.from({ length: length / 30 }, (_, i) => [`a name of some length ${i}`, 1]),
        ),
      ];
      for (const value of values) expect(textOf(hand(value))).toBe(codec.encode(value));
    }
  });

  it("reaches a driver as the text of the codec, however long its strings are", () => {
    const texts = new Map<string, string>();
    const storage = createStorage<any>({ driver: syncMethodsDriver(texts) });
    const marks = [
      "",
      '"',
      "\\",
      "\n\r\t\b\f",
      "\u0001",
      "\u007f",
      "ж",
      "｡",
      "漢字",
      "😀",
      "\ud83d",
      "\ufffd",
    ];
    for (const length of [250, 255, 256, 257, 263, 264, 300, 2047, 2048, 5000, 70_000, 100_000]) {
      for (const mark of marks) {
        const filling = "words of a text ".repeat(length / 16 + 1).slice(0, length);
        for (const text of [mark + filling, filling + mark, filling.replaceAll("t", mark)]) {
          const value = { text, after: [1, text.length] };
          storage.setItemSync("key", value);
          expect(texts.get("key") === codec.encode(value), `${length} of ${mark}`).toBe(true);
        }
      }
    }
  });

  it("is that of the value around, whatever its getters store", () => {
    const inner = { stored: ["by a getter", 1, 2, 3] };
    const value = {
      first: "value",
      get second() {
        expect(textOf(hand(inner))).toBe(codec.encode(inner));
        handAll([{ value: inner }, { value: inner }], (texts) =>
          expect(texts.map(Number)).toEqual([NaN, NaN]),
        );
        return "second value";
      },
      third: { fourth: 4 },
    };
    for (let i = 0; i < 32; i++) {
      expect(textOf(hand(value))).toBe(
        '{"json":{"first":"value","second":"second value","third":{"fourth":4}}}',
      );
    }
  });

  it("is right after a getter that throws", () => {
    const failing = {
      a: [{}],
      get b() {
        throw new Error("no value");
      },
    };
    for (let i = 0; i < 50; i++) {
      expect(() => hand(failing)).toThrow("no value");
      expect(textOf(hand({ a: [{}, i] }))).toBe(`{"json":{"a":[{},${i}]}}`);
    }
  });

  it("leaves out what other code gave to all objects", () => {
    onTestFinished(() => {
      Reflect.deleteProperty(Object.prototype, "everywhere");
    });
    (Object.prototype as any).everywhere = "everywhere";
    expect(textOf(hand({ a: { b: 1 } }))).toBe('{"json":{"a":{"b":1}}}');
  });

  it("has its own names, however many names there were", () => {
    for (let i = 0; i < 20_000; i++) {
      const value = { [`name ${i}`]: i, [`other ${i % 7}`]: { [`inner ${i % 1000}`]: i } };
      expect(textOf(hand(value))).toBe(codec.encode(value));
    }
  });
});

describe("a batch", () => {
  it("is handed over in pieces, each from the start of memory, in order", () => {
    const value = fc.oneof(
      { weight: 6, arbitrary: fc.jsonValue() as fc.Arbitrary<unknown> },
      { weight: 1, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: storable() },
      { weight: 1, arbitrary: fc.nat(300).map((length) => Array.from({ length }, () => "item")) },
    );
    fc.assert(
      fc.property(fc.array(value, { maxLength: 40, size: "max" }), (values) => {
        const taken: (string | undefined)[] = [];
        const items = values.map((value) => ({ value }));
        handAll(items, (texts, from) => {
          expect(from).toBe(taken.length);
          let at = 0;
          for (const text of texts) {
            if (typeof text === "number") {
              taken.push(textAt(at, text));
              at += text;
            } else {
              taken.push(text === undefined ? undefined : textOf(text));
            }
          }
        });
        expect(taken).toEqual(
          values.map((each) => (each === undefined ? undefined : codec.encode(each))),
        );
      }),
      { numRuns: 500 },
    );
  });

  it("leaves no memory behind when one of its values cannot be stored", () => {
    const source = `
      const { createStorage } = require("./index.js");
      const storage = createStorage();
      const value = Array.from({ length: 300 }, () => "y".repeat(90));
      const items = Array.from({ length: 1000 }, (_, i) => ({ key: "key:" + i, value }));
      items.push({ key: "last", value: () => {} });
      const fail = () => {
        try { storage.setItemsSync(items); } catch { return; }
        throw new Error("it was stored");
      };
      fail();
      const before = process.memoryUsage().rss;
      for (let i = 0; i < 20; i++) fail();
      console.log((process.memoryUsage().rss - before) / 1e6);`;
    const cwd = join(__dirname, "..");
    const grown = execFileSync(process.execPath, ["-e", source], { cwd, encoding: "utf8" });
    expect(Number(grown)).toBeLessThan(150);
  });

  it("takes each value as it is when it is asked for", async () => {
    const storage = createStorage<any>();
    const row = { i: -1, list: [-1] };
    const batch = Array.from({ length: 600 }, (_, i) => ({
      key: `row:${i}`,
      get value() {
        row.i = i;
        row.list[0] = i;
        return row;
      },
    }));
    for (const store of [() => storage.setItems(batch), () => storage.setItemsSync(batch)]) {
      await store();
      for (let i = 0; i < 600; i++) {
        expect(storage.getItemSync(`row:${i}`)).toEqual({ i, list: [i] });
      }
      storage.clearSync();
    }
  });

  it("is stored whole, whatever its getters store meanwhile", async () => {
    const storage = createStorage<any>();
    const batch = Array.from({ length: 3000 }, (_, i) => ({
      key: `item:${i}`,
      get value() {
        if (i % 100 !== 0) return { i, text: `text ${i}` };
        storage.setItemSync(`other:${i}`, { other: i, list: [i, i] });
        storage.setItemsSync([{ key: `many:${i}`, value: { many: i } }]);
        return {
          i,
          get text() {
            storage.setItemSync(`inner:${i}`, { inner: i });
            return `text ${i}`;
          },
        };
      },
    }));
    for (const store of [() => storage.setItems(batch), () => storage.setItemsSync(batch)]) {
      await store();
      for (let i = 0; i < 3000; i++) {
        expect(storage.getItemSync(`item:${i}`)).toEqual({ i, text: `text ${i}` });
        if (i % 100 !== 0) continue;
        expect(storage.getItemSync(`other:${i}`)).toEqual({ other: i, list: [i, i] });
        expect(storage.getItemSync(`many:${i}`)).toEqual({ many: i });
        expect(storage.getItemSync(`inner:${i}`)).toEqual({ inner: i });
      }
      storage.clearSync();
    }
  });
});
