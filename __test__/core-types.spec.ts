// What Rust gives the facade is written down, since tsc checks the facade against it.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { root } from "./helpers/package.js";

/** The names that Rust puts into the object of the core: in place, or from its tables of functions. */
function installed(): string[] {
  const folder = join(root, "src");
  const files = readdirSync(folder).filter((name) => name.endsWith(".rs"));
  const names = files.flatMap((name) => {
    const source = readFileSync(join(folder, name), "utf8");
    const inPlace = source.matchAll(/\.set\(\s*core,\s*c"(\w+)"/g);
    const tables = source.matchAll(/: &\[\((?:&str, )+Body\)\] = &\[(.*?)\n\];/gs);
    const inTables = [...tables].flatMap(([, rows]) => [...(rows ?? "").matchAll(/"(\w+)"/g)]);
    return [...inPlace, ...inTables].map(([, found]) => found ?? "");
  });
  return names.sort();
}

/** The members of an interface in core.d.ts. */
function declared(name: string): string[] {
  const path = join(root, "src/js/core.d.ts");
  const file = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.ES2022);
  const found = file.statements.find(
    (each): each is ts.InterfaceDeclaration =>
      ts.isInterfaceDeclaration(each) && each.name.text === name,
  );
  return (found?.members ?? [])
    .map((member) => (member.name && ts.isIdentifier(member.name) ? member.name.text : ""))
    .sort();
}

describe("core.d.ts", () => {
  it("names what Rust gives the facade, and nothing else", () => {
    const names = installed();
    expect(names.length).toBeGreaterThan(60);
    expect(declared("Core")).toEqual(names);
  });
});
