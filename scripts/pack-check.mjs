// `npm run pack:check [-- NAME...]`: packs the main package and the platform package of this machine,
// installs both tarballs offline into a fresh app in the temporary folder, and checks there what a user
// meets. NAME picks checks by their file name under scripts/pack/checks/; `--keep` leaves the app there.

import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { buildIfStale } from "./addon.mjs";
import { installTools } from "./pack/install-tools.mjs";
import { stage } from "./pack/stage.mjs";
import { root } from "./tools.mjs";

const options = process.argv.slice(2);
const keep = options.includes("--keep");
const wanted = options.filter((option) => !option.startsWith("--"));

const folder = join(root, "scripts", "pack", "checks");
const names = readdirSync(folder).map((file) => file.replace(/\.mjs$/, ""));
const unknown = wanted.filter((name) => !names.includes(name));

async function runChecks() {
  if (unknown.length > 0) {
    throw new Error(`No check ${unknown.join(", ")}: there are ${names.join(", ")}.`);
  }
  if (!buildIfStale()) throw new Error("The addon could not be built.");
  installTools();
  const staged = stage();
  let failures = 0;
  try {
    const picked = names.filter((name) => wanted.length === 0 || wanted.includes(name)).sort();
    for (const name of picked) {
      const { title, check } = await import(`./pack/checks/${name}.mjs`);
      try {
        const note = await check(staged);
        console.log(`ok      ${name}: ${title}${note ? ` (${note})` : ""}`);
      } catch (error) {
        failures += 1;
        console.error(`FAILED  ${name}: ${title}\n${error.stack}`);
      }
    }
    console.log(`\n${picked.length - failures} passed, ${failures} failed`);
  } finally {
    if (keep) console.log(`The app is in ${staged.folder}`);
    else rmSync(staged.folder, { recursive: true, force: true });
  }
  return failures === 0;
}

if (!(await runChecks())) process.exitCode = 1;
