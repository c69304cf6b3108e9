// The attacks of `npm run torture`, a few rounds of each; and what they judge by, on made-up findings.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { root } from "./helpers/package.js";

const scripts = join(root, "scripts", "torture");
const run = join(scripts, "run.mjs");

/** A module of the attacks; they have no types. */
function part(name: string): Promise<any> {
  return import(pathToFileURL(join(scripts, name)).href);
}

async function torture(...args: string[]) {
  const child = spawn(process.execPath, [run, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  child.stdout.on("data", (data) => {
    printed += data;
  });
  child.stderr.on("data", (data) => {
    printed += data;
  });
  const [code] = await once(child, "close");
  return { code, printed };
}

describe("a few rounds of each attack lose nothing", async () => {
  const { hasGauges } = await part("gauges.mjs");

  it.concurrent.each([
    ["kill", 6],
    ["contexts", 3],
    ["leaks", 10],
    ["processes", 1],
    ["hostile", 4],
    ["model", 2],
    ["counters", 2],
  ])("%s", async (name, rounds) => {
    const { code, printed } = await torture(
      "--only",
      name,
      "--rounds",
      `${rounds}`,
      "--minutes",
      "0.2",
    );
    expect(code, printed).toBe(0);
    const isSkipped = name === "leaks" && !hasGauges;
    const rest = isSkipped ? "- +- +skipped: .+" : "[1-9]\\d* +\\d+ +0";
    expect(printed).toMatch(new RegExp(`^${name} +${rest}$`, "m"));
  });
});

describe("the command", () => {
  it("names the attacks when it is asked for another one", async () => {
    const { code, printed } = await torture("--only", "nothing");
    expect(code).toBe(2);
    expect(printed).toContain("kill");
  });

  it("fails when an attack finds something", async () => {
    const { Outcome, table } = await part("outcome.mjs");
    const outcome = new Outcome();
    outcome.round(3);
    outcome.loss("lost");
    expect(table([["kill", outcome]])).toMatch(/^kill +3 +0 +1$/m);
  });
});

describe("the same seed", () => {
  it("gives the same course, another one does not", async () => {
    const { randomOf } = await part("random.mjs");
    const course = (seed: string, round: number) =>
      randomOf({ seed, attack: "kill" }, round).list(20, (random: any) => random.below(1000));
    expect(course("a", 1)).toEqual(course("a", 1));
    expect(course("a", 1)).not.toEqual(course("a", 2));
    expect(course("a", 1)).not.toEqual(course("b", 1));
  });
});

describe("after a kill", async () => {
  const { History, selfProving } = await part("history.mjs");

  function history() {
    const made = new History();
    for (const number of [1, 2, 3]) made.begin("k", number, "set");
    made.mustLast("k", 2);
    return made;
  }

  it.each([
    ["the write that was reported", 2],
    ["one that was under way", 3],
  ])("%s is fine", (_, number) => {
    expect(history().judge("k", selfProving("k", number, 100))).toBe("");
  });

  it.each([
    ["an older write", selfProving("k", 1, 100)],
    ["nothing", null],
    ["a write that never was", selfProving("k", 4, 100)],
    ["the value of another key", selfProving("other", 2, 100)],
    ["part of a value", { ...selfProving("k", 2, 100), body: selfProving("k", 2, 50).body }],
    ["a mixture", { ...selfProving("k", 2, 100), body: selfProving("k", 3, 100).body }],
  ])("%s is a loss", (_, value) => {
    expect(history().judge("k", value)).not.toBe("");
  });

  it("a removal under way may be done", () => {
    const made = history();
    made.begin("k", 4, "remove");
    expect(made.judge("k", null)).toBe("");
    expect(made.judge("k", selfProving("k", 3, 100))).not.toBe("");
  });
});

describe("what a process holds", async () => {
  const { added, gauges, hasGauges } = await part("gauges.mjs");

  it.runIf(hasGauges)("counts a file that stays open, and no module of the attacks", () => {
    const before = gauges().descriptors;
    const module = openSync(join(scripts, "gauges.mjs"), "r");
    const file = openSync(join(root, "package.json"), "r");
    try {
      expect(added(before, gauges().descriptors)).toEqual([join(root, "package.json")]);
    } finally {
      closeSync(module);
      closeSync(file);
    }
    expect(added(before, gauges().descriptors)).toEqual([]);
  });

  it("is more only where there are more of a kind", () => {
    expect(added(["pipe", "socket"], ["pipe", "pipe", "/a"])).toEqual(["pipe", "/a"]);
    expect(added(["pipe", "pipe"], ["pipe"])).toEqual([]);
  });
});

describe("what valgrind says counts when it names the addon", async () => {
  const { complaintsOf } = await part("attacks/memcheck.mjs");
  const inAddon = "at 0x1: poll (in /app/electron-async-storage.linux-x64-gnu.node)";

  it.each([
    ["a complaint about it", `==7== Invalid read of size 8\n==7==    ${inAddon}\n==7== \n`, 1],
    ["one about others", "==7== Invalid read of size 8\n==7==    at 0x1: v8 (in /bin/node)\n", 0],
    ["no complaint", `==7== Warning\n==7==    ${inAddon}\n`, 0],
  ])("%s", (_, log, count) => {
    expect(complaintsOf(log)).toHaveLength(count);
  });
});

describe("values are alike", async () => {
  const { isSame } = await part("same.mjs");
  const shared = { a: 1 };

  it.each([
    ["times that are none", new Date(Number.NaN), new Date(Number.NaN), true],
    ["zeros of two signs", [0], [-0], false],
    ["shared parts and copies", [shared, shared], [{ a: 1 }, { a: 1 }], false],
    ["sets of other items", new Set([1]), new Set([2]), false],
    ["an object and its prototype", { x: 1 }, Object.create({ x: 1 }), false],
  ])("%s", (_, one, other, expected) => {
    expect(isSame(one, other)).toBe(expected);
  });
});
