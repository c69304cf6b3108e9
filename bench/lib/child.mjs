import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const folder = new URL("../children/", import.meta.url);
const pathOf = (script) => fileURLToPath(new URL(script, folder));

/** Runs a script of children/ and gives what it printed, as JSON. */
export function measureInChild(script, ...args) {
  const output = execFileSync(process.execPath, ["--expose-gc", pathOf(script), ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(output);
}

/** Milliseconds from the start of a process to its end. */
export function timeProcess(script, ...args) {
  const start = performance.now();
  execFileSync(process.execPath, [pathOf(script), ...args], { stdio: "ignore" });
  return performance.now() - start;
}
