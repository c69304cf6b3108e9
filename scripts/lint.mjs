import { bundle, jsLint, rustLint } from "./checks.mjs";
import { runChecks } from "./run-checks.mjs";

runChecks([...jsLint, ...bundle, ...rustLint]);
