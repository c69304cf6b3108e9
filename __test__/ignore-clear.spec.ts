// Clears of drivers whose `ignore` is a function, which runs on the thread of JavaScript alone.

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { place } from "./helpers/fs/storage.js";
import { callsOf } from "./helpers/modes.js";
import { builtin, createStorage } from "./helpers/package.js";

describe.each(["async", "sync"] as const)(
  "a clear of what a function does not ignore: %s",
  (mode) => {
    it.each([
      ["fs-lite", (driver: object) => driver],
      ["a queue over it", (driver: object) => builtin("queue", { driver })],
    ])("leaves what it does, in %s", async (_, over) => {
      const { base } = place();
      mkdirSync(base, { recursive: true });
      const lite = builtin("fs-lite", { base, ignore: (path: string) => path.includes("keep") });
      const storage = createStorage<any>({ driver: over(lite) as any });
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

    it("leaves what is written after it", async () => {
      const { base } = place();
      const driver = builtin("fs-lite", { base, ignore: () => false });
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
