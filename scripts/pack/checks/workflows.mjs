import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "../../tools.mjs";
import { requireTool } from "../install-tools.mjs";
import { readJson } from "../stage.mjs";

export const title = "the workflows parse, pass actionlint, and build and test every target";

/** Runners of today that are younger than the list in the linter. */
const RUNNERS = [
  "macos-15",
  "macos-15-intel",
  "ubuntu-24.04",
  "ubuntu-24.04-arm",
  "windows-11-arm",
  "windows-2025",
];

const isKnownRunner = ({ kind, message }) =>
  kind === "runner-label" && RUNNERS.some((label) => message.startsWith(`label "${label}" `));

const folder = join(root, ".github", "workflows");

function versionsOf(steps) {
  return steps.map(({ uses }) => uses).filter((uses) => uses && !uses.startsWith("./"));
}

export async function check() {
  const names = readdirSync(folder).sort();
  const { createLinter } = await import(pathToFileURL(requireTool.resolve("actionlint")).href);
  const workflows = {};
  for (const name of names) {
    const text = readFileSync(join(folder, name), "utf8");
    workflows[name] = requireTool("yaml").parse(text);
    // One linter for each file: it does not survive being used twice.
    const lint = await createLinter();
    const found = lint(text, join(".github", "workflows", name));
    assert.deepEqual(
      found.filter((one) => !isKnownRunner(one)),
      [],
      name,
    );
    for (const job of Object.values(workflows[name].jobs)) {
      for (const uses of versionsOf(job.steps ?? [])) assert.match(uses, /@v\d+$/, name);
    }
  }

  const { targets } = readJson(root, "package.json").napi;
  const { build, test, "test-musl": testMusl } = workflows["build.yml"].jobs;
  const targetsOf = (matrix) => matrix.include.map(({ target }) => target);
  assert.deepEqual(targetsOf(build.strategy.matrix).sort(), [...targets].sort());
  const tested = [test, testMusl].flatMap(({ strategy }) => targetsOf(strategy.matrix));
  assert.deepEqual(tested.sort(), [...targets].sort());
  for (const { strategy } of [test, testMusl]) {
    assert.deepEqual(strategy.matrix.node, [18, 20, 22, 24]);
  }
  return names.join(", ");
}
