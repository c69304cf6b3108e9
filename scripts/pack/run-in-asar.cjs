"use strict";

// Runs a CommonJS program of an asar archive as Electron does: modules are read from the archive, and a
// file that is marked as unpacked is loaded from beside it. No Electron is needed for it.
//
//   node run-in-asar.cjs ARCHIVE FILE

const Module = require("node:module");
const { dirname, isAbsolute, join, relative, resolve, sep } = require("node:path");
const asar = require("@electron/asar");

const archive = resolve(process.argv[2]);
const inside = (path) => path.startsWith(archive + sep);
const nameOf = (path) => relative(archive, path);

/** The entry of the archive's table for a path, or undefined. */
function entryOf(path) {
  if (path === archive) return { files: {} };
  if (!inside(path)) return undefined;
  try {
    return asar.statFile(archive, nameOf(path));
  } catch {
    return undefined;
  }
}

const isFile = (path) => {
  const entry = entryOf(path);
  return entry !== undefined && !("files" in entry);
};
const read = (path) => asar.extractFile(archive, nameOf(path)).toString("utf8");
const readManifest = (folder) => {
  const file = join(folder, "package.json");
  return isFile(file) ? JSON.parse(read(file)) : undefined;
};

/** The file that `require` takes for a path without an extension. */
function fileOf(path) {
  const manifest = readManifest(path);
  const places = [path, `${path}.js`, `${path}.json`, `${path}.node`];
  if (manifest?.main) places.push(join(path, manifest.main));
  places.push(join(path, "index.js"));
  return places.find(isFile);
}

/** The target of a subpath in `exports`, under the conditions of `require`. */
function exported(target) {
  if (typeof target === "string" || target === undefined) return target;
  const condition = Object.keys(target).find((name) =>
    ["node", "require", "default"].includes(name),
  );
  return exported(target[condition]);
}

function resolveInside(request, from) {
  if (request.startsWith(".") || isAbsolute(request)) return fileOf(resolve(from, request));
  const [, name, rest] = /^((?:@[^/]+\/)?[^/]+)(?:\/(.*))?$/.exec(request);
  for (let folder = from; folder === archive || inside(folder); folder = dirname(folder)) {
    const place = join(folder, "node_modules", name);
    const manifest = readManifest(place);
    if (!manifest) continue;
    if (!manifest.exports) return fileOf(rest ? join(place, rest) : place);
    const target = exported(manifest.exports[rest ? `./${rest}` : "."]);
    return target && fileOf(join(place, target));
  }
  return undefined;
}

const resolveOutside = Module._resolveFilename;
Module._resolveFilename = (request, parent, ...rest) => {
  const from = parent?.filename ? dirname(parent.filename) : archive;
  const isOutside = !(from === archive || inside(from)) && !inside(request);
  if (isOutside || Module.isBuiltin(request)) return resolveOutside(request, parent, ...rest);
  const found = resolveInside(request, from);
  if (found) return found;
  const error = new Error(`Cannot find module '${request}'`);
  error.code = "MODULE_NOT_FOUND";
  throw error;
};

const loaders = { ...Module._extensions };
Module._extensions[".js"] = (module, path) =>
  inside(path) ? module._compile(read(path), path) : loaders[".js"](module, path);
Module._extensions[".cjs"] = Module._extensions[".js"];
Module._extensions[".json"] = (module, path) => {
  if (!inside(path)) return loaders[".json"](module, path);
  module.exports = JSON.parse(read(path));
};
Module._extensions[".node"] = (module, path) => {
  if (!inside(path)) return loaders[".node"](module, path);
  if (!entryOf(path).unpacked) throw new Error(`${path} is a binary inside the archive`);
  process.dlopen(module, join(`${archive}.unpacked`, nameOf(path)));
};

require(join(archive, process.argv[3]));
