// Raw values, kind by kind.

import { types } from "node:util";
import { describe, expect, it } from "vitest";
import { promiseDriver } from "./helpers/js-drivers.js";
import { callsOf, type Mode } from "./helpers/modes.js";
import { createStorage } from "./helpers/package.js";

describe.each<Mode>(["async", "sync"])("memory, %s", (mode) => {
  it("gives a Buffer for a Buffer and a Uint8Array for a Uint8Array", async () => {
    const calls = callsOf(createStorage<any>(), mode);
    await calls.setItemRaw("buffer", Buffer.from("abc"));
    await calls.setItemRaw("array", new Uint8Array([1, 2]));
    const [buffer, array] = [await calls.getItemRaw("buffer"), await calls.getItemRaw("array")];
    expect(Buffer.isBuffer(buffer)).toBe(true);
    expect(buffer.toString()).toBe("abc");
    expect(Buffer.isBuffer(array)).toBe(false);
    expect(array).toBeInstanceOf(Uint8Array);
    expect([...array]).toEqual([1, 2]);
  });

  it("keeps bytes as they were at the time of the call", async () => {
    const calls = callsOf(createStorage<any>(), mode);
    const bytes = Buffer.from("abc");
    await calls.setItemRaw("key", bytes);
    bytes.fill(0);
    expect((await calls.getItemRaw("key")).toString()).toBe("abc");
  });

  it("gives a copy of the bytes each time", async () => {
    const calls = callsOf(createStorage<any>(), mode);
    await calls.setItemRaw("key", Buffer.from("abc"));
    (await calls.getItemRaw("key")).fill(0);
    expect((await calls.getItemRaw("key")).toString()).toBe("abc");
  });

  it("gives any other value as the same reference, and so through getItem", async () => {
    const calls = callsOf(createStorage<any>(), mode);
    const value = { call: () => 1, map: new Map() };
    await calls.setItemRaw("key", value);
    expect(await calls.getItemRaw("key")).toBe(value);
    expect(await calls.getItem("key")).toBe(value);
    expect(await calls.hasItem("key")).toBe(true);
  });

  it("keeps null as a value and a missing item as null", async () => {
    const calls = callsOf(createStorage<any>(), mode);
    await calls.setItemRaw("key", null);
    expect(await calls.getItemRaw("key")).toBeNull();
  });

  it("lets go of a reference when it is replaced or removed", async () => {
    const calls = callsOf(createStorage<any>(), mode);
    await calls.setItemRaw("key", { big: true });
    await calls.setItem("key", "text");
    expect(await calls.getItem("key")).toBe("text");
    await calls.setItemRaw("key", { big: true });
    await calls.removeItem("key");
    expect(await calls.getItemRaw("key")).toBeNull();
  });

  it("gives the text of a value written with setItem", async () => {
    const calls = callsOf(createStorage<any>(), mode);
    await calls.setItem("key", { a: 1 });
    expect(await calls.getItemRaw("key")).toBe('{"json":{"a":1}}');
  });
});

describe("bytes", () => {
  it("own all of their memory: their buffer can be transferred", async () => {
    const storage = createStorage<any>();
    await storage.setItemRaw("key", new Uint8Array([1, 2, 3]));
    const read = await storage.getItemRaw<Uint8Array<ArrayBuffer>>("key");
    const moved = structuredClone(read, { transfer: read === null ? [] : [read.buffer] });
    expect([...(moved ?? [])]).toEqual([1, 2, 3]);
    expect([...((await storage.getItemRaw("key")) as Uint8Array)]).toEqual([1, 2, 3]);
  });

  it("of a SharedArrayBuffer's view are stored", async () => {
    const shared = new Uint8Array(new SharedArrayBuffer(3));
    shared.set([1, 2, 3]);
    const storage = createStorage<any>();
    await storage.setItemRaw("key", shared);
    expect([...((await storage.getItemRaw("key")) as Uint8Array)]).toEqual([1, 2, 3]);
  });
});

describe("a driver without raw methods", () => {
  it("sees strings as they are and bytes as base64 text", async () => {
    const data = new Map<string, any>();
    const storage = createStorage<any>({ driver: promiseDriver(data) });
    await storage.setItemRaw("text", "plain text");
    await storage.setItemRaw("bytes", new Uint8Array([0, 255, 254]));
    await storage.setItemRaw("none", new Uint8Array());
    expect(Object.fromEntries(data)).toEqual({
      text: "plain text",
      bytes: "base64:AP/+",
      none: "base64:",
    });
    expect(await storage.getItemRaw("text")).toBe("plain text");
    const bytes = await storage.getItemRaw("bytes");
    expect(types.isUint8Array(bytes)).toBe(true);
    expect([...bytes]).toEqual([0, 255, 254]);
  });

  it("reads base64 with and without padding", async () => {
    const data = new Map<string, any>([
      ["padded", "base64:YQ=="],
      ["bare", "base64:YQ"],
    ]);
    const storage = createStorage<any>({ driver: promiseDriver(data) });
    for (const key of data.keys()) {
      expect(String(await storage.getItemRaw(key)), key).toBe("a");
    }
  });
});
