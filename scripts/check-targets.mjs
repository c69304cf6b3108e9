// `npm run check:targets [-- TARGET...]`: type-checks the Rust code for the systems that packages are built for.
//
// A compiler can check for a target whose standard library it has, or whose sources it has: rustup's
// `rust-src` component or Debian's packages of the same name. CHECK_TARGETS_RUSTC names one more compiler.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
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

const leastVersion = /^rust-version = "(.+)"$/m.exec(
  readFileSync(join(root, "Cargo.toml"), "utf8"),
)[1];

function ask(rustc, ...args) {
  const { status, stdout } = spawnSync(rustc, args, { cwd: root, encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

/** The compilers of this machine, each with what it is. */
function compilers() {
  const paths = [process.env.CHECK_TARGETS_RUSTC, "rustc", "/usr/bin/rustc"].filter(Boolean);
  return [...new Set(paths)].flatMap((path) => {
    const version = /^release: (\d+)\.(\d+)/m.exec(ask(path, "-vV") ?? "");
    if (!version) return [];
    const [major, minor] = leastVersion.split(".").map(Number);
    const isOld = Number(version[1]) === major && Number(version[2]) < minor;
    const sources = join(
      ask(path, "--print", "sysroot"),
      "lib",
      "rustlib",
      "src",
      "rust",
      "library",
    );
    return [
      { path, isOld, version: `${version[1]}.${version[2]}`, hasSources: existsSync(sources) },
    ];
  });
}

/** How a compiler can check for a target; undefined if it cannot. */
function wayFor(target, compiler) {
  if (compiler.isOld) return undefined;
  const library = ask(compiler.path, "--print", "target-libdir", "--target", target);
  if (library && existsSync(library)) return { compiler, args: [], env: {} };
  if (!compiler.hasSources) return undefined;
  return { compiler, args: ["-Zbuild-std=std,panic_unwind"], env: { RUSTC_BOOTSTRAP: "1" } };
}

function check(target, features, { compiler, args, env }) {
  const musl = target.endsWith("-musl") ? { RUSTFLAGS: "-C target-feature=-crt-static" } : {};
  const { status } = spawnSync(
    "cargo",
    ["check", "--quiet", "--target", target, ...args, ...features],
    { cwd: root, stdio: "inherit", env: { ...process.env, ...env, ...musl, RUSTC: compiler.path } },
  );
  return status === 0;
}

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
  if (!way)
    rows.push([target, "skipped: no compiler here has its standard library or the sources of it"]);
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
for (const { path, version } of known.filter(({ isOld }) => isOld)) {
  console.log(`${path} is Rust ${version}; the crate needs ${leastVersion}`);
}
if (!rows.some(([, state]) => state === "compiles")) {
  console.error("Nothing could be checked: install the standard library of a target, or rust-src.");
  process.exitCode = 1;
}
if (rows.some(([, state]) => state === "FAILED")) process.exitCode = 1;
