import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["__test__/**/*.spec.ts"],
    // Each file gets a process of its own: an addon that crashes takes down one file, and threads
    // or handles that it leaks show as a process that does not end.
    pool: "forks",
    // No test is told to be fast: the limits are there for what hangs, also on a machine that is busy.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    teardownTimeout: 10_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
