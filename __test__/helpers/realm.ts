// The package as Jest loads it: its modules run in a context of `node:vm`, those of Node and addons outside.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";
import vm from "node:vm";
import { root } from "./package.js";

const require = createRequire(import.meta.url);

export interface Realm {
  /** Requires a file of the package, such as `"./index.js"`. */
  require(path: string): any;
  /** Evaluates an expression of the realm; `given` is there by that name. */
  run(expression: string, given?: unknown): any;
}

export function realm(options: vm.CreateContextOptions = {}): Realm {
  const context = vm.createContext({ process, Buffer, URL, setTimeout, setImmediate }, options);
  const loaded = new Map<string, { exports: any }>();
  const load = (file: string): any => {
    if (file.endsWith(".json")) return JSON.parse(readFileSync(file, "utf8"));
    const known = loaded.get(file);
    if (known) return known.exports;
    const made = { exports: {}, path: dirname(file) };
    loaded.set(file, made);
    const source = `(function (exports, require, module, __filename, __dirname) {${readFileSync(file, "utf8")}\n})`;
    const requireHere = (name: string) =>
      name.startsWith(".") ? load(resolve(dirname(file), name)) : require(name);
    const run = new vm.Script(source, { filename: file }).runInContext(context);
    run.call(made.exports, made.exports, requireHere, made, file, dirname(file));
    return made.exports;
  };
  return {
    require: (path) => load(resolve(root, path)),
    run(expression, given) {
      context.given = given;
      return vm.runInContext(`(${expression})`, context);
    },
  };
}
