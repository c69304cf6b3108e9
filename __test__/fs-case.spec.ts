// Keys that differ in case or Unicode form alone: files of their own where the file system tells them apart, and
// elsewhere the first one has the file and the other is refused.

import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folder } from "./helpers/folders.js";
import { partyAt } from "./helpers/fs/party.js";
import { fsStorage } from "./helpers/fs/storage.js";
import { callsOf, failureOf, type Mode } from "./helpers/modes.js";

const [NFC, NFD] = ["é".normalize("NFC"), "é".normalize("NFD")];

const PAIRS: [one: string, other: string][] = [
  ["user", "User"],
  ["a:user", "a:USER"],
  ["user:name", "User:name"],
  ["user:name", "USER:other"],
  ["user", "User:name"],
  ["user:name", "User"],
  ["größe", "GRÖßE"],
  [NFC, NFD],
  [`a:${NFD}:b`, `a:${NFC}:c`],
];

/** Whether the file system gives both names to one file. */
function isOneName(base: string, one: string, other: string): boolean {
  writeFileSync(join(base, one), "");
  const isOne = existsSync(join(base, other));
  rmSync(join(base, one));
  return isOne;
}

/** Whether one key's file or folder is in the way of the other's. */
function isInTheWay(base: string, one: string, other: string): boolean {
  const [names, others] = [one.split(":"), other.split(":")];
  const at = names.findIndex((name, index) => name !== others[index]);
  return isOneName(base, names[at], others[at]);
}

const modes: Mode[] = ["async", "sync"];

describe.each(["fs", "fs-lite"])("%s", (driver) => {
  describe.each(modes)("%s", (mode) => {
    it.each(PAIRS)("%s and %s never share a file", async (one, other) => {
      const base = folder();
      const refuses = isInTheWay(base, one, other);
      const calls = callsOf(fsStorage(base, {}, driver), mode);
      await calls.setItem(one, "first");
      expect([await calls.getItem(other), await calls.hasItem(other)]).toEqual([null, false]);
      expect(await calls.getMeta(other)).toEqual({});
      expect(await calls.getItemRaw(other)).toBeNull();
      await calls.removeItem(other);
      await calls.clear(other);
      expect(await calls.getKeys()).toEqual([one]);

      if (!refuses) {
        await calls.setItem(other, "second");
        expect(await calls.getItem(one)).toBe("first");
        expect(await calls.getItem(other)).toBe("second");
        expect((await calls.getKeys()).sort()).toEqual([one, other].sort());
        return;
      }
      const error = await failureOf(() => calls.setItem(other, "second"));
      expect(error).toMatchObject({ code: "EAS_INVALID_KEY", key: other });
      expect(error.message).toContain(JSON.stringify(other));
      expect(await calls.getItem(one)).toBe("first");
      expect(await calls.getItem(other)).toBeNull();
      expect(await calls.getKeys()).toEqual([one]);

      await calls.removeItem(one);
      await calls.setItem(other, "second");
      expect([await calls.getItem(one), await calls.getItem(other)]).toEqual([null, "second"]);
      expect(await calls.getKeys()).toEqual([other]);
    });
  });

  it("of two storages that write both at once one at most has the file", async () => {
    const base = folder();
    const refuses = isOneName(base, "user", "User");
    const storages = [fsStorage(base, {}, driver), fsStorage(base, {}, driver)];
    for (let round = 0; round < 20; round++) {
      await writeBoth((key, index) => storages[index].setItem(key, key), refuses);
      const read = await Promise.all(["user", "User"].map((key) => storages[0].getItem(key)));
      const listed = (await storages[1].getKeys()).sort();
      expect(read.filter((value) => value !== null).sort()).toEqual(listed);
      await storages[round % 2].clear();
    }
  });
});

/** Writes each key by another writer; where they are one name, one write is refused. */
async function writeBoth(
  write: (key: string, index: number) => Promise<unknown>,
  refuses: boolean,
): Promise<void> {
  const written = await Promise.allSettled(["user", "User"].map(write));
  const failures = written.flatMap((outcome) =>
    outcome.status === "rejected" ? [outcome.reason.code] : [],
  );
  expect(failures).toEqual(refuses ? ["EAS_INVALID_KEY"] : []);
}

it("of two processes that write both at once one at most has the file", async () => {
  const base = folder();
  const refuses = isOneName(base, "user", "User");
  const parties = [await partyAt(base), await partyAt(base)];
  for (let round = 0; round < 20; round++) {
    await writeBoth((key, index) => parties[index].call("setItem", key, key), refuses);
    const read = await Promise.all(["user", "User"].map((key) => parties[0].call("getItem", key)));
    const listed = (await parties[1].call("getKeys")).sort();
    expect(read.filter((value) => value !== null).sort()).toEqual(listed);
    await parties[round % 2].call("clear");
  }
});
