// `npm run test:nodes [-- VERSION...] [-- vitest arguments]`: runs the JavaScript tests on each supported
// version of Node. The programs come from npm's packages of Node, one a platform, and are kept under target/.

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildIfStale } from "./addon.mjs";
import { npm } from "./pack/install-tools.mjs";
import { npmTool, root, run } from "./tools.mjs";

const SUPPORTED = ["18", "20", "22", "24"];

const given = process.argv.slice(2);
const isVersion = (argument) => /^\d+(\.\d+){0,2}$/.test(argument);
const versions = given.some(isVersion) ? given.filter(isVersion) : SUPPORTED;
const passedOn = given.filter((argument) => !isVersion(argument) && argument !== "--");

/** The path of a Node of this version, installed when it is not there yet. */
function nodeOf(version) {
  const platform = process.platform === "win32" ? "win" : process.platform;
  const name = `node-${platform}-${process.arch}`;
  const folder = join(root, "target", "nodes", version);
  const program = process.platform === "win32" ? "node.exe" : "node";
  const path = join(folder, "node_modules", name, "bin", program);
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
    npm(["install", "--no-audit", "--no-fund", "--no-package-lock", `${name}@${version}`], folder);
  }
  return path;
}

function testOn(version) {
  const node = nodeOf(version);
  console.log(`\n=== Node ${version}`);
  if (!run([node, "--version"])) return false;
  const [, vitest] = npmTool("vitest", "vitest");
  return run([node, vitest, "run", ...passedOn]);
}

if (buildIfStale()) {
  const failed = versions.filter((version) => !testOn(version));
  console.log(
    `\nNode ${versions.join(", ")}: ${failed.length === 0 ? "all passed" : `failed on ${failed.join(", ")}`}`,
  );
  if (failed.length > 0) process.exitCode = 1;
} else {
  process.exitCode = 1;
}
