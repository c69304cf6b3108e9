// Folders for the attacks, removed when the process that asked for them ends.

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A listener for each folder would be taken for a leak by Node. */
const made = [];
process.once("exit", () => {
  for (const path of made) rmSync(path, { recursive: true, force: true });
});

export function folder() {
  const path = mkdtempSync(join(tmpdir(), "eas-torture-"));
  made.push(path);
  return path;
}

/** The paths of all files below a folder, relative to it. */
export function filesBelow(base, inside = "") {
  return readdirSync(join(base, inside), { withFileTypes: true }).flatMap((entry) => {
    const path = inside ? `${inside}/${entry.name}` : entry.name;
    return entry.isDirectory() ? filesBelow(base, path) : [path];
  });
}

/** All names below a folder, relative to it: those of folders too, which end in `/`. Links are not followed. */
export function namesBelow(base, inside = "") {
  return readdirSync(join(base, inside), { withFileTypes: true }).flatMap((entry) => {
    const path = `${inside}${entry.name}`;
    return entry.isDirectory() ? [`${path}/`, ...namesBelow(base, `${path}/`)] : [path];
  });
}
