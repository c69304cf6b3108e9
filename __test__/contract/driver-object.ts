import { types } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import type { BuiltinDriver } from "../../index.js";
import { failureOf } from "../helpers/modes.js";
import type { Subject } from "../helpers/subjects.js";

/** A built-in driver is an object of the guide's interface, which a wrapper may hold and call. */
export function driverObjectFacts(subject: Subject): void {
  if (subject.builtins === undefined) return;

  function open(): BuiltinDriver {
    const driver = subject.open() as BuiltinDriver;
    onTestFinished(() => driver.dispose());
    return driver;
  }

  describe("as a driver object", () => {
    it("has every method of the interface and says what it can", () => {
      const driver = open();
      expect(driver.name).toBe(subject.builtins?.[0]);
      expect(typeof driver.flags.maxDepth).toBe("boolean");
      expect(typeof driver.flags.ttl).toBe("boolean");
      for (const name of [
        "hasItem",
        "getItem",
        "getItems",
        "getItemRaw",
        "getKeys",
        "getMeta",
        "setItem",
        "setItems",
        "setItemRaw",
        "removeItem",
        "clear",
        "flush",
        "dispose",
      ]) {
        expect(typeof (driver as any)[name], name).toBe("function");
        if (name !== "dispose")
          expect(typeof (driver as any)[`${name}Sync`], name).toBe("function");
      }
    });

    it("gives a Promise from every async method, also for what fails", async () => {
      const driver = open();
      const promises = [
        driver.setItem("a", "text", {}),
        driver.setItems([{ key: "b", value: "text" }]),
        driver.setItemRaw("c", "text", {}),
        driver.hasItem("a", {}),
        driver.getItem("a", {}),
        driver.getItems([{ key: "a" }]),
        driver.getItemRaw("a", {}),
        driver.getKeys("", {}),
        driver.getMeta("a", {}),
        driver.removeItem("a", {}),
        driver.clear("", {}),
        driver.flush(),
      ];
      for (const promise of promises) expect(types.isPromise(promise)).toBe(true);
      await Promise.all(promises);
      const wrong = [
        driver.getItem(7 as any),
        driver.setItem(7 as any, "x"),
        driver.getKeys(7 as any),
        driver.setItem("a", "x", 7 as any),
      ];
      for (const promise of wrong) {
        expect(types.isPromise(promise)).toBe(true);
        expect((await failureOf(promise)).code).toBe("EAS_INVALID_ARGUMENT");
      }
    });

    it("keeps texts as they are", async () => {
      const driver = open();
      for (const text of ["no json at all", '{"json":1}', "aé€😀"]) {
        await driver.setItem("key", text);
        expect(await driver.getItem("key")).toBe(text);
        expect(await driver.hasItem("key")).toBe(true);
      }
      expect(await driver.getItem("missing")).toBeNull();
      expect(await driver.getItems([{ key: "missing" }, { key: "key" }])).toEqual([
        { key: "missing", value: null },
        { key: "key", value: "aé€😀" },
      ]);
    });

    it("keeps an empty text, which a file cannot tell from a torn one", async () => {
      const driver = open();
      await driver.setItem("key", "");
      expect(await driver.hasItem("key")).toBe(true);
      const isFile = driver.name === "fs" || driver.name === "fs-lite";
      expect(await driver.getItem("key")).toBe(isFile ? null : "");
    });

    it("honours the base of getKeys and clear, and maxDepth", async () => {
      const driver = open();
      for (const key of ["a", "a:b", "a:b:c", "ab:x"]) await driver.setItem(key, "x");
      expect((await driver.getKeys("a:")).sort()).toEqual(["a:b", "a:b:c"]);
      expect((await driver.getKeys("a")).sort()).toEqual(["a:b", "a:b:c"]);
      expect((await driver.getKeys("", { maxDepth: 1 })).sort()).toEqual(["a", "a:b", "ab:x"]);
      await driver.clear("a:");
      expect((await driver.getKeys()).sort()).toEqual(["a", "ab:x"]);
      await driver.clear();
      expect(await driver.getKeys()).toEqual([]);
    });

    it("needs no `this`", async () => {
      const { setItem, getItem, getKeys } = open();
      await setItem("a", "x");
      expect(await getItem("a")).toBe("x");
      expect(await getKeys()).toEqual(["a"]);
    });

    if (!subject.anyKey) {
      it("refuses unsafe keys itself", async () => {
        const driver = open();
        for (const key of ["..:secret", "../secret", "a:..", "a\u0000b"]) {
          for (const attempt of [
            driver.setItem(key, "x"),
            driver.getItem(key),
            driver.removeItem(key),
            driver.setItemRaw(key, "x"),
          ]) {
            expect((await failureOf(attempt)).code, JSON.stringify(key)).toBe("EAS_INVALID_KEY");
          }
          expect(() => driver.setItemSync(key, "x")).toThrow("Invalid key");
        }
        expect(await driver.getKeys()).toEqual([]);
      });
    }

    if (subject.modes.includes("sync")) {
      it("does the same in its Sync methods", () => {
        const driver = open();
        driver.setItemSync("a:b", "x");
        driver.setItemsSync([{ key: "a:c", value: "y" }]);
        expect(driver.getItemSync("a:b")).toBe("x");
        expect(driver.hasItemSync("a:b")).toBe(true);
        expect(driver.getKeysSync("a").sort()).toEqual(["a:b", "a:c"]);
        expect(driver.getItemsSync([{ key: "a:c" }])).toEqual([{ key: "a:c", value: "y" }]);
        driver.removeItemSync("a:b");
        driver.clearSync("a");
        expect(driver.getKeysSync()).toEqual([]);
      });
    }
  });
}
