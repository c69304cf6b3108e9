import { isAvailable, run } from "./tools.mjs";

/** Runs the checks in order and stops at the first that fails; sets the exit code of the process. */
export function runChecks(checks) {
  for (const [index, { title, command, needs }] of checks.entries()) {
    console.log(`\n=== ${index + 1}/${checks.length} ${title}`);
    if (needs && !isAvailable(needs)) {
      console.log(`skipped: \`${needs.join(" ")}\` does not run on this machine`);
    } else if (!run(command)) {
      console.error(`\nFAILED: ${title}`);
      process.exitCode = 1;
      return;
    }
  }
}
