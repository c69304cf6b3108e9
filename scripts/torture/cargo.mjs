// Attacks that are Rust tests: each test of a file is a round.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { root } from "../tools.mjs";

/** An attack that runs the tests of one file; what a round injects is told by the tests' own output. */
export function cargoAttack({ name, title, test }) {
  return {
    name,
    title,
    share: 0.2,
    async run(_task, outcome) {
      if (spawnSync("cargo", ["--version"], { stdio: "ignore" }).status !== 0) {
        outcome.skipped = "cargo is not on the PATH";
        return;
      }
      const args = ["test", "--quiet", "--package", "eas-fs", "--test", test];
      const cargo = spawn("cargo", [...args, "--", "--nocapture"], {
        cwd: root,
        stdio: ["ignore", "pipe", "pipe"],
      });
      let [printed, complaints] = ["", ""];
      cargo.stdout.on("data", (data) => {
        printed += data;
      });
      cargo.stderr.on("data", (data) => {
        complaints += data;
      });
      const [code] = await once(cargo, "close");
      const [, passed, failed] = /(\d+) passed; (\d+) failed/.exec(printed) ?? [];
      outcome.round(Number(passed ?? 0) + Number(failed ?? 0));
      for (const [, count] of (printed + complaints).matchAll(/faults injected: (\d+)$/gm)) {
        outcome.fault(Number(count));
      }
      if (code !== 0) outcome.loss(`${test}: ${(printed + complaints).trim().slice(-3000)}`);
    },
  };
}
