// Files with more text than a string can hold. They are sparse, but reading one takes memory.

import { constants } from "node:buffer";
import { truncateSync } from "node:fs";
import { freemem } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fsStorage, place, put } from "./helpers/fs/storage.js";
import { callsOf, failureOf } from "./helpers/modes.js";

const LENGTH = constants.MAX_STRING_LENGTH + 1;

describe.skipIf(freemem() < 5 * LENGTH)("a text that is longer than a string can be", () => {
  it.each(["async", "sync"] as const)("is an error, and hides nothing else: %s", async (mode) => {
    const { base } = place();
    put(base, "long");
    put(base, "short");
    truncateSync(join(base, "long"), LENGTH);
    const storage = fsStorage(base);
    const calls = callsOf(storage, mode);
    const code = { code: "EAS_INVALID_VALUE" };
    expect(await failureOf(() => calls.getItem("long"))).toMatchObject(code);
    expect(await failureOf(() => calls.getItems(["short", "long"]))).toMatchObject(code);
    expect(await calls.getItems(["short"])).toMatchObject([{ key: "short" }]);
    expect(await calls.getKeys()).toHaveLength(2);
    await calls.removeItem("long");
    expect(await calls.getKeys()).toEqual(["short"]);
  });
});
