import { types } from "node:util";
import { expect } from "vitest";
import { failureOf } from "../helpers/modes.js";
import type { Subject } from "../helpers/subjects.js";
import { type Setting, topic } from "./topic.js";

const BYTES = Uint8Array.from({ length: 256 }, (_, index) => index);

/** The raw value as the driver itself has it: a queue still holds values as they were given. */
async function settled({ storage, calls }: Setting, key: string): Promise<unknown> {
  await storage.flush();
  return calls.getItemRaw(key);
}

export function rawFacts(subject: Subject): void {
  topic("raw values", subject, (fact) => {
    fact("bytes come back whole", async (setting) => {
      for (const bytes of [Buffer.from(BYTES), BYTES, Buffer.alloc(0), Buffer.alloc(100_000, 7)]) {
        await setting.calls.setItemRaw("key", bytes);
        const read = await settled(setting, "key");
        expect(types.isUint8Array(read)).toBe(true);
        expect(Buffer.from(read as Uint8Array).equals(bytes)).toBe(true);
      }
      expect(await setting.calls.hasItem("key")).toBe(true);
      expect(await setting.calls.getKeys()).toEqual(["key"]);
    });

    fact("a part of a larger buffer is stored as that part", async (setting) => {
      await setting.calls.setItemRaw("key", BYTES.subarray(10, 13));
      const read = (await settled(setting, "key")) as Uint8Array;
      expect([...read]).toEqual([10, 11, 12]);
    });

    fact("bytes read are a copy", async (setting) => {
      await setting.calls.setItemRaw("key", Buffer.from("abc"));
      const first = (await settled(setting, "key")) as Uint8Array;
      if (["plain", "two-faced", "committing"].includes(setting.subject.driver)) return;
      first.fill(0);
      const second = (await setting.calls.getItemRaw("key")) as Uint8Array;
      expect(Buffer.from(second).toString()).toBe("abc");
    });

    fact("a string comes back with its text", async (setting) => {
      for (const text of ["", "text", "aé€😀\u0000", '{"json":1}', "base64", "base64:!"]) {
        await setting.calls.setItemRaw("key", text);
        const read = await settled(setting, "key");
        if (setting.subject.raw === "bytes") {
          expect(Buffer.isBuffer(read)).toBe(true);
          expect((read as Buffer).toString()).toBe(text);
        } else {
          expect(read).toBe(text);
        }
      }
    });

    fact("writing undefined removes the item", async ({ calls }) => {
      await calls.setItemRaw("key", "x");
      await calls.setItemRaw("key", undefined);
      expect(await calls.hasItem("key")).toBe(false);
    });

    if (subject.raw === "bytes") {
      fact("bytes come back as a Buffer, whatever view they were", async (setting) => {
        const words = new Uint16Array([1, 2, 3]);
        for (const view of [words, new DataView(words.buffer), words.buffer]) {
          await setting.calls.setItemRaw("key", view);
          const read = await settled(setting, "key");
          expect(Buffer.isBuffer(read)).toBe(true);
          expect((read as Buffer).equals(Buffer.from(words.buffer))).toBe(true);
        }
      });

      fact("raw bytes of stored text read as its value", async (setting) => {
        await setting.calls.setItemRaw("key", Buffer.from('{"json":{"a":1}}'));
        await setting.storage.flush();
        expect(await setting.calls.getItem("key")).toEqual({ a: 1 });
        expect(await setting.calls.setItem("key", [2])).toBeUndefined();
        expect(((await settled(setting, "key")) as Buffer).toString()).toBe('{"json":[2]}');
      });
    }

    if (subject.raw === "value") {
      fact("any other value comes back as the same reference", async (setting) => {
        const make = () => 1;
        for (const value of [{ a: 1 }, [1], new Date(), make, new Map(), Symbol("s"), 7, true]) {
          await setting.calls.setItemRaw("key", value);
          expect(await setting.calls.getItemRaw("key")).toBe(value);
        }
      });
    }

    if (subject.raw !== "value") {
      fact(
        "a value that is neither text nor bytes is refused and the old one stays",
        async (setting) => {
          await setting.calls.setItemRaw("key", "old");
          for (const value of [{}, [1], 7, true, () => 1, new Date()]) {
            const error = await failureOf(setting.calls.setItemRaw("key", value));
            expect(error.code).toBe("EAS_INVALID_VALUE");
            expect(error.key).toBe("key");
            expect(error.operation).toBe(setting.mode === "sync" ? "setItemRawSync" : "setItemRaw");
          }
          expect(String(await settled(setting, "key"))).toBe("old");
        },
      );
    }
  });
}
