// A process that is killed in the middle of a migration leaves all of it or nothing.

import { spawn } from "node:child_process";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { folder } from "./helpers/folders.js";
import { builtin, createStorage, isBuiltin, root } from "./helpers/package.js";

const CHILD = join(root, "__test__/helpers/migrations/child.cjs");
/** As many as the specification asks for, over all drivers. */
const ROUNDS = { fs: 140, sqlite: 40, queue: 30, storage: 30 };
/** The rounds that run at the same time. */
const LANES = 4;

type Over = keyof typeof ROUNDS;
type Content = Record<string, unknown>;

function open(over: Over, base: string, options = {}) {
  const own = builtin(over === "sqlite" ? "sqlite" : "fs", { base });
  const driver =
    over === "queue"
      ? builtin("queue", { driver: own })
      : over === "storage"
        ? (createStorage<any>({ driver: own }) as any)
        : own;
  return createStorage<any>({ driver, ...options });
}

async function fill(over: Over, base: string): Promise<void> {
  const storage = open(over, base);
  for (let index = 0; index < 6; index += 1) await storage.setItem(`n:${index}`, "old");
  await storage.setItem("gone", { kept: new Date(7) });
  await storage.setMeta("gone", { owner: "ann" });
  await storage.setItemRaw("raw", Buffer.from([0, 255, 1]));
  await storage.setItem("old:a", 1);
  await storage.setMeta("old:a", { deep: true });
  await storage.setItem("old:b", new Set([1]), { ttl: 36_000_000 });
  await storage.setItem("batch:b", 1);
  await storage.dispose();
}

/** All that can be read, metadata too. */
async function contentOf(storage: ReturnType<typeof open>): Promise<Content> {
  const keys = (await storage.getKeys()).sort();
  const content: Content = {};
  for (const key of keys) {
    const { ttl, owner, deep, step } = await storage.getMeta(key);
    const value = key === "raw" ? [...(await storage.getItemRaw(key))] : await storage.getItem(key);
    content[key] = { value, hasTtl: ttl !== undefined, owner, deep, step };
  }
  content.gone$ = (await storage.getMeta("gone")).owner;
  content["old:a$"] = (await storage.getMeta("old:a")).deep;
  content.version = await storage.getStorageVersion();
  return content;
}

/** Runs the migration in a process; kills it that long after its first step began. */
function runAndKill(over: Over, base: string, afterMs: number | undefined): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CHILD, "steps", base, over], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.on("data", (data) => {
      output += data;
      if (output === "begun\n" && afterMs !== undefined) {
        setTimeout(() => child.kill("SIGKILL"), afterMs);
      }
    });
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      if (code !== 0 && signal !== "SIGKILL") reject(new Error(`ended with ${code ?? signal}`));
      else resolve(output.includes("migrated"));
    });
  });
}

describe.each(Object.keys(ROUNDS).filter((over) => over !== "queue" || isBuiltin(over)) as Over[])(
  "over %s",
  (over) => {
    it("the next migrate() finds the old state, or the whole of the new one", async () => {
      const template = folder();
      await fill(over, template);
      const before = open(over, template);
      const old = await contentOf(before);
      await before.dispose();

      const whole = folder();
      cpSync(template, whole, { recursive: true });
      const start = performance.now();
      expect(await runAndKill(over, whole, undefined)).toBe(true);
      const after = open(over, whole);
      const renewed = await contentOf(after);
      await after.dispose();
      expect(renewed).not.toEqual(old);
      expect(renewed.version).toBe(2);
      // Kills are spread over what a whole run takes after its start, about a half of it.
      const spanMs = (performance.now() - start) / 2;

      let killed = 0;
      async function round(number: number): Promise<void> {
        const base = folder();
        cpSync(template, base, { recursive: true });
        const finished = await runAndKill(over, base, (number / ROUNDS[over]) * spanMs);
        let found: Content = {};
        const storage = open(over, base, {
          version: 2,
          migrations: {},
          migrationHooks: {
            // Runs behind the undo of what was killed, when there are steps to do.
            beforeMigration: async () => {
              found = await contentOf(storage);
              killed += 1;
              throw new Error("seen");
            },
          },
        });
        const outcome = await storage.migrate().then(
          () => "nothing to do",
          (error) => error.message,
        );
        if (outcome === "seen") {
          expect(finished, `round ${number}`).toBe(false);
          expect(found, `round ${number}`).toEqual(old);
          expect(await contentOf(storage), `round ${number}`).toEqual(old);
        } else {
          expect(outcome, `round ${number}`).toBe("nothing to do");
          expect(await contentOf(storage), `round ${number}`).toEqual(renewed);
        }
        await storage.dispose();
      }
      const numbers = Array.from({ length: ROUNDS[over] }, (_, number) => number);
      await Promise.all(
        Array.from({ length: LANES }, async () => {
          for (let next = numbers.shift(); next !== undefined; next = numbers.shift()) {
            await round(next);
          }
        }),
      );
      expect(killed).toBeGreaterThan(ROUNDS[over] / 10);
    }, 240_000);
  },
);

it("processes that migrate one folder at once run it once", async () => {
  const base = folder();
  const children = Array.from({ length: 4 }, () => {
    const child = spawn(process.execPath, [CHILD, "once", base], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void child.kill());
    return new Promise<[string, number | null]>((resolve, reject) => {
      let output = "";
      child.stdout.on("data", (data) => {
        output += data;
      });
      child.on("error", reject);
      child.on("exit", (code) => resolve([output, code]));
    });
  });
  const ends = await Promise.all(children);
  expect(ends.map(([, code]) => code)).toEqual([0, 0, 0, 0]);
  expect(ends.map(([output]) => output).join("")).toBe("ran\n");
  const storage = createStorage<any>({ driver: builtin("fs", { base }) });
  expect(await storage.getStorageVersion()).toBe(1);
  expect(await storage.getKeys("k")).toHaveLength(20);
  await storage.dispose();
});
