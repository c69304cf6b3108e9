// Clears of drivers whose `ignore` is a function, which runs on the thread of JavaScript alone.

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Driver } from "../index.js";
import { place } from "./helpers/fs/storage.js";
import { callsOf } from "./helpers/modes.js";
import { builtin, createStorage } from "./helpers/package.js";

const OVER: [title: string, over: (driver: Driver) => Driver][] = [
  ["fs-lite", (driver) => driver],
  ["a queue over it", (driver) => builtin("queue", { driver })],
];

describe.each(["async", "sync"] as const)(
  "a clear of what a function does not ignore: %s",
  (mode) => {
    it.each(OVER)("leaves what it does, in %s", async (_, over) => {
      const { base } = place();
      mkdirSync(base, { recursive: true });
      const lite = builtin("fs-lite", { base, ignore: (path: string) => path.includes("keep") });
      const storage = createStorage<any>({ driver: over(lite) });
      const calls = callsOf(storage, mode);
      writeFileSync(join(base, "keep.txt"), "1");
      await calls.setItem("other", 1);
      await calls.flush();
      await calls.clear();
      await calls.flush();
      expect(existsSync(join(base, "keep.txt"))).toBe(true);
      expect(existsSync(join(base, "other"))).toBe(false);
      await storage.dispose();
    });

    it.each(OVER)("leaves what is written after it, in %s", async (_, over) => {
      const { base } = place();
      const driver = over(builtin("fs-lite", { base, ignore: () => false }));
      const storage = createStorage<any>({ driver });
      const calls = callsOf(storage, mode);
      for (let round = 0; round < 20; round++) {
        await calls.setItem("a", "before");
        const cleared = storage.clear();
        const written = calls.setItem("a", "after");
        await Promise.all([cleared, written]);
        expect(await calls.getItem("a")).toBe("after");
      }
    });
  },
);
