import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folder } from "./helpers/folders.js";

const root = join(__dirname, "..");
const { version } = createRequire(import.meta.url)("../package.json") as { version: string };
const platforms = readdirSync(join(root, "npm"));
const built = readdirSync(root).filter((name) => name.endsWith(".node"));

/** What `require` of a module does in a process that believes to run on another machine. */
function load(module: string, pretended: Record<string, unknown>, env = {}) {
  const code = `
    for (const [name, value] of Object.entries(${JSON.stringify(pretended)})) {
      Object.defineProperty(process, name, { value });
    }
    try {
      console.log(JSON.stringify({ names: Object.keys(require(${JSON.stringify(module)})) }));
    } catch ({ message, code, cause }) {
      console.log(JSON.stringify({ message, code, cause: cause?.message }));
    }`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--eval", code], {
    cwd: root,
    encoding: "utf8",
    // What the tests themselves were told to load must not reach the loader under test.
    env: { ...process.env, EAS_NATIVE_PATH: undefined, ...env },
  });
  expect(stderr).toBe("");
  return JSON.parse(stdout) as { message: string; code: string; cause: string; names: string[] };
}

describe("on a machine whose binary is not installed", () => {
  const absent = platforms.filter((machine) => {
    const [platform, , libc] = machine.split("-");
    // Which C library this process runs on cannot be pretended.
    return platform !== "linux" && libc !== "musl" && !built.some((name) => name.includes(machine));
  });

  it.each(absent)("%s, the error names the machine, the package and the command", (machine) => {
    const [platform, arch] = machine.split("-");
    for (const module of ["./index.js", "./drivers/memory.js", "./import/index.js"]) {
      const error = load(module, { platform, arch });
      expect(error.code).toBe("EAS_ADDON_UNAVAILABLE");
      expect(error.message).toContain(`platform ${platform}, architecture ${arch}`);
      const name = `electron-async-storage-${machine}`;
      expect(error.message).toContain(`the package ${name} is missing`);
      expect(error.message).toContain(`npm install --save-optional ${name}@${version}`);
      expect(error.cause).toBeTruthy();
    }
  });

  it.each([
    ["linux", "mips"],
    ["freebsd", "x64"],
    ["win32", "ia32"],
    ["sunos", "x64"],
  ])("%s on %s, for which there is none, the error lists those there are", (platform, arch) => {
    const error = load("./index.js", { platform, arch });
    expect(error.code).toBe("EAS_ADDON_UNAVAILABLE");
    expect(error.message).toContain(`There is no binary for ${platform}-${arch}`);
    for (const machine of platforms) expect(error.message).toContain(machine);
    expect(error.message).toContain("EAS_NATIVE_PATH");
  });
});

// Some distributions of Linux have no ldd that could be asked.
it.runIf(process.platform === "linux")("without ldd, the C library is that of the process", () => {
  const code = `
    const fs = require("node:fs");
    const { readFileSync } = fs;
    fs.readFileSync = (path, ...rest) => readFileSync(path === "/usr/bin/ldd" ? "/absent" : path, ...rest);
    const { excludeNetwork } = process.report;
    const names = Object.keys(require("./index.js"));
    console.log(JSON.stringify({ names, isAsBefore: process.report.excludeNetwork === excludeNetwork }));`;
  const { stdout } = spawnSync(process.execPath, ["--eval", code], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, EAS_NATIVE_PATH: undefined },
  });
  const { names, isAsBefore } = JSON.parse(stdout);
  expect(names).toContain("createStorage");
  expect(isAsBefore).toBe(true);
});

// As a bundler leaves it: without a module of Node's own, and `__dirname` may be anything.
it.each([".", "/", undefined])(
  "a bundle with the __dirname %s finds no binary by itself",
  (name) => {
    const cwd = folder();
    const code = `
    const fs = require("node:fs");
    const { existsSync } = fs;
    fs.existsSync = (path) => path.endsWith(".node") || existsSync(path);
    const source = fs.readFileSync(${JSON.stringify(join(root, "loader.js"))}, "utf8");
    const bundled = new Function("require", "module", "exports", "__dirname", source);
    const own = { exports: {} };
    const find = (id) => (id.startsWith("./") ? { version: "1" } : require(id));
    try {
      bundled(find, own, own.exports, ${JSON.stringify(name)});
    } catch ({ message }) {
      console.log(message);
    }`;
    const { stdout } = spawnSync(process.execPath, ["--eval", code], {
      cwd,
      encoding: "utf8",
      env: { ...process.env, EAS_NATIVE_PATH: undefined, NODE_PATH: undefined },
    });
    expect(stdout).toMatch(/the package electron-async-storage-\S+ is missing/);
  },
);

describe("EAS_NATIVE_PATH", () => {
  const { electron: _, ...node } = process.versions as NodeJS.ProcessVersions & {
    electron?: string;
  };
  const electron = { ...node, electron: "33.0.0" };

  it.each<[string, object]>([
    ["the main process of a packaged app", { versions: electron, type: "browser" }],
    ["one that says it is not the default app", { versions: electron, defaultApp: false }],
    ["one whose defaultApp is no boolean", { versions: electron, defaultApp: "true" }],
    ["a preload script", { versions: electron, type: "renderer" }],
    ["a worker of a page", { versions: electron, type: "worker" }],
    ["a utility process", { versions: electron, type: "utility" }],
    ["a worker thread, or Electron as Node", { versions: electron }],
    ["a process that only has a type", { versions: node, type: "renderer" }],
  ])("is not read in %s", (_title, pretended) => {
    const env = { EAS_NATIVE_PATH: "./package.json" };
    expect(load("./index.js", { ...pretended }, env).names).toContain("createStorage");
    const error = load("./index.js", { ...pretended, platform: "linux", arch: "mips" }, env);
    expect(error.code).toBe("EAS_ADDON_UNAVAILABLE");
    expect(error.message).toContain("There is no binary for linux-mips");
    expect(error.message).not.toContain("EAS_NATIVE_PATH");
  });

  it("is read in the main process of an app that is not packaged", () => {
    const env = { EAS_NATIVE_PATH: join(root, built[0]) };
    const pretended = { versions: electron, type: "browser", defaultApp: true, arch: "mips" };
    expect(load("./index.js", pretended, env).names).toContain("createStorage");
  });

  it("is the binary that is loaded, whatever the machine", () => {
    const env = { EAS_NATIVE_PATH: join(root, built[0]) };
    const { names } = load("./index.js", { versions: node, arch: "mips" }, env);
    expect(names).toContain("createStorage");
  });

  it("may be relative to the working directory", () => {
    const { names } = load(
      "./index.js",
      { versions: node, arch: "mips" },
      { EAS_NATIVE_PATH: built[0] },
    );
    expect(names).toContain("createStorage");
  });

  it("is not passed over when it cannot be loaded", () => {
    const error = load("./index.js", { versions: node }, { EAS_NATIVE_PATH: "./package.json" });
    expect(error.code).toBe("EAS_ADDON_UNAVAILABLE");
    expect(error.message).toContain('EAS_NATIVE_PATH is "./package.json"');
    expect(error.cause).toBeTruthy();
  });

  it("counts as unset when it is empty", () => {
    expect(load("./index.js", {}, { EAS_NATIVE_PATH: "" }).names).toContain("createStorage");
  });
});
