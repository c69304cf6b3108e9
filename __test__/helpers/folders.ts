// Folders of a test, removed when it is over.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** An empty folder that goes with the test that asks for it. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "eas-"));
  onTestFinished(() => remove(path, 10));
  return path;
}

/** Node tries again to remove a folder, and not what a write that nobody awaited has put there meanwhile. */
function remove(path: string, tries: number): void {
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 2 });
  } catch (error) {
    if (tries === 1 || (error as NodeJS.ErrnoException).code !== "ENOTEMPTY") throw error;
    remove(path, tries - 1);
  }
}
