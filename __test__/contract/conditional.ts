import { expect } from "vitest";
import { conditionalCallsOf } from "../helpers/conditional.js";
import { failureOf } from "../helpers/modes.js";
import type { Subject } from "../helpers/subjects.js";
import { type Fact, type Setting, topic } from "./topic.js";

type ConditionalSetting = Setting & { conditional: ReturnType<typeof conditionalCallsOf> };

/** As `topic`, over the calls of this topic. */
function conditionalTopic(
  title: string,
  subject: Subject,
  facts: (
    fact: (name: string, check: (setting: ConditionalSetting) => Promise<void>) => void,
  ) => void,
): void {
  topic(title, subject, (fact: Fact) => {
    facts((name, check) => {
      fact(name, (setting) =>
        check({ ...setting, conditional: conditionalCallsOf(setting.storage, setting.mode) }),
      );
    });
  });
}

export function conditionalFacts(subject: Subject): void {
  conditionalTopic("entries", subject, (fact) => {
    fact("a missing item has neither value nor etag", async ({ conditional }) => {
      expect(await conditional.getEntry("/a//b?c")).toEqual({
        key: "a:b",
        value: null,
        etag: null,
      });
      expect(await conditional.getEntry("")).toEqual({ key: "", value: null, etag: null });
    });

    fact("another value has another etag, an equal one the same", async ({ conditional }) => {
      const etags: unknown[] = [];
      for (const value of [1, 2, "1", null, [1], new Date(1), 1]) {
        await conditional.setItem("key", value);
        const entry = await conditional.getEntry("key");
        expect(entry).toEqual({ key: "key", value, etag: expect.any(String) });
        etags.push(entry.etag);
      }
      expect(new Set(etags.slice(0, -1)).size).toBe(6);
      expect(etags[6]).toBe(etags[0]);
    });

    fact("a write of raw text has an etag of its own", async ({ conditional, calls }) => {
      await conditional.setItem("key", 1);
      const { etag } = await conditional.getEntry("key");
      await calls.setItemRaw("key", '{"json":2}');
      const entry = await conditional.getEntry("key");
      expect(entry.value).toBe(2);
      expect(entry.etag).not.toBe(etag);
    });

    fact("a corrupt item has an etag and no value", async ({ conditional, calls }) => {
      await calls.setItemRaw("key", "{ no JSON");
      await calls.flush();
      const entry = await conditional.getEntry("key");
      expect(entry).toEqual({ key: "key", value: null, etag: expect.any(String) });
    });
  });

  conditionalTopic("conditions", subject, (fact) => {
    const groupFact: typeof fact = (name, check) => {
      fact(name, async (setting) => {
        if (subject.groups.includes(setting.mode)) await check(setting);
        else await expectNone(setting);
      });
    };

    groupFact("ifMatch holds a write back that comes too late", async ({ conditional, calls }) => {
      await conditional.setItem("a/b", 1, { ifMatch: null });
      const { etag } = await conditional.getEntry("a:b");
      const late = await failureOf(conditional.setItem("/a/b", 2, { ifMatch: null }));
      // It is the storage that says so, of the driver that it has mounted.
      const driver = subject.builtins?.[0] === "queue" ? "queue" : subject.driver;
      expect(late).toMatchObject({ code: "EAS_CONFLICT", key: "a:b", driver });
      expect(late.message).toContain(`[electron-async-storage] [${driver}] `);
      expect(late.operation).toMatch(/^setItem/);
      await conditional.setItem("a:b", 2, { ifMatch: etag });
      for (const attempt of [
        () => conditional.setItem("a:b", 3, { ifMatch: etag }),
        () => conditional.setItem("a:b", undefined, { ifMatch: etag }),
        () => conditional.removeItem("a:b", { ifMatch: etag }),
        () => conditional.removeItem("a:b", { ifMatch: "nonsense" }),
        () => conditional.setItem("gone", 3, { ifMatch: etag }),
      ]) {
        expect((await failureOf(attempt)).code).toBe("EAS_CONFLICT");
      }
      expect(await calls.getItem("a:b")).toBe(2);
      expect(await calls.getKeys()).toEqual(["a:b"]);
      await conditional.removeItem("a:b", { ifMatch: (await conditional.getEntry("a:b")).etag });
      expect(await calls.getKeys()).toEqual([]);
    });

    groupFact("removeMeta takes the metadata in the same group", async ({ conditional, calls }) => {
      await conditional.setItem("key", 1);
      await calls.setMeta("key", { mine: 1 });
      await failureOf(conditional.removeItem("key", { ifMatch: "other", removeMeta: true }));
      expect(await calls.getMeta("key")).toMatchObject({ mine: 1 });
      const { etag } = await conditional.getEntry("key");
      await conditional.removeItem("key", { ifMatch: etag, removeMeta: true });
      expect(await calls.hasItem("key")).toBe(false);
      await conditional.setItem("key", 2);
      expect(await calls.getMeta("key")).not.toHaveProperty("mine");
    });

    groupFact("update gives what it stored", async ({ conditional, calls }) => {
      const add = (value: number | null) => (value ?? 0) + 1;
      expect(await conditional.update("/n", add)).toBe(1);
      expect(await conditional.update("n", add)).toBe(2);
      expect(await calls.getItem("n")).toBe(2);
      expect(await conditional.update("n", () => null)).toBe(null);
      expect(await calls.hasItem("n")).toBe(true);
      expect(await conditional.update("n", (value) => ({ was: value }))).toEqual({ was: null });
      expect(await conditional.update("n", () => undefined)).toBe(undefined);
      expect(await calls.hasItem("n")).toBe(false);
      expect(await conditional.update("n", () => undefined)).toBe(undefined);
    });

    groupFact("an error of the function leaves everything as it is", async (setting) => {
      const { conditional, calls } = setting;
      await conditional.setItem("key", 1);
      const own = new Error("own");
      const outcome = conditional.update("key", () => {
        throw own;
      });
      expect(await failureOf(outcome)).toBe(own);
      expect(await calls.getItem("key")).toBe(1);
      expect(await conditional.update("key", (value) => value + 1)).toBe(2);
    });

    groupFact("a write in between has the function run again", async (setting) => {
      const { conditional, calls, storage, mode } = setting;
      const seen: unknown[] = [];
      const meddle = (value: unknown) => {
        seen.push(value);
        const isFirst = seen.length === 1;
        if (mode === "sync") {
          if (isFirst) storage.setItemSync("n", 10);
          return (value as number) + 1;
        }
        return (async () => {
          if (isFirst) await storage.setItem("n", 10);
          return (value as number) + 1;
        })();
      };
      await conditional.setItem("n", 1);
      expect(await conditional.update("n", meddle)).toBe(11);
      expect(seen).toEqual([1, 10]);
      expect(await calls.getItem("n")).toBe(11);
    });

    groupFact("what is corrupt is replaced by an update", async ({ conditional, calls }) => {
      await calls.setItemRaw("key", "{ no JSON");
      expect(await conditional.update("key", (value) => [value])).toEqual([null]);
      expect(await calls.getItem("key")).toEqual([null]);
    });

    groupFact("a group is made whole", async ({ conditional, calls, storage }) => {
      await conditional.setItem("gone", 1);
      const { etag } = await conditional.getEntry("gone");
      const group = storage
        .atomic()
        .check("/gone", etag)
        .check("new", null)
        .set("new", new Date(3))
        .set("other", 1)
        .set("other", 2)
        .remove("gone")
        .remove("never");
      expect(await conditional.commit(group)).toEqual({ ok: true });
      expect((await calls.getKeys()).sort()).toEqual(["new", "other"]);
      expect(await calls.getItem("new")).toEqual(new Date(3));
      expect(await calls.getItem("other")).toBe(2);
    });

    groupFact("a group with a conflict changes nothing", async (setting) => {
      const { conditional, calls, storage } = setting;
      await conditional.setItem("a", 1);
      await conditional.setItem("b", 1);
      const group = storage
        .atomic()
        .set("c", 1)
        .check("/a", "nonsense")
        .check("missing", null)
        .check("b", null)
        .remove("b");
      expect(await conditional.commit(group)).toEqual({ ok: false, conflicts: ["a", "b"] });
      expect((await calls.getKeys()).sort()).toEqual(["a", "b"]);
    });

    groupFact("a group of checks alone says whether they hold", async (setting) => {
      const { conditional, storage } = setting;
      expect(await conditional.commit(storage.atomic())).toEqual({ ok: true });
      expect(await conditional.commit(storage.atomic().check("a", null))).toEqual({ ok: true });
      expect(await conditional.commit(storage.atomic().check("a", "x"))).toEqual({
        ok: false,
        conflicts: ["a"],
      });
    });

    groupFact("values of any kind are compared as they are stored", async (setting) => {
      const { conditional, calls } = setting;
      const values = [null, 0, "", "text", [], {}, new Map([[1, new Date(2)]]), { a: ["ü", "\0"] }];
      for (const value of values) {
        await conditional.setItem("key", value);
        expect(await conditional.update("key", (found) => [found])).toEqual([value]);
        expect(await calls.getItem("key")).toEqual([value]);
      }
    });
  });
}

/** Without groups these calls are errors, and nothing is written. */
async function expectNone({ conditional, calls, storage }: ConditionalSetting): Promise<void> {
  for (const attempt of [
    () => conditional.setItem("key", 1, { ifMatch: null }),
    () => conditional.removeItem("key", { ifMatch: null }),
    () => conditional.update("key", () => 1),
    () => conditional.commit(storage.atomic().set("key", 1)),
  ]) {
    const error = await failureOf(attempt);
    expect(error.code).toBe("EAS_ATOMIC_UNSUPPORTED");
    expect(error.message).toMatch(/conditional writes|groups/);
  }
  expect(await calls.getKeys()).toEqual([]);
}
