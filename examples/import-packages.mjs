// Imports the package.json of every installed package into a store on disk, as an Electron app would
// import the records of its user, then has a second process check what is there.
//
//   node examples/import-packages.mjs [FOLDER]
//
// Without FOLDER the store goes to a new folder under the system's temporary one.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import fsDriver from "../drivers/fs.js";
import { createStorage } from "../index.js";

const script = fileURLToPath(import.meta.url);
const nodeModules = join(dirname(script), "..", "node_modules");

/** Says that this example filled the folder, so that a later run may replace what is there. */
const INFO_KEY = "import:info";
const WRITES_IN_FLIGHT = 32;

// --- the records ---------------------------------------------------------------------------------

/** The folders of all packages under a node_modules folder, nested ones too. */
function* packageFolders(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    if (entry.name.startsWith("@")) {
      yield* packageFolders(path);
      continue;
    }
    yield path;
    const nested = join(path, "node_modules");
    if (existsSync(nested)) yield* packageFolders(nested);
  }
}

function readPackages() {
  const packages = new Map();
  for (const folder of packageFolders(nodeModules)) {
    const file = join(folder, "package.json");
    if (!existsSync(file)) continue;
    const manifest = JSON.parse(readFileSync(file, "utf8"));
    if (!manifest.name || !manifest.version) continue;
    // The `/` of a scoped name separates the parts of a key, as `:` does.
    const name = manifest.name.replaceAll("/", ":");
    packages.set(`packages:${name}:${manifest.version}`, manifest);
  }
  return packages;
}

function toRecord(manifest, importedAt) {
  return {
    name: manifest.name,
    version: manifest.version,
    description: manifest.description ?? null,
    license: typeof manifest.license === "string" ? manifest.license : null,
    importedAt,
    dependencies: new Map(Object.entries(manifest.dependencies ?? {})),
    keywords: new Set(Array.isArray(manifest.keywords) ? manifest.keywords : []),
  };
}

const needsReview = (record) => record.license !== "MIT";
const reviewed = (record, at) => ({ ...record, review: { reason: "not MIT", at } });
const isRemoved = (key) => key.startsWith("packages:@types:");

/** What the store must hold in the end, worked out from the packages alone. */
function expectedRecords(importedAt) {
  const records = new Map();
  for (const [key, manifest] of readPackages()) {
    if (isRemoved(key)) continue;
    const record = toRecord(manifest, importedAt);
    records.set(key, needsReview(record) ? reviewed(record, importedAt) : record);
  }
  return records;
}

// --- the checks ----------------------------------------------------------------------------------

function check(condition, message) {
  if (!condition) throw new Error(message);
}

function checkKeys(actual, expected, what) {
  const missing = expected.filter((key) => !actual.includes(key));
  const surplus = actual.filter((key) => !expected.includes(key));
  const show = (keys) => keys.slice(0, 5).join(", ") || "none";
  check(
    missing.length + surplus.length === 0,
    `${what}: ${missing.length} keys are missing (${show(missing)}), ` +
      `${surplus.length} should not be there (${show(surplus)})`,
  );
}

function checkRecord(key, actual, expected, how) {
  check(
    isDeepStrictEqual(actual, expected),
    `${key} reads differently with ${how}:\n${JSON.stringify(actual)}\n${JSON.stringify(expected)}`,
  );
}

// --- what is shown -------------------------------------------------------------------------------

const steps = [];

/** Runs one step; `work` gives the number of records it handled. */
async function step(title, work) {
  const startedMs = performance.now();
  const records = await work();
  const ms = performance.now() - startedMs;
  steps.push({ title, records, ms });
  if (!process.stdout.isTTY) console.log(`${title}: ${records} records, ${ms.toFixed(1)} ms`);
}

function showProgress(done, total) {
  if (!process.stdout.isTTY) return;
  const width = 30;
  const filled = Math.round((done / total) * width);
  const bar = "█".repeat(filled) + "░".repeat(width - filled);
  process.stdout.write(`\rimport ${bar} ${done}/${total}${done === total ? "\n" : ""}`);
}

function showSummary(folder) {
  const width = Math.max(...steps.map(({ title }) => title.length));
  console.log(`\n${"step".padEnd(width)}  records  time in ms`);
  console.log(`${"-".repeat(width)}  -------  ----------`);
  for (const { title, records, ms } of steps) {
    const numbers = `${String(records).padStart(7)}  ${ms.toFixed(1).padStart(10)}`;
    console.log(`${title.padEnd(width)}  ${numbers}`);
  }
  console.log(`\nThe store is in ${folder}`);
}

// --- the two processes ---------------------------------------------------------------------------

const openStore = (folder) => createStorage({ driver: fsDriver({ base: folder }) });

/** Empties what an earlier run left; a folder that something else filled is not touched. */
async function prepare(storage, folder) {
  const known = await storage.hasItem(INFO_KEY);
  const isEmpty = !existsSync(folder) || readdirSync(folder).length === 0;
  check(known || isEmpty, `${folder} holds other files: name a new or an empty folder`);
  await storage.clear("packages");
}

async function importAll(storage, records) {
  const pending = [...records];
  let done = 0;
  const worker = async () => {
    for (let next = pending.pop(); next; next = pending.pop()) {
      await storage.setItem(next[0], next[1]);
      done += 1;
      showProgress(done, records.size);
    }
  };
  await Promise.all(Array.from({ length: WRITES_IN_FLIGHT }, worker));
  return done;
}

async function importPackages(folder) {
  const importedAt = new Date();
  const records = new Map();
  const storage = openStore(folder);
  await prepare(storage, folder);
  await storage.setItem(INFO_KEY, { importedAt });

  await step("read package.json files", () => {
    for (const [key, manifest] of readPackages()) records.set(key, toRecord(manifest, importedAt));
    check(records.size > 0, `no packages in ${nodeModules}: run npm install first`);
    return records.size;
  });

  await step("import", () => importAll(storage, records));

  await step("read back with getItemSync", () => {
    const sample = [...records].filter((_, index) => index % 5 === 0);
    for (const [key, record] of sample) {
      checkRecord(key, storage.getItemSync(key), record, "getItemSync");
    }
    return sample.length;
  });

  await step("list by prefix", async () => {
    const keys = await storage.getKeys("packages");
    checkKeys(keys, [...records.keys()], "after the import");
    return keys.length;
  });

  await step("update", async () => {
    const found = await storage.getItems([...records.keys()]);
    const updates = found
      .filter(({ value }) => needsReview(value))
      .map(({ key, value }) => ({ key, value: reviewed(value, importedAt) }));
    await storage.setItems(updates);
    return updates.length;
  });

  await step("remove", async () => {
    const keys = await storage.getKeys("packages:@types");
    checkKeys(keys, [...records.keys()].filter(isRemoved), "below packages:@types");
    await Promise.all(keys.map((key) => storage.removeItem(key)));
    return keys.length;
  });

  await step("flush and close", async () => {
    await storage.flush();
    await storage.dispose();
    return records.size;
  });

  await step("check in a second process", () => {
    const args = [script, "--verify", folder, importedAt.toISOString()];
    const child = spawnSync(process.execPath, args, { encoding: "utf8" });
    check(child.status === 0, `the second process found: ${child.stderr || child.error}`);
    return Number(child.stdout);
  });

  showSummary(folder);
}

async function verify(folder, importedAt) {
  const storage = openStore(folder);
  const expected = expectedRecords(importedAt);
  checkKeys(await storage.getKeys("packages"), [...expected.keys()], "in the second process");
  for (const [key, record] of expected) {
    checkRecord(key, await storage.getItem(key), record, "getItem");
    checkRecord(key, storage.getItemSync(key), record, "getItemSync");
  }
  await storage.dispose();
  console.log(expected.size);
}

const [first, ...rest] = process.argv.slice(2);
try {
  if (first === "--verify") {
    await verify(rest[0], new Date(rest[1]));
  } else {
    await importPackages(first ? resolve(first) : mkdtempSync(join(tmpdir(), "package-import-")));
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
