// `npm run docs:check`: whether docs/api/ is what the declarations say today, whether every link between
// the pages leads somewhere, and whether the code on them runs.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { buildIfStale } from "./addon.mjs";
import { apiFolder, writeReference } from "./docs/api.mjs";
import { brokenLink, links, pagePaths, readPage } from "./docs/pages.mjs";
import { npmTool, run } from "./tools.mjs";

function filesBelow(folder, below = folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path, below) : [relative(below, path)];
  });
}

/** The pages of the reference that are not what typedoc writes. */
function staleReference() {
  const fresh = mkdtempSync(join(tmpdir(), "eas-api-"));
  try {
    writeReference(fresh);
    const names = new Set([...filesBelow(fresh), ...filesBelow(apiFolder)]);
    return [...names].sort().filter((name) => {
      const read = (folder) => {
        try {
          return readFileSync(join(folder, name), "utf8");
        } catch (error) {
          if (error.code === "ENOENT") return undefined;
          throw error;
        }
      };
      return read(fresh) !== read(apiFolder);
    });
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

function brokenLinks() {
  return pagePaths().flatMap((page) =>
    links(readPage(page)).flatMap((target) => {
      const reason = brokenLink(page, target);
      return reason === undefined ? [] : [`${page}: ${target}: ${reason}`];
    }),
  );
}

function report(title, problems, advice) {
  if (problems.length === 0) {
    console.log(`ok      ${title}`);
    return;
  }
  console.error(`FAILED  ${title}\n${problems.map((problem) => `        ${problem}`).join("\n")}`);
  if (advice) console.error(`        ${advice}`);
  process.exitCode = 1;
}

report(
  "the API reference is that of the declarations",
  staleReference().map((name) => `docs/api/${name.split(sep).join("/")}`),
  "npm run docs:api writes it anew",
);
report("every link leads somewhere", brokenLinks());

// A binary that the environment names is used as it is.
const hasAddon = process.env.EAS_NATIVE_PATH !== undefined || buildIfStale();
const codeRuns = hasAddon && run(npmTool("vitest", "vitest", "run", "__test__/docs.spec.ts"));
report("the code of every page runs", codeRuns ? [] : ["see above"]);
