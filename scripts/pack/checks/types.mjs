import { createRequire } from "node:module";
import { join } from "node:path";
import { root } from "../../tools.mjs";
import { writeJson } from "../stage.mjs";

export const title = "an app type-checks under node16, nodenext and bundler, libraries included";

const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");

const settings = {
  node16: { module: "node16", moduleResolution: "node16" },
  nodenext: { module: "nodenext", moduleResolution: "nodenext" },
  bundler: { module: "esnext", moduleResolution: "bundler" },
};

export function check({ app, node }) {
  for (const [name, modules] of Object.entries(settings)) {
    const project = join(app, "types", `tsconfig.${name}.json`);
    writeJson(project, {
      compilerOptions: {
        ...modules,
        target: "es2022",
        lib: ["es2022"],
        strict: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
        skipLibCheck: false,
        types: ["node"],
        typeRoots: [join(root, "node_modules", "@types")],
      },
      // `import x = require()` belongs to the Node ways of resolving modules.
      files: name === "bundler" ? ["consumer.mts"] : ["consumer.mts", "consumer.cts"],
    });
    node([tsc, "--project", project]);
  }
  return Object.keys(settings).join(", ");
}
