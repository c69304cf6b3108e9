// Packs what a release would publish for this machine, and installs it into an app as a user would.

import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../tools.mjs";
import { npm } from "./install-tools.mjs";

export function readJson(...path) {
  return JSON.parse(readFileSync(join(...path), "utf8"));
}

export function writeJson(path, value) {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** Packs a folder and returns the path of the tarball. */
function pack(folder, destination) {
  const [{ filename }] = JSON.parse(
    npm(["pack", "--json", "--ignore-scripts", "--pack-destination", destination], folder),
  );
  return join(destination, filename);
}

/** Unpacks a tarball of npm and returns the folder with its files. */
function unpack(tarball, destination) {
  mkdirSync(destination, { recursive: true });
  const { status, stderr } = spawnSync("tar", ["-xzf", tarball, "-C", destination], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`tar cannot unpack ${tarball}: ${stderr}`);
  return join(destination, "package");
}

/** The platform package whose binary is in the repository, as `{ name, folder, binary }`. */
function builtPlatform() {
  const platforms = readdirSync(join(root, "npm")).map((machine) => {
    const folder = join(root, "npm", machine);
    const { name, main } = readJson(folder, "package.json");
    return { name, folder, binary: main };
  });
  const present = readdirSync(root);
  const built = platforms.filter(({ binary }) => present.includes(binary));
  if (built.length !== 1) {
    const found = built.map(({ binary }) => binary).join(", ") || "none";
    throw new Error(
      `One binary of a platform package has to be in ${root}, and there is ${found}.`,
    );
  }
  return built[0];
}

/**
 * The main package with the platform packages as optional dependencies, which the release adds to the
 * published package only.
 */
function packMain(folder) {
  const contents = unpack(pack(root, folder), join(folder, "main"));
  const manifest = readJson(contents, "package.json");
  manifest.optionalDependencies = Object.fromEntries(
    readdirSync(join(root, "npm")).map((machine) => {
      const { name, version } = readJson(root, "npm", machine, "package.json");
      return [name, version];
    }),
  );
  writeJson(join(contents, "package.json"), manifest);
  return pack(contents, folder);
}

function packPlatform({ folder: source, binary }, folder) {
  const contents = join(folder, "platform");
  cpSync(source, contents, { recursive: true });
  copyFileSync(join(root, binary), join(contents, binary));
  return pack(contents, folder);
}

/** Runs a program in the app and returns what it printed; throws when it fails. */
function runIn(app, program, args, env) {
  const { status, signal, stdout, stderr, error } = spawnSync(program, args, {
    cwd: app,
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  if (error) throw error;
  if (status !== 0) {
    throw new Error(`${args.join(" ")} ended with ${signal ?? status}:\n${stdout}${stderr}`);
  }
  return stdout;
}

/** Packs both packages into a folder. */
export function packAll(folder) {
  const platform = builtPlatform();
  return {
    platform,
    tarballs: { main: packMain(folder), platform: packPlatform(platform, folder) },
  };
}

/** Packs, installs, and returns what the checks need. */
export function stage() {
  // The real path, because Node resolves links and the checks compare paths.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "eas-pack-")));
  const { platform, tarballs } = packAll(folder);

  const app = join(folder, "app");
  cpSync(join(root, "scripts", "pack", "app"), app, { recursive: true });
  writeJson(join(app, "package.json"), {
    name: "app",
    version: "1.0.0",
    private: true,
    dependencies: {
      "electron-async-storage": `file:${tarballs.main}`,
      // Named here because nothing is published yet; npm finds it to be the optional dependency.
      [platform.name]: `file:${tarballs.platform}`,
    },
  });
  npm(["install", "--offline", "--no-audit", "--no-fund", "--ignore-scripts"], app);

  return {
    folder,
    app,
    tarballs,
    platform,
    installed: join(app, "node_modules", "electron-async-storage"),
    node: (args, env) => runIn(app, process.execPath, args, env),
  };
}
