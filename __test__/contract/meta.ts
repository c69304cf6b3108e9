import { expect } from "vitest";
import type { Subject } from "../helpers/subjects.js";
import { topic } from "./topic.js";

export function metaFacts(subject: Subject): void {
  topic("metadata", subject, (fact) => {
    fact("what setMeta stored shows in getMeta, beside the item", async ({ calls }) => {
      await calls.setItem("key", 1);
      expect(await calls.setMeta("/key/", { owner: "ann", tags: new Set(["a"]) })).toBeUndefined();
      expect(await calls.getMeta("key")).toMatchObject({ owner: "ann", tags: new Set(["a"]) });
      expect(await calls.getItem("key")).toBe(1);
      expect(await calls.getItem("key$")).toEqual({ owner: "ann", tags: new Set(["a"]) });
    });

    fact("nativeOnly leaves out what setMeta stored", async ({ calls }) => {
      await calls.setItem("key", 1);
      await calls.setMeta("key", { owner: "ann" });
      for (const opts of [true, { nativeOnly: true }]) {
        expect(await calls.getMeta("key", opts)).not.toHaveProperty("owner");
      }
      for (const opts of [false, { nativeOnly: false }, {}, undefined]) {
        expect(await calls.getMeta("key", opts)).toHaveProperty("owner", "ann");
      }
    });

    fact("setMeta replaces what was stored and overlays the driver's own", async ({ calls }) => {
      await calls.setItem("key", 1);
      await calls.setMeta("key", { one: 1, mtime: new Date(1000) });
      await calls.setMeta("key", { two: 2, atime: new Date(2000), size: -1 });
      const meta = await calls.getMeta("key");
      expect(meta).not.toHaveProperty("one");
      expect(meta).toMatchObject({ two: 2, atime: new Date(2000), size: -1 });
    });

    fact("times that were stored as text are Dates", async ({ calls }) => {
      await calls.setMeta("key", { atime: "2024-01-02T03:04:05.006Z", mtime: "2024-01-01" });
      const meta = await calls.getMeta("key");
      expect(meta.atime).toEqual(new Date("2024-01-02T03:04:05.006Z"));
      expect(meta.mtime).toEqual(new Date("2024-01-01"));
    });

    fact("an item without metadata has an object without any", async ({ calls }) => {
      expect(await calls.getMeta("missing")).toEqual({});
    });

    fact("removeMeta and setMeta of undefined remove it", async ({ calls }) => {
      await calls.setItem("key", 1);
      await calls.setMeta("key", { owner: "ann" });
      expect(await calls.removeMeta("key")).toBeUndefined();
      expect(await calls.getMeta("key")).not.toHaveProperty("owner");
      await calls.setMeta("key", { owner: "bob" });
      await calls.setMeta("key", undefined);
      expect(await calls.getMeta("key")).not.toHaveProperty("owner");
      expect(await calls.getItem("key")).toBe(1);
      await calls.removeMeta("never");
    });

    fact("removeItem keeps the metadata unless it is asked to remove it", async ({ calls }) => {
      for (const opts of [undefined, false, {}, { removeMeta: false }]) {
        await calls.setItem("key", 1);
        await calls.setMeta("key", { owner: "ann" });
        await calls.removeItem("key", opts);
        expect(await calls.getMeta("key"), JSON.stringify(opts)).toHaveProperty("owner", "ann");
      }
      for (const opts of [true, { removeMeta: true }]) {
        await calls.setItem("key", 1);
        await calls.setMeta("key", { owner: "ann" });
        await calls.removeItem("key", opts);
        expect(await calls.getMeta("key"), JSON.stringify(opts)).toEqual({});
        expect(await calls.getItem("key$")).toBeNull();
      }
    });

    fact("metadata cannot change the prototype of what getMeta gives", async ({ calls }) => {
      await calls.setItemRaw("key$", '{"json":{"__proto__":{"polluted":1},"fine":1}}');
      const meta = await calls.getMeta("key");
      expect(meta.polluted).toBeUndefined();
      expect(({} as any).polluted).toBeUndefined();
      expect(meta.fine).toBe(1);
    });

    fact("metadata needs a key", async ({ calls }) => {
      await expect(calls.setMeta("", { a: 1 })).rejects.toMatchObject({ code: "EAS_INVALID_KEY" });
      expect(await calls.getKeys()).toEqual([]);
    });
  });
}
