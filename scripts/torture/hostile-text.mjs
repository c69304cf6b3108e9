// Texts that no storage wrote, or that it wrote and something spoilt.

const TYPES = ["Date", "bigint", "regexp", "set", "map", "Error", "URL", "undefined", "number"];
const ODD_TYPES = [
  "",
  "constructor",
  "__proto__",
  7,
  null,
  ["typed-array", "Nothing"],
  ["class", "X"],
];
const ODD_TYPED = [
  ["typed-array", "Uint8Array"],
  ["typed-array", "__proto__"],
  ["symbol", "s"],
  ["custom", "c"],
];
const PATHS = [
  "",
  "a",
  "a.b",
  "0",
  "__proto__",
  "__proto__.polluted",
  "constructor.prototype.polluted",
];
const ODD_PATHS = [
  "a.__proto__.polluted",
  "\\",
  "a\\.b",
  ".",
  "..",
  "a.0.1",
  "toString",
  "length",
  "-1",
];

/** Things that JSON text is made of, and things that it is not. */
const PIECES = [
  ...'{}[]:,"\\ \n0-.eE+'.split(""),
  "true",
  "null",
  "NaN",
  "1e999999",
  "\\ud800",
  "\\u0000",
  "\u2028",
  "\ufeff",
  '"json"',
  '"meta"',
  '"values"',
  '"v":1',
  '"referentialEqualities"',
  '"expires":1',
  '"__proto__"',
  "9".repeat(400),
];

function anyValue(random, depth = 3) {
  if (depth === 0 || random.chance(0.3)) {
    return random.pick([
      null,
      true,
      0,
      -1,
      1e308,
      "",
      "text",
      "2020-01-01T00:00:00.000Z",
      "/a(/gi",
      "not a url",
      "12n",
      "NaN",
    ]);
  }
  if (random.chance(0.5)) return random.list(random.below(4), () => anyValue(random, depth - 1));
  // Entries, since a literal's __proto__ would be no property.
  return Object.fromEntries(
    random.list(random.below(4), () => [
      random.pick(["a", "b", "0", "toJSON", "constructor", "polluted"]),
      anyValue(random, depth - 1),
    ]),
  );
}

function annotation(random, depth = 2) {
  const type = random.chance(0.6)
    ? random.pick(TYPES)
    : random.pick(random.chance(0.5) ? ODD_TYPES : ODD_TYPED);
  if (depth === 0 || random.chance(0.6)) return [type];
  const inner = Object.fromEntries(
    random.list(random.between(1, 2), () => [path(random), annotation(random, depth - 1)]),
  );
  return random.chance(0.7) ? [type, inner] : inner;
}

function path(random) {
  return random.pick(random.chance(0.6) ? PATHS : ODD_PATHS);
}

/** An object as text, a key of `__proto__` included. */
function objectText(entries) {
  return `{${entries.map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(",")}}`;
}

function envelope(random) {
  const value = random.chance(0.2)
    ? objectText([
        ["__proto__", '{"polluted":true}'],
        ["a", JSON.stringify(anyValue(random))],
      ])
    : JSON.stringify(anyValue(random));
  const parts = [["json", value]];
  if (random.chance(0.8)) {
    const meta = [];
    if (random.chance(0.8)) {
      const values = random.chance(0.3)
        ? JSON.stringify(annotation(random))
        : objectText(
            random.list(random.between(1, 3), () => [
              path(random),
              JSON.stringify(annotation(random)),
            ]),
          );
      meta.push(["values", values]);
    }
    if (random.chance(0.3)) {
      const paths = () => JSON.stringify(random.list(random.between(1, 3), path));
      const equal = random.chance(0.5)
        ? objectText([[path(random), paths()]])
        : `[${paths()},${objectText([[path(random), paths()]])}]`;
      meta.push(["referentialEqualities", equal]);
    }
    if (random.chance(0.5)) meta.push(["v", random.pick(["1", "0", "2", '"x"', "null"])]);
    parts.push(["meta", random.chance(0.1) ? JSON.stringify(anyValue(random)) : objectText(meta)]);
  }
  if (random.chance(0.2)) {
    parts.push([
      "expires",
      random.pick([
        "99999999999999",
        "1e999",
        "-1",
        '"soon"',
        "null",
        "[]",
        "9".repeat(400),
        "1.5e13",
      ]),
    ]);
  }
  if (random.chance(0.3)) parts.reverse();
  return objectText(parts);
}

function deep(random) {
  const depth = random.pick([100, 3000, 20_000, 100_000]);
  const [open, close] = random.pick([
    ["[", "]"],
    ['{"a":', "}"],
    ['[{"a":', "}]"],
  ]);
  const value = `${open.repeat(depth)}1${close.repeat(depth)}`;
  if (random.chance(0.3)) return value;
  const meta = random.chance(0.5) ? `,"meta":{"values":{"a":["Date"]},"v":1}` : "";
  return `{"json":${value}${meta}}`;
}

function spoilt(random, text) {
  const at = random.below(text.length + 1);
  switch (random.below(4)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + random.pick(PIECES) + text.slice(at);
    case 2:
      return text.slice(0, at) + text.slice(at + random.between(1, 5));
    default:
      return text + random.pick(PIECES);
  }
}

/** One hostile text. */
export function hostileText(random) {
  const kind = random.unit();
  if (kind < 0.05) return deep(random);
  if (kind < 0.15) return random.list(random.below(30), () => random.pick(PIECES)).join("");
  const text = envelope(random);
  return kind < 0.55 ? text : spoilt(random, text);
}

/** The bytes of one hostile file. */
export function hostileBytes(random) {
  if (random.chance(0.2))
    return Buffer.from(random.list(random.below(60), () => random.below(256)));
  const bytes = Buffer.from(hostileText(random));
  if (bytes.length > 0 && random.chance(0.4)) {
    for (let count = random.between(1, 3); count > 0; count--) {
      bytes[random.below(bytes.length)] = random.between(0x80, 0xff);
    }
  }
  return bytes;
}

const SEGMENTS = [
  "a",
  "..",
  ".",
  "...",
  "con",
  "NUL.txt",
  "%",
  "%41",
  "%~self",
  "%~tmp-1",
  "%~corrupt-1-a",
  "%~moved",
  "%~ttl",
  "%~lock",
  "%~+a~",
  "%~-a",
  "a<b>",
  'q"*|?',
  " lead",
  "trail ",
  "dot.",
  "é",
  "e\u0301",
  "ключ",
  "🗝",
  "\ud800",
  "\u0001",
  "\u007f",
  "\0",
  "~",
  "$",
  "a$",
  "__proto__",
  "constructor",
];

/** One hostile key. */
export function hostileKey(random) {
  const segment = () => {
    if (random.chance(0.08)) return random.pick(SEGMENTS).repeat(random.between(40, 400));
    if (random.chance(0.4)) return random.pick(SEGMENTS) + random.pick(SEGMENTS);
    return random.pick(SEGMENTS);
  };
  const separator = random.pick([":", ":", "/", "\\", "::"]);
  return random.list(random.between(1, 4), segment).join(separator);
}
