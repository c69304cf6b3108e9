// Runs the TypeScript compiler over the declarations and their tests, once for each way of resolving modules.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const typeTests = join(root, "__test__", "types");
const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");

const projects = readdirSync(typeTests)
  .filter((name) => /^tsconfig\..+\.json$/.test(name) && name !== "tsconfig.base.json")
  .sort()
  .map((name) => join(typeTests, name));
if (projects.length === 0) {
  throw new Error(`No tsconfig.*.json in ${typeTests}: there would be nothing to check.`);
}

const rootProject = join(root, "tsconfig.json");
projects.unshift(join(root, "src", "js", "tsconfig.json"));
if (existsSync(rootProject)) projects.unshift(rootProject);

const failed = [];
for (const project of projects) {
  const name = relative(root, project);
  const { status, error } = spawnSync(
    process.execPath,
    [tsc, "--noEmit", "--pretty", String(process.stdout.isTTY ?? false), "--project", project],
    { cwd: root, stdio: "inherit" },
  );
  if (error) throw error;
  console.log(`${status === 0 ? "ok    " : "FAILED"} ${name}`);
  if (status !== 0) failed.push(name);
}

if (failed.length > 0) {
  console.error(`\nType errors under: ${failed.join(", ")}`);
  process.exitCode = 1;
}
