import { expect } from "vitest";
import type { Subject } from "../helpers/subjects.js";
import { topic } from "./topic.js";

const TREE = ["a", "a:b", "a:b:c", "a:b:c:d", "ab:x", "z"];

export function keyFacts(subject: Subject): void {
  topic("keys", subject, (fact) => {
    fact("every spelling of a key is the same item", async ({ calls }) => {
      await calls.setItem("a/b\\c", 1);
      for (const key of ["a:b:c", "/a/b/c/", "::a:::b::c:", "a\\b\\c", "a:b:c?query=1"]) {
        expect(await calls.getItem(key), key).toBe(1);
        expect(await calls.hasItem(key), key).toBe(true);
      }
      expect(await calls.getKeys()).toEqual(["a:b:c"]);
      expect(await calls.getItems(["a//b/c"])).toEqual([{ key: "a:b:c", value: 1 }]);
      await calls.removeItem("a\\b/c:");
      expect(await calls.getKeys()).toEqual([]);
    });

    fact("letters of other scripts, spaces and marks are kept", async ({ calls }) => {
      const keys = ["ключ:значение", "日本:語", "e\u0301", "é", "a b", "percent%41", "x=1&y", "😀"];
      for (const key of keys) await calls.setItem(key, key);
      expect((await calls.getKeys()).sort()).toEqual([...keys].sort());
      for (const key of keys) expect(await calls.getItem(key), key).toBe(key);
    });

    fact("a listing gives each key once, in full", async ({ calls }) => {
      for (const key of TREE) await calls.setItem(key, key);
      expect((await calls.getKeys()).sort()).toEqual(TREE);
    });

    fact("a base lists what is below it and not what merely begins alike", async ({ calls }) => {
      for (const key of TREE) await calls.setItem(key, key);
      for (const base of ["a", "a:", "/a/", "a?x"]) {
        expect((await calls.getKeys(base)).sort(), base).toEqual(["a:b", "a:b:c", "a:b:c:d"]);
      }
      expect((await calls.getKeys("a:b")).sort()).toEqual(["a:b:c", "a:b:c:d"]);
      expect(await calls.getKeys("a:b:c:d")).toEqual([]);
      expect(await calls.getKeys("nowhere")).toEqual([]);
      for (const base of ["", undefined, null, ":"]) {
        expect((await calls.getKeys(base)).length, String(base)).toBe(TREE.length);
      }
    });

    fact("maxDepth counts the colons of the full key", async ({ calls }) => {
      for (const key of TREE) await calls.setItem(key, key);
      for (const [base, maxDepth, expected] of [
        ["", 0, ["a", "z"]],
        ["", 1, ["a", "a:b", "ab:x", "z"]],
        ["a", 1, ["a:b"]],
        ["a", 2, ["a:b", "a:b:c"]],
        ["a", 0, []],
        ["a:b", 2, ["a:b:c"]],
        ["", 100, TREE],
        ["", Infinity, TREE],
        ["", undefined, TREE],
        ["", -1, []],
      ] as const) {
        const keys = (await calls.getKeys(base, { maxDepth })).sort();
        expect(keys, `${base} ${maxDepth}`).toEqual(expected);
      }
    });

    fact("a key that ends in $ is metadata and shows in no listing", async ({ calls }) => {
      await calls.setItem("a:b", 1);
      await calls.setMeta("a:b", { tag: 1 });
      await calls.setMeta("lonely", { tag: 2 });
      expect(await calls.getKeys()).toEqual(["a:b"]);
      expect(await calls.getKeys("a")).toEqual(["a:b"]);
      expect(await calls.getItem("a:b$")).toEqual({ tag: 1 });
    });

    fact("the empty key names no item", async ({ calls }) => {
      for (const key of ["", ":", "/", "?x"]) {
        expect(await calls.getItem(key), key).toBeNull();
        expect(await calls.getItemRaw(key), key).toBeNull();
        expect(await calls.hasItem(key), key).toBe(false);
        expect(await calls.getMeta(key), key).toEqual({});
        await calls.removeItem(key);
        await expect(calls.setItem(key, 1), key).rejects.toMatchObject({ code: "EAS_INVALID_KEY" });
        await expect(calls.setItemRaw(key, "x"), key).rejects.toMatchObject({
          code: "EAS_INVALID_KEY",
        });
        await expect(
          calls.setItems([
            { key: "good", value: 1 },
            { key, value: 1 },
          ]),
          key,
        ).rejects.toMatchObject({ code: "EAS_INVALID_KEY" });
      }
      expect(await calls.getKeys()).toEqual([]);
    });
  });
}
