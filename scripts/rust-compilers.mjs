// The Rust compilers of this machine, and what each can build for another system.
//
// A compiler can build for a target whose standard library it has, or whose sources it has: rustup's
// `rust-src` component or Debian's packages. CHECK_TARGETS_RUSTC names one more compiler.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { root } from "./tools.mjs";

export const leastVersion = /^rust-version = "(.+)"$/m.exec(
  readFileSync(join(root, "Cargo.toml"), "utf8"),
)[1];

export const SOURCES_HELP = `No Rust compiler here, of version ${leastVersion} or later, has the standard library of \
that target or the sources of it. Install either:
  Debian 12 (with its security updates)  apt-get install rustc-web cargo-web rust-web-src
  rustup                                 rustup target add TARGET, or rustup component add rust-src`;

function ask(rustc, ...args) {
  const { status, stdout } = spawnSync(rustc, args, { cwd: root, encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

/** Each compiler with its version, whether the crate can be built with it, and the sources of its library. */
export function compilers() {
  const paths = [process.env.CHECK_TARGETS_RUSTC, "rustc", "/usr/bin/rustc"].filter(Boolean);
  return [...new Set(paths)].flatMap((path) => {
    const version = /^release: (\d+)\.(\d+)/m.exec(ask(path, "-vV") ?? "");
    if (!version) return [];
    const [major, minor] = leastVersion.split(".").map(Number);
    const isOld = Number(version[1]) === major && Number(version[2]) < minor;
    const library = join(
      ask(path, "--print", "sysroot"),
      "lib",
      "rustlib",
      "src",
      "rust",
      "library",
    );
    const cargo = isAbsolute(path) ? join(dirname(path), "cargo") : "cargo";
    return [
      {
        path,
        cargo: existsSync(cargo) ? cargo : "cargo",
        isOld,
        version: `${version[1]}.${version[2]}`,
        sources: existsSync(library) ? library : undefined,
      },
    ];
  });
}

/** What makes cargo build for a target with a compiler; undefined if it cannot. */
export function libraryFor(target, compiler) {
  if (compiler.isOld) return undefined;
  const library = ask(compiler.path, "--print", "target-libdir", "--target", target);
  if (library && existsSync(library)) return { args: [], env: {}, sources: undefined };
  if (!compiler.sources) return undefined;
  return {
    args: ["-Zbuild-std=std,panic_unwind"],
    env: { RUSTC_BOOTSTRAP: "1" },
    sources: compiler.sources,
  };
}
