// `npm run docs:api`: writes docs/api/, the reference of everything the package exports, anew.

import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { npm } from "../pack/install-tools.mjs";
import { root, run } from "../tools.mjs";

const folder = join(root, "scripts", "docs");

export const apiFolder = join(root, "docs", "api");

function changedMs(...path) {
  return statSync(join(folder, ...path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Installs typedoc when it is missing or older than its lock file. */
function installTools() {
  if (changedMs("node_modules", ".package-lock.json") >= changedMs("package-lock.json")) return;
  console.log("Installing the tools of the API reference");
  npm(["ci"], folder);
}

/** Writes the reference into a folder, which is emptied first. */
export function writeReference(target) {
  installTools();
  rmSync(target, { recursive: true, force: true });
  const typedoc = join(folder, "node_modules", "typedoc", "bin", "typedoc");
  const config = join(folder, "typedoc.config.mjs");
  if (!run([process.execPath, typedoc, "--options", config, "--out", target])) {
    throw new Error("typedoc could not write the API reference.");
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) writeReference(apiFolder);
