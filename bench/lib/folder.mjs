import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = mkdtempSync(join(tmpdir(), "storage-bench-"));
let made = 0;

process.on("exit", () => rmSync(root, { recursive: true, force: true }));

/** A new path for a store, below one folder that goes when the process ends. */
export function newFolder() {
  made += 1;
  return join(root, `store-${made}`);
}
