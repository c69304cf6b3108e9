const VARIANTS = 64;
const EPOCH_MS = Date.UTC(2025, 0, 1);
const make = (build) => Array.from({ length: VARIANTS }, (_, index) => build(index));

const small = (index) => ({ value: index, timestamp: EPOCH_MS + index });

// 15 fields, two of them objects; about 250 bytes of JSON.
const profile = (index) => ({
  id: 10_000 + index,
  name: `Ada ${index}`,
  email: `ada${index}@a.org`,
  age: 36,
  admin: false,
  verified: true,
  city: "London",
  tags: ["math", "engine"],
  score: 0.75 + index,
  theme: "dark",
  locale: "en",
  zoom: 1.25,
  quota: null,
  visits: 12 + index,
  settings: { sound: true, panel: { open: false, width: 320 } },
});

const typed = (index) => ({
  id: index,
  created: new Date(EPOCH_MS + index),
  seen: new Date(EPOCH_MS + 2 * index),
  roles: new Set(["reader", "writer", `team-${index}`]),
  limits: new Map([
    ["files", 100],
    ["bytes", 1_000_000 + index],
  ]),
});

const SENTENCE = "Съешь же ещё этих мягких французских булок, да выпей чаю. ";
const cyrillic = (index) => ({ id: index, text: SENTENCE.repeat(40) });

const LINE = "The quick brown fox jumps over the lazy dog, once more. ";
const megabyte = (index) => ({ id: index, text: LINE.repeat(Math.ceil(1_000_000 / LINE.length)) });

const text = (index) => ({ id: index, text: `${index}: ${LINE.repeat(40)}` });

/** A value of its own for each of so many keys. */
export const distinctValues = (shape, count) =>
  Array.from({ length: count }, (_, index) => builders[shape](index));

const builders = { small, profile, typed, text };

export const values = {
  number: make((index) => index),
  small: make(small),
  profile: make(profile),
  typed: make(typed),
  cyrillic: make(cyrillic),
  megabyte: make(megabyte).slice(0, 4),
};

export const shapes = {
  small: "small `{ value, timestamp }`",
  profile: `profile, 15 fields, ${JSON.stringify(profile(1)).length} bytes`,
  typed: "two Dates, a Set and a Map",
  cyrillic: `Cyrillic text, ${(Buffer.byteLength(cyrillic(1).text) / 1000).toFixed(1)} KB`,
  megabyte: "1 MB of ASCII text",
};

export const keysOf = (count, base = "bench:items") =>
  Array.from({ length: count }, (_, index) => `${base}:${index}`);

export const itemsOf = (keys, list) =>
  keys.map((key, index) => ({ key, value: list[index % list.length] }));
