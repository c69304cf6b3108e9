// A storage from lines of JSON.

import { checkStorage, describe, wrongArgument } from "../arguments.js";
import { plainOf } from "../drivers/ownership.js";
import { normalizeBaseKey, normalizeKey } from "../keys.js";
import { decode } from "../lazy-codec.js";
import { VERSION_KEY } from "../migrate.js";
import { isEnvelope } from "../storage/envelope.js";
import { FORMAT, FORMAT_VERSION } from "./format.js";

const CHOICES = ["error", "skip", "overwrite"];
const MEMBERS = ["key", "value", "raw", "expires", "metadata"];
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const MOST_SHOWN = 80;

const isRecord = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

function unreadable(line, text, what, cause) {
  const shown =
    typeof text !== "string"
      ? describe(text)
      : JSON.stringify(text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text);
  const message = `[electron-async-storage] Line ${line} of the import does not read: ${what}. It is ${shown}. The lines before it are imported.`;
  const error = cause === undefined ? new Error(message) : new Error(message, { cause });
  return Object.assign(error, { code: "EAS_INVALID_IMPORT", operation: "importStorage", line });
}

function parsed(line, text) {
  if (typeof text !== "string") throw unreadable(line, text, "it is no string");
  let record;
  try {
    record = JSON.parse(line === 1 ? text.replace(/^\ufeff/, "") : text);
  } catch (cause) {
    throw unreadable(line, text, "it is no JSON", cause);
  }
  if (!isRecord(record)) throw unreadable(line, text, "it is no JSON object");
  return record;
}

function readHeader(line, text) {
  const { format, formatVersion, storageVersion } = parsed(line, text);
  if (format !== FORMAT) {
    throw unreadable(line, text, `the first line of an export has "format": "${FORMAT}"`);
  }
  if (formatVersion !== FORMAT_VERSION) {
    const what = `its format has version ${JSON.stringify(formatVersion)}, and this version of the package reads ${FORMAT_VERSION}`;
    throw unreadable(line, text, what);
  }
  const isVersion =
    storageVersion === null || (Number.isSafeInteger(storageVersion) && storageVersion >= 0);
  if (!isVersion) throw unreadable(line, text, "`storageVersion` is no whole number and not null");
  return storageVersion;
}

function valueIn(line, text, envelope, name) {
  if (!isRecord(envelope) || !isEnvelope(envelope)) {
    throw unreadable(line, text, `\`${name}\` is no envelope, such as {"json":1}`);
  }
  try {
    return decode(JSON.stringify(envelope));
  } catch (cause) {
    throw unreadable(line, text, `\`${name}\` holds no value`, cause);
  }
}

function readItem(line, text) {
  const record = parsed(line, text);
  const unknown = Object.keys(record).find((name) => !MEMBERS.includes(name));
  if (unknown !== undefined) throw unreadable(line, text, `it has an unknown member "${unknown}"`);
  const { key: given, value: envelope, raw, expires, metadata } = record;
  const key = typeof given === "string" ? normalizeKey(given) : "";
  if (key === "") throw unreadable(line, text, "`key` names no item");
  if ((envelope === undefined) === (raw === undefined)) {
    throw unreadable(line, text, "it needs either `value` or `raw`");
  }
  if (raw !== undefined && (typeof raw !== "string" || !BASE64.test(raw))) {
    throw unreadable(line, text, "`raw` is no base64");
  }
  if (expires !== undefined && !Number.isFinite(expires)) {
    throw unreadable(line, text, "`expires` is no number of ms since 1970");
  }
  return {
    key,
    expires,
    fresh: envelope?.fresh,
    envelope,
    raw: raw === undefined ? undefined : Buffer.from(raw, "base64"),
    value: envelope === undefined ? undefined : valueIn(line, text, envelope, "value"),
    metadata: metadata === undefined ? undefined : valueIn(line, text, metadata, "metadata"),
  };
}

function conflict(key, line) {
  return Object.assign(
    new Error(
      `[electron-async-storage] Line ${line} of the import is for ${JSON.stringify(key)}, where there is an item. Pass onConflict: "skip" or "overwrite", or import into an empty base. The lines before it are imported.`,
    ),
    { code: "EAS_CONFLICT", operation: "importStorage", key, line },
  );
}

function readOptions(options) {
  if (options !== undefined && (options === null || typeof options !== "object")) {
    throw wrongArgument("options", "an object", options, "importStorage");
  }
  const { base, onConflict = "error" } = options ?? {};
  if (!CHOICES.includes(onConflict)) {
    const given =
      typeof onConflict === "string" ? JSON.stringify(onConflict) : describe(onConflict);
    throw Object.assign(
      new Error(
        `[electron-async-storage] Invalid option \`onConflict\`: expected "error", "skip" or "overwrite", got ${given}`,
      ),
      { code: "EAS_INVALID_OPTION", operation: "importStorage" },
    );
  }
  return { base: normalizeBaseKey(base), onConflict };
}

const isIterable = (lines) =>
  typeof lines === "object" &&
  lines !== null &&
  (typeof lines[Symbol.asyncIterator] === "function" ||
    typeof lines[Symbol.iterator] === "function");

export async function importStorage(given, lines, options) {
  checkStorage(given, "setItem", "importStorage");
  if (!isIterable(lines)) {
    throw wrongArgument("lines", "an iterable of lines", lines, "importStorage");
  }
  const { base, onConflict } = readOptions(options);
  const storage = plainOf(given);

  async function isFree(key, line) {
    if (onConflict === "overwrite" || !(await storage.hasItem(key))) return true;
    if (onConflict === "skip") return false;
    throw conflict(key, line);
  }

  async function takeVersion(version, line) {
    const key = base + VERSION_KEY;
    if (version === null || (await storage.getItem(key)) === version) return;
    if (await isFree(key, line)) await storage.setItem(key, version);
  }

  async function takeItem(item, line) {
    const { key: relativeKey, expires, fresh, raw, envelope, value, metadata } = item;
    const key = base + relativeKey;
    if (!(await isFree(key, line))) return;
    const ttl = expires === undefined ? undefined : expires - Date.now();
    if (ttl !== undefined && ttl <= 0) {
      // It is over: what it would have replaced is too.
      if (onConflict === "overwrite") await storage.removeItem(key, { removeMeta: true });
      return;
    }
    const opts = ttl === undefined ? undefined : { ttl };
    if (fresh !== undefined) {
      // Its text says both times itself, as `getOrSet` wrote it.
      await storage.setItemRaw(key, JSON.stringify({ expires, ...envelope }));
    } else if (raw === undefined) await storage.setItem(key, value, opts);
    else await storage.setItemRaw(key, raw, opts);
    if (metadata !== undefined) await storage.setMeta(key, metadata);
    else if (onConflict === "overwrite") await storage.removeMeta(key);
  }

  let line = 0;
  for await (const text of lines) {
    line += 1;
    if (line === 1) await takeVersion(readHeader(line, text), line);
    // What reads a file line by line may give an empty one at its end.
    else if (text !== "") await takeItem(readItem(line, text), line);
  }
  if (line === 0) throw unreadable(1, "", "there is no first line");
}
