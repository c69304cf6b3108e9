import { expect, onTestFinished } from "vitest";
import type { Storage } from "../../index.js";
import { memoryDriver } from "../helpers/package.js";
import type { Subject } from "../helpers/subjects.js";
import { topic } from "./topic.js";

/** Mounts a fresh driver of the subject, which lets go of its folder before that is removed. */
function mountFresh(storage: Storage<any>, base: string, subject: Subject): void {
  storage.mount(base, subject.open());
  onTestFinished(() => storage.unmount(base));
}

export function mountFacts(subject: Subject): void {
  topic("mounts", subject, (fact) => {
    fact(
      "a mounted driver gets keys without the base and gives them back with it",
      async ({ subject, storage, calls }) => {
        mountFresh(storage, "in:side", subject);
        await calls.setItem("in:side:a:b", 1);
        await calls.setItem("in:out", 2);
        expect((await calls.getKeys()).sort()).toEqual(["in:out", "in:side:a:b"]);
        expect(await calls.getKeys("in:side")).toEqual(["in:side:a:b"]);
        expect(await calls.getKeys("in:side:a")).toEqual(["in:side:a:b"]);
        const inner = storage.getMount("in:side").driver;
        expect(await inner.getKeys("", {})).toEqual(["a:b"]);
        expect(await calls.getItem("in:side:a:b")).toBe(1);
      },
    );

    fact(
      "keys of an outer mount that an inner one hides are left out",
      async ({ storage, calls }) => {
        await calls.setItem("base:hidden", "outer");
        await calls.setItem("other", "outer");
        storage.mount("base", memoryDriver());
        expect(await calls.getItem("base:hidden")).toBeNull();
        expect(await calls.getKeys()).toEqual(["other"]);
        expect(await calls.getKeys("base")).toEqual([]);
        await calls.setItem("base:hidden", "inner");
        expect((await calls.getKeys()).sort()).toEqual(["base:hidden", "other"]);
        await storage.unmount("base");
        expect(await calls.getItem("base:hidden")).toBe("outer");
      },
    );

    fact("a clear leaves alone what an inner mount hides", async ({ storage, calls }) => {
      await calls.setItem("base:hidden", "outer");
      await calls.setItem("base:x:y", "outer");
      await calls.setItem("other", "outer");
      storage.mount("base", memoryDriver());
      await calls.setItem("base:shown", "inner");
      await calls.clear();
      expect(await calls.getKeys()).toEqual([]);
      await storage.unmount("base");
      expect((await calls.getKeys()).sort()).toEqual(["base:hidden", "base:x:y"]);
    });

    fact(
      "a batch over two mounts keeps the order asked for",
      async ({ subject, storage, calls }) => {
        mountFresh(storage, "m", subject);
        const items = ["m:a", "b", "m:c", "d", "m:a"].map((key) => ({
          key,
          value: `value of ${key}`,
        }));
        await calls.setItems(items);
        expect(await calls.getItems(items.map(({ key }) => key))).toEqual(items);
        expect((await calls.getKeys()).sort()).toEqual(["b", "d", "m:a", "m:c"]);
      },
    );

    fact("maxDepth counts the full key inside a mount", async ({ subject, storage, calls }) => {
      mountFresh(storage, "m:n", subject);
      for (const key of ["m:n:a", "m:n:a:b", "x", "x:y:z"]) await calls.setItem(key, 1);
      for (const [maxDepth, expected] of [
        [0, ["x"]],
        [1, ["x"]],
        [2, ["m:n:a", "x", "x:y:z"]],
        [3, ["m:n:a", "m:n:a:b", "x", "x:y:z"]],
      ] as const) {
        expect((await calls.getKeys("", { maxDepth })).sort(), `${maxDepth}`).toEqual(expected);
      }
      expect(await calls.getKeys("m:n", { maxDepth: 2 })).toEqual(["m:n:a"]);
    });

    fact(
      "clearing a base inside a mount, and one around it",
      async ({ subject, storage, calls }) => {
        mountFresh(storage, "m", subject);
        const keys = ["m:a", "m:a:b", "m:c", "n"];
        for (const key of keys) await calls.setItem(key, 1);
        await calls.clear("m:a");
        expect((await calls.getKeys()).sort()).toEqual(["m:a", "m:c", "n"]);
        await calls.clear("m");
        expect(await calls.getKeys()).toEqual(["n"]);
      },
    );

    fact("the key of a mount's base belongs to the mount around it", async ({ storage, calls }) => {
      storage.mount("m", memoryDriver());
      await calls.setItem("m", "outer");
      expect(await calls.getItem("m")).toBe("outer");
      expect(await calls.getKeys()).toEqual(["m"]);
      expect(await calls.getKeys("m")).toEqual([]);
    });
  });
}
