// `onLossy`: what happens to values of which a part is lost.

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { folder } from "./helpers/folders.js";
import { callsOf, failureOf, type Mode } from "./helpers/modes.js";
import { builtin, createStorage } from "./helpers/package.js";

let warnings: { code?: string; message: string }[];
const onWarning = (warning: Error) => {
  const { code } = warning as { code?: string };
  if (code === "EAS_LOSSY_VALUE") warnings.push({ code, message: warning.message });
};
/** Warnings are emitted in a later turn. */
const shown = async () => {
  await new Promise((resolve) => setImmediate(resolve));
  return warnings;
};

beforeEach(() => {
  warnings = [];
  process.on("warning", onWarning);
});
afterEach(() => {
  process.off("warning", onWarning);
});

const increment = () => 1;
class User {
  name = "Ann";
}

describe.each<Mode>(["async", "sync"])("%s", (mode) => {
  it("a function inside is left out, with one warning that names key, path and what is lost", async () => {
    const calls = callsOf(createStorage<any>(), mode);
    await calls.setItem("/bear/store", { state: { bears: 1, increment }, version: 0 });
    expect(await calls.getItem("bear:store")).toEqual({ state: { bears: 1 }, version: 0 });
    await calls.setItem("bear/store", { state: { bears: 2, increment }, version: 0 });
    await calls.setItem("other", { other: { increment } });
    expect(await shown()).toHaveLength(1);
    expect(warnings[0]?.message).toContain('key "bear:store"');
    expect(warnings[0]?.message).toContain("at state.increment, a function is left out");
    await calls.setItem("bear:store", { state: { decrement: increment, list: [increment] } });
    expect((await shown()).map(({ message }) => message.match(/at ([^,]+),/)?.[1])).toEqual([
      "state.increment",
      "state.decrement",
      "state.list[0]",
    ]);
  });

  it("an instance of a class becomes its own properties, with one warning for the class", async () => {
    const calls = callsOf(createStorage<any>(), mode);
    await calls.setItem("a", { users: [new User(), new User()], more: new User() });
    expect(await calls.getItem("a")).toEqual({
      users: [{ name: "Ann" }, { name: "Ann" }],
      more: { name: "Ann" },
    });
    class Group {
      members = new Map([["ann", new User()]]);
    }
    await calls.setItem("b", { group: new Group() });
    expect(await calls.getItem("b")).toEqual({ group: { members: {} } });
    const places = (await shown()).map(({ message }) => message.match(/at (.+) is stored/)?.[1]);
    expect(places).toEqual([
      "users[0], an instance of User",
      "group, an instance of Group",
      "group.members, an instance of Map",
    ]);
  });

  it("in a batch the warning names the item, and in metadata the key", async () => {
    const calls = callsOf(createStorage<any>(), mode);
    await calls.setItems([
      { key: "a", value: 1 },
      { key: "b", value: { run: increment } },
    ]);
    await calls.setMeta("c", { walk: increment } as any);
    const messages = (await shown()).map(({ message }) => message);
    expect(messages[0]).toContain('item 1 of the batch, key "b", at run,');
    expect(messages[1]).toContain('key "c", at walk,');
  });

  it('"error" refuses such a value, and nothing is written', async () => {
    const base = folder();
    const storage = createStorage<any>({ driver: builtin("fs", { base }), onLossy: "error" });
    const calls = callsOf(storage, mode);
    await calls.setItem("a", "old");
    for (const [value, path] of [
      [{ x: { increment } }, "x.increment"],
      [[Symbol("s")], "[0]"],
      [{ user: new User() }, "user"],
      [new Map([["k", new User()]]), "[0][1]"],
    ] as const) {
      const error = await failureOf(calls.setItem("a", value));
      expect(error).toMatchObject({ code: "EAS_INVALID_VALUE", key: "a", path });
      expect(error.message).toContain("onLossy");
    }
    const items = [
      { key: "new", value: 1 },
      { key: "a", value: { increment } },
    ];
    expect(await failureOf(calls.setItems(items))).toMatchObject({
      code: "EAS_INVALID_VALUE",
      index: 1,
    });
    await calls.setItem("fine", [new Date(0), new Map(), { toJSON: () => 1 }, null, undefined]);
    expect(await calls.getItem("a")).toBe("old");
    expect((await calls.getKeys()).sort()).toEqual(["a", "fine"]);
    expect(await shown()).toEqual([]);
  });

  it('"ignore" stores it without a word, but not what nothing would be left of', async () => {
    const calls = callsOf(createStorage<any>({ onLossy: "ignore" }), mode);
    await calls.setItem("a", { increment, user: new User(), n: 1 });
    expect(await calls.getItem("a")).toEqual({ user: { name: "Ann" }, n: 1 });
    expect(await failureOf(calls.setItem("a", { a: Promise.resolve() }))).toMatchObject({
      code: "EAS_INVALID_VALUE",
    });
    expect(await failureOf(calls.setItem("a", increment))).toMatchObject({
      code: "EAS_INVALID_VALUE",
    });
    expect(await shown()).toEqual([]);
  });

  it("what is refused for another reason warns of nothing", async () => {
    const calls = callsOf(createStorage<any>(), mode);
    await failureOf(calls.setItem("a", { increment, late: Promise.resolve() }));
    expect(await shown()).toEqual([]);
    await calls.setItem("a", { increment });
    expect(await shown()).toHaveLength(1);
  });
});

it.each(["Warn", "", null, 1, true, {}])("`onLossy: %j` is refused", async (onLossy) => {
  const error = await failureOf(() => createStorage({ onLossy: onLossy as any }));
  expect(error).toMatchObject({ code: "EAS_INVALID_OPTION", operation: "createStorage" });
  expect(error.message).toContain('"warn", "error" or "ignore"');
});
