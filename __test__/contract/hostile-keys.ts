import { expect } from "vitest";
import { failureOf, methods } from "../helpers/modes.js";
import { normalizeKey } from "../helpers/package.js";
import type { Subject } from "../helpers/subjects.js";
import { type Setting, topic } from "./topic.js";

/** Keys that every driver keeps. */
const ODD = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "a:__proto__:b",
  "nul",
  "CON",
  "com1.txt",
  "con:aux:lpt1",
  '<>|*"',
  "trailing dot.",
  "trailing space ",
  " leading space",
  "new\nline\ttab\u0001",
  "%",
  "%41",
  "%2F%2e%2e",
  ".hidden",
  "...",
  "~",
  "-rf",
  "$",
  "a$b",
  "é".normalize("NFD"),
  "x".repeat(200),
  "я".repeat(200),
];

/** Keys that a driver keeps whole or refuses. */
const REFUSABLE = [
  "..",
  "a:..:b",
  "../../etc/passwd",
  "..\\..\\windows",
  "a:b:..",
  ".",
  "a:.:b",
  "nul\u0000byte",
  "\u0000",
];

/** Keys that have no room in a file system. */
const HUGE = [
  "x".repeat(10_000),
  Array.from({ length: 5000 }, () => "x").join(":"),
  Array.from({ length: 100 }, () => "y".repeat(100)).join(":"),
];

const HALVES = ["\ud800", "\udc00", "a\ud800b", "key:\udfff", "\udc00\ud800"];

const CALLS: Record<string, unknown[]> = {
  setItem: [1],
  setItemRaw: ["x"],
  setMeta: [{ a: 1 }],
};

/** Writes, reads and removes one item; gives the error of a write that is refused. */
async function keptOrRefused({ subject, calls }: Setting, key: string): Promise<any> {
  const shown = JSON.stringify(key.slice(0, 30));
  try {
    await calls.setItem(key, "kept");
  } catch (error) {
    expect(subject.anyKey, `${shown} is refused`).toBe(false);
    return error;
  }
  expect(await calls.getItem(key), shown).toBe("kept");
  expect((await calls.getKeys()).sort(), shown).toEqual([normalizeKey(key), "neighbour"].sort());
  await calls.removeItem(key);
  return undefined;
}

export function hostileKeyFacts(subject: Subject): void {
  topic("hostile keys", subject, (fact) => {
    fact("odd keys are keys like any other and never share an item", async ({ calls }) => {
      const keys = ODD.filter((key) => !key.endsWith("$"));
      for (const key of keys) {
        await calls.setItem(key, { key });
        expect(await calls.getItem(key), JSON.stringify(key)).toEqual({ key });
      }
      for (const key of keys) {
        expect(await calls.getItem(key), JSON.stringify(key)).toEqual({ key });
        expect(await calls.hasItem(key), JSON.stringify(key)).toBe(true);
      }
      expect((await calls.getKeys()).sort()).toEqual([...keys].sort());
      const items = await calls.getItems(keys);
      expect(items).toEqual(keys.map((key) => ({ key, value: { key } })));
      for (const key of keys) {
        await calls.removeItem(key);
        expect(await calls.hasItem(key), JSON.stringify(key)).toBe(false);
      }
      expect(await calls.getKeys()).toEqual([]);
    });

    fact("a key without an item is missing, whatever objects inherit", async ({ calls }) => {
      for (const key of ["__proto__", "constructor", "toString", "valueOf", "hasOwnProperty"]) {
        expect(await calls.getItem(key), key).toBeNull();
        expect(await calls.getItemRaw(key), key).toBeNull();
        expect(await calls.hasItem(key), key).toBe(false);
        expect((await calls.getItems([key]))[0].value, key).toBeNull();
      }
    });

    fact("a key is kept whole or refused as invalid with nothing changed", async (setting) => {
      const { calls } = setting;
      await calls.setItem("neighbour", "safe");
      for (const key of REFUSABLE) {
        const shown = JSON.stringify(key);
        const refused = await keptOrRefused(setting, key);
        if (refused !== undefined) {
          expect(refused.code, shown).toBe("EAS_INVALID_KEY");
          expect(refused.message, shown).toMatch(
            /^\[electron-async-storage\] \[[\w-]+\] Invalid key: /,
          );
          expect(typeof refused.key, shown).toBe("string");
          const batch = [
            { key: "batched", value: 1 },
            { key, value: 1 },
          ];
          for (const [name, call] of Object.entries({
            setItemRaw: () => calls.setItemRaw(key, "x"),
            setItems: () => calls.setItems(batch),
            setMeta: () => calls.setMeta(key, { a: 1 }),
          })) {
            const outcome = await call().then(
              () => "it succeeds",
              (error) => error.code,
            );
            expect(outcome, `${name} of ${shown}`).toBe("EAS_INVALID_KEY");
            if (setting.subject.batchesAreSingles) await calls.removeItem("batched");
          }
        }
        expect(await calls.getKeys(), shown).toEqual(["neighbour"]);
      }
      expect(await calls.getItem("neighbour")).toBe("safe");
    });

    // A queue takes the key and learns from its driver's flush that there is no room.
    if (!subject.writesBehind) {
      fact("a huge key is kept whole or refused with nothing changed", async (setting) => {
        await setting.calls.setItem("neighbour", "safe");
        for (const key of HUGE) {
          const refused = await keptOrRefused(setting, key);
          if (refused !== undefined) {
            expect(["EAS_INVALID_KEY", "ENAMETOOLONG"]).toContain(refused.code);
            expect(refused.driver).toBe(setting.subject.driver);
          }
          expect(await setting.calls.getKeys()).toEqual(["neighbour"]);
        }
      });
    }

    fact("a key with half a surrogate pair is invalid in every method", async ({ calls }) => {
      for (const key of HALVES) {
        for (const name of methods.filter((name) => name !== "flush" && !name.endsWith("Items"))) {
          const error = await failureOf(calls[name](key, ...(CALLS[name] ?? [])));
          expect(error.code, `${name} ${escape(key)}`).toBe("EAS_INVALID_KEY");
          expect(error.message).toMatch(/^\[electron-async-storage\] /);
        }
        const batch = [
          { key: "good", value: 1 },
          { key, value: 1 },
        ];
        expect((await failureOf(calls.setItems(batch))).code).toBe("EAS_INVALID_KEY");
        expect((await failureOf(calls.getItems(["good", key]))).code).toBe("EAS_INVALID_KEY");
      }
      expect(await calls.getKeys()).toEqual([]);
    });
  });
}
