// Metadata as drivers see it.

import { describe, expect, it } from "vitest";
import type { Driver } from "../index.js";
import { callsTo, plainDriver, recorder, syncMethodsDriver } from "./helpers/js-drivers.js";
import { callsOf, failureOf, type Mode } from "./helpers/modes.js";
import { createStorage, memoryDriver } from "./helpers/package.js";

describe.each<Mode>(["async", "sync"])("metadata, %s", (mode) => {
  function withMeta(answer: unknown): Driver {
    const give = () => answer as any;
    return { ...syncMethodsDriver(), getMeta: give, getMetaSync: give };
  }

  it("is what the driver knows, overlaid by what setMeta stored", async () => {
    const known = { mtime: new Date(1), size: 3, etag: "abc" };
    const calls = callsOf(createStorage<any>({ driver: withMeta(known) }), mode);
    await calls.setMeta("key", { size: 4, owner: "ann" });
    expect(await calls.getMeta("key")).toEqual({ ...known, size: 4, owner: "ann" });
    expect(await calls.getMeta("key", true)).toEqual(known);
    expect(known).toEqual({ mtime: new Date(1), size: 3, etag: "abc" });
  });

  it("that a driver has none of is empty", async () => {
    for (const none of [null, undefined]) {
      const calls = callsOf(createStorage<any>({ driver: withMeta(none) }), mode);
      expect(await calls.getMeta("key")).toEqual({});
    }
  });

  it("that is no object is the driver's fault", async () => {
    for (const wrong of [1, "text", true]) {
      const calls = callsOf(createStorage<any>({ driver: withMeta(wrong) }), mode);
      const error = await failureOf(calls.getMeta("key"));
      expect(error.code, String(wrong)).toBe("EAS_DRIVER_RESULT");
      expect(error.driver).toBe("two-faced");
      expect(error.key).toBe("key");
    }
  });

  it("of memory says how long the item lives", async () => {
    const calls = callsOf(createStorage<any>({ driver: memoryDriver() }), mode);
    await calls.setItem("key", 1, { ttl: 3_600_000 });
    const { ttl } = await calls.getMeta("key");
    expect(ttl).toBeGreaterThan(3_000_000);
    expect(ttl).toBeLessThanOrEqual(3_600_000);
    await calls.setItem("key", 1);
    expect(await calls.getMeta("key")).toEqual({});
  });

  it("is stored at the key with a $, normalised first, in the mount of its item", async () => {
    const { driver, calls: made } = recorder(syncMethodsDriver());
    const storage = createStorage<any>();
    storage.mount("m", driver);
    const calls = callsOf(storage, mode);
    await calls.setMeta("m/a//b/", { owner: "ann" });
    await calls.getMeta("m/a//b/");
    await calls.removeMeta("m/a//b/");
    const suffix = mode === "sync" ? "Sync" : "";
    expect(callsTo(made, `setItem${suffix}`).map(({ args }) => args[0])).toEqual(["a:b$"]);
    expect(callsTo(made, `getItem${suffix}`).map(({ args }) => args[0])).toEqual(["a:b$"]);
    expect(callsTo(made, `removeItem${suffix}`).map(({ args }) => args[0])).toEqual(["a:b$"]);
  });

  it("asked for natively makes no read of the stored part", async () => {
    const { driver, calls: made } = recorder(withMeta({ size: 1 }));
    await callsOf(createStorage<any>({ driver }), mode).getMeta("key", { nativeOnly: true });
    expect(made.map(({ method }) => method)).toEqual([mode === "sync" ? "getMetaSync" : "getMeta"]);
  });

  it("that is corrupt, or no object, leaves what the driver knows", async () => {
    const driver = withMeta({ size: 1 });
    await driver.setItem?.("torn$", "{", {});
    await driver.setItem?.("list$", "[1,2]", {});
    await driver.setItem?.("text$", '"text"', {});
    const calls = callsOf(createStorage<any>({ driver }), mode);
    expect(await calls.getMeta("torn")).toEqual({ size: 1 });
    expect(await calls.getMeta("text")).toEqual({ size: 1 });
  });
});

it("a driver may give a Promise of its metadata", async () => {
  const driver = { ...plainDriver(), getMeta: async () => ({ size: 7 }) };
  expect(await createStorage({ driver }).getMeta("key")).toEqual({ size: 7 });
});
