import assert from "node:assert/strict";
import { join } from "node:path";
import { build as buildWithVite } from "vite";
import { requireTool } from "../install-tools.mjs";
import { expected } from "./use.mjs";

export const title = "bundles by esbuild, vite and webpack run with the addon left external";

// Two ways to leave the addon out: the whole package, in a bundle of ES modules; or the binary alone, in a
// bundle of CommonJS, where the loader's `require` of the platform package stays as it is.
const WAYS = {
  package: {
    format: "esm",
    extension: "mjs",
    isExternal: (id) => /^electron-async-storage(\/|$)/.test(id),
  },
  binary: {
    format: "cjs",
    extension: "cjs",
    isExternal: (id) => /^electron-async-storage-|\.node$|\.wasi\.cjs$/.test(id),
  },
};

const bundlers = {
  async esbuild({ entry, folder, file, way }) {
    const external = {
      name: "external",
      setup(build) {
        build.onResolve({ filter: /./ }, ({ path, kind }) =>
          kind !== "entry-point" && way.isExternal(path) ? { path, external: true } : undefined,
        );
      },
    };
    await requireTool("esbuild").build({
      entryPoints: [entry],
      outfile: join(folder, file),
      bundle: true,
      platform: "node",
      format: way.format,
      plugins: [external],
      logLevel: "error",
    });
  },

  async vite({ app, entry, folder, file, way }) {
    await buildWithVite({
      configFile: false,
      root: app,
      logLevel: "error",
      ssr: { noExternal: true },
      build: {
        ssr: entry,
        outDir: folder,
        emptyOutDir: false,
        rollupOptions: {
          external: way.isExternal,
          output: { format: way.format, entryFileNames: file },
        },
      },
    });
  },

  async webpack({ app, entry, folder, file, way }) {
    const isModule = way.format === "esm";
    const kind = isModule ? "module" : "commonjs";
    const compiler = requireTool("webpack")({
      context: app,
      mode: "production",
      target: "node18",
      entry,
      experiments: { outputModule: isModule },
      output: { path: folder, filename: file, module: isModule, chunkFormat: kind },
      externals: [
        ({ request }, done) =>
          way.isExternal(request) ? done(null, `${kind} ${request}`) : done(),
      ],
    });
    const stats = await new Promise((resolve, reject) => {
      compiler.run((error, result) => (error ? reject(error) : resolve(result)));
    });
    await new Promise((resolve) => compiler.close(resolve));
    assert.ok(!stats.hasErrors(), stats.toString({ all: false, errors: true, errorDetails: true }));
  },
};

export async function check({ app, node }) {
  const entry = join(app, "entry.mjs");
  const made = [];
  for (const [name, bundle] of Object.entries(bundlers)) {
    for (const [what, way] of Object.entries(WAYS)) {
      // Inside the app, so that what stays external resolves from its node_modules.
      const folder = join(app, "bundles", `${name}-${what}`);
      const file = `main.${way.extension}`;
      await bundle({ app, entry, folder, file, way });
      const printed = node([join(folder, file)]);
      assert.deepEqual(JSON.parse(printed), expected, `${name}, external: ${what}`);
      made.push(`${name} ${what}`);
    }
  }
  return made.join(", ");
}
