import { expect } from "vitest";
import { failureOf } from "../helpers/modes.js";
import type { Subject } from "../helpers/subjects.js";
import { topic } from "./topic.js";

const VALUES: [name: string, value: unknown][] = [
  ["null", null],
  ["false", false],
  ["zero", 0],
  ["an empty string", ""],
  ["text of every width", "aé€😀\u0000\n"],
  ["half a surrogate pair", "\ud800"],
  ["a list", [1, [2, [3]]]],
  ["an object", { a: { b: [{ c: "d" }] } }],
  ["what JSON has no form for", { nan: Number.NaN, inf: -Infinity, zero: -0, none: undefined }],
  ["a bigint", 2n ** 70n],
  ["a Date", new Date(1_700_000_000_123)],
  ["a RegExp", /a+b/gi],
  ["a Set", new Set([1, "two"])],
  ["a Map", new Map<unknown, unknown>([["k", new Date(0)]])],
  ["a URL", new URL("https://example.com/a?b=c")],
  ["a typed array", new Float32Array([1.5, -2])],
  ["a long text", "långt ".repeat(20_000)],
];

export function itemFacts(subject: Subject): void {
  topic("items", subject, (fact) => {
    for (const [name, value] of VALUES) {
      fact(`${name} reads back as it was written`, async ({ calls }) => {
        await calls.setItem("key", value);
        expect(await calls.getItem("key")).toEqual(value);
        expect(await calls.hasItem("key")).toBe(true);
      });
    }

    fact("an error keeps its name, its message and its cause", async ({ calls }) => {
      await calls.setItem("key", new TypeError("outer", { cause: new Error("inner") }));
      const read = await calls.getItem("key");
      expect(read).toBeInstanceOf(Error);
      expect([read.name, read.message, read.cause.message]).toEqual([
        "TypeError",
        "outer",
        "inner",
      ]);
    });

    fact("shared references and cycles keep their identity", async ({ calls }) => {
      const shared = { name: "shared" };
      const value: Record<string, unknown> = { a: shared, b: [shared] };
      value.self = value;
      await calls.setItem("key", value);
      const read = await calls.getItem("key");
      expect(read.self).toBe(read);
      expect(read.b[0]).toBe(read.a);
    });

    fact("a value with toJSON is stored as what toJSON gives", async ({ calls }) => {
      class Money {
        toJSON() {
          return { euros: 3 };
        }
      }
      await calls.setItem("key", { price: new Money() });
      expect(await calls.getItem("key")).toEqual({ price: { euros: 3 } });
    });

    fact("a missing item reads as null", async ({ calls }) => {
      expect(await calls.getItem("missing")).toBeNull();
      expect(await calls.getItemRaw("missing")).toBeNull();
      expect(await calls.hasItem("missing")).toBe(false);
    });

    fact("a write replaces what was there", async ({ calls }) => {
      await calls.setItem("key", { long: "x".repeat(1000) });
      await calls.setItem("key", 1);
      expect(await calls.getItem("key")).toBe(1);
      expect(await calls.getKeys()).toEqual(["key"]);
    });

    fact("a value read is a copy of the one written", async ({ calls }) => {
      const value = { list: [1] };
      const written = calls.setItem("key", value);
      value.list.push(2);
      await written;
      const read = await calls.getItem("key");
      expect(read).toEqual({ list: [1] });
      read.list.push(3);
      expect(await calls.getItem("key")).toEqual({ list: [1] });
    });

    fact("writing undefined removes the item", async ({ calls }) => {
      await calls.setItem("key", 1);
      await calls.setItem("key", undefined);
      expect(await calls.hasItem("key")).toBe(false);
      expect(await calls.getKeys()).toEqual([]);
    });

    fact("a removed item is gone, and removing it again succeeds", async ({ calls }) => {
      await calls.setItem("key", 1);
      expect(await calls.removeItem("key")).toBeUndefined();
      expect(await calls.getItem("key")).toBeNull();
      expect(await calls.hasItem("key")).toBe(false);
      await calls.removeItem("key");
      await calls.removeItem("never");
    });

    fact("a value that has no stored form is refused and the old one stays", async ({ calls }) => {
      class Plain {}
      await calls.setItem("key", "old");
      for (const value of [
        () => 1,
        new Plain(),
        { deep: [Promise.resolve(new Plain())] },
        Symbol("s"),
        new WeakMap(),
      ]) {
        const error = await failureOf(calls.setItem("key", value));
        expect(error.message).toContain("[electron-async-storage] Cannot stringify value!");
        expect(error.code).toBe("EAS_INVALID_VALUE");
      }
      expect(await calls.getItem("key")).toBe("old");
    });

    fact("`a` and `a:b` both hold values", async ({ calls }) => {
      await calls.setItem("a:b", 2);
      await calls.setItem("a", 1);
      await calls.setItem("a:b:c", 3);
      expect(await calls.getItems(["a", "a:b", "a:b:c"])).toEqual([
        { key: "a", value: 1 },
        { key: "a:b", value: 2 },
        { key: "a:b:c", value: 3 },
      ]);
      expect((await calls.getKeys()).sort()).toEqual(["a", "a:b", "a:b:c"]);
      await calls.removeItem("a:b");
      expect((await calls.getKeys()).sort()).toEqual(["a", "a:b:c"]);
      expect(await calls.hasItem("a:b")).toBe(false);
      await calls.removeItem("a");
      expect(await calls.getItem("a:b:c")).toBe(3);
    });

    fact("a key with keys below it is no item of its own", async ({ calls }) => {
      await calls.setItem("a:b", 1);
      expect(await calls.hasItem("a")).toBe(false);
      expect(await calls.getItem("a")).toBeNull();
      expect(await calls.getItemRaw("a")).toBeNull();
      await calls.removeItem("a");
      expect(await calls.getItem("a:b")).toBe(1);
    });

    fact("what one form writes the other reads", async ({ subject, storage, calls }) => {
      if (!subject.modes.includes("sync")) return;
      await calls.setItem("key", { at: new Date(5) });
      expect(await storage.getItem("key")).toEqual({ at: new Date(5) });
      expect(storage.getItemSync("key")).toEqual({ at: new Date(5) });
      await calls.removeItem("key");
      expect(await storage.hasItem("key")).toBe(false);
      expect(storage.hasItemSync("key")).toBe(false);
    });
  });
}
