// Whether the files of each crate use each other one way: no file is used by what it uses. Biome looks at the files of
// JavaScript.

import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { root } from "./tools.mjs";

const crates = readdirSync(join(root, "crates")).map((name) => join(root, "crates", name, "src"));

/** The files of a crate by the names of their modules; that of its root is empty. */
function modulesOf(folder) {
  const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".rs"));
  return new Map(
    files.map((file) => {
      const names = file.slice(0, -".rs".length).split(sep);
      const isRoot = names.length === 1 && names[0] === "lib";
      return [isRoot ? "" : names.join("::"), join(folder, file)];
    }),
  );
}

/** `a::{b, c::{d}}` as `a::b` and `a::c::d`. */
function expanded(path) {
  const open = path.indexOf("{");
  if (open < 0) return [path];
  const [prefix, list] = [path.slice(0, open), path.slice(open + 1, path.lastIndexOf("}"))];
  const parts = [];
  let [depth, start] = [0, 0];
  for (let at = 0; at <= list.length; at += 1) {
    if (list[at] === "{") depth += 1;
    if (list[at] === "}") depth -= 1;
    if (at === list.length || (list[at] === "," && depth === 0)) {
      parts.push(list.slice(start, at));
      start = at + 1;
    }
  }
  return parts.filter(Boolean).flatMap((part) => expanded(prefix + part));
}

/** The module that a path leads to from another one. */
function resolved(path, from, modules) {
  let at = from === "" ? [] : from.split("::");
  for (const name of path.split("::")) {
    if (name === "crate") at = [];
    else if (name === "super") at = at.slice(0, -1);
    else if (name !== "self") {
      const next = [...at, name];
      if (!modules.has(next.join("::"))) break;
      at = next;
    }
  }
  return at.join("::");
}

/** The modules that a file uses outside of its tests. */
function usedBy(name, modules) {
  const source = readFileSync(modules.get(name), "utf8");
  const [code] = source.replaceAll(/\/\/.*/g, "").split("#[cfg(test)]\nmod tests {");
  const paths = [];
  for (const [, path] of code.matchAll(/\buse (\w[^;]*);/g)) {
    paths.push(...expanded(path.replaceAll(/\s+as \w+|\s/g, "")));
  }
  for (const [path] of code.matchAll(/(?<!\w|::)\w+(?:::\w+)+/g)) paths.push(path);
  const used = new Set(paths.map((path) => resolved(path, name, modules)));
  used.delete(name);
  return [...used].filter((other) => modules.has(other));
}

/** The first way around that is found; undefined where there is none. */
function cycleIn(uses) {
  const done = new Set();
  const way = [];
  const visit = (name) => {
    if (done.has(name)) return undefined;
    const start = way.indexOf(name);
    if (start >= 0) return [...way.slice(start), name];
    way.push(name);
    for (const other of uses.get(name)) {
      const cycle = visit(other);
      if (cycle) return cycle;
    }
    way.pop();
    done.add(name);
    return undefined;
  };
  for (const name of uses.keys()) {
    const cycle = visit(name);
    if (cycle) return cycle;
  }
  return undefined;
}

let looked = 0;
for (const folder of [join(root, "src"), ...crates]) {
  const modules = modulesOf(folder);
  looked += modules.size;
  const cycle = cycleIn(new Map([...modules.keys()].map((name) => [name, usedBy(name, modules)])));
  if (!cycle) continue;
  const names = cycle.map((name) => name || "lib").join(" uses ");
  console.error(`${relative(root, folder)}: ${names}`);
  process.exitCode = 1;
}
if (!process.exitCode) console.log(`${looked} files of Rust use each other one way.`);
