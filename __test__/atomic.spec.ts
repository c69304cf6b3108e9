// Groups of changes: how they are made, and what they refuse.

import { describe, expect, it, vi } from "vitest";
import { failureOf } from "./helpers/modes.js";
import { createStorage, memoryDriver, prefixStorage } from "./helpers/package.js";

describe("a group", () => {
  it("takes values when they are set", async () => {
    const storage = createStorage<any>();
    const value = { list: [1] };
    const group = storage.atomic().set("key", value);
    value.list.push(2);
    expect(storage.hasItemSync("key")).toBe(false);
    await group.commit();
    expect(storage.getItemSync("key")).toEqual({ list: [1] });
  });

  it("needs no `this`", async () => {
    const { atomic, getItemSync } = createStorage<any>();
    const { set, commit } = { ...atomic() };
    set("key", 1);
    await commit();
    expect(getItemSync("key")).toBe(1);
  });

  it("set to undefined removes, and `ttl` counts", async () => {
    const storage = createStorage<any>();
    storage.setItemSync("gone", 1);
    storage.atomic().set("gone", undefined).set("timed", 1, { ttl: 30_000 }).commitSync();
    expect(storage.getKeysSync()).toEqual(["timed"]);
    expect(storage.getMetaSync("timed").ttl).toBeLessThanOrEqual(30_000);
  });

  it("reports its events after the commit, in order", async () => {
    const storage = createStorage<any>();
    storage.setItemSync("c", 1);
    const events: unknown[] = [];
    await storage.watch((event, key) => {
      events.push([event, key, ["a", "b", "c"].map((name) => storage.getItemSync(name))]);
    });
    await storage.atomic().set("b", 2).set("a", 1).remove("c").commit();
    await storage.atomic().check("a", null).set("b", 3).commit();
    const after = [1, 2, null];
    await vi.waitFor(() =>
      expect(events).toEqual([
        ["update", "b", after],
        ["update", "a", after],
        ["remove", "c", after],
      ]),
    );
  });

  it("takes its place among the calls before and after it", async () => {
    const storage = createStorage<any>();
    storage.setItem("a", 1);
    const { etag } = storage.getEntrySync("a");
    const commit = storage.atomic().check("a", etag).set("a", 2).commit();
    storage.setItem("b", storage.getItemSync("a"));
    expect(await commit).toEqual({ ok: true });
    expect(await storage.getItem("b")).toBe(2);
  });

  it("through a prefix has keys under it", async () => {
    const storage = createStorage<any>();
    const users = prefixStorage<any>(storage, "users");
    expect(await users.atomic().set("ann", 1).commit()).toEqual({ ok: true });
    expect(storage.getKeysSync()).toEqual(["users:ann"]);
    expect(users.getEntrySync("ann")).toEqual({
      ...(await storage.getEntry("users:ann")),
      key: "ann",
    });
    expect(users.atomic().check("ann", null).remove("ann").commitSync()).toEqual({
      ok: false,
      conflicts: ["ann"],
    });
  });

  it("over two mounts is refused and names them", async () => {
    const storage = createStorage<any>();
    storage.mount("cache", memoryDriver());
    storage.mount("other", memoryDriver());
    for (const group of [
      storage.atomic().set("cache:a", 1).set("b", 1),
      storage.atomic().check("b", null).set("cache:a", 1),
      storage.atomic().remove("cache:a").check("b", null),
    ]) {
      const error = await failureOf(group.commit());
      expect(error.code).toBe("EAS_ATOMIC_UNSUPPORTED");
      expect(error.message).toContain('the mount at "cache"');
      expect(error.message).toContain("the root");
    }
    const error = await failureOf(() =>
      storage.atomic().set("cache:a", 1).set("other:a", 1).commitSync(),
    );
    expect(error.message).toContain('the mount at "cache"');
    expect(error.message).toContain('the mount at "other"');
    expect(storage.getKeysSync()).toEqual([]);
    const { etag } = await storage.getEntry("cache:a");
    expect(await storage.atomic().check("cache:a", etag).set("cache:b", 1).commit()).toEqual({
      ok: true,
    });
    expect(await storage.atomic().check("cache:b", "x").commit()).toEqual({
      ok: false,
      conflicts: ["cache:b"],
    });
  });
});

describe("bad input", () => {
  it("a second commit is an error, and so is a step after it", async () => {
    const storage = createStorage<any>();
    const group = storage.atomic().set("key", 1);
    await group.commit();
    for (const outcome of [
      () => group.commit(),
      () => group.commitSync(),
      () => group.set("key", 2),
      () => group.check("key", null),
      () => group.remove("key"),
    ]) {
      const error = await failureOf(outcome);
      expect(error.code).toBe("EAS_INVALID_ARGUMENT");
      expect(error.message).toContain("atomic()");
    }
    expect(storage.getItemSync("key")).toBe(1);
  });

  it.each([undefined, 1, true, {}, Symbol("no")])("%s is no etag", async (etag: any) => {
    const group = createStorage<any>().atomic();
    const error = await failureOf(() => group.check("key", etag));
    expect(error).toMatchObject({ code: "EAS_INVALID_ARGUMENT", operation: "check" });
    expect(error).toBeInstanceOf(TypeError);
  });

  it.each([undefined, null, 1, {}])("%s is no key", async (key: any) => {
    const group = createStorage<any>().atomic();
    for (const step of [
      () => group.check(key, null),
      () => group.set(key, 1),
      () => group.remove(key),
    ]) {
      expect((await failureOf(step)).code).toBe("EAS_INVALID_ARGUMENT");
    }
  });

  it("the empty key is an error of the commit, and nothing is written", async () => {
    const storage = createStorage<any>();
    const error = await failureOf(storage.atomic().set("key", 1).set(":", 1).commit());
    expect(error.code).toBe("EAS_INVALID_KEY");
    expect(storage.getKeysSync()).toEqual([]);
  });

  it("a value that cannot be stored is an error where it is set", async () => {
    const group = createStorage<any>().atomic();
    const error = await failureOf(() => group.set("key", () => 1));
    expect(error).toMatchObject({ code: "EAS_INVALID_VALUE", key: "key", operation: "set" });
  });

  it("options that are wrong are errors, and nothing is written", async () => {
    const storage = createStorage<any>();
    expect(
      (await failureOf(() => storage.atomic().set("key", 1, { ifMatch: null } as any))).code,
    ).toBe("EAS_INVALID_OPTION");
    const group = storage.atomic().set("key", 1).set("other", 1, { ttl: -1 });
    expect((await failureOf(group.commit())).code).toBe("EAS_INVALID_OPTION");
    expect(storage.getKeysSync()).toEqual([]);
  });

  it("a disposed storage is an error", async () => {
    const storage = createStorage<any>();
    const group = storage.atomic().set("key", 1);
    await storage.dispose();
    expect((await failureOf(group.commit())).code).toBe("EAS_DISPOSED");
  });
});
