// The calls that a process makes of the file system, in order, as seen from outside of it.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folder } from "../folders.js";
import { root } from "../package.js";

const compiler = "cc";
const source = join(root, "__test__", "helpers", "fs", "recorder.c");

/** Whether calls can be recorded here: the loader must know LD_PRELOAD, and there must be a compiler. */
export const canRecord =
  process.platform === "linux" &&
  spawnSync(compiler, ["--version"], { stdio: "ignore" }).status === 0;

export interface Call {
  name: string;
  /** Relative to the folder; temporary names as `%~tmp`. */
  path: string;
  to?: string;
}

export interface Recorder {
  env: Record<string, string>;
  /** The calls so far. */
  calls(): Call[];
  /** Adds a line of the test's own to the record. */
  note(text: string): void;
}

/** Records the calls on what is under a folder; `fail` is a call and an errno, such as `fsync 5`. */
export function recorder(under: string, fail?: string): Recorder {
  const at = folder();
  const library = join(at, "recorder.so");
  const built = spawnSync(compiler, ["-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], {
    encoding: "utf8",
  });
  if (built.status !== 0) throw new Error(built.stderr);
  const file = join(at, "record");
  const shown = (path: string) =>
    path
      .replace(`${under}/`, "")
      .replace(under, ".")
      .replace(/%~tmp-[^/]*/, "%~tmp");
  return {
    env: {
      LD_PRELOAD: library,
      EAS_UNDER: under,
      EAS_RECORD: file,
      ...(fail === undefined ? {} : { EAS_FAIL: fail }),
    },
    calls() {
      if (!existsSync(file)) return [];
      const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
      return lines.map((line) => {
        const [name, path, to] = line.split(" ");
        return { name, path: shown(path), ...(to === undefined ? {} : { to: shown(to) }) };
      });
    },
    note: (text) => writeFileSync(file, `note ${text}\n`, { flag: "a" }),
  };
}

/** Whether the record has these calls in this order, others between them allowed. */
export function inOrder(calls: Call[], expected: string[]): string[] {
  const shown = calls.map(({ name, path, to }) => [name, path, to].filter(Boolean).join(" "));
  let from = 0;
  const found: string[] = [];
  for (const one of expected) {
    const at = shown.indexOf(one, from);
    if (at < 0) return [...found, `missing after these: ${one}, of ${shown.join("; ")}`];
    found.push(one);
    from = at + 1;
  }
  return found;
}
