// How typedoc makes docs/api/ of the declarations that the package publishes.

const PACKAGE = "electron-async-storage";

/** The path that a program imports a module by. */
const importPath = (name) => (name === "index" ? PACKAGE : `${PACKAGE}/${name}`);

/** @type {import("typedoc").TypeDocOptions & import("typedoc-plugin-markdown").PluginOptions} */
export default {
  name: "API reference",
  entryPoints: ["../../index.d.ts", "../../drivers/*.d.ts", "../../import/index.d.ts"],
  tsconfig: "tsconfig.json",
  plugin: ["typedoc-plugin-markdown", "./shape.mjs"],
  router: "module",
  readme: "none",
  disableSources: true,
  excludeReferences: true,
  // `npm run typecheck` does it, under more settings than one.
  skipErrorChecking: true,
  hidePageHeader: true,
  useHTMLAnchors: true,
  // Most defaults are words.
  jsDocCompatibility: { defaultTag: false },
  parametersFormat: "table",
  pageTitleTemplates: { module: ({ name }) => importPath(name) },
  logLevel: "Error",
};
