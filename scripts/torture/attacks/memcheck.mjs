// The attack on contexts, smaller and under valgrind.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { supervise } from "../child.mjs";
import { folder } from "../folders.mjs";

const ADDON = /electron.async.storage[^\s/]*\.node|libelectron_async_storage|\.node\)/;
/** What valgrind says of reads, writes and frees of memory that is not to be had. */
const ERROR = /Invalid (read|write|free)|Mismatched free|Use of uninitialised|Conditional jump/;

/** The complaints of a log that name the addon. */
export function complaintsOf(log, addon = ADDON) {
  const lines = log.split("\n").map((line) => line.replace(/^==\d+== ?/, ""));
  const blocks = lines.join("\n").split(/\n\s*\n/);
  return blocks.filter((block) => ERROR.test(block) && addon.test(block));
}

export default {
  name: "memcheck",
  title: "contexts under valgrind",
  share: 1.5,
  async run(task, outcome) {
    if (spawnSync("valgrind", ["--version"], { stdio: "ignore" }).status !== 0) {
      outcome.skipped = "valgrind is not installed";
      return;
    }
    const log = join(folder(), "log");
    const started = Date.now();
    const isLoaded = { proof: "" };
    await supervise(
      "contexts",
      {
        ...task,
        rounds: Math.min(task.rounds, 6),
        atOnce: 2,
        lanes: 2,
        scale: 40,
        isChecked: true,
      },
      outcome,
      {
        before: [
          "valgrind",
          "--leak-check=no",
          "--num-callers=30",
          "--smc-check=all-non-file",
          // V8 keeps stacks and code that look odd from outside; complaints are read by who is in them.
          "--error-exitcode=0",
          `--log-file=${log}`,
        ],
        flags: ["--expose-gc", "--single-threaded-gc"],
        silenceMs: 600_000,
        onMessage: ({ loaded }) => {
          if (loaded) isLoaded.proof = loaded;
        },
      },
    );
    const text = readFileSync(log, "utf8");
    for (const complaint of complaintsOf(text)) outcome.loss(complaint);
    if (!isLoaded.proof) outcome.loss("the addon was not loaded under valgrind");
    outcome.note(
      `under valgrind for ${Math.round((Date.now() - started) / 1000)} s: ${isLoaded.proof}; ` +
        `${text.split("\n").filter((line) => ERROR.test(line)).length} complaints, those about node included`,
    );
  },
};
