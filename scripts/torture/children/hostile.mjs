// Reads hostile text and stores under hostile keys, and looks for what must not come of it.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { types } from "node:util";
import { isOn, report, taskOfChild } from "../child.mjs";
import { folder } from "../folders.mjs";
import { hostileBytes, hostileKey, hostileText } from "../hostile-text.mjs";
import { createStorage, fs, normalizeKey } from "../package.mjs";
import { randomOf } from "../random.mjs";
import { isSame } from "../same.mjs";

const task = taskOfChild();

const TEXTS_A_ROUND = 60;
const FILES_A_ROUND = 12;
const KEYS_A_ROUND = 25;
/** Longer texts may nest too deeply to be compared. */
const MOST_COMPARED = 2000;

const shown = (text) => {
  const quoted = JSON.stringify(text);
  return quoted.length > 300 ? `${quoted.slice(0, 300)}… (${quoted.length} characters)` : quoted;
};

/** What every object inherits, as it was before any hostile text. */
const shapes = [Object, Array, Function, Map, Set, Date, Error, Promise].map(({ prototype }) => [
  prototype,
  Reflect.ownKeys(prototype).length,
]);

function isTouched() {
  return (
    {}.polluted !== undefined ||
    shapes.some(([prototype, count]) => Reflect.ownKeys(prototype).length !== count)
  );
}

/** What a call gives: a value, or the error that it fails with. */
async function outcomeOf(call) {
  try {
    return { value: await call() };
  } catch (error) {
    return { error };
  }
}

/** Fine is a value, and an error of the library that is not an internal one. */
function complaintOf({ error }) {
  if (error === undefined) return "";
  if (!(error instanceof Error)) return `fails with ${String(error)}, no Error`;
  if (error.code === "EAS_PANIC") return `panics: ${error.message}`;
  if (error instanceof RangeError) return `runs out of something: ${error.message}`;
  if (typeof error.code !== "string") return `fails with ${error.stack}`;
  return "";
}

async function texts(random, round) {
  let text = "";
  const storage = createStorage({
    driver: {
      name: "hostile",
      hasItem: () => true,
      getKeys: () => ["k"],
      getItem: async () => text,
      getItemSync: () => text,
      getItems: async (items) => items.map(({ key }) => ({ key, value: text })),
    },
  });
  const kept = createStorage();
  for (let count = 0; count < TEXTS_A_ROUND; count++) {
    text = hostileText(random);
    const late = await outcomeOf(() => storage.getItem("k"));
    const now = await outcomeOf(() => {
      const value = storage.getItemSync("k");
      if (types.isPromise(value)) throw new TypeError("the Sync form gives a Promise");
      return value;
    });
    const batch = await outcomeOf(async () => (await storage.getItems(["k"]))[0].value);
    const meta = await outcomeOf(() => storage.getMeta("k"));
    for (const [name, outcome] of Object.entries({ late, now, batch, meta })) {
      const complaint = complaintOf(outcome);
      if (complaint) report.loss(`round ${round}: ${name} read of ${shown(text)} ${complaint}`);
    }
    if (isTouched()) {
      report.loss(`round ${round}: ${shown(text)} changes what every object inherits`);
      process.exit(1);
    }
    const isDeep = text.length > MOST_COMPARED;
    if (!isDeep && !late.error && !now.error && !isSame(late.value, now.value)) {
      report.loss(`round ${round}: ${shown(text)} reads differently in the Sync form`);
    }
    // What can be read can be stored, and is then the same.
    if (!late.error && late.value !== undefined) {
      const again = await outcomeOf(async () => {
        await kept.setItem("k", late.value);
        return kept.getItem("k");
      });
      const complaint = complaintOf(again);
      if (complaint)
        report.loss(`round ${round}: to store what ${shown(text)} reads as ${complaint}`);
      else if (!isDeep && !again.error && !isSame(again.value, late.value)) {
        report.loss(`round ${round}: what ${shown(text)} reads as comes back as something else`);
      }
    }
    report.fault();
  }
}

/** The text of bytes, as far as it is JSON text; undefined otherwise. */
function jsonOf(bytes) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** Whether a file says that its value has ended, damaged or not: then there is nothing to keep. */
function hasEnded(bytes) {
  const said = /^\{"expires":(\d+),"json":/.exec(bytes.toString("latin1"));
  return said !== null && Number(said[1]) <= Date.now();
}

async function files(random, round) {
  const base = folder();
  const driver = () => fs({ base, durability: "none" });
  for (let index = 0; index < FILES_A_ROUND; index++) {
    const key = `f${index}`;
    const bytes = hostileBytes(random);
    const what = `the file ${shown(bytes.toString("latin1"))}`;
    writeFileSync(join(base, key), bytes);
    const storage = createStorage({ driver: driver() });
    const calls = [
      ["getItem", () => storage.getItem(key)],
      ["getItemSync", () => storage.getItemSync(key)],
      ["hasItem", () => storage.hasItem(key)],
      ["getKeys", () => storage.getKeys()],
      ["getMeta", () => storage.getMeta(key)],
    ];
    const got = {};
    for (const [name, call] of calls) {
      const outcome = await outcomeOf(call);
      const complaint = outcome.error ? complaintOf(outcome) || String(outcome.error) : "";
      if (complaint) report.loss(`round ${round}: ${name} of ${what} ${complaint}`);
      got[name] = outcome.value;
    }
    const json = jsonOf(bytes);
    if (!json && got.getItem !== null) {
      report.loss(`round ${round}: ${what} is no JSON and reads as ${shown(got.getItem)}`);
    }
    const isEnvelope =
      typeof json?.value === "object" && json.value !== null && "json" in json.value;
    if (json && !isEnvelope && bytes.length <= MOST_COMPARED && !isSame(got.getItem, json.value)) {
      report.loss(`round ${round}: ${what} reads as ${shown(got.getItem)}`);
    }
    const write = await outcomeOf(() => storage.setItem(key, index));
    if (write.error) report.loss(`round ${round}: over ${what} a write fails with ${write.error}`);
    if ((await storage.getItem(key)) !== index) {
      report.loss(`round ${round}: over ${what} a write is not there`);
    }
    const aside = readdirSync(base)
      .filter((name) => name.startsWith("%~corrupt-"))
      .some((name) => readFileSync(join(base, name)).equals(bytes));
    if (!json && !aside && !hasEnded(bytes))
      report.loss(`round ${round}: ${what} was not kept when it was overwritten`);
    const listed = await storage.getKeys();
    if (listed.length !== index + 1) {
      report.loss(`round ${round}: after ${what} the listing is ${shown(listed)}`);
    }
    await storage.dispose();
    report.fault();
  }
  if (isTouched()) report.loss(`round ${round}: a file changed what every object inherits`);
}

/** Whether an error says that a key cannot be held. Wine says it otherwise, of long ones. */
function isRefusal({ code }, key) {
  const isTooLong = key.length > 3_000 && code === process.env.EAS_TORTURE_TOO_LONG;
  return isTooLong || code === "EAS_INVALID_KEY" || code === "ENAMETOOLONG";
}

async function keys(random, round) {
  const outer = folder();
  const base = join(outer, "base");
  mkdirSync(base);
  const storage = createStorage({ driver: fs({ base, durability: "none" }) });
  const expected = new Map();
  for (let index = 0; index < KEYS_A_ROUND; index++) {
    const key = hostileKey(random);
    const what = `the key ${shown(key)}`;
    const write = await outcomeOf(() =>
      index % 2 ? storage.setItem(key, index) : storage.setItemSync(key, index),
    );
    if (write.error) {
      if (!isRefusal(write.error, key)) {
        report.loss(`round ${round}: to write ${what} fails with ${write.error.stack}`);
      }
    } else {
      expected.set(normalizeKey(key), index);
    }
    report.fault();
  }
  for (const [key, value] of expected) {
    const read = await outcomeOf(() => storage.getItem(key));
    if (read.error || read.value !== value) {
      report.loss(
        `round ${round}: ${shown(key)} holds ${shown(read.value ?? String(read.error))}, not ${value}`,
      );
    }
  }
  const listed = (await storage.getKeys()).sort();
  const visible = [...expected.keys()].filter((key) => !key.endsWith("$")).sort();
  if (!isSame(listed, visible)) {
    const odd = [
      ...listed.filter((key) => !visible.includes(key)),
      ...visible.filter((key) => !listed.includes(key)),
    ];
    report.loss(`round ${round}: the listing differs in ${shown(odd)}`);
  }
  if (readdirSync(outer).length !== 1) report.loss(`round ${round}: a key left the base`);
  await storage.dispose();
}

for (let round = task.from; isOn(task, round); round++) {
  const random = randomOf(task, round);
  await texts(random, round);
  await files(random, round);
  await keys(random, round);
  report.round();
}
process.exit(0);
