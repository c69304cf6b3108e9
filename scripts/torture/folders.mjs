// Folders for the attacks, removed when the process that asked for them ends.

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export function folder() {
  const path = mkdtempSync(join(tmpdir(), "eas-torture-"));
  process.on("exit", () => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** The paths of all files below a folder, relative to it. */
export function filesBelow(base, inside = "") {
  return readdirSync(join(base, inside), { withFileTypes: true }).flatMap((entry) => {
    const path = inside ? `${inside}/${entry.name}` : entry.name;
    return entry.isDirectory() ? filesBelow(base, path) : [path];
  });
}
