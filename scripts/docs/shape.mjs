// A plugin of typedoc: what the generated reference leaves out.

import { Converter, ReflectionKind, UnknownType } from "typedoc";

/** `drivers/fs-lite` to `fsLiteDriver`, the name that the guides import the factory by. */
function factoryName(moduleName) {
  const name = moduleName.slice(moduleName.lastIndexOf("/") + 1);
  return `${name.replace(/-(.)/g, (_, letter) => letter.toUpperCase())}Driver`;
}

/** `export =` shows as a function of that name and a namespace beside it, which are one factory. */
function nameFactory(project, module) {
  for (const child of [...(module.children ?? [])]) {
    if (child.name !== "export=") continue;
    if (child.kindOf(ReflectionKind.Namespace)) {
      project.removeReflection(child);
    } else {
      const name = factoryName(module.name);
      for (const named of [child, ...(child.signatures ?? [])]) named.name = name;
    }
  }
}

/** What a built-in driver has from its interface is described there, once. */
function dropInherited(project, module) {
  for (const type of module.children ?? []) {
    if (!type.kindOf(ReflectionKind.Interface)) continue;
    for (const member of [...(type.children ?? [])]) {
      if (member.inheritedFrom) project.removeReflection(member);
    }
  }
}

/** A short name says in its comment what it is short for, which is described there, once. */
function foldShortNames(project, module) {
  for (const type of module.children ?? []) {
    for (const member of type.children ?? []) {
      const [words, link] = member.comment?.summary ?? [];
      if (!words?.text.startsWith("Short for") || member.type?.type !== "reflection") continue;
      const name = link.text.split(".").pop();
      project.removeTypeReflections(member.type);
      member.type = new UnknownType(`${type.name}<T>["${name}"]`);
    }
  }
}

/** Runs after typedoc has found out what is inherited, and before it sorts members into groups. */
const BEFORE_GROUPING = -50;

/** @param {import("typedoc").Application} app */
export function load(app) {
  const eachModule =
    (change) =>
    ({ project }) => {
      for (const module of project.children ?? []) change(project, module);
    };
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, eachModule(nameFactory));
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, eachModule(foldShortNames));
  app.converter.on(Converter.EVENT_RESOLVE_END, eachModule(dropInherited), BEFORE_GROUPING);
}
