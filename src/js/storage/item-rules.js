// What a storage knows of its items beforehand: their defaults and their schemas.

import { describe } from "../arguments.js";
import { normalizeKey } from "../keys.js";
import { pack } from "../lazy-codec.js";
import { VERSION_KEY } from "../migrate.js";
import { copyOf, templateOf } from "../templates.js";
import { keyPattern } from "./key-patterns.js";
import { valueIn } from "./values.js";

const CHOICES = ["throw", "default", "keep"];

function invalidOption(name, message) {
  return Object.assign(
    new Error(`[electron-async-storage] Invalid option \`${name}\`: ${message}`),
    { code: "EAS_INVALID_OPTION", operation: "createStorage" },
  );
}

const shown = (value) => (typeof value === "string" ? JSON.stringify(value) : describe(value));

function entriesOf(name, given) {
  if (given === undefined || given === null) return [];
  if (typeof given !== "object" || Array.isArray(given)) {
    const type = Array.isArray(given) ? "an array" : shown(given);
    throw invalidOption(name, `expected an object of keys, got ${type}`);
  }
  const seen = new Set();
  return Object.entries(given).map(([spelling, value]) => {
    const key = normalizeKey(spelling);
    if (key === "") throw invalidOption(name, `${JSON.stringify(spelling)} names no item`);
    if (seen.has(key)) throw invalidOption(name, `it has ${JSON.stringify(key)} twice`);
    seen.add(key);
    return [key, value];
  });
}

// Gives a new copy with each call. The value is taken now: what becomes of the object later is not meant.
function copierOf(key, value, lossRules) {
  const packed = pack(value, lossRules, "createStorage", key);
  const template = templateOf(valueIn(packed));
  return template === undefined ? () => valueIn(packed) : () => copyOf(template);
}

function checkedSchema(key, schema) {
  const isCallable =
    typeof schema === "function" || (typeof schema === "object" && schema !== null);
  if (isCallable && typeof schema["~standard"]?.validate === "function") return schema;
  throw invalidOption(
    "schemas",
    `what it has for ${JSON.stringify(key)} is no Standard Schema, such as those of zod, valibot and arktype: got ${shown(schema)}`,
  );
}

// What the package keeps for itself, and metadata, are no items.
const isItem = (key) =>
  typeof key === "string" &&
  !key.endsWith("$") &&
  key !== VERSION_KEY &&
  !key.endsWith(`:${VERSION_KEY}`);

/**
 * The rules of the options; undefined where there are none.
 *
 * @param {any} options
 * @param {object} lossRules - what to do about defaults that lose a part
 */
export function itemRules({ defaults, schemas, onInvalid = "throw" }, lossRules) {
  if (typeof onInvalid !== "function" && !CHOICES.includes(onInvalid)) {
    throw invalidOption(
      "onInvalid",
      `expected "throw", "default", "keep" or a function, got ${shown(onInvalid)}`,
    );
  }
  const copiers = new Map();
  for (const [key, value] of entriesOf("defaults", defaults)) {
    if (value !== undefined) copiers.set(key, copierOf(key, value, lossRules));
  }
  const exact = new Map();
  const patterns = [];
  for (const [key, schema] of entriesOf("schemas", schemas)) {
    if (schema === undefined) continue;
    checkedSchema(key, schema);
    if (!key.includes("*")) exact.set(key, schema);
    else {
      const matches = keyPattern(key);
      if (matches === undefined) {
        throw invalidOption(
          "schemas",
          `the pattern ${JSON.stringify(key)} has a \`*\` inside a segment. \`*\` stands for one whole segment, \`**\` for one or more`,
        );
      }
      patterns.push({ matches, schema });
    }
  }
  if (copiers.size === 0 && exact.size === 0 && patterns.length === 0) return undefined;
  return {
    onInvalid,
    hasSchemas: exact.size > 0 || patterns.length > 0,
    /** Pairs of key and a new copy of its default. */
    defaults: () => [...copiers].map(([key, copy]) => [key, copy()]),
    /** A new copy of the default of a key; undefined where it has none. */
    defaultOf: (key) => copiers.get(typeof key === "string" ? normalizeKey(key) : key)?.(),
    /** The schema of a key: its own, or that of the first pattern that fits. */
    schemaOf(given) {
      const key = typeof given === "string" ? normalizeKey(given) : given;
      if (!isItem(key)) return undefined;
      return exact.get(key) ?? patterns.find(({ matches }) => matches(key))?.schema;
    },
  };
}
