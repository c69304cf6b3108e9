// Checks that the places where a driver shows agree: the table of the addon, the modules under
// drivers/, the exports of package.json, and the type of `builtinDrivers`.

import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "./tools.mjs";

/** Modules under drivers/ that are no driver. */
const HELPERS = new Set(["utils"]);

const camelCase = (name) => name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());

const missing = (one, other) => [...one].filter((name) => !other.has(name));

/** What is wrong between a list of names and the names of the table, in words. */
function differences(table, names, place) {
  return [
    ...missing(table, names).map((name) => `${place} lacks the driver "${name}" of the table`),
    ...missing(names, table).map((name) => `${place} has "${name}", which the table has not`),
  ];
}

/** The disagreements, in words; none when all is well. */
export function check({ builtinDrivers, drivers, files, exports, types }) {
  const table = new Set(Object.keys(drivers));
  const named = new Set([...table].flatMap((name) => [name, camelCase(name)]));
  const modules = (extension) =>
    new Set(
      files
        .filter(
          (file) => file.endsWith(extension) && !(extension === ".js" && file.endsWith(".d.ts")),
        )
        .map((file) => basename(file, extension))
        .filter((name) => !HELPERS.has(name)),
    );
  const exported = new Set(
    Object.keys(exports)
      .filter((path) => path.startsWith("./drivers/"))
      .map((path) => path.slice("./drivers/".length))
      .filter((name) => !HELPERS.has(name)),
  );
  const typed = new Set(
    [...types.matchAll(/readonly "?([\w-]+)"?: "electron-async-storage\//g)].map(
      ([, name]) => name,
    ),
  );
  return [
    ...differences(named, new Set(Object.keys(builtinDrivers)), "builtinDrivers"),
    ...differences(table, modules(".js"), "the folder drivers/ (*.js)"),
    ...differences(table, modules(".d.ts"), "the folder drivers/ (*.d.ts)"),
    ...differences(table, exported, "`exports` of package.json"),
    ...differences(named, typed, "the type of builtinDrivers in index.d.ts"),
  ];
}

/** What the repository has in each of those places. */
export function collect() {
  const require = createRequire(import.meta.url);
  const read = (name) => readFileSync(join(root, name), "utf8");
  return {
    builtinDrivers: require(join(root, "index.js")).builtinDrivers,
    drivers: require(join(root, "loader.js")).drivers,
    files: readdirSync(join(root, "drivers")),
    exports: JSON.parse(read("package.json")).exports,
    types: read("index.d.ts"),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = check(collect());
  for (const difference of found) console.error(difference);
  if (found.length > 0) process.exitCode = 1;
  else
    console.log("The table, the folder drivers/, package.json and the types agree on the drivers.");
}
