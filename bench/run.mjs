// node --expose-gc bench/run.mjs [--ci] [--only TEXT] [--rounds N] [--folder TITLE=DIR]
//
// Without arguments: everything, and docs/benchmarks.md and .svg are written. `--ci` runs a few short
// rounds against what the main install has, and fails only if a benchmark breaks. `--only` runs the
// rows of the goals whose text holds TEXT and writes nothing; with `node --cpu-prof` it profiles them.
// `--rounds` sets how often each side is timed, `--folder TITLE=DIR` adds a file system to the
// table of writes.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "../scripts/tools.mjs";
import { goalRows, measureRow, NUMBER_COLUMNS, summary } from "./lib/goals.mjs";
import { prepareAddon, preparePeers } from "./lib/setup.mjs";
import { textTable } from "./lib/table.mjs";

const { values: options } = parseArgs({
  options: {
    ci: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    rounds: { type: "string" },
    folder: { type: "string", multiple: true, default: [] },
  },
});

const BUDGET = options.ci
  ? { rounds: 3, sliceMs: 2, processes: 2 }
  : { rounds: 15, sliceMs: 10, processes: 30 };
// The wide tables have no goal to decide; they get by with fewer rounds.
const TABLE_BUDGET = { rounds: 7, sliceMs: 10, slices: 1 };

if (options.rounds !== undefined) {
  const rounds = Number(options.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error("--rounds takes a positive number");
  BUDGET.rounds = rounds;
  TABLE_BUDGET.rounds = rounds;
  BUDGET.processes = 2 * rounds;
}

const THEMES = ["memory", "js-driver", "fs", "queue", "sqlite", "process", "renderers"];

async function goalsToMeasure() {
  const rows = [];
  for (const theme of THEMES) {
    const { quick, full } = await import(`./cases/${theme}.mjs`);
    rows.push(...quick, ...(options.ci ? [] : full));
  }
  return rows.filter(({ operation, against }) => `${operation} ${against}`.includes(options.only));
}

function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
  else if (text !== "") process.stderr.write(`${text}\n`);
}

async function measureGoals() {
  const wanted = await goalsToMeasure();
  const done = [];
  for (const [index, row] of wanted.entries()) {
    progress(`${index + 1}/${wanted.length} ${row.operation}`);
    done.push(await measureRow(row, BUDGET));
  }
  progress("");
  return done;
}

async function measureCurves() {
  const { curves } = await import("./cases/curves.mjs");
  const done = [];
  for (const curve of curves) {
    progress(`curve: ${curve.title}`);
    done.push(await curve.measure(TABLE_BUDGET));
  }
  return done;
}

async function measureTables() {
  const { fileTable, memoryTables } = await import("./cases/peers.mjs");
  const { fileSystemTables } = await import("./cases/file-systems.mjs");
  const { firstReadTable, shapeTable } = await import("./cases/shapes.mjs");
  progress("all peers in memory");
  const memory = await memoryTables(TABLE_BUDGET);
  progress("all peers on disk");
  const files = await fileTable(TABLE_BUDGET);
  progress("file systems");
  const systems = await fileSystemTables(TABLE_BUDGET, options.folder);
  progress("shapes of values");
  const shapes = await shapeTable(TABLE_BUDGET);
  progress("first reads");
  const firstReads = await firstReadTable(TABLE_BUDGET);
  const curves = await measureCurves();
  progress("");
  return { memory, files, systems, shapes, firstReads, curves };
}

prepareAddon({ release: !options.ci });
if (!options.ci) preparePeers();

const goals = await measureGoals();
console.log(textTable(goalRows(goals), NUMBER_COLUMNS));
console.log(`\n${summary(goals)}`);

for (const { operation, detail } of goals.filter(({ state }) => state === "missing")) {
  console.log(`skipped: ${operation} (${detail})`);
}

const broken = goals.filter(({ state }) => state === "broken");
for (const { operation, against, detail } of broken) {
  console.error(`\n${operation}, against ${against}:\n${detail}`);
}
if (broken.length > 0) process.exitCode = 1;

if (!options.ci && options.only === "") {
  const { writeReport } = await import("./lib/report.mjs");
  const tables = await measureTables();
  const unavailable = tables.files.filter((row) => row.unavailable);
  for (const { peer, unavailable: why } of unavailable) {
    console.log(`skipped: ${peer.name} is not available here (${why})`);
  }
  mkdirSync(join(root, "docs"), { recursive: true });
  writeReport({ goals, ...tables, at: new Date() });
  console.log("\nWritten: docs/benchmarks.md, docs/benchmarks.svg");
}
