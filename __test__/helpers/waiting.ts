// Waiting for what must happen.

import { vi } from "vitest";

/** How long it may take; only a test that fails waits for so long. */
export const PATIENCE_MS = 60_000;

/** Waits until a check passes; fails with its last error. */
export function waitFor<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: PATIENCE_MS });
}
