import { jsLint, rustLint } from "./checks.mjs";
import { runChecks } from "./run-checks.mjs";

runChecks([...jsLint, ...rustLint]);
