// Makes the scripts that the addon embeds of the modules in src/js. They are kept in git, so that cargo
// needs no Node: `--check` fails where they are not what the modules make.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const source = join(root, "src", "js");
const target = join(source, "bundle");

// The codec is compiled late, when other code may have replaced what it uses of the engine: it gets that
// from the facade, which is there first.
const builtinsAsArgument = {
  name: "builtins-as-argument",
  setup(bundle) {
    bundle.onLoad({ filter: /[\\/]builtins\.js$/ }, async ({ path }) => {
      const names = Object.keys(await import(pathToFileURL(path).href));
      return { contents: `export const { ${names.join(", ")} } = builtins;` };
    });
  },
};

const SCRIPTS = [
  { name: "facade", entry: "facade.js", parameters: "api, core", plugins: [] },
  {
    name: "codec",
    entry: "codec/script.js",
    parameters: "api, builtins",
    plugins: [builtinsAsArgument],
  },
];

async function scriptOf({ name, entry, parameters, plugins }) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [join(source, entry)],
    bundle: true,
    write: false,
    format: "esm",
    target: "node18",
    charset: "utf8",
    banner: { js: `(function ${name}(${parameters}) {\n"use strict";` },
    footer: { js: `})\n//# sourceURL=electron-async-storage/${name}.js` },
    plugins,
    logLevel: "warning",
  });
  return outputFiles[0].text;
}

function textIn(file) {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}

const isCheck = process.argv.includes("--check");
mkdirSync(target, { recursive: true });
for (const script of SCRIPTS) {
  const file = join(target, `${script.name}.js`);
  const text = await scriptOf(script);
  // A file that stays as it is keeps its time: nothing is built anew for it.
  if (textIn(file) === text) continue;
  if (isCheck) {
    console.error(`src/js/bundle/${script.name}.js is not what src/js makes: npm run bundle`);
    process.exitCode = 1;
  } else {
    writeFileSync(file, text);
  }
}
