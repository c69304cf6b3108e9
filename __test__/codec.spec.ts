import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import vm from "node:vm";
import fc from "fast-check";
import superjson from "superjson";
import { describe, expect, it, test } from "vitest";
import { describeValue, goldenValues, loadCodec, storable } from "./helpers/values.js";

const { encode, decode } = loadCodec();
const runs = { numRuns: 1500 };
const goldenFolder = join(__dirname, "../tests/fixtures/superjson");

const reread = (value: unknown) => decode(encode(value));
const envelope = (json: unknown, meta: unknown) => JSON.stringify({ json, meta });

function nested(depth: number, open: string, middle: string, close: string): string {
  return open.repeat(depth) + middle + close.repeat(depth);
}

function refusalOf(value: unknown): Error & { code?: string } {
  try {
    encode(value);
  } catch (error) {
    return error as Error;
  }
  throw new Error("the value was not refused");
}

describe("generated values", () => {
  it("become the same text as superjson's", () => {
    fc.assert(
      fc.property(storable(), (value) => {
        expect(encode(value)).toBe(superjson.stringify(value));
      }),
      runs,
    );
  });

  it("come back with the same kinds, order and identities", () => {
    fc.assert(
      fc.property(storable(), (value) => {
        expect(describeValue(reread(value))).toEqual(describeValue(value));
      }),
      runs,
    );
  });

  it("come back from superjson's text", () => {
    fc.assert(
      fc.property(storable(), (value) => {
        expect(describeValue(decode(superjson.stringify(value)))).toEqual(describeValue(value));
      }),
      runs,
    );
  });

  it("come back from superjson's text without duplicates", () => {
    const withoutDuplicates = new superjson({ dedupe: true });
    fc.assert(
      fc.property(storable(), (value) => {
        expect(describeValue(decode(withoutDuplicates.stringify(value)))).toEqual(
          describeValue(value),
        );
      }),
      runs,
    );
  });

  it("can be read by superjson from our text", () => {
    // Its reader reorders sets when equal NaNs or bigints, which it takes for shared, are in them.
    const options = { undefinedCauseIsNone: true };
    fc.assert(
      fc.property(storable({ shared: false }), (value) => {
        fc.pre(!encode(value).includes('"referentialEqualities":'));
        expect(describeValue(superjson.parse(encode(value)), options)).toEqual(
          describeValue(value, options),
        );
      }),
      runs,
    );
  });

  it("give the same text again after a round trip", () => {
    fc.assert(
      fc.property(storable(), (value) => {
        expect(encode(reread(value))).toBe(encode(value));
      }),
      runs,
    );
  });

  it("are read the same when the members of the envelope stand in another order", () => {
    fc.assert(
      fc.property(storable(), fc.boolean(), (value, hasExpiry) => {
        const { json, meta } = JSON.parse(encode(value));
        const text = JSON.stringify({ meta, ...(hasExpiry && { expires: 1 }), json });
        expect(describeValue(decode(text))).toEqual(describeValue(value));
      }),
      { numRuns: 300 },
    );
  });

  it("may be any JSON text, enveloped or not", () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        const value = JSON.parse(json);
        expect(encode(value)).toBe(`{"json":${JSON.stringify(value)}}`);
        expect(decode(`{"json":${json}}`)).toEqual(value);
        expect(decode(` [${json}]\n`)).toEqual([value]);
      }),
      runs,
    );
  });
});

describe("texts that superjson 2.2.6 wrote", () => {
  test("the folder holds one for each value of the table", () => {
    const files = readdirSync(goldenFolder).map((name) => name.replace(".json", ""));
    expect(files.sort()).toEqual(Object.keys(goldenValues).sort());
  });

  test.each(Object.keys(goldenValues))("%s reads as it was written", (name) => {
    const text = readFileSync(join(goldenFolder, `${name}.json`), "utf8");
    const value = goldenValues[name]();
    expect(describeValue(decode(text))).toEqual(describeValue(value));
    expect(encode(value)).toBe(text);
    expect(superjson.stringify(value)).toBe(text);
  });
});

describe("edges of the text", () => {
  const match = "2024-05".match(/(\d+)-(?<month>\d+)/) as RegExpMatchArray;
  class Money extends Array {}
  const cases: [string, () => unknown][] = [
    ["holes", () => Object.assign(new Array(6), { 1: 1, 3: new Date(0) })],
    ["an array of holes", () => new Array(3)],
    ["an array subclass", () => Money.of(1, 2)],
    ["an object without prototype", () => Object.assign(Object.create(null), { a: new Date(0) })],
    [
      "symbol keys and hidden properties",
      () => Object.defineProperty({ [Symbol("s")]: 1, a: 2 }, "hidden", { value: () => 1 }),
    ],
    [
      "equal bigints and NaNs at many places",
      () => [1n, { a: 1n }, NaN, [NaN, Infinity, Infinity]],
    ],
    ["one NaN at the root", () => NaN],
    ["an index-like name met after a path through one", () => [{ x: new Date(0) }, new Date(1)]],
    [
      "names at the limits of array indexes",
      () => ({
        x: new Date(0),
        4294967295: new Date(1),
        4294967294: new Date(2),
        0: { y: 1n },
        "-0": 2n,
      }),
    ],
    [
      "many shared objects, numbered out of order",
      () => {
        const [a, b, c] = [{}, {}, {}];
        return [{ deep: [c, b] }, a, b, c, a, { b, c }];
      },
    ],
    [
      "more objects than are compared one by one, some shared",
      () => {
        const items = Array.from({ length: 60 }, (_, id) => ({ id }));
        return [...items, items[3], items[59], new Date(0)];
      },
    ],
    [
      "a cycle through a map's key and value",
      () => {
        const map = new Map<unknown, unknown>();
        return map.set(map, [map]).set("k", new Set([map]));
      },
    ],
    [
      "an error that is its own cause",
      () => {
        const error = new Error("loop");
        error.cause = { error };
        return [error];
      },
    ],
    ["an error without text", () => new Error()],
    ["an error whose name is no string", () => Object.assign(new Error("m"), { name: undefined })],
    [
      "a shared leaf of each kind",
      () => {
        const leaves = [
          new Date(0),
          /x/g,
          new URL("a:b"),
          new Uint8Array(2),
          new Set(),
          new Error(""),
        ];
        return [...leaves, { leaves }, ...leaves];
      },
    ],
  ];
  test.each(cases)("%s: as superjson", (_, make) => {
    const value = make();
    expect(encode(value)).toBe(superjson.stringify(value));
    decode(encode(value));
  });

  it("leaves the named properties of an array out, and reads superjson's annotations of them", () => {
    expect(encode(match)).toBe('{"json":["2024-05","2024","05"]}');
    const unnamed = "ab".match(/a/);
    expect(superjson.stringify(unnamed)).toContain("groups");
    expect(decode(superjson.stringify({ unnamed }))).toEqual({ unnamed: ["a"] });
  });

  it("keeps an invalid Date, which superjson can read", () => {
    const text = encode({ at: new Date(Number.NaN) });
    expect(text).toBe('{"json":{"at":"Invalid Date"},"meta":{"values":{"at":["Date"]},"v":1}}');
    for (const read of [decode, superjson.parse]) {
      const { at } = read(text) as { at: Date };
      expect(at).toBeInstanceOf(Date);
      expect(at.getTime()).toBeNaN();
    }
  });

  it("keeps what JSON numbers lack in typed arrays, where superjson can read it", () => {
    const value = { floats: new Float64Array([Number.NaN, -0, Infinity, -Infinity, 1.5]) };
    const text = encode(value);
    expect(text).toContain('"json":{"floats":["NaN",-0,"Infinity","-Infinity",1.5]}');
    for (const read of [decode, superjson.parse]) expect(read(text)).toStrictEqual(value);
  });

  it("writes a Buffer and any other subclass as the typed array it is", () => {
    class Bytes extends Uint8Array {}
    const text = '{"json":[1,2],"meta":{"values":[["typed-array","Uint8Array"]],"v":1}}';
    expect(encode(Buffer.from([1, 2]))).toBe(text);
    expect(encode(Bytes.of(1, 2))).toBe(text);
    expect(decode(text)).toEqual(new Uint8Array([1, 2]));
  });

  it("keeps names that mean something to JavaScript in plain values", () => {
    const text = '{"json":{"__proto__":{"a":1},"constructor":[2],"prototype":3,"toString":null}}';
    const value = decode(text);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value as object)).toEqual([
      "__proto__",
      "constructor",
      "prototype",
      "toString",
    ]);
    expect(encode(value)).toBe(text);
    const annotated = reread([value, new Date(0)]) as [object, Date];
    expect(encode(annotated[0])).toBe(text);
    expect(Object.hasOwn(annotated[0], "__proto__")).toBe(true);
  });

  it.each(["__proto__", "constructor", "prototype"])(
    "refuses an annotation under the name %s, which no reader follows",
    (name) => {
      const holder = (item: unknown) => JSON.parse(`{"${name}":0}`, (key, v) => (key ? item : v));
      expect(refusalOf({ a: holder(new Date(0)) })).toMatchObject({
        code: "EAS_INVALID_VALUE",
        message: expect.stringContaining(`a.${name}`),
      });
      const shared = {};
      expect(refusalOf([holder(shared), shared]).code).toBe("EAS_INVALID_VALUE");
      expect(refusalOf([holder({ deep: 1n })]).code).toBe("EAS_INVALID_VALUE");
    },
  );
});

describe("toJSON", () => {
  class Point {
    constructor(readonly shape: unknown) {}
    toJSON() {
      return this.shape;
    }
  }

  it("replaces instances and plain objects anywhere, and its result is encoded in turn", () => {
    const plain = { toJSON: () => new Map([["k", new Date(1)]]) };
    const list = Object.assign([1], { toJSON: () => "list" });
    const hidden = Object.defineProperty({ a: 1 }, "toJSON", { value: () => 2 });
    const value = [new Point("p"), { plain }, list, hidden, new Point(new Point(new Set([1])))];
    expect(reread(value)).toEqual([
      "p",
      { plain: new Map([["k", new Date(1)]]) },
      "list",
      2,
      new Set([1]),
    ]);
    expect(encode(new Point(undefined))).toBe(encode(undefined));
  });

  it("is called once for each object, whose replacement stays shared", () => {
    let calls = 0;
    const point = {
      toJSON() {
        calls++;
        return { x: 1 };
      },
    };
    const [a, b] = reread([point, point]) as unknown[];
    expect(calls).toBe(1);
    expect(a).toEqual({ x: 1 });
    expect(b).toBe(a);
  });

  it("may hold the object that it replaces", () => {
    const node: Record<string, unknown> = {};
    node.toJSON = () => ({ node });
    const value = reread(node) as Record<string, unknown>;
    expect(value.node).toBe(value);
  });

  it("is not asked on the kinds that storage keeps", () => {
    const toJSON = () => "replaced";
    const kept = [new Date(0), new Map(), new Set(), /x/, new Error("e"), new Uint8Array(1)];
    for (const value of kept) {
      expect(encode(Object.assign(value, { toJSON }))).not.toContain("replaced");
    }
    expect(encode(new URL("a:b"))).toContain('["URL"]');
  });

  it("ends with an error when it never comes to a value", () => {
    const itself = {
      toJSON() {
        return this;
      },
    };
    const another: object = { toJSON: () => ({ ...another }) };
    expect(refusalOf({ itself }).message).toContain("itself");
    expect(refusalOf(another).code).toBe("EAS_INVALID_VALUE");
  });

  it("throws what it throws", () => {
    const error = new TypeError("mine");
    const value = {
      toJSON() {
        throw error;
      },
    };
    expect(() => encode([value])).toThrow(error);
  });
});

it("reads each getter once", () => {
  let reads = 0;
  const value = {
    get when() {
      return new Date(reads++);
    },
    get list() {
      return [reads++];
    },
    get count() {
      return reads++;
    },
  };
  expect(reread(value)).toEqual({ when: new Date(0), list: [1], count: 2 });
  expect(reads).toBe(3);
});

it("may be called again from a getter or a toJSON", () => {
  const shared = { x: 1 };
  const value = {
    a: shared,
    get text() {
      return encode({ toJSON: () => encode([shared, shared]) });
    },
    b: shared,
  };
  const { a, b, text } = reread(value) as Record<string, unknown>;
  expect(a).toBe(b);
  expect(decode(decode(text as string) as string)).toEqual([shared, shared]);
});

describe("values that cannot be kept", () => {
  class Engine {}
  class Later extends Promise<void> {}
  const selfOnly: [string, () => unknown, string][] = [
    ["a function", () => () => 1, "a function"],
    ["a symbol", () => Symbol("s"), "a symbol"],
    ["a class instance", () => new Engine(), "an instance of Engine"],
    ["an object of another object", () => Object.create({ a: 1 }), "[object Object]"],
    ["a boxed number", () => Object(1), "Number"],
    ["a boxed string", () => Object("x"), "String"],
    [
      "a false tag",
      () =>
        new (class {
          [Symbol.toStringTag] = "Set";
        })(),
      "[object Set]",
    ],
  ];

  test.each(selfOnly)("%s is refused as the value itself", (_, make, what) => {
    for (const value of [make(), { toJSON: make }]) {
      const error = refusalOf(value);
      expect(error).toBeInstanceOf(Error);
      expect(error.code).toBe("EAS_INVALID_VALUE");
      expect(error.message).toContain("[electron-async-storage] Cannot stringify value! It is ");
      expect(error.message).toContain(what);
    }
  });

  const cases: [string, () => unknown, string][] = [
    ["an ArrayBuffer", () => new ArrayBuffer(1), "ArrayBuffer"],
    ["a DataView", () => new DataView(new ArrayBuffer(1)), "DataView"],
    ["a BigInt64Array", () => new BigInt64Array(1), "BigInt64Array"],
    ["a Promise", () => Promise.resolve(), "Promise"],
    ["a WeakMap", () => new WeakMap(), "WeakMap"],
    ["a SharedArrayBuffer", () => new SharedArrayBuffer(1), "SharedArrayBuffer"],
    ["a Blob", () => new Blob(["x"]), "Blob"],
    ["a WeakSet", () => new WeakSet(), "WeakSet"],
    ["a WeakRef", () => new WeakRef({}), "WeakRef"],
    ["a Promise with properties", () => Object.assign(Promise.resolve(), { a: 1 }), "Promise"],
    ["a class of Promises", () => Later.resolve(), "Later"],
    ["a generator", () => (function* () {})(), "Generator"],
    ["an iterator", () => [][Symbol.iterator](), "Array Iterator"],
    ["a forged Date", () => Object.create(Date.prototype), "Date"],
    ["a forged Map", () => Object.create(Map.prototype), "Map"],
    ["a forged RegExp", () => Object.create(RegExp.prototype), "RegExp"],
  ];

  test("a typed array whose memory was transferred is refused, with its place", () => {
    const array = new Uint8Array([1, 2]);
    structuredClone(array, { transfer: [array.buffer] });
    for (const [value, place] of [
      [array, "It is a typed array"],
      [{ a: [array] }, "At a[0] it holds a typed array"],
    ] as const) {
      const error = refusalOf(value);
      expect(error.code).toBe("EAS_INVALID_VALUE");
      expect(error.message).toContain(place);
    }
  });

  test.each(cases)("%s is refused at any depth, with its place", (title, make, what) => {
    const value = make();
    // Inside an instance of a class, a forged one is an instance like any other.
    const isForged = title.includes("forged");
    for (const [whole, place] of [
      [value, "It is "],
      [{ a: { b: [1, null, value] } }, "At a.b[2] "],
      [[new Set(["x", { y: value }])], "At [0][1].y "],
      [new Map([["k", value]]), "At [0][1] "],
      [{ e: new Error("m", { cause: value }) }, "At e.cause "],
      [{ j: { toJSON: () => [value] } }, "At j[0] "],
      ...(isForged
        ? []
        : [[{ e: Object.assign(new Engine(), { part: [value] }) }, "At e.part[0] "] as const]),
    ] as const) {
      const error = refusalOf(whole);
      expect(error).toBeInstanceOf(Error);
      expect(error.code).toBe("EAS_INVALID_VALUE");
      expect(error.message.startsWith("[electron-async-storage] Cannot stringify value!")).toBe(
        true,
      );
      expect(error.message).toContain(place);
      expect(error.message).toContain(what);
    }
  });

  it("names the stack overflow of a value that is nested too deeply", () => {
    let deep: unknown = [];
    for (let i = 0; i < 100_000; i++) deep = [deep];
    const error = refusalOf(deep);
    expect(error.code).toBe("EAS_INVALID_VALUE");
    expect(error.message).toContain("[electron-async-storage] Cannot stringify value!");
    expect(error.cause).toBeInstanceOf(RangeError);
  });

  it("leaves nothing behind that would change a later call", () => {
    const shared = {};
    refusalOf([shared, shared, new WeakMap()]);
    expect(encode([shared])).toBe('{"json":[{}]}');
  });
});

describe("functions, symbols and instances of classes inside a value", () => {
  const increment = () => 1;
  class User {
    name = "Ann";
    born = new Date(0);
    tags = new Map([[1, 2]]);
    greet = () => "hello";
    missing = undefined;
    #secret = 1;
    get secret() {
      return this.#secret;
    }
  }
  class Admin extends User {
    boss = new User();
    list = [
      increment,
      Symbol("s"),
      undefined,
      NaN,
      -0,
      Infinity,
      Object("x"),
      Object(2),
      Object(true),
    ];
  }
  class Empty {}
  const user = new User();
  const cases: [string, unknown][] = [
    ["the actions of a state store", { state: { bears: 0, increment }, version: 0 }],
    [
      "the first, the last and all properties",
      [{ increment, a: 1 }, { a: 1, increment }, { increment }],
    ],
    ["symbols", { s: Symbol("s"), list: [Symbol("s"), 1] }],
    [
      "the items of a list, a Set and a Map",
      [
        [increment, 1],
        new Set([increment]),
        new Map<any, any>([
          [increment, 1],
          ["k", Symbol("s")],
        ]),
      ],
    ],
    ["the cause of an error", Object.assign(new Error("m"), { cause: increment })],
    ["the properties of an instance", { user: new User() }],
    ["instances inside instances", [new Admin()]],
    ["an instance at two places", { a: user, b: [user, { deep: user }] }],
    [
      "one without properties",
      {
        a: new Empty(),
        b: Object.create({ a: 1 }),
        c: Object.create({ a: 1 }, { d: { value: 1, enumerable: true } }),
      },
    ],
    ["boxed primitives", [Object("x"), Object(5), Object(false)]],
    [
      "what toJSON gives inside an instance",
      [Object.assign(new Empty(), { at: { toJSON: (key: string) => `at ${key}` } })],
    ],
    [
      "plain objects and lists inside an instance",
      [Object.assign(new Empty(), { a: { b: [{ c: null, d: increment }] } })],
    ],
    [
      "a false tag",
      [
        new (class {
          [Symbol.toStringTag] = "Set";
          a = 1;
        })(),
      ],
    ],
  ];

  test.each(cases)("%s become the text of superjson", (_, value) => {
    expect(encode(value)).toBe(superjson.stringify(value));
  });

  it("what was left out is not there when it is read, also where it counts as shared", () => {
    const deep = { x: { increment } };
    const value = { n: 1, a: increment, b: increment, list: [increment], deep };
    for (const text of [encode(value), superjson.stringify(value)]) {
      expect(text).toContain("referentialEqualities");
      expect(decode(text)).toStrictEqual({ n: 1, list: [null], deep: { x: {} } });
    }
    const map = new Map<unknown, unknown>([[increment, increment]]);
    expect(reread({ map, deep })).toStrictEqual({ map: new Map([[null, null]]), deep: { x: {} } });
    const error = new Error("m", { cause: increment });
    expect(describeValue(reread(error))).toEqual(describeValue(new Error("m")));
    const [one, other] = reread([user, user]) as unknown[];
    expect(one).toBe(other);
  });

  it("what superjson throws at inside an instance is refused with its place", () => {
    const holder: any = Object.assign(new Empty(), { n: [1n] });
    expect(refusalOf({ holder }).message).toContain("At holder.n[0] it holds a bigint");
    holder.n = { holder };
    expect(refusalOf({ holder }).message).toContain("At holder.n.holder it holds a cycle");
    const root: any = { holder };
    holder.n = { root };
    expect(refusalOf(root)).toMatchObject({ code: "EAS_INVALID_VALUE", path: "holder.n.root" });
  });
});

describe("other contexts", () => {
  const source = `({
    date: new Date(5), bad: new Date(NaN), map: new Map([[{ k: 1 }, new Set([1n])]]), pattern: /x/g,
    error: Object.assign(new TypeError("m", { cause: [1] })), bytes: new Uint8Array([1, 2]),
    floats: new Float64Array([1.5]), bare: Object.create(null), list: [[], {}] })`;

  it("recognises values made in another context", () => {
    const text = encode(vm.runInNewContext(source));
    expect(text).toBe(encode(vm.runInThisContext(source)));
    expect(refusalOf(vm.runInNewContext("new (class Engine {})")).message).toContain("Engine");
    expect(encode([vm.runInNewContext("new (class { a = 1 })")])).toBe('{"json":[{"a":1}]}');
    for (const made of [
      "new ArrayBuffer(1)",
      "Promise.resolve()",
      "new WeakMap()",
      "new BigInt64Array(1)",
    ]) {
      expect(refusalOf({ a: vm.runInNewContext(made) }).message).toContain("At a it holds");
    }
    expect(encode(vm.runInNewContext("({ toJSON: () => [1] })"))).toBe('{"json":[1]}');
  });

  it("works in a context without URL where strings cannot become code", () => {
    const context = vm.createContext({}, { codeGeneration: { strings: false, wasm: false } });
    const foreign = loadCodec(context);
    const text = encode(vm.runInThisContext(source));
    const value = vm.runInContext(source, context);
    expect(foreign.encode(value)).toBe(text);
    expect(foreign.encode(foreign.decode(text))).toBe(text);
    expect(foreign.encode(new URL("https://a.example/b"))).toContain('["URL"]');
    expect(() => foreign.decode(encode(new URL("https://a.example/b")))).toThrow("URL");
  });

  it("reads a Proxy of a Map or a Set through its own iterator", () => {
    const reactive = (target: object) =>
      new Proxy(target, {
        get(self, name) {
          const part = Reflect.get(self, name, self);
          return typeof part === "function" ? part.bind(self) : part;
        },
      });
    expect(encode([reactive(new Map([["k", 1]])), reactive(new Set([2]))])).toBe(
      encode([new Map([["k", 1]]), new Set([2])]),
    );
  });

  it("does not notice when builtins are replaced after it was loaded", () => {
    const context = vm.createContext({ URL });
    const foreign = loadCodec(context);
    const make = `(() => {
      const shared = { list: [1, 2] };
      const value = { text: 'a"b', "x.y": new Date(5), set: new Set([shared, /r/g]), shared,
        map: new Map([[shared, new Error("m", { cause: NaN })]]), bytes: new Uint8Array([1]),
        floats: new Float32Array([0.5, 2]), big: 5n, match: [, 1] };
      value.self = value;
      return value;
    })()`;
    const value = vm.runInContext(make, context);
    const text = foreign.encode(value);
    const damage = `(() => {
      const fail = () => { throw new Error("a replaced builtin was called"); };
      const types = [Object, Array, Map, Set, Date, RegExp, String, Number, BigInt, Function, Error,
        Object.getPrototypeOf(Int8Array), Uint8Array, Symbol];
      const { getOwnPropertyDescriptor, defineProperty } = Object;
      const { ownKeys } = Reflect;
      const owners = [JSON, Reflect, Math];
      for (const type of types) owners.push(type, type.prototype);
      owners.push(Object.getPrototypeOf([][Symbol.iterator]()));
      const calls = [];
      for (const owner of owners) {
        for (const name of ownKeys(owner)) {
          if (name === "constructor" || name === "prototype" || name === "__proto__") continue;
          const found = getOwnPropertyDescriptor(owner, name);
          if (!found.configurable) continue;
          if (typeof found.value === "function") calls.push([owner, name, { value: fail }]);
          else if (found.get) calls.push([owner, name, { get: fail }]);
        }
      }
      for (let i = 0; i < calls.length; i++) {
        const { 0: owner, 1: name, 2: change } = calls[i];
        if (owner !== RegExp.prototype || !change.get) defineProperty(owner, name, change);
      }
    })()`;
    vm.runInContext(damage, context);
    expect(() => vm.runInContext("[1].map(String)", context)).toThrow("replaced builtin");
    expect(foreign.encode(value)).toBe(text);
    expect(foreign.encode(foreign.decode(text))).toBe(text);
  });
});

describe("reading", () => {
  const plain: [string, unknown][] = [
    ["{}", {}],
    ["null", null],
    ['"text"', "text"],
    ["[1]", [1]],
    ['{"a":1}', { a: 1 }],
    ['{"json":1,"other":2}', { json: 1, other: 2 }],
    ['{"meta":{"values":["Date"]}}', { meta: { values: ["Date"] } }],
    ['{"expires":5}', { expires: 5 }],
    ['{"json":1,"expires":5}', 1],
    ['{"expires":5,"meta":{"v":1},"json":"x"}', "x"],
    ['{"json":null,"meta":{}}', null],
    ['{"a":{"json":1,"meta":{"v":1}}', undefined],
    ['{"json":{"a":1,"meta":{"v":1}}}', { a: 1, meta: { v: 1 } }],
    ['{"json":[{"x":1,"meta":{"w":{"v":1}}}]}', [{ x: 1, meta: { w: { v: 1 } } }]],
    ['{"json":1,"other":2,"meta":{"v":1}}', { json: 1, other: 2, meta: { v: 1 } }],
    ['{"json":1,"meta":{"values":["bigint"]},"meta":{"v":1}}', 1],
    ['{"json":1,"json":2,"meta":{"v":1}}', 2],
    [' { "json" : ["x"] , "meta" : { "v" : 1 } } ', ["x"]],
  ].filter(([, value]) => value !== undefined) as [string, unknown][];

  test.each(plain)("%s is read as the JSON value it is", (text, value) => {
    expect(decode(text)).toEqual(value);
  });

  const legacy = [
    '{"json":{"a.b":"1970-01-01T00:00:00.000Z"},"meta":{"values":{"a\\\\.b":["Date"]}}}',
    '{"json":{"a\\\\b":"1970-01-01T00:00:00.000Z"},"meta":{"values":{"a\\\\b":["Date"]}}}',
    '{"json":{"a\\\\\\\\b":"1970-01-01T00:00:00.000Z"},"meta":{"v":0,"values":{"a\\\\\\\\b":["Date"]}}}',
    '{"json":{"a\\\\b":["x"],"c":["x"]},"meta":{"referentialEqualities":{"c":["a\\\\b"]}}}',
    '{"json":{"a":{"b":"5"}},"meta":{"values":{"a":{"b":["bigint"]}},"v":1}}',
    '{"json":{"a":[{"b":"5"}]},"meta":{"values":{"a.0":{"b":["bigint"]}}}}',
  ];
  test.each(legacy)("a text of an older version is read as superjson reads it: %s", (text) => {
    expect(describeValue(decode(text))).toEqual(describeValue(superjson.parse(text)));
  });

  it("gives errors whose fields are as those of a new one", () => {
    const cause = new RangeError("inner");
    const error = reread(new TypeError("outer", { cause })) as Error;
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: "TypeError", message: "outer" });
    expect((error.cause as Error).message).toBe("inner");
    expect(error.stack).toBe("TypeError: outer");
    expect(Object.keys(error)).toEqual([]);
    expect(Object.hasOwn(reread(new Error("x")) as Error, "cause")).toBe(false);
    expect(Object.hasOwn(reread(new Error("x", { cause: undefined })) as Error, "cause")).toBe(
      true,
    );
  });

  it("keeps the order of a set whose elements are shared, where superjson does not", () => {
    const first = { id: 1 };
    const text = superjson.stringify({ first, set: new Set([first, "middle", "last"]) });
    const { first: one, set } = decode(text) as { first: object; set: Set<unknown> };
    expect([...set]).toEqual([{ id: 1 }, "middle", "last"]);
    expect(set.has(one)).toBe(true);
  });

  it("does not let one value's annotations reach another's", () => {
    const text = encode({ at: new Date(1), set: new Set([1]) });
    const [one, other] = [decode(text), decode(text)] as { at: Date; set: Set<number> }[];
    one.at.setTime(9);
    one.set.add(2);
    expect(other).toEqual({ at: new Date(1), set: new Set([1]) });
    expect(decode(text)).toEqual(other);
  });

  it("reads on after more kinds of meta than it remembers", () => {
    for (let i = 0; i < 1000; i++) {
      const value = { [`name${i}`]: new Date(i) };
      expect(reread(value)).toEqual(value);
      const other = { [`other${i}`]: 1 };
      expect(reread(other)).toEqual(other);
    }
  });
});

describe("dates", () => {
  const read = (text: string) => {
    const meta = { values: { at: ["Date"] }, v: 1 };
    return (decode(JSON.stringify({ json: { at: text }, meta })) as { at: Date }).at;
  };

  it.each([
    "2025-01-01T00:00:00.000Z",
    "2024-02-29T23:59:59.999Z",
    "2025-02-29T00:00:00.000Z",
    "2025-02-30T00:00:00.000Z",
    "2025-04-31T00:00:00.000Z",
    "2025-06-15T24:00:00.000Z",
    "2025-06-15T24:00:00.001Z",
    "2025-06-15T12:60:00.000Z",
    "2025-06-15T12:00:60.000Z",
    "2025-13-01T00:00:00.000Z",
    "2025-00-01T00:00:00.000Z",
    "2025-01-00T00:00:00.000Z",
    "0099-01-01T00:00:00.000Z",
    "0000-01-01T00:00:00.000Z",
    "9999-12-28T00:00:00.000Z",
    "20a5-01-01T00:00:00.000Z",
    "2025-01-01T00:00:00.00aZ",
    "2025-01-01T 0:00:00.000Z",
    "2025-01-01t00:00:00.000z",
    "2025-01-01 00:00:00.000Z",
    "+012025-01-01T00:00:00.000Z",
    "-000001-01-01T00:00:00.000Z",
    "Invalid Date",
    "",
  ])("%j reads as the engine reads it", (text) => {
    expect(read(text).getTime()).toBe(new Date(text).getTime());
  });

  it("that can be, read as the engine reads them", () => {
    fc.assert(
      fc.property(fc.date({ noInvalidDate: true }), (date) => {
        expect(read(date.toISOString()).getTime()).toBe(date.getTime());
      }),
    );
  });
});

describe("what reading remembers", () => {
  it("keeps no text of a value alive", () => {
    require("node:v8").setFlagsFromString("--expose-gc");
    const gc = vm.runInNewContext("gc") as () => void;
    const MEGABYTES = 64;
    const text = "x".repeat(1e6);
    const read = (name: string) =>
      decode(encode({ text, [name]: new Date(0) })) as Record<string, unknown>;
    read("warm-up");
    gc();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < MEGABYTES; i++) expect(read(`at${i}`)[`at${i}`]).toEqual(new Date(0));
    gc();
    expect((process.memoryUsage().heapUsed - before) / 1e6).toBeLessThan(MEGABYTES / 4);
  });
});

describe("hostile texts", () => {
  const corrupt: [string, string][] = [
    ["nothing", ""],
    ["a word", "hello"],
    ["a torn envelope", '{"json":{"a":1},"meta":{"v":1}'],
    ["a broken json part", '{"json":{"a":},"meta":{"v":1}}'],
    ["a broken meta part", '{"json":1,"meta":{"values" ["Date"],"v":1}}'],
    ["a meta that is no object", envelope(1, null)],
    ["a meta that is an array", envelope(1, [])],
    ["a version that is no number", envelope("x", { values: ["Date"], v: "1" })],
    ...[
      null,
      5,
      "Date",
      [],
      [null],
      [5],
      ["date"],
      ["toString"],
      ["__proto__"],
      [["class", "X"]],
      [["symbol", "x"]],
      [["custom", "x"]],
      [["typed-array", "Array"]],
      [["typed-array"]],
      [["typed-array", "constructor"]],
      [["typed-array", ["Int8Array"]]],
      ["Date", {}],
      ["set", null],
      ["set", 1],
      ["set", {}, {}],
      [["typed-array", "Int8Array"], {}],
    ].map((values): [string, string] => [
      `the annotation ${JSON.stringify(values)}`,
      envelope(["1970-01-01T00:00:00.000Z"], { values, v: 1 }),
    ]),
    ...[
      { a: null },
      { a: "Date" },
      { b: ["Date"] },
      { "a.b": ["Date"] },
      { "": ["Date"] },
      { "a.0": ["Date"] },
      { toString: ["Date"] },
      { "a\\": ["Date"] },
      { "a\\x": ["Date"] },
      { list: { 5: ["Date"] } },
      { list: { "-1.x": ["Date"], 1: ["Date"] } },
      { "a.length": ["Date"] },
    ].map((values): [string, string] => [
      `the annotations ${JSON.stringify(values)}`,
      envelope({ a: "x", list: [1] }, { values, v: 1 }),
    ]),
    ...(
      [
        ["Date", 5],
        ["Date", null],
        ["set", {}],
        ["set", "ab"],
        ["map", [1]],
        ["map", [[1]]],
        ["map", {}],
        ["map", [[1, 2, 3]]],
        ["Error", []],
        ["Error", "x"],
        ["bigint", "x"],
        ["bigint", 5],
        ["bigint", "1.5"],
        ["number", "5"],
        ["number", 5],
        ["regexp", "x"],
        ["regexp", "/"],
        ["regexp", "/(/"],
        ["regexp", "/a/zz"],
        ["regexp", ["/a/"]],
        ["URL", "x"],
        ["URL", 5],
        [["typed-array", "Int8Array"], { length: 1e9 }],
        [["typed-array", "Int8Array"], 1e9],
        [["typed-array", "Float64Array"], [{}]],
        [["typed-array", "Float64Array"], ["1"]],
      ] as const
    ).map(([type, json]): [string, string] => [
      `${JSON.stringify(type)} of ${JSON.stringify(json)}`,
      envelope(json, { values: [type], v: 1 }),
    ]),
    ...[
      5,
      "a",
      null,
      [],
      {},
      [[], {}, {}],
      ["a"],
      { a: "list" },
      { a: [5] },
      { a: ["a.x"] },
      { list: ["list.7"] },
      { "list.1": ["a"] },
      [[], null],
    ]
      .filter((equalities) => JSON.stringify(equalities) !== "{}")
      .map((referentialEqualities): [string, string] => [
        `the references ${JSON.stringify(referentialEqualities)}`,
        envelope({ a: "x", list: [1] }, { referentialEqualities, v: 1 }),
      ]),
    [
      "shared references of different form",
      envelope(
        { a: { x: "5" }, b: [1] },
        {
          values: { "a.x": ["bigint"] },
          referentialEqualities: { b: ["a"] },
          v: 1,
        },
      ),
    ],
  ];
  test.each(corrupt)("%s is corrupt", (_, text) => {
    expect(() => decode(text)).toThrow();
  });

  const paths = [
    "__proto__",
    "__proto__.polluted",
    "constructor",
    "constructor.prototype.polluted",
    "a.__proto__.polluted",
    "a.constructor.prototype",
    "list.__proto__",
    "list.constructor.prototype",
    "prototype",
    "set.__proto__.polluted",
    "a.prototype.x",
  ];
  test.each(paths)("no prototype is reached by the path %s", (path) => {
    const json =
      '{"a":{"prototype":{"x":"5"}},"list":["5"],"set":["5"],"__proto__":{"polluted":"5"},' +
      '"constructor":{"prototype":{"polluted":"5"}},"prototype":"5"}';
    const name = JSON.stringify(path);
    const before = Reflect.ownKeys(Object.prototype).concat(Reflect.ownKeys(Array.prototype));
    for (const meta of [
      `{"values":{${name}:["bigint"]},"v":1}`,
      `{"v":1,"values":{"set":["set"],${name}:["bigint"]}}`,
      `{"values":{${name}:["bigint"]}}`,
      `{"referentialEqualities":{${name}:["a"]},"v":1}`,
      `{"referentialEqualities":{"a":[${name}]},"v":1}`,
      `{"referentialEqualities":[[${name}]],"v":1}`,
    ]) {
      expect(() => decode(`{"json":${json},"meta":${meta}}`), meta).toThrow();
    }
    expect(Reflect.ownKeys(Object.prototype).concat(Reflect.ownKeys(Array.prototype))).toEqual(
      before,
    );
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it("ignores an inherited json, meta or values", () => {
    const text = '{"__proto__":{"json":1,"meta":{"values":["bigint"]}}}';
    expect(JSON.stringify(decode(text))).toBe(text);
    const meta = '{"__proto__":{"values":["bigint"],"referentialEqualities":{"a":["b"]}},"v":1}';
    expect(decode(`{"json":"5","meta":${meta}}`)).toBe("5");
  });

  const depth = 100_000;
  it("reads 100,000 levels", () => {
    const levels = (text: string, step: (value: any) => unknown) => {
      let value = decode(text);
      let count = 0;
      for (; typeof value === "object" && value !== null; count++) value = step(value);
      return [count, value];
    };
    const arrays = nested(depth, "[", '"5"', "]");
    const objects = nested(depth, '{"a":', '"5"', "}");
    const path = (segment: string) => Array(depth).fill(segment).join(".");
    expect(levels(`{"json":${arrays}}`, ([item]) => item)).toEqual([depth, "5"]);
    expect(
      levels(`{"json":${objects},"meta":{"values":{"${path("a")}":["bigint"]},"v":1}}`, (o) => o.a),
    ).toEqual([depth, 5n]);
    expect(
      levels(
        `{"json":${arrays},"meta":{"values":${nested(depth, '["set",{"0":', '["bigint"]', "}]")},"v":1}}`,
        (set: Set<unknown>) => [...set][0],
      ),
    ).toEqual([depth, 5n]);
    expect(
      levels(
        `{"json":[${arrays},${arrays}],"meta":{"values":{"0.${path("0")}":["bigint"],"1.${path("0")}":["bigint"]},"referentialEqualities":{"0":["1"]},"v":1}}`,
        (array) =>
          Array.isArray(array) && array.length === 2 && array[0] === array[1] ? array[1] : array[0],
      ),
    ).toEqual([depth + 1, 5n]);
  });

  it("makes no more of a long path than it says", () => {
    const path = Array(depth).fill("a").join(".");
    const text = envelope({ a: 1 }, { values: { [path]: ["Date"] }, v: 1 });
    expect(() => decode(text)).toThrow("Not a stored value");
  });
});

// A reader that walks a Set or Map to its nth key for each path would take some 10^10 steps here.
describe("large values", () => {
  const size = 100_000;
  const dates = () => Array.from({ length: size }, (_, i) => new Date(i));

  it("a Set of many Dates is read in one pass", () => {
    const set = reread(new Set(dates())) as Set<Date>;
    expect(set.size).toBe(size);
    expect([...set].every((date, i) => date.getTime() === i)).toBe(true);
  });

  it("a Map from many Dates to shared objects is read in one pass", () => {
    const items = dates();
    const map = new Map(items.map((date, i) => [date, items[size - 1 - i]]));
    const read = [...(reread(map) as Map<Date, Date>)];
    expect(read.length).toBe(size);
    expect(
      read.every(([key, value], i) => key.getTime() === i && value === read[size - 1 - i][0]),
    ).toBe(true);
  });

  it("a chain of references from each item to the next is merged in one pass", () => {
    const json = Array.from({ length: size }, (_, i) => ({
      [`own${i}`]: "1970-01-01T00:00:00.000Z",
    }));
    const referentialEqualities: Record<string, string[]> = {};
    for (let i = 0; i + 1 < size; i++) referentialEqualities[`${i + 1}`] = [`${i}`];
    const [first, ...others] = decode(envelope(json, { referentialEqualities, v: 1 })) as object[];
    expect(others.every((other) => other === first)).toBe(true);
  });

  it("many properties and objects are written in one pass", () => {
    const wide = Object.fromEntries(dates().map((date, i) => [`k${i}`, { date, none: undefined }]));
    const read = Object.entries(reread(wide) as typeof wide);
    expect(read.length).toBe(size);
    expect(
      read.every(
        ([name, item], i) => name === `k${i}` && "none" in item && item.date.getTime() === i,
      ),
    ).toBe(true);
  });
});
