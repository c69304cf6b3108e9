// `node run-spec.mjs SPEC REPORT TEMPORARY`: runs one spec file of vitest in this process, with vitest's own functions
// but without its pool, whose pipes and native build tools do not run under Wine. Its temporary folders are in
// TEMPORARY. Writes what came of it to REPORT.

import fs, { writeFileSync } from "node:fs";
import { createRequire, syncBuiltinESMExports } from "node:module";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";

const [spec, report, temporary] = process.argv.slice(2);
// Wine takes these names from no environment but its own.
process.env.TEMP = temporary;
process.env.TMP = temporary;

// Wine keeps the name of what is open until it is closed. A folder of a test in which a driver has files open yet is
// removed with TEMPORARY, without waiting.
const { rmSync } = fs;
fs.rmSync = (path, options) => {
  if (dirname(path) !== temporary) return rmSync(path, options);
  try {
    rmSync(path, { ...options, maxRetries: 0 });
  } catch (error) {
    if (!["ENOTEMPTY", "EBUSY"].includes(error.code)) throw error;
  }
};
syncBuiltinESMExports();

// Calls of the file system take many times as long as on Windows, and the more so the more there is in a folder.
const TIMEOUT_MS = 900_000;

const config = {
  root: process.cwd(),
  setupFiles: [],
  passWithNoTests: false,
  allowOnly: false,
  sequence: { seed: 1, hooks: "stack", setupFiles: "list" },
  maxConcurrency: Number(process.env.EAS_SPEC_AT_ONCE ?? 5),
  testTimeout: TIMEOUT_MS,
  hookTimeout: TIMEOUT_MS,
  retry: 0,
  expect: {},
  chaiConfig: {},
  fakeTimers: { toFake: ["setTimeout", "setInterval", "clearTimeout", "clearInterval", "Date"] },
};

// What a worker of vitest keeps here.
globalThis.__vitest_worker__ = {
  config,
  filepath: spec,
  environment: { name: "node" },
  ctx: {},
  rpc: {},
  durations: { environment: 0, prepare: 0 },
};
globalThis.__vitest_environment__ = "node";
process.env.VITEST = "true";
globalThis.require = createRequire(import.meta.url);

// Like the channel of a worker of vitest: a test may wait for what keeps no process alive.
setInterval(() => {}, 2 ** 30);

const unhandled = [];
process.on("unhandledRejection", (error) => unhandled.push(String(error?.stack ?? error)));
process.on("uncaughtException", (error) => unhandled.push(String(error?.stack ?? error)));

const { startTests } = await import("@vitest/runner");
const { expect } = await import("vitest");
const { getState, GLOBAL_EXPECT, setState } = await import("@vitest/expect");

function startState(test) {
  // The last line of the log names the test that a spec hangs in.
  console.log(test.name);
  setState(
    {
      ...getState(expect),
      assertionCalls: 0,
      isExpectingAssertions: false,
      testPath: spec,
      currentTestName: test.name,
      expectedAssertionsNumber: null,
    },
    globalThis[GLOBAL_EXPECT],
  );
}

const tests = [];
function collect(task, names) {
  const path = [...names, task.name];
  if (task.type !== "suite") {
    const { state = "skip", errors = [] } = task.result ?? {};
    tests.push({
      name: path.join(" > "),
      state: task.mode === "skip" || task.mode === "todo" ? "skip" : state,
      errors: errors.map(({ stack, message, diff }) =>
        [stack ?? message, diff].filter(Boolean).join("\n"),
      ),
    });
  }
  for (const error of (task.type === "suite" && task.result?.errors) || []) {
    tests.push({ name: path.join(" > "), state: "fail", errors: [error.stack ?? error.message] });
  }
  for (const child of task.tasks ?? []) collect(child, task.filepath ? names : path);
}

const files = await startTests([spec], {
  config,
  onBeforeTryTask: startState,
  importFile: () => import(pathToFileURL(spec).href),
});
for (const file of files) collect(file, []);
for (const error of unhandled) tests.push({ name: "unhandled", state: "fail", errors: [error] });
writeFileSync(report, JSON.stringify(tests));
process.exit(tests.some(({ state }) => state === "fail") ? 1 : 0);
