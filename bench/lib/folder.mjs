import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const roots = new Map();
let made = 0;

process.on("exit", () => {
  for (const root of roots.values()) rmSync(root, { recursive: true, force: true });
});

/** A new path for a store, below one folder of `parent` that goes when the process ends. */
export function newFolder(parent = tmpdir()) {
  if (!roots.has(parent)) roots.set(parent, mkdtempSync(join(parent, "storage-bench-")));
  made += 1;
  return join(roots.get(parent), `store-${made}`);
}
