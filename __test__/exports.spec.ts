// What the package has at run time is what its types say.

import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { createStorage, root } from "./helpers/package.js";

const require = createRequire(import.meta.url);

const driverNames = readdirSync(join(root, "drivers"))
  .filter((name) => name.endsWith(".d.ts"))
  .map((name) => basename(name, ".d.ts"));
const files = ["index.d.ts", ...driverNames.map((name) => `drivers/${name}.d.ts`)];

const program = ts.createProgram(
  files.map((name) => join(root, name)),
  { module: ts.ModuleKind.Node16, moduleResolution: ts.ModuleResolutionKind.Node16, noEmit: true },
);
const checker = program.getTypeChecker();

function moduleOf(name: string): ts.Symbol {
  const source = program.getSourceFile(join(root, name));
  const symbol = source && checker.getSymbolAtLocation(source);
  if (!symbol) throw new Error(`${name} is no module`);
  return symbol;
}

/** What a declaration file says that a module has at run time. */
function declaredValues(name: string): string[] {
  return checker
    .getExportsOfModule(moduleOf(name))
    .filter((symbol) => {
      const target =
        symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      return (target.flags & ts.SymbolFlags.Value) !== 0;
    })
    .map((symbol) => symbol.name)
    .sort();
}

/** The members of an interface that index.d.ts exports. */
function declaredMembers(name: string): string[] {
  const symbol = checker
    .getExportsOfModule(moduleOf("index.d.ts"))
    .find((exported) => exported.name === name);
  if (!symbol) throw new Error(`index.d.ts has no ${name}`);
  return checker
    .getDeclaredTypeOfSymbol(symbol)
    .getProperties()
    .map((property) => property.name)
    .sort();
}

it("the package exports what index.d.ts declares, and nothing else", () => {
  const names = Object.keys(require("../index.js")).filter((name) => name !== "__esModule");
  expect(names.sort()).toEqual(declaredValues("index.d.ts"));
});

it("a storage has the methods that Storage declares, and nothing else", () => {
  expect(Object.keys(createStorage()).sort()).toEqual(declaredMembers("Storage"));
});

it("a built-in driver has no method that Driver does not declare", () => {
  const declared = declaredMembers("Driver");
  const memory = require("../drivers/memory.js")();
  for (const name of Object.keys(memory)) {
    expect([...declared, "flushSync", "disposeSync"], name).toContain(name);
  }
});

it("createStorage, prefixStorage and the copies take as many arguments as declared", () => {
  const exported = require("../index.js");
  for (const symbol of checker.getExportsOfModule(moduleOf("index.d.ts"))) {
    if (!(symbol.flags & ts.SymbolFlags.Function)) continue;
    const [signature] = checker.getSignaturesOfType(
      checker.getTypeOfSymbol(symbol),
      ts.SignatureKind.Call,
    );
    const rest = signature.declaration?.parameters.some(
      (parameter) => ts.isParameter(parameter) && parameter.dotDotDotToken,
    );
    const most = rest ? Number.POSITIVE_INFINITY : signature.parameters.length;
    expect(exported[symbol.name].length, symbol.name).toBeLessThanOrEqual(most);
  }
});

describe.each(driverNames.filter((name) => name !== "utils"))("drivers/%s", (name) => {
  it("is the factory, also as its own default export", () => {
    const factory = require(`../drivers/${name}.js`);
    expect(typeof factory).toBe("function");
    expect(factory.default).toBe(factory);
    const source = program.getSourceFile(join(root, `drivers/${name}.d.ts`));
    expect(source && checker.getSymbolAtLocation(source)).toBeDefined();
  });
});

it("drivers/utils exports what its types declare", () => {
  const names = Object.keys(require("../drivers/utils.js")).filter(
    (name) => name !== "__esModule" && name !== "default",
  );
  expect(names.sort()).toEqual(
    declaredValues("drivers/utils.d.ts").filter((name) => name !== "default"),
  );
});

it("every subpath of the package resolves to files that are there", () => {
  const { exports } = require("../package.json");
  const resolve = createRequire(join(root, "package.json")).resolve;
  const pathsIn = (entry: unknown): string[] =>
    typeof entry === "string" ? [entry] : Object.values(entry as object).flatMap(pathsIn);
  for (const path of pathsIn(exports)) expect(resolve(path)).toBe(join(root, path));
});

describe("the page about compatibility", () => {
  const rows = readFileSync(join(root, "docs/compatibility.md"), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("| ") && !line.startsWith("| 0.0.5 "));

  it.each(rows)("names a test that there is: %s", (row) => {
    const paths = [...row.matchAll(/`((?:__test__|tests|crates)\/[^`]*)`/g)].map(
      ([, path]) => path,
    );
    expect(paths.length).toBeGreaterThan(0);
    const sources = paths.map((path) => readFileSync(join(root, path), "utf8"));
    for (const [, name] of row.matchAll(/“([^”]+)”/g)) {
      const isThere = sources.some((source) => source.includes(name));
      expect(isThere, `${name} in ${paths.join(", ")}`).toBe(true);
    }
  });
});
