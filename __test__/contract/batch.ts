import { expect } from "vitest";
import { failureOf } from "../helpers/modes.js";
import type { Subject } from "../helpers/subjects.js";
import { topic } from "./topic.js";

export function batchFacts(subject: Subject): void {
  topic("batches", subject, (fact) => {
    fact("items come in the order asked for, missing ones as null", async ({ calls }) => {
      await calls.setItem("a", 1);
      await calls.setItem("b", { deep: new Date(1) });
      expect(await calls.getItems(["b", "missing", "a", { key: "b" }, "/a/"])).toEqual([
        { key: "b", value: { deep: new Date(1) } },
        { key: "missing", value: null },
        { key: "a", value: 1 },
        { key: "b", value: { deep: new Date(1) } },
        { key: "a", value: 1 },
      ]);
    });

    fact("an empty batch does nothing", async ({ calls }) => {
      expect(await calls.getItems([])).toEqual([]);
      expect(await calls.setItems([])).toBeUndefined();
      expect(await calls.getKeys()).toEqual([]);
    });

    fact("the empty key in a batch reads as null", async ({ calls }) => {
      await calls.setItem("a", 1);
      expect(await calls.getItems(["", "a", ":"])).toEqual([
        { key: "", value: null },
        { key: "a", value: 1 },
        { key: "", value: null },
      ]);
    });

    fact("a batch writes every item", async ({ calls }) => {
      const items = Array.from({ length: 200 }, (_, index) => ({
        key: `group${index % 7}:item${index}`,
        value: { index, at: new Date(index) },
      }));
      expect(await calls.setItems(items)).toBeUndefined();
      expect((await calls.getKeys()).length).toBe(200);
      expect(await calls.getItems(items.map(({ key }) => key))).toEqual(items);
    });

    fact("undefined in a batch removes its key", async ({ calls }) => {
      await calls.setItems([
        { key: "gone", value: 1 },
        { key: "kept", value: 1 },
      ]);
      await calls.setItems([
        { key: "gone", value: undefined },
        { key: "new", value: null },
      ]);
      expect((await calls.getKeys()).sort()).toEqual(["kept", "new"]);
    });

    fact("of several changes of one key in a batch the last one holds", async ({ calls }) => {
      await calls.setItems([
        { key: "a", value: 1 },
        { key: "/a/", value: 2 },
        { key: "b", value: 1 },
        { key: "b", value: undefined },
        { key: "c", value: undefined },
        { key: "c", value: 3 },
      ]);
      expect(await calls.getItems(["a", "b", "c"])).toEqual([
        { key: "a", value: 2 },
        { key: "b", value: null },
        { key: "c", value: 3 },
      ]);
    });

    fact("a value without a stored form stops the whole batch", async ({ calls }) => {
      await calls.setItem("a", "old");
      const items = [
        { key: "a", value: "new" },
        { key: "b", value: () => 1 },
      ];
      expect((await failureOf(calls.setItems(items))).code).toBe("EAS_INVALID_VALUE");
      expect(await calls.getItem("a")).toBe("old");
      expect(await calls.getKeys()).toEqual(["a"]);
    });

    fact(
      "a batch that is no list of items is refused before anything is written",
      async ({ calls }) => {
        for (const items of [undefined, null, 1, "abc", {}, new Set(["a"])]) {
          for (const call of [calls.getItems, calls.setItems]) {
            const error = await failureOf(call(items));
            expect(error, String(items)).toBeInstanceOf(TypeError);
            expect(error.code).toBe("EAS_INVALID_ARGUMENT");
            expect(error.message).toMatch(/^\[electron-async-storage\] /);
          }
        }
        for (const wrong of [undefined, null, 1, "text", { value: 1 }, { key: 7, value: 1 }]) {
          const error = await failureOf(calls.setItems([{ key: "a", value: 1 }, wrong]));
          expect(error, String(wrong)).toBeInstanceOf(TypeError);
          expect(error.code).toBe("EAS_INVALID_ARGUMENT");
        }
        for (const wrong of [undefined, null, 1, {}, { key: 7 }]) {
          const error = await failureOf(calls.getItems(["a", wrong]));
          expect(error, String(wrong)).toBeInstanceOf(TypeError);
          expect(error.code).toBe("EAS_INVALID_ARGUMENT");
        }
        expect(await calls.getKeys()).toEqual([]);
      },
    );
  });
}
