// The tools that only the pack check needs have a package.json of their own, so that `npm ci` in the
// repository stays small. Its .npmrc keeps install scripts from running: electron is there for its types.

import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { root } from "../tools.mjs";

export const toolsFolder = join(root, "scripts", "pack");

/** `require` of what is installed for the pack check. */
export const requireTool = createRequire(join(toolsFolder, "package.json"));

function changedMs(...path) {
  return statSync(join(toolsFolder, ...path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Runs npm through the script behind it where npm itself runs this process: on Windows npm is no program. */
export function npm(args, cwd) {
  const script = process.env.npm_execpath;
  const [program, ...first] = script ? [process.execPath, script] : ["npm"];
  const result = spawnSync(program, [...first, ...args], {
    cwd,
    encoding: "utf8",
    env: cleanEnvironment(),
  });
  if (result.error) throw result.error;
  if (result.status !== 0) {
    throw new Error(`npm ${args.join(" ")} failed in ${cwd}:\n${result.stdout}${result.stderr}`);
  }
  return result.stdout;
}

/** This process's environment without the settings that `npm run` puts there for the repository. */
function cleanEnvironment() {
  const kept = ([name]) => !/^npm_(config|package|lifecycle)_/i.test(name) && name !== "INIT_CWD";
  const cleaned = Object.fromEntries(Object.entries(process.env).filter(kept));
  for (const [name, value] of Object.entries(process.env)) {
    // Where to find packages is a setting of the machine, not of the repository.
    if (
      /^npm_config_(registry|userconfig|globalconfig|cache|cafile|proxy|https_proxy)$/i.test(name)
    ) {
      cleaned[name] = value;
    }
  }
  return cleaned;
}

/** Installs the tools when they are missing or older than their lock file. */
export function installTools() {
  if (changedMs("node_modules", ".package-lock.json") >= changedMs("package-lock.json")) return;
  console.log("Installing the tools of the pack check");
  npm(["ci"], toolsFolder);
}
