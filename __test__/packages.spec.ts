import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(__dirname, "..");
const text = (...path: string[]) => readFileSync(join(root, ...path), "utf8");
const json = (...path: string[]) => JSON.parse(text(...path));

const main = json("package.json");
const machines = readdirSync(join(root, "npm")).sort();

/** The machine of a target of Rust, in the words of Node. */
const TARGETS: Record<string, string> = {
  "aarch64-apple-darwin": "darwin-arm64",
  "aarch64-pc-windows-msvc": "win32-arm64-msvc",
  "aarch64-unknown-linux-gnu": "linux-arm64-gnu",
  "aarch64-unknown-linux-musl": "linux-arm64-musl",
  "x86_64-apple-darwin": "darwin-x64",
  "x86_64-pc-windows-msvc": "win32-x64-msvc",
  "x86_64-unknown-linux-gnu": "linux-x64-gnu",
  "x86_64-unknown-linux-musl": "linux-x64-musl",
};

describe("the version", () => {
  it.each(machines)("of the platform package %s is that of the main package", (machine) => {
    expect(json("npm", machine, "package.json").version).toBe(main.version);
  });

  it("of the crate is that of the main package", () => {
    const [, version] = /^version = "(.+)"$/m.exec(text("Cargo.toml")) ?? [];
    expect(version).toBe(main.version);
    const locked = /name = "electron-async-storage"\nversion = "(.+)"/.exec(text("Cargo.lock"));
    expect(locked?.[1]).toBe(main.version);
  });
});

describe("the platform packages", () => {
  it("are one for each target", () => {
    const targets: string[] = main.napi.targets;
    expect(targets.map((target) => TARGETS[target]).sort()).toEqual(machines);
  });

  it("are those that the loader names", () => {
    const [, list] = /const MACHINES = \[([^\]]*)\]/.exec(text("loader.js")) ?? [];
    expect([...(list ?? "").matchAll(/"([^"]+)"/g)].map(([, name]) => name)).toEqual(machines);
    const cases = text("loader.js").matchAll(/case "([^"]+)":\s+return require\("([^"]+)"\)/g);
    expect([...cases].map(([, ...names]) => names)).toEqual(
      machines.map((machine) => [machine, `${main.name}-${machine}`]),
    );
  });

  it.each(machines)("%s is installed on its own machine only, and holds its binary", (machine) => {
    const [os, cpu, libc] = machine.split("-");
    const manifest = json("npm", machine, "package.json");
    const binary = `${main.napi.binaryName}.${machine}.node`;
    expect(manifest).toMatchObject({
      name: `${main.name}-${machine}`,
      main: binary,
      files: [binary],
      os: [os],
      cpu: [cpu],
      engines: main.engines,
    });
    const libcs: Record<string, string[]> = { gnu: ["glibc"], musl: ["musl"] };
    expect(manifest.libc).toEqual(os === "linux" ? libcs[libc] : undefined);
  });
});

describe("the main package", () => {
  it("has a file and its types behind every subpath, and publishes both", () => {
    const published: string[] = main.files;
    const isPublished = (path: string) =>
      published.some((entry) => path === entry || path.startsWith(`${entry}/`));
    for (const [subpath, entry] of Object.entries<any>(main.exports)) {
      if (typeof entry === "string") continue;
      // A module with an ES form of its own has types for each.
      const targets = entry.types ? [entry] : [entry.import, entry.default];
      for (const path of targets.flatMap(({ types, default: file }) => [types, file])) {
        expect(existsSync(join(root, path)), `${subpath}: ${path}`).toBe(true);
        expect(isPublished(path.replace("./", "")), `${subpath}: ${path}`).toBe(true);
      }
    }
  });

  it("publishes every file that another published file requires", () => {
    const published: string[] = main.files;
    for (const file of ["index.js", "loader.js"]) {
      for (const [, required] of text(file).matchAll(/require\("\.\/([^"]+)"\)/g)) {
        expect(["package.json", ...published], `${file} requires ${required}`).toContain(required);
      }
    }
  });

  it("has no dependency at run time", () => {
    expect(main.dependencies).toBeUndefined();
    expect(main.peerDependencies).toBeUndefined();
  });
});
