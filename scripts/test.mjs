// Everything that has to hold before a change goes in. The JavaScript tests come last, so that their
// summary is what the run ends with.

import { bundle, jsLint, jsTests, rustLint, rustTests, types } from "./checks.mjs";
import { runChecks } from "./run-checks.mjs";

const build = { title: "Addon", command: [process.execPath, "scripts/build-if-stale.mjs"] };

runChecks([build, ...rustLint, ...rustTests, ...jsLint, ...bundle, ...types, ...jsTests]);
