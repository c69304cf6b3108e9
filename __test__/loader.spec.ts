import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(__dirname, "..");
const { version } = createRequire(import.meta.url)("../package.json") as { version: string };
const platforms = readdirSync(join(root, "npm"));
const built = readdirSync(root).filter((name) => name.endsWith(".node"));

/** What `require` of a module does in a process that believes to run on another machine. */
function load(module: string, pretended: Record<string, string>, env = {}) {
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

describe("EAS_NATIVE_PATH", () => {
  it("is the binary that is loaded, whatever the machine", () => {
    const env = { EAS_NATIVE_PATH: join(root, built[0]) };
    const { names } = load("./index.js", { arch: "mips" }, env);
    expect(names).toContain("createStorage");
  });

  it("may be relative to the working directory", () => {
    const { names } = load("./index.js", { arch: "mips" }, { EAS_NATIVE_PATH: built[0] });
    expect(names).toContain("createStorage");
  });

  it("is not passed over when it cannot be loaded", () => {
    const error = load("./index.js", {}, { EAS_NATIVE_PATH: "./package.json" });
    expect(error.code).toBe("EAS_ADDON_UNAVAILABLE");
    expect(error.message).toContain('EAS_NATIVE_PATH is "./package.json"');
    expect(error.cause).toBeTruthy();
  });

  it("counts as unset when it is empty", () => {
    expect(load("./index.js", {}, { EAS_NATIVE_PATH: "" }).names).toContain("createStorage");
  });
});
