import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { toolsFolder } from "../install-tools.mjs";

export const title = "publint and @arethetypeswrong/cli find nothing";

async function publintMessages(pkgDir, level) {
  const entry = join(toolsFolder, "node_modules", "publint", "src", "index-node.js");
  const { publint } = await import(pathToFileURL(entry).href);
  return (await publint({ pkgDir, level, pack: false, strict: true })).messages;
}

export async function check({ app, installed, tarballs, platform }) {
  assert.deepEqual(await publintMessages(installed, "suggestion"), []);
  // Suggestions are about JavaScript, of which a platform package has none.
  const platformFolder = join(app, "node_modules", platform.name);
  assert.deepEqual(await publintMessages(platformFolder, "warning"), []);

  const attw = join(toolsFolder, "node_modules", "@arethetypeswrong", "cli", "dist", "index.js");
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [attw, "--no-definitely-typed", "--format", "table-flipped", "--no-emoji", tarballs.main],
    { encoding: "utf8" },
  );
  assert.equal(status, 0, `@arethetypeswrong/cli:\n${stdout}${stderr}`);
}
