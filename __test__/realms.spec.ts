// Values of other realms, and the package in another realm, as in Jest.

import vm from "node:vm";
import { describe, expect, it } from "vitest";
import { folder } from "./helpers/folders.js";
import { createStorage } from "./helpers/package.js";
import { realm } from "./helpers/realm.js";
import { describeValue } from "./helpers/values.js";

const VALUES = `({
  date: new Date(5), map: new Map([["k", new Set([1])]]), pattern: /x/g, big: 1n, list: [[], {}],
  error: new Error("m"), bytes: new Uint8Array([1, 2]), bare: Object.create(null) })`;

/** In the realm: whether each part of \`given\` is of that realm. */
const BELONGS = `Object.entries({
  date: given.date instanceof Date,
  map: given.map instanceof Map,
  inner: given.map.get("k") instanceof Set,
  pattern: given.pattern instanceof RegExp,
  list: given.list instanceof Array && given.list[1] instanceof Object,
  error: given.error instanceof Error,
  bytes: given.bytes instanceof Uint8Array,
  itself: given instanceof Object,
}).filter(([, belongs]) => !belongs).map(([name]) => name).join()`;

describe("the package required in another realm", () => {
  it.each(["memory", "fs", "queue"])("gives values of that realm over %s", async (name) => {
    const jest = realm();
    const { createStorage } = jest.require("./index.js");
    const drivers = Object.fromEntries(
      ["memory", "fs", "queue"].map((each) => [each, jest.require(`./drivers/${each}.js`)]),
    );
    const open = {
      memory: () => drivers.memory(),
      fs: () => drivers.fs({ base: folder() }),
      queue: () => drivers.queue({ driver: drivers.fs({ base: folder() }) }),
    }[name as "memory"];
    const storage = createStorage({ driver: open() });
    await storage.setItem("own", jest.run(VALUES));
    await storage.setItem("other", vm.runInThisContext(VALUES));
    for (const key of ["own", "other"]) {
      for (const value of [
        await storage.getItem(key),
        await storage.getItem(key),
        storage.getItemSync(key),
        (await storage.getItems([key]))[0].value,
        storage.getItemsSync([key])[0].value,
      ]) {
        expect(jest.run(BELONGS, value), key).toBe("");
      }
    }
    await storage.setItem("plain", { a: [1] });
    const plain = jest.run("given", await storage.getItem("plain"));
    expect(jest.run("given.a instanceof Array && given instanceof Object", plain)).toBe(true);
    expect(jest.run("given instanceof Promise", storage.getKeys())).toBe(true);
    expect(jest.run("given instanceof Array", await storage.getKeys())).toBe(true);
    expect(jest.run("given instanceof Array", storage.getKeysSync())).toBe(true);
    expect(jest.run("given instanceof Array", await storage.keys())).toBe(true);
    const { driver } = storage.getMount();
    expect(jest.run("given instanceof Array", await driver.getKeys("", {}))).toBe(true);
    const meta = await storage.getMeta("own");
    if (name === "fs") expect(jest.run("given.mtime instanceof Date", meta)).toBe(true);
    await storage.dispose();
  });

  it("refuses with errors of that realm, and shows Maps of it", async () => {
    const jest = realm();
    const storage = jest.require("./index.js").createStorage();
    const error = await storage.setItem("a", () => 1).catch((thrown: unknown) => thrown);
    expect(jest.run("given instanceof Error && given.code", error)).toBe("EAS_INVALID_VALUE");
    const map = storage.getMount().driver.getInstance();
    expect(jest.run("given instanceof Map", map)).toBe(true);
    await storage.dispose();
  });

  it("does not disturb the package beside it", async () => {
    const here = createStorage<any>();
    const jest = realm();
    const there = jest.require("./index.js").createStorage();
    for (const storage of [here, there]) {
      await storage.setItem("a", { at: new Date(1), text: "x".repeat(100) });
      for (let i = 0; i < 4; i++) await storage.getItem("a");
    }
    expect((await here.getItem("a")).at).toBeInstanceOf(Date);
    expect(jest.run("given.at instanceof Date", await there.getItem("a"))).toBe(true);
    await there.dispose();
    expect((await here.getItem("a")).text).toHaveLength(100);
  });

  it("works where strings cannot become code", async () => {
    const strict = realm({ codeGeneration: { strings: false, wasm: false } });
    const storage = strict.require("./index.js").createStorage();
    await storage.setItem("a", strict.run(VALUES));
    expect((await storage.getItem("a")).date).toBeInstanceOf(Date);
    await storage.dispose();
  });
});

it("values of another realm are stored as what they are, and come back as those of this one", async () => {
  const storage = createStorage<any>();
  await storage.setItem("a", vm.runInNewContext(VALUES));
  const value = await storage.getItem("a");
  expect(describeValue(value)).toEqual(describeValue({ ...vm.runInThisContext(VALUES), bare: {} }));
  expect(value.map).toBeInstanceOf(Map);
  await storage.setItem("b", vm.runInNewContext("[new (class { a = [{ b: new String('x') }] })]"));
  expect(await storage.getItem("b")).toStrictEqual([{ a: [{ b: "x" }] }]);
});
