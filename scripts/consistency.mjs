// `npm run consistency -- [--seconds 60] [--seed N]`: windows, the main process and another process write and
// read one storage at random, and every read is judged.

import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { npmTool } from "./tools.mjs";

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "60" }, seed: { type: "string" } },
});
const env = { ...process.env, EAS_CONSISTENCY_SECONDS: values.seconds };
if (values.seed !== undefined) env.EAS_CONSISTENCY_SEED = values.seed;
const [program, ...args] = npmTool(
  "vitest",
  "vitest",
  "run",
  "__test__/renderers-consistency.spec.ts",
);
const { status } = spawnSync(program, args, { stdio: "inherit", env });
process.exitCode = status ?? 1;
