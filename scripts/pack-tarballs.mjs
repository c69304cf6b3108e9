// `npm run pack:tarballs -- FOLDER`: writes the tarballs of the main package and of this machine's platform
// package, as a release would publish them, into FOLDER.

import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { buildIfStale } from "./addon.mjs";
import { packAll } from "./pack/stage.mjs";

const [destination] = process.argv.slice(2);
if (!destination) {
  console.error("Say where: npm run pack:tarballs -- FOLDER");
  process.exitCode = 1;
} else if (!buildIfStale()) {
  process.exitCode = 1;
} else {
  const folder = mkdtempSync(join(tmpdir(), "eas-tarballs-"));
  try {
    const { tarballs } = packAll(folder);
    mkdirSync(destination, { recursive: true });
    for (const tarball of Object.values(tarballs)) {
      const target = resolve(destination, basename(tarball));
      copyFileSync(tarball, target);
      console.log(target);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
