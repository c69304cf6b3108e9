import { expect } from "vitest";
import type { Subject } from "../helpers/subjects.js";
import { topic } from "./topic.js";

const TREE = ["a", "a:b", "a:b:c", "ab:x", "z"];

export function clearFacts(subject: Subject): void {
  topic("clear", subject, (fact) => {
    fact("without a base everything goes, metadata too", async ({ calls }) => {
      for (const key of TREE) {
        await calls.setItem(key, key);
        await calls.setMeta(key, { of: key });
      }
      expect(await calls.clear()).toBeUndefined();
      expect(await calls.getKeys()).toEqual([]);
      for (const key of TREE) {
        expect(await calls.hasItem(key), key).toBe(false);
        expect(await calls.getItem(`${key}$`), key).toBeNull();
      }
    });

    fact(
      "with a base exactly what getKeys lists there goes, with its metadata",
      async ({ calls }) => {
        for (const key of TREE) {
          await calls.setItem(key, key);
          await calls.setMeta(key, { of: key });
        }
        expect((await calls.getKeys("a")).sort()).toEqual(["a:b", "a:b:c"]);
        await calls.clear("a");
        expect((await calls.getKeys()).sort()).toEqual(["a", "ab:x", "z"]);
        for (const key of TREE) {
          const isCleared = key.startsWith("a:");
          expect(await calls.getItem(key), key).toEqual(isCleared ? null : key);
          expect(await calls.getItem(`${key}$`), `${key}$`).toEqual(isCleared ? null : { of: key });
        }
      },
    );

    fact("an empty storage can be cleared, and a base without keys", async ({ calls }) => {
      await calls.clear();
      await calls.setItem("a", 1);
      await calls.clear("b");
      await calls.clear("a");
      expect(await calls.getKeys()).toEqual(["a"]);
    });

    fact("what is written after a clear stays", async ({ calls }) => {
      await calls.setItem("a", 1);
      const cleared = calls.clear();
      const written = calls.setItem("b", 2);
      await Promise.all([cleared, written]);
      expect(await calls.getKeys()).toEqual(["b"]);
    });
  });
}
