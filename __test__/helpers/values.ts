// Values that storage keeps: the codec under test, generators, and a way to compare with identity.
import { join } from "node:path";
import vm from "node:vm";
import { buildSync } from "esbuild";
import fc from "fast-check";

export interface Codec {
  encode(value: unknown): string;
  decode(text: string): unknown;
  /** What the native core takes: see the codec. */
  pack(value: unknown): string;
}

/** What the native core takes of one value: the length of a text in its memory, or a packed text. */
export type Handed = number | string;

export interface Writer {
  hand(value: unknown): Handed;
  handAll(
    items: readonly { value: unknown }[],
    take: (texts: (Handed | undefined)[], from: number) => void,
  ): void;
}

const MODULES = join(__dirname, "../../src/js");

/** A script that evaluates to what a module exports. It is bundled as for a page, without the addon. */
function script(name: string, parameters = ""): vm.Script {
  const { outputFiles } = buildSync({
    entryPoints: [join(MODULES, name)],
    bundle: true,
    write: false,
    format: "iife",
    globalName: "exported",
    target: "node18",
  });
  const text = `((${parameters}) => { ${outputFiles[0]?.text}\nreturn exported; })`;
  return new vm.Script(text, { filename: name });
}

const codecScript = script("codec/index.js");
const writerScript = script("writer/index.js", "core");

/** Evaluates the codec, with all that it needs, in this context or in another one. */
export function loadCodec(context?: vm.Context): Codec {
  const load = context ? codecScript.runInContext(context) : codecScript.runInThisContext();
  return load();
}

/** Evaluates the writer with memory of its own; `pack` gets what it leaves to the codec. */
export function loadWriter(pack: Codec["pack"], memory: ArrayBuffer): Writer {
  const load = writerScript.runInThisContext();
  const evaluateCodec = () => (codec: Partial<Codec>) => Object.assign(codec, { pack });
  // As Rust does it.
  const escapeScratch = (from: number, to: number, limit: number) => {
    const text = Buffer.from(memory, from, to - from).toString("utf8");
    const escaped = JSON.stringify(text).slice(1, -1);
    const length = Buffer.byteLength(escaped);
    if (text.includes("\ufffd") || escaped.includes("\\u00") || from + length > limit) return -1;
    Buffer.from(memory).write(escaped, from);
    return from + length;
  };
  return load({ scratch: memory, evaluateCodec, escapeScratch });
}

type Sketch =
  | { kind: "value"; value: unknown }
  | { kind: "made"; make: () => unknown }
  | { kind: "array" | "set"; items: Sketch[] }
  | { kind: "record" | "map"; entries: [Sketch | string, Sketch][] }
  | { kind: "error"; name: string; message: string; cause?: Sketch }
  | { kind: "shared"; index: number };

/** Builds a value; a "shared" sketch is one of the objects begun before it, also one around it. */
function build(sketch: Sketch, objects: unknown[]): unknown {
  const begin = <T>(object: T): T => {
    objects.push(object);
    return object;
  };
  switch (sketch.kind) {
    case "value":
      return sketch.value;
    case "made":
      return begin(sketch.make());
    case "array": {
      const array = begin([] as unknown[]);
      for (const item of sketch.items) array.push(build(item, objects));
      return array;
    }
    case "set": {
      const set = begin(new Set());
      for (const item of sketch.items) set.add(build(item, objects));
      return set;
    }
    case "record": {
      const record = begin({});
      for (const [name, item] of sketch.entries) {
        Object.defineProperty(record, name as string, {
          value: build(item, objects),
          writable: true,
          enumerable: true,
          configurable: true,
        });
      }
      return record;
    }
    case "map": {
      const map = begin(new Map());
      for (const [key, item] of sketch.entries) {
        map.set(build(key as Sketch, objects), build(item, objects));
      }
      return map;
    }
    case "error": {
      const error = begin(new Error(sketch.message));
      error.name = sketch.name;
      if (sketch.cause) error.cause = build(sketch.cause, objects);
      return error;
    }
    case "shared":
      return objects.length === 0 ? null : objects[sketch.index % objects.length];
  }
}

const finite = (array: ArrayLike<number>) => Array.from(array, (item) => item || 0);

const primitives = fc.oneof(
  { weight: 4, arbitrary: fc.string() },
  { weight: 2, arbitrary: fc.string({ unit: "binary" }) },
  fc.constantFrom(
    "",
    '"',
    "\\",
    "\ud800",
    "\u2028",
    "\u0000",
    "x".repeat(60),
    `${"y".repeat(60)}"`,
  ),
  { weight: 3, arbitrary: fc.integer() },
  { weight: 2, arbitrary: fc.double() },
  fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
  { weight: 2, arbitrary: fc.boolean() },
  fc.constant(null),
  fc.constant(undefined),
  fc.oneof(fc.bigInt(), fc.constantFrom(0n, 1n)),
);

const leaves = fc.oneof(
  fc.date({ noInvalidDate: true }).map((date) => () => new Date(date)),
  fc
    .constantFrom(/a/, /a\/b[/]"\\/giu, /(?:)/, /\n\u2028/y)
    .map((regExp) => () => new RegExp(regExp)),
  fc.webUrl().map((url) => () => new URL(url)),
  fc.int8Array().map((array) => () => Int8Array.from(array)),
  fc.uint8Array().map((array) => () => Uint8Array.from(array)),
  fc.uint8ClampedArray().map((array) => () => Uint8ClampedArray.from(array)),
  fc.int16Array().map((array) => () => Int16Array.from(array)),
  fc.uint16Array().map((array) => () => Uint16Array.from(array)),
  fc.int32Array().map((array) => () => Int32Array.from(array)),
  fc.uint32Array().map((array) => () => Uint32Array.from(array)),
  fc
    .float32Array({ noNaN: true, noDefaultInfinity: true })
    .map((array) => () => Float32Array.from(finite(array))),
  fc
    .float64Array({ noNaN: true, noDefaultInfinity: true })
    .map((array) => () => Float64Array.from(finite(array))),
);

const unsafeNames = ["__proto__", "constructor", "prototype"];

const names = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("a", "b", "c", "json", "meta", "name") },
  fc.constantFrom("", ".", "a.b", "a\\b", "\\.", "\\\\", "0", "1", "10", "00", "-1", "4294967295"),
  fc.string().filter((name) => !unsafeNames.includes(name)),
);

function sketches(shared: boolean): fc.Arbitrary<Sketch> {
  return fc.letrec<{ any: Sketch; list: Sketch[] }>((tie) => ({
    any: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      { weight: 5, arbitrary: primitives.map((value): Sketch => ({ kind: "value", value })) },
      { weight: 3, arbitrary: leaves.map((make): Sketch => ({ kind: "made", make })) },
      {
        weight: shared ? 3 : 0,
        arbitrary: fc.nat({ max: 40 }).map((index): Sketch => ({ kind: "shared", index })),
      },
      { weight: 2, arbitrary: tie("list").map((items): Sketch => ({ kind: "array", items })) },
      { weight: 2, arbitrary: tie("list").map((items): Sketch => ({ kind: "set", items })) },
      {
        weight: 3,
        arbitrary: fc
          .uniqueArray(fc.tuple(names, tie("any")), { maxLength: 5, selector: ([name]) => name })
          .map((entries): Sketch => ({ kind: "record", entries })),
      },
      {
        weight: 2,
        arbitrary: fc
          .array(fc.tuple(tie("any"), tie("any")), { maxLength: 4 })
          .map((entries): Sketch => ({ kind: "map", entries })),
      },
      {
        weight: 1,
        arbitrary: fc
          .record(
            {
              name: fc.constantFrom("Error", "TypeError", "Odd.Name"),
              message: fc.string(),
              cause: tie("any"),
            },
            { requiredKeys: ["name", "message"] },
          )
          .map((fields): Sketch => ({ kind: "error", ...fields })),
      },
    ),
    list: fc.array(tie("any"), { maxLength: 5 }),
  })).any;
}

/** Values of every kind that storage keeps, nested; with `shared`, also shared and circular. */
export function storable({ shared = true } = {}): fc.Arbitrary<unknown> {
  return sketches(shared).map((sketch) => build(sketch, []));
}

/**
 * Describes a value as a list of lines, one for each thing met, in order: equal descriptions mean
 * equal kinds, contents, order and identities. Dates and the like are compared by their text.
 */
export function describeValue(value: unknown, { undefinedCauseIsNone = false } = {}): string[] {
  const lines: string[] = [];
  const seen = new Map<object, number>();
  const pending: [string, unknown][] = [["", value]];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const [place, item] = next;
    if (typeof item !== "object" || item === null) {
      const text = typeof item === "string" ? JSON.stringify(item) : String(item);
      lines.push(`${place} ${typeof item} ${Object.is(item, -0) ? "-0" : text}`);
      continue;
    }
    const number = seen.get(item);
    if (number !== undefined) {
      lines.push(`${place} is object ${number}`);
      continue;
    }
    seen.set(item, seen.size);
    const prototype = Object.getPrototypeOf(item);
    lines.push(`${place} ${prototype === null ? "null" : prototype.constructor.name}${own(item)}`);
    const inside = partsOf(item, undefinedCauseIsNone);
    for (const part of inside.reverse()) pending.push(part);
  }
  return lines;
}

function own(item: object): string {
  if (item instanceof Date) return ` ${item.getTime()}`;
  if (item instanceof RegExp || item instanceof URL) return ` ${item}`;
  if (ArrayBuffer.isView(item)) return ` ${Array.from(item as Int8Array).join()}`;
  return "";
}

function partsOf(item: object, undefinedCauseIsNone: boolean): [string, unknown][] {
  if (item instanceof Set) return [...item].map((part) => ["element", part]);
  if (item instanceof Map) {
    return [...item].flatMap(([key, part]): [string, unknown][] => [
      ["key", key],
      ["value", part],
    ]);
  }
  if (item instanceof Error) {
    const hasCause = "cause" in item && !(undefinedCauseIsNone && item.cause === undefined);
    const parts: [string, unknown][] = [
      ["name", item.name],
      ["message", item.message],
    ];
    return hasCause ? [...parts, ["cause", item.cause]] : parts;
  }
  if (item instanceof Date || item instanceof RegExp || item instanceof URL) return [];
  if (ArrayBuffer.isView(item)) return [];
  const entries: [string, unknown][] = Object.entries(item).map(([name, part]) => [
    JSON.stringify(name),
    part,
  ]);
  return Array.isArray(item) ? [["length", item.length], ...entries] : entries;
}

function circular(): unknown {
  const tags = new Set<unknown>(["first"]);
  const root: Record<string, unknown> = { tags, list: [tags] };
  tags.add(root).add("last").add(tags);
  root.self = root;
  return root;
}

function sharedEverywhere(): unknown {
  const date = new Date(1700000000000);
  const inner = { date, deep: { list: [1, 2] } };
  const error = new Error("outer", { cause: inner });
  return {
    holder: { inner },
    inner,
    map: new Map<unknown, unknown>([
      [inner, date],
      ["error", error],
    ]),
    deep: inner.deep,
    error,
    "dotted.name": [inner.deep.list, inner.deep.list],
  };
}

/** What each file under tests/fixtures/superjson holds, as superjson 2.2.6 wrote it. */
export const goldenValues: Record<string, () => unknown> = {
  plain: () => ({ id: 7, name: "Ada", tags: ["a", "b"], nested: { ok: true, none: null } }),
  strings: () => ["", '\u0000\n"\\', "Привет", "\u{1f600}", "\ud800"],
  numbers: () => [0, -0, 1.5, Number.NaN, Number.NaN, Infinity, -Infinity, 12345678901234567890n],
  undefined: () => ({ gone: undefined, list: [undefined, null], set: new Set([undefined, null]) }),
  root_undefined: () => undefined,
  root_date: () => new Date(1700000000123),
  dates_and_patterns: () => ({ at: new Date(0), old: new Date(-1e14), pattern: /a\/b"\\d/giu }),
  url: () => new URL("https://user:pass@example.org:8080/a%20b?q=1&r=%22#part"),
  sets: () => new Set<unknown>([1, "1", new Date(5), new Set([new Date(6)]), undefined]),
  maps: () =>
    new Map<unknown, unknown>([
      ["plain", 1],
      [new Date(5), new Map([[1n, /x/]])],
      [undefined, undefined],
    ]),
  errors: () => {
    const cause = Object.assign(new Error("inner"), { name: "RangeError" });
    return [new Error("alone"), new Error("outer", { cause }), new Error("", { cause: undefined })];
  },
  typed_arrays: () => [
    new Int8Array([-1, 127]),
    new Uint8Array([0, 255]),
    new Uint8ClampedArray([1, 2]),
    new Int16Array([-32768]),
    new Uint16Array([65535]),
    new Int32Array([-1]),
    new Uint32Array([4294967295]),
    new Float32Array([1.5, -0.25]),
    new Float64Array([0.1, 1e300]),
    new Uint8Array(0),
  ],
  escaped_names: () => ({
    "a.b": new Date(1),
    "a\\b": { "\\.": new Date(2) },
    "": { "": new Date(3) },
    a: { b: "not the date" },
  }),
  index_names: () => ({ b: new Date(1), 5: { x: new Date(2) }, 1: new Date(3), "01": new Date(4) }),
  shared: sharedEverywhere,
  circular,
  circular_root_set: () => {
    const set = new Set<unknown>(["a"]);
    return set.add(set).add("b");
  },
};
