import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { requireTool, toolsFolder } from "../install-tools.mjs";
import { expected } from "./use.mjs";

export const title = "the app runs from an asar archive with the binary in app.asar.unpacked";

/** What the configurations of the example app give to the packagers. */
const UNPACK = "**/*.node";

export async function check({ folder, app, platform, node }) {
  const asar = requireTool("@electron/asar");
  const source = join(folder, "asar-source");
  cpSync(app, source, { recursive: true });
  const resources = join(folder, "resources");
  mkdirSync(resources);
  const archive = join(resources, "app.asar");
  await asar.createPackageWithOptions(source, archive, { unpack: UNPACK });

  const inside = join("node_modules", platform.name, platform.binary);
  assert.equal(asar.statFile(archive, inside).unpacked, true, `${inside} is marked as unpacked`);
  const unpacked = join(`${archive}.unpacked`, inside);
  assert.ok(existsSync(unpacked), unpacked);

  const shim = join(toolsFolder, "run-in-asar.cjs");
  const run = () => node([shim, archive, "main.cjs"]);
  assert.deepEqual(JSON.parse(run()), { seen: expected, binary: unpacked });

  rmSync(unpacked);
  assert.throws(run, /is installed but cannot be loaded/, "the binary has no other place");
}
