// `node scripts/electron-check.mjs FOLDER [--tests]`: checks the built addon in the Electron that is installed
// in FOLDER. Runs a small app with a window that is reloaded many times; with `--tests`, the JavaScript tests
// in Electron's own Node instead. On Linux a display is needed, such as that of xvfb-run.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import fsDriver from "../drivers/fs.js";
import { createStorage } from "../index.js";
import { npmTool, root } from "./tools.mjs";

/** A window that hangs must not keep the machine; the whole of the tests takes minutes. */
const TIME_LIMIT_MS = 1_200_000;

const [folder, option] = process.argv.slice(2);
if (!folder)
  throw new Error("Say where Electron is installed: node scripts/electron-check.mjs FOLDER");
// The module of the electron package is the path of its program.
const electron = createRequire(join(resolve(folder), "package.json"))("electron");

function runElectron(args, env) {
  const result = spawnSync(electron, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...env },
    timeout: TIME_LIMIT_MS,
  });
  if (result.error) throw result.error;
  if (result.status !== 0) {
    throw new Error(`Electron ended with ${result.signal ?? result.status}`);
  }
}

function runApp() {
  const base = mkdtempSync(join(tmpdir(), "eas-electron-"));
  try {
    // Chromium's own sandbox needs rights that the machines of CI do not give.
    const flags = process.platform === "linux" ? ["--no-sandbox"] : [];
    runElectron([...flags, join(root, "scripts", "electron")], { EAS_CHECK_FOLDER: base });
    const late = createStorage({ driver: fsDriver({ base: join(base, "late") }) });
    const word = late.getItemSync("word");
    if (word !== "kept") throw new Error(`The last write was lost: ${JSON.stringify(word)}`);
    console.log("The app started, reloaded, and quit with every write on disk");
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

if (option === "--tests") {
  const [, vitest] = npmTool("vitest", "vitest");
  runElectron([vitest, "run"], { ELECTRON_RUN_AS_NODE: "1" });
} else {
  runApp();
}
