// Options that nobody knows.

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { failureOf } from "./helpers/modes.js";
import { builtin, createStorage } from "./helpers/package.js";

let warnings: string[];
const onWarning = (warning: Error) => {
  if ((warning as any).code === "EAS_UNKNOWN_OPTION") warnings.push(warning.message);
};
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

const memory = () => builtin("memory");

describe("a warning names the option and the nearest that is known", () => {
  it.each<[make: () => unknown, title: string, name: string, nearest: string]>([
    [() => createStorage({ drivr: memory() } as any), "createStorage", "drivr", "driver"],
    [() => createStorage({ Driver: memory() } as any), "createStorage", "Driver", "driver"],
    [
      () => createStorage({ migrationHook: {} } as any),
      "createStorage",
      "migrationHook",
      "migrationHooks",
    ],
    [() => createStorage({ onLosy: "error" } as any), "createStorage", "onLosy", "onLossy"],
    [() => builtin("fs", { base: "x", readonly: true }), "fs", "readonly", "readOnly"],
    [() => builtin("fs", { base: "x", durabilty: "full" }), "fs", "durabilty", "durability"],
    [() => builtin("fs", { base: "x", noclear: true }), "fs", "noclear", "noClear"],
    [() => builtin("fs", { base: "x", watchOption: {} }), "fs", "watchOption", "watchOptions"],
    [
      () => builtin("fs", { base: "x", watchOptions: { ignoreInital: true } }),
      "fs watchOptions",
      "ignoreInital",
      "ignoreInitial",
    ],
    [() => builtin("fs-lite", { base: "x", ingore: () => true }), "fs-lite", "ingore", "ignore"],
    [
      () => builtin("queue", { driver: memory(), flushIntervall: 5 }),
      "queue",
      "flushIntervall",
      "flushInterval",
    ],
  ])("%s", async (make, title, name, nearest) => {
    make();
    expect(await shown()).toEqual([
      `[electron-async-storage] [${title}] Unknown option \`${name}\`, which has no effect. Did you mean \`${nearest}\`?`,
    ]);
  });

  it("of a driver that has none", async () => {
    (builtin as any)("memory", { base: "x" });
    expect(await shown()).toEqual([
      "[electron-async-storage] [memory] Unknown option `base`, which has no effect. There are none.",
    ]);
  });

  it("also where a required option is missing", async () => {
    const error = await failureOf(() => builtin("fs", { bse: "x" } as any));
    expect(error.code).toBe("EAS_REQUIRED_OPTION");
    expect((await shown())[0]).toContain("Did you mean `base`?");
  });
});

it("options that are known, chokidar's too, give no warning", async () => {
  builtin("fs", {
    base: "x",
    ignore: [],
    readOnly: false,
    noClear: false,
    durability: "none",
    watchOptions: { depth: 3, usePolling: true, persistent: false, ignored: [/x/] },
  });
  builtin("fs-lite", { base: "x", ignore: () => false, durability: "full" });
  builtin("queue", {
    driver: memory(),
    batchSize: 1,
    flushInterval: 1,
    maxQueueSize: 1,
    mergeUpdates: false,
  });
  const storage = createStorage<any>({
    driver: memory(),
    version: 1,
    migrations: {},
    migrationHooks: {},
    onLossy: "ignore",
  });
  await storage.setItem("a", 1, { anything: true });
  createStorage();
  expect(await shown()).toEqual([]);
});

it("a driver, or a storage, in place of the options is an error", async () => {
  for (const given of [builtin("fs", { base: "x" }), memory(), createStorage()]) {
    const error = await failureOf(() => createStorage(given as any));
    expect(error).toMatchObject({ code: "EAS_INVALID_OPTION", operation: "createStorage" });
    expect(error.message).toContain("createStorage({ driver: … })");
  }
});
