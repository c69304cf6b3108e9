// The pages of the documentation: their code runs, and what else is in their blocks is right.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readPage } from "../scripts/docs/pages.mjs";
import { makeApp, readExamples, typeErrors, withoutTypes } from "./helpers/docs.js";
import { root } from "./helpers/package.js";

const { examples, others } = readExamples();
const app = makeApp();
afterAll(() => rmSync(app, { recursive: true, force: true }));

const node = (args: string[], cwd: string) =>
  spawnSync(process.execPath, args, {
    cwd,
    encoding: "utf8",
    timeout: 120_000,
    // The package is linked, and what it requires itself is looked for beside the clone.
    env: { ...process.env, NODE_PATH: join(app, "node_modules") },
  });

describe("a ts block", () => {
  const typed = examples.filter(({ language }) => language === "ts");
  for (const { file, program } of typed) writeFileSync(join(app, file), program);
  const errors = typeErrors(app, typed);

  it.each(typed)("has no type error: $title", ({ file }) => {
    expect(errors.get(file) ?? []).toEqual([]);
  });

  it("is checked against modules that are found", () => {
    expect(errors.get("")).toBeUndefined();
  });
});

describe("a block of code", () => {
  const running = examples.filter(({ runs }) => runs);
  const checked = examples.filter(({ runs, language }) => !runs && language === "js");

  it.each(running)("runs to its end and prints what it says: $title", (example) => {
    // A folder of its own: no block finds the files of another.
    const cwd = join(app, `run-${example.file}`);
    mkdirSync(cwd);
    symlinkSync(join(app, "node_modules"), join(cwd, "node_modules"), "junction");
    const isTyped = example.language === "ts";
    const file = example.file.replace(/\.mts$/, ".mjs");
    writeFileSync(join(cwd, file), isTyped ? withoutTypes(example.program) : example.program);
    const { status, stdout, stderr } = node([file, "--storage-folder=./data"], cwd);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    if (example.prints) expect(stdout.trimEnd().split("\n")).toEqual(example.prints);
  });

  it.skipIf(checked.length === 0).each(checked)("is JavaScript: $title", (example) => {
    const file = join(app, example.file);
    writeFileSync(file, example.program);
    const { status, stderr } = node(["--check", file], app);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });
});

describe("another block", () => {
  const { scripts, exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const languages = [
    "",
    "sh",
    "sql",
    "json",
    "yaml",
    "text",
    "diff",
    "html",
    "rust",
    "toml",
    "powershell",
  ];

  it.each(others)("is in a language that is known here: $title", ({ language }) => {
    expect(languages).toContain(language);
  });

  it("of json is JSON", () => {
    for (const { title, language, code } of others) {
      if (language === "json") expect(() => JSON.parse(code), title).not.toThrow();
    }
  });

  it("of sh names scripts that package.json has, or that of the example app", () => {
    const example = JSON.parse(
      readFileSync(join(root, "examples", "electron-app", "package.json"), "utf8"),
    );
    const known = [...Object.keys(scripts), ...Object.keys(example.scripts)];
    for (const { title, language, code } of others) {
      if (language !== "sh") continue;
      for (const [, name] of code.matchAll(/\bnpm run ([\w:.-]+)/g)) {
        expect(known, `${title}: npm run ${name}`).toContain(name);
      }
    }
  });

  it("and the text name modules that the package has", () => {
    for (const { title, program } of examples) {
      for (const [, subpath] of program.matchAll(/"electron-async-storage(\/[^"]*)?"/g)) {
        expect(Object.keys(exports), title).toContain(`.${subpath ?? ""}`);
      }
    }
  });
});

describe("the page about reliability", () => {
  const rows = readPage("docs/reliability.md")
    .split("\n")
    .filter(
      (line) => line.startsWith("|") && /`(?:__test__|crates\/[a-z]+\/(?:src|tests))\//.test(line),
    );

  it.each(rows)("names tests that there are: %s", (row) => {
    const paths = [...row.matchAll(/`((?:__test__|crates\/[a-z]+\/(?:src|tests))\/[^`]*)`/g)].map(
      ([, path]) => path,
    );
    for (const path of paths) expect(existsSync(join(root, path)), path).toBe(true);
    const sources = paths
      .filter((path) => /\.(ts|rs)$/.test(path))
      .map((path) => readFileSync(join(root, path), "utf8"));
    for (const [, name] of row.matchAll(/“([^”]+)”/g)) {
      const isThere = sources.some((source) => source.includes(name));
      expect(isThere, `${name} in ${paths.join(", ")}`).toBe(true);
    }
  });

  it("names many", () => {
    expect(rows.length).toBeGreaterThan(20);
  });
});

describe("the README", () => {
  it("sets the repository up with two commands", () => {
    const commands = others
      .filter(({ title, language }) => title.startsWith("README.md:") && language === "sh")
      .flatMap(({ code }) => code.split("\n"))
      .filter((line) => line.startsWith("npm install &&"));
    expect(commands).toEqual(["npm install && npm start", "npm install && npm test"]);
  });
});
