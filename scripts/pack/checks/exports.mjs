import assert from "node:assert/strict";
import { join } from "node:path";
import ts from "typescript";
import { readJson } from "../stage.mjs";

export const title = "require and import give every name that the types declare, and no other";

/** The names with a value that a declaration file exports. */
function declaredValues(files) {
  const program = ts.createProgram(files, {
    module: ts.ModuleKind.Node16,
    moduleResolution: ts.ModuleResolutionKind.Node16,
    target: ts.ScriptTarget.ES2022,
  });
  const checker = program.getTypeChecker();
  return files.map((file) => {
    const symbol = checker.getSymbolAtLocation(program.getSourceFile(file));
    const exported = checker.getExportsOfModule(symbol).filter((member) => {
      const target =
        member.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(member) : member;
      return target.flags & ts.SymbolFlags.Value;
    });
    return exported.map(({ name }) => name).sort();
  });
}

export function check({ installed, node }) {
  const { name, exports } = readJson(installed, "package.json");
  const subpaths = Object.keys(exports).filter((subpath) => subpath !== "./package.json");
  const ids = subpaths.map((subpath) => join(name, subpath).replaceAll("\\", "/"));
  const entries = subpaths.map((subpath) => exports[subpath]);
  const declaredBy = (targets) =>
    declaredValues(targets.map(({ types }) => join(installed, types)));
  const declared = declaredBy(
    entries.map((entry) => (entry.default.types ? entry.default : entry)),
  );
  const declaredAsModules = declaredBy(entries.map((entry) => entry.import ?? entry));

  const required = JSON.parse(node(["names.cjs", ...ids]));
  const imported = JSON.parse(node(["names.mjs", ...ids]));
  for (const [index, id] of ids.entries()) {
    const names = declared[index];
    assert.ok(names.length > 0, `${id} declares nothing`);
    assert.deepEqual(required[id].names, names, `require("${id}")`);
    assert.deepEqual(declaredAsModules[index], names, `types of import("${id}")`);
    // Node adds the default, which is module.exports, and newer versions that under its own name too.
    const added = new Set(["default", "module.exports"]);
    const named = (list) => list.filter((item) => !added.has(item));
    assert.deepEqual(named(imported[id].names), named(names), `import("${id}")`);
    const isDriver = id.includes("/drivers/") && !id.endsWith("/utils");
    assert.equal(required[id].kind, isDriver ? "function" : "object", `require("${id}")`);
    // A module that has an ES form of its own has no default.
    const hasDefault = entries[index].import === undefined;
    const kind = isDriver ? "function" : hasDefault ? "object" : "undefined";
    assert.equal(imported[id].kind, kind, `default of ${id}`);
    if (isDriver) assert.ok(required[id].isItsDefault, `require("${id}").default`);
  }
  return `${ids.length} modules`;
}
