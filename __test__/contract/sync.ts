import { describe, expect, it } from "vitest";
import { failureOf, type Method, methods } from "../helpers/modes.js";
import type { Subject } from "../helpers/subjects.js";
import { open } from "./topic.js";

/** What each Sync method needs of a driver that has none of its own to serve it with. */
const NEEDS: Partial<Record<Method, { args: unknown[]; method: string }>> = {
  hasItem: { args: ["key"], method: "getItemSync" },
  getItem: { args: ["key"], method: "getItemSync" },
  getItems: { args: [["key"]], method: "getItemSync" },
  getItemRaw: { args: ["key"], method: "getItemSync" },
  getMeta: { args: ["key"], method: "getItemSync" },
  getKeys: { args: [], method: "getKeysSync" },
  setItem: { args: ["key", 1], method: "setItemSync" },
  setItems: { args: [[{ key: "key", value: 1 }]], method: "setItemSync" },
  setItemRaw: { args: ["key", "x"], method: "setItemSync" },
  setMeta: { args: ["key", { a: 1 }], method: "setItemSync" },
  removeItem: { args: ["key"], method: "removeItemSync" },
  removeMeta: { args: ["key"], method: "removeItemSync" },
  clear: { args: [], method: "clearSync" },
};

export function syncFacts(subject: Subject): void {
  if (subject.modes.includes("sync")) return;
  describe("Sync calls of a driver without Sync methods", () => {
    it.each(Object.entries(NEEDS))(
      "%sSync is an error that names the driver and the method",
      async (name, { args, method }) => {
        const { storage } = open(subject);
        const call = (storage as unknown as Record<string, (...args: unknown[]) => unknown>)[
          `${name}Sync`
        ];
        const error = await failureOf(() => call(...args));
        expect(error.code).toBe("EAS_SYNC_UNSUPPORTED");
        expect(error.driver).toBe(subject.driver);
        expect(error.message).toContain(`[electron-async-storage] [${subject.driver}] `);
        expect(error.message).toContain(subject.driver);
        expect(error.message).toContain(`\`${method}\``);
        expect(await storage.getKeys()).toEqual([]);
      },
    );

    it("flushSync is the only one that is left, there being nothing to flush", () => {
      expect(methods.filter((name) => NEEDS[name] === undefined)).toEqual(["flush"]);
    });
  });
}
