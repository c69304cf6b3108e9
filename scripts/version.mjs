// Runs as the `version` script of `npm version NEW`: gives the platform packages and the crate the version
// that package.json already has, and adds them to the commit that npm makes.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { npmTool, root, run } from "./tools.mjs";

const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

function setCrateVersion() {
  const path = join(root, "Cargo.toml");
  const before = readFileSync(path, "utf8");
  writeFileSync(path, before.replace(/^version = ".*"$/m, `version = "${version}"`));
  return run(["cargo", "update", "--workspace", "--offline"]);
}

const changed = ["npm", "Cargo.toml", "Cargo.lock"];
const done =
  run(npmTool("@napi-rs/cli", "napi", "version")) &&
  setCrateVersion() &&
  run(["git", "add", "--", ...changed]);
if (!done) process.exitCode = 1;
