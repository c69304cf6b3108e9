// Makes preload/, renderer/ and serve/shared.js of the modules in client/ and of the codec. A sandboxed
// preload requires nothing but electron, so each is one file. They are kept in git, as they are what the package publishes:
// `--check` fails where they are not what the modules make.

import { readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { minify } from "terser";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

const MOST_GZIPPED_BYTES = 12 * 1024;

const FILES = [
  { entry: "preload.js", file: "preload/index.js", format: "cjs" },
  { entry: "register.js", file: "preload/register.js", format: "cjs" },
  { entry: "renderer.js", file: "renderer/index.cjs", format: "cjs" },
  { entry: "renderer.js", file: "renderer/index.mjs", format: "esm" },
  { entry: "shared/index.js", file: "serve/shared.js", format: "cjs", isPlain: true },
];

const HEAD = "// Made of client/\n";

/** The same module as CommonJS: what it exports, without esbuild's getters for cycles, which it has none of. */
function toCommonJs(text) {
  const exported = /export\{([^}]*)\};\s*$/.exec(text);
  // One assignment a name: Node finds those that an \`import\` may ask for by reading them.
  const names = (exported?.[1] ?? "").replace(/([\w$]+) as (\w+),?/g, "exports.$2=$1;");
  // esbuild would put a function of its own in the place of \`require\`.
  const body = text.slice(0, exported?.index).replaceAll("nodeRequire(", "require(");
  return `"use strict";${body}${names}\n`;
}

/**
 * Properties that no other realm or process sees: a letter does for each of them. None is a name of the
 * language or of the web.
 */
const NAMES =
  "annotation ask askSync children count effects entry equalities expires fill " +
  "fills first greeted hasRepeats hasSync index indexed inside isKnown isLegacy isMade " +
  "isReported itemIndex kept knows leave look losses mergedInto named note onPush parent " +
  "previous redirect repeats replacement replacements root rules segments slots state step " +
  "steps sync target type write writes";
const INTERNAL = new RegExp(`^(?:${NAMES.replaceAll(" ", "|")})$`);

/** Modules of the codec whose place another one takes, which says less or is slower. */
const LEAN = /[\\/](?:corrupt|dates|decode|losses|refusal|texts)\.js$/;
const lean = {
  name: "lean",
  setup(bundle) {
    bundle.onResolve({ filter: LEAN }, ({ path }) => ({
      path: join(root, "client", "lean", basename(path)),
    }));
    // What keeps hidden classes alive through a full collection is for processes that live long.
    bundle.onLoad({ filter: /[\\/]codec[\\/]\w+\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8").replace(/^ *static kept = .*;$/gm, ""),
    }));
    // What takes a function of the engine does nothing else: one that nobody uses is left out.
    bundle.onLoad({ filter: /[\\/]js[\\/]builtins\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8").replace(
        /= (?=uncurry\(|getterOf\()/g,
        "= /* @__PURE__ */ ",
      ),
    }));
  },
};

async function textOf({ entry, format, isPlain = false }) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [join(root, "client", entry)],
    inject: [join(root, "client", "core.js")],
    bundle: true,
    write: false,
    minify: !isPlain,
    format: isPlain ? format : "esm",
    plugins: isPlain ? [] : [lean],
    mangleProps: isPlain ? undefined : INTERNAL,
    // Electron 28 has Chromium 120.
    target: "es2022",
    platform: "neutral",
    external: ["electron"],
    charset: "utf8",
    logLevel: "warning",
  });
  const [{ text }] = outputFiles;
  if (isPlain) return HEAD + text;
  const whole = format === "cjs" ? toCommonJs(text) : text;
  let code = whole;
  // The second time finds what the first has made possible.
  for (let round = 0; round < 2; round++) {
    ({ code } = await minify(code, {
      ecma: 2020,
      module: format === "esm",
      toplevel: true,
      compress: { ecma: 2020, passes: 3, pure_getters: true, toplevel: true, unsafe_arrows: true },
      mangle: { toplevel: true },
    }));
  }
  return `${HEAD}${code}\n`;
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
for (const one of FILES) {
  const path = join(root, one.file);
  const text = await textOf(one);
  const size = gzipSync(text).length;
  if (!one.isPlain && size > MOST_GZIPPED_BYTES) {
    console.error(`${one.file} has ${size} bytes gzipped, ${MOST_GZIPPED_BYTES} are allowed`);
    if (isCheck) process.exitCode = 1;
  }
  if (process.argv.includes("--sizes")) console.log(`${one.file}: ${text.length}, gzipped ${size}`);
  if (textIn(path) === text) continue;
  if (isCheck) {
    console.error(`${one.file} is not what client/ makes: npm run bundle`);
    process.exitCode = 1;
  } else {
    writeFileSync(path, text);
  }
}
