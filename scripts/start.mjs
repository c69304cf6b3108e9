// `npm start [-- FOLDER]`: builds what is missing, then runs the example.

import { buildIfStale } from "./addon.mjs";
import { run } from "./tools.mjs";

const example = [process.execPath, "examples/import-packages.mjs", ...process.argv.slice(2)];
if (!(buildIfStale() && run(example))) process.exitCode = 1;
