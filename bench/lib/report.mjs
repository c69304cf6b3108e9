// docs/benchmarks.md and docs/benchmarks.svg, from what was measured.

import { writeFileSync } from "node:fs";
import { cpus, platform, totalmem } from "node:os";
import { join } from "node:path";
import { root } from "../../scripts/tools.mjs";
import { FILE_KEYS } from "../cases/peers.mjs";
import { goalRows, NUMBER_COLUMNS, summary } from "./goals.mjs";
import { ratioChart } from "./svg.mjs";
import { digits, markdownTable } from "./table.mjs";

function machine() {
  const processors = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  const system = platform();
  return `Node ${process.version} on ${system}, ${processors.length} × ${processors[0].model}, ${memory} GiB`;
}

const dayOf = (date) => date.toISOString().slice(0, 10);

const micros = (number) => (number === undefined ? "–" : digits(number));

function memorySection(tables) {
  const rows = [["store", "value", "format", "setSync", "getSync", "set", "get"]];
  for (const [shape, peers] of Object.entries(tables)) {
    for (const { peer, cells } of peers) {
      const numbers = ["setSync", "getSync", "set", "get"].map((column) => micros(cells[column]));
      rows.push([peer.name, shape, peer.format, ...numbers]);
    }
  }
  return markdownTable(rows, [3, 4, 5, 6]);
}

function promisesTable(rows) {
  const head = ["store", "layout", "durable once done", "atomic", "several processes"];
  const body = rows.map(({ peer, unavailable }) => [
    peer.name + (unavailable ? " (not available here)" : ""),
    peer.layout,
    peer.durable,
    peer.atomic,
    peer.processes,
  ]);
  return markdownTable([head, ...body]);
}

function fileTable(rows) {
  const head = ["store", "setSync", "getSync", "set", "get", "set many", "get many"];
  const columns = ["setSync", "getSync", "set", "get", "setMany", "getMany"];
  const body = rows.map(({ peer, cells, unavailable }) =>
    unavailable
      ? [`${peer.name}: not available here`, ...columns.map(() => "–")]
      : [peer.name, ...columns.map((column) => micros(cells[column]))],
  );
  return markdownTable([head, ...body], [1, 2, 3, 4, 5, 6]);
}

function systemSection(tables) {
  const columns = ["setSync", "set", "setMany"];
  const head = ["where", "store", ...columns.flatMap((name) => [name, "ours is"])];
  const body = tables.flatMap(({ title, system, rows }) =>
    rows.map(({ peer, cells }, at) => [
      `${title} (${system})`,
      peer.name,
      ...columns.flatMap((name) => {
        const ratio = at === 0 ? "–" : `${digits(cells[name] / rows[0].cells[name])} ×`;
        return [micros(cells[name]), ratio];
      }),
    ]),
  );
  return markdownTable([head, ...body], [2, 3, 4, 5, 6, 7]);
}

function shapeSection(rows) {
  const head = ["store", "value", "set, ours", "0.0.5", "ratio", "get, ours", "0.0.5", "ratio"];
  const body = rows.map(({ store, title, set, get }) => [
    store,
    title,
    ...[set, get].flatMap(([ours, upstream]) => [
      micros(ours),
      micros(upstream),
      digits(upstream / ours),
    ]),
  ]);
  return markdownTable([head, ...body], [2, 3, 4, 5, 6, 7]);
}

function firstReadSection(rows) {
  const head = ["value", "this package", "0.0.5", "Map + JSON"];
  const body = rows.map(({ title, times }) => [title, ...times.map(micros)]);
  return markdownTable([head, ...body], [1, 2, 3]);
}

function curveSection({ title, axis, points, micros: sides, detail }) {
  if (!sides) return `### ${title}\n\nNot measured: ${detail}`;
  const head = [axis, ...points.map((point) => point.toLocaleString("en-US"))];
  const name = { ours: "this package", upstream: "0.0.5" };
  const body = Object.entries(sides).map(([side, list]) => [
    name[side],
    ...list.map((number) => micros(number)),
  ]);
  return `### ${title}\n\n${markdownTable(
    [head, ...body],
    points.map((_, at) => at + 1),
  )}`;
}

/** Why rows miss their goals, by what profiles showed. */
function shortSection(goals) {
  const short = goals.filter(({ state }) => state === "missed");
  if (short.length === 0) return "";
  const lines = short.map(({ operation, against, absolute, whyShort, result }) => {
    const name = absolute ? operation : `${operation}, against ${against}`;
    const why = result.whyShort ?? whyShort;
    return why ? `- ${name}: ${why}.` : `- ${name}.`;
  });
  return `\n### Short of their goals\n\n${lines.join("\n")}\n`;
}

function chart(goals) {
  const bars = goals
    .filter(({ result }) => result?.ratio !== undefined)
    .map(({ operation, against, goal, value, state }) => ({
      label: `${operation} · ${against.replace(/,.*/, "")}`.replace(/ \(atomic;[^)]*\)/, ""),
      goal,
      ratio: value,
      reached: state === "reached",
      shown: `${digits(value)}×`,
    }));
  return ratioChart({
    title: "How many times as fast as the peer",
    note: "Medians of one run, logarithmic scale; the upright stroke is the goal, the dashed line is even.",
    bars,
  });
}

const page = ({ goals, memory, files, systems, shapes, firstReads, curves, at }) => `# Benchmarks

Written by \`npm run bench\` on ${dayOf(at)}: ${machine()}.
Do not edit this page by hand; run the command again.

![Ratios by operation](benchmarks.svg)

## How it is measured

Both sides of a row run in one process, in short slices that take turns, with a garbage collection
before each slice. A round holds two slices of each side and gives one ratio, the peer's time divided
by ours; the row shows the median of the rounds and, beside it, where the middle half of them lies.
What belongs to a whole process (start-up, memory, stalls) is measured in child processes that take
turns. Times are of one item. Absolute times depend on the machine and on what else it does; ratios
much less so.

Files are on the system's temporary folder and mostly in the page cache: this measures the software,
not the disk.

## Goals

${summary(goals)}.

${markdownTable(goalRows(goals), NUMBER_COLUMNS)}

The stall rows show the upstream's stall beside ours, or the error with which it fails: its batches
open every file at once.
${shortSection(goals)}
## All peers in memory

Microseconds for one item. Only the two versions of electron-async-storage keep Dates, Maps, Sets and
cycles; the others store what JSON can hold.

${memorySection(memory)}

## All peers on disk

What each promises, by its documentation, in the settings that it is measured with:

${promisesTable(files)}

Microseconds for one item of ${FILE_KEYS} profile values. "Many" handles all ${FILE_KEYS} in one call, or all at
once where there is no such call. A dash is an operation that the peer does not have. Compare rows
that promise the same: a store that flushes to the medium waits for it.

${fileTable(files)}

## Writes, by file system

Microseconds for one of 2,000 profile values, and how many times as fast as that row this package is.
The last row of each place is the floor of an atomic write: another file and a rename, from
JavaScript, without anything else.

${systemSection(systems)}

What a write costs here is what a new file costs. ext4 without a journal, as virtual machines often
have it, never takes an inode that was freed within the last minutes: each new file looks past all of
them. There, \`perf\` shows most of a write in the kernel's \`find_inode_bit\` and \`recently_deleted\`,
what one row of a place takes depends on what was deleted near its folder before and differs several
times between runs, and writing in place, which makes no file, is as many times faster and tears. With
a journal, and in memory, an atomic write is about as fast as one in place.

## Shapes of values

Microseconds of \`setItemSync\` and \`getItemSync\`, this package and version 0.0.5.

${shapeSection(shapes)}

## First reads

This package remembers what it read: a value whose text is still the same is copied instead of parsed.
The rows above read a moderate number of keys again and again, as programs read their settings, and
gain by that. Here each read is the first of its key; microseconds of \`getItemSync\` in memory.

${firstReadSection(firstReads)}

## Curves

Microseconds of one call. Cost should follow the work: the result, not the store; the item, not the
mounts; the watched write, not the others.

${curves.map(curveSection).join("\n\n")}
`;

export function writeReport(results, folder = join(root, "docs")) {
  writeFileSync(join(folder, "benchmarks.md"), page(results));
  writeFileSync(join(folder, "benchmarks.svg"), chart(results.goals));
}
