// `npm run check:targets [-- TARGET...]`: type-checks the Rust code for the systems that packages are built for.

import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { compilers, leastVersion, libraryFor, SOURCES_HELP } from "./rust-compilers.mjs";
import { isAvailable, root } from "./tools.mjs";

const WITH_NODE = ["--package", "electron-async-storage"];
const CORE_ALONE = ["--workspace", "--exclude", "electron-async-storage"];

const TARGETS = {
  "x86_64-pc-windows-msvc": [CORE_ALONE, WITH_NODE],
  "aarch64-pc-windows-msvc": [CORE_ALONE, WITH_NODE],
  // With `node` the GNU toolchain wants a libnode.dll to link with, which no release of Node has.
  "x86_64-pc-windows-gnu": [CORE_ALONE],
  "x86_64-apple-darwin": [CORE_ALONE, WITH_NODE],
  "aarch64-apple-darwin": [CORE_ALONE, WITH_NODE],
  "x86_64-unknown-linux-musl": [CORE_ALONE, WITH_NODE],
  "aarch64-unknown-linux-musl": [CORE_ALONE, WITH_NODE],
  "aarch64-unknown-linux-gnu": [CORE_ALONE, WITH_NODE],
};

/** Programs that a target's own crates are made with, without which it cannot be checked. */
const TOOLS = { "x86_64-pc-windows-gnu": ["x86_64-w64-mingw32-dlltool", "--version"] };

/** How a compiler can check for a target; undefined if it cannot. */
function wayFor(target, compiler) {
  const library = libraryFor(target, compiler);
  return library && { compiler, ...library };
}

/** A program in the place of an archiver that makes the library it is asked for, with nothing in it. */
function archiver() {
  const path = join(root, "target", "check-targets", "archiver");
  mkdirSync(dirname(path), { recursive: true });
  const makeOutput = `for arg do case $arg in -out:*) : >"\${arg#-out:}" ;; esac; done`;
  writeFileSync(path, `#!/bin/sh\n${makeOutput}\n`, { mode: 0o755 });
  return path;
}

/** A check links nothing, so that the C code of dependencies need not be compiled, and no C compiler be there. */
function withoutC(target) {
  if (process.platform === "win32") return {};
  const suffix = target.replaceAll("-", "_");
  return { [`CC_${suffix}`]: "true", [`AR_${suffix}`]: archiver() };
}

function check(target, features, { compiler, args, env }) {
  const musl = target.endsWith("-musl") ? { RUSTFLAGS: "-C target-feature=-crt-static" } : {};
  const { status } = spawnSync(
    compiler.cargo,
    ["check", "--quiet", "--target", target, ...args, ...features],
    {
      cwd: root,
      stdio: "inherit",
      env: { ...process.env, ...env, ...musl, ...withoutC(target), RUSTC: compiler.path },
    },
  );
  return status === 0;
}

const NO_LIBRARY = "skipped: no compiler here has its standard library or the sources of it";
const given = process.argv.slice(2);
for (const target of given.filter((name) => !Object.hasOwn(TARGETS, name))) {
  console.error(`${target}: there is ${Object.keys(TARGETS).join(", ")}`);
  process.exit(2);
}
const known = compilers();
const rows = [];
for (const target of given.length > 0 ? given : Object.keys(TARGETS)) {
  const way = known.map((compiler) => wayFor(target, compiler)).find(Boolean);
  const tool = TOOLS[target];
  if (!way) rows.push([target, NO_LIBRARY]);
  else if (tool && !isAvailable(tool)) rows.push([target, `skipped: ${tool[0]} is not installed`]);
  else {
    for (const features of TARGETS[target]) {
      const title = `${target} ${features === WITH_NODE ? "with node" : "core alone"}`;
      console.log(`=== ${title}, rustc ${way.compiler.version}`);
      rows.push([title, check(target, features, way) ? "compiles" : "FAILED"]);
    }
  }
}

const width = Math.max(...rows.map(([title]) => title.length));
console.log(`\n${rows.map(([title, state]) => `${title.padEnd(width)}  ${state}`).join("\n")}`);
console.log(
  "\nChecked is the Rust code. The C code of SQLite was not compiled, and nothing was linked or run.",
);
if (rows.some(([, state]) => state === NO_LIBRARY)) console.log(`\n${SOURCES_HELP}`);
for (const { path, version } of known.filter(({ isOld }) => isOld)) {
  console.log(`${path} is Rust ${version}; the crate needs ${leastVersion}`);
}
if (!rows.some(([, state]) => state === "compiles")) {
  process.exitCode = 1;
}
if (rows.some(([, state]) => state === "FAILED")) process.exitCode = 1;
