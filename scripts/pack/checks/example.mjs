import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { root } from "../../tools.mjs";
import { requireTool, toolsFolder } from "../install-tools.mjs";

export const title =
  "the example app type-checks against electron's types, and its configurations parse";

const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
const sources = join(root, "examples", "electron-app");

export function check({ app, node }) {
  // Below the app, whose installed package is thus the one that the example finds.
  const example = join(app, "example");
  cpSync(sources, example, { recursive: true, filter: (path) => !/node_modules|dist$/.test(path) });
  for (const name of ["electron", "@types"]) {
    const folder = join(toolsFolder, "node_modules", name);
    symlinkSync(folder, join(app, "node_modules", name), "junction");
  }
  const project = join(example, "tsconfig.json");
  const listed = node([
    tsc,
    "--project",
    project,
    "--listFiles",
    "--outDir",
    join(example, "dist"),
  ]);
  assert.match(listed, /electron[\\/]electron\.d\.ts/, "electron's own types are used");
  node([tsc, "--project", join(example, "src", "window", "tsconfig.json")]);
  assert.deepEqual(readdirSync(join(example, "dist")).sort(), [
    "channels.js",
    "main.js",
    "preload.js",
    "settings.js",
    "storage.js",
    "window",
  ]);

  const forge = createRequire(import.meta.url)(join(sources, "forge.config.js"));
  const builder = requireTool("yaml").parse(
    readFileSync(join(sources, "electron-builder.yml"), "utf8"),
  );
  assert.deepEqual(builder.asarUnpack, [forge.packagerConfig.asar.unpack]);
  assert.equal(builder.mac.x64ArchFiles, forge.packagerConfig.osxUniversal.x64ArchFiles);
}
