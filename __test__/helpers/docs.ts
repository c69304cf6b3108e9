// The code on the pages of the documentation, as programs of an app that has the package installed.
//
// - A js block runs as it stands. A ts block is type-checked, then runs without its types.
// - `// → TEXT` after a console.log is what it prints: a block that has such lines prints nothing else.
// - A block that does not declare one of the GIVEN names finds it there, as a reader assumes it.
// - `<!-- block: continues -->` in front of a block puts it behind the block before it.
// - A block that watches has its storage disposed at its end: a reader's app goes on, a test does not.
// - `<!-- block: given CODE -->` puts CODE in front of a block: what else the reader's app has.
// - `<!-- block: checked only -->` is for a block that would need the world to run: its types are checked,
//   or in js its syntax.

import { mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import ts from "typescript";
import { fencedBlocks, pagePaths, readPage } from "../../scripts/docs/pages.mjs";
import { root } from "./package.js";

const from = (name: string, path: string) => `import ${name} from "electron-async-storage${path}";`;

/** What a page may use without saying again where it comes from. */
const GIVEN: Record<string, string> = {
  ...Object.fromEntries(
    [
      "createStorage",
      "prefixStorage",
      "snapshot",
      "restoreSnapshot",
      "snapshotSync",
      "restoreSnapshotSync",
      "exportStorage",
      "importStorage",
      "stringify",
      "parse",
      "builtinDrivers",
      "normalizeKey",
      "normalizeBaseKey",
      "joinKeys",
    ].map((name) => [name, from(`{ ${name} }`, "")]),
  ),
  defineDriver: from("{ defineDriver }", "/drivers/utils"),
  createError: from("{ createError }", "/drivers/utils"),
  createRequiredError: from("{ createRequiredError }", "/drivers/utils"),
  memoryDriver: from("memoryDriver", "/drivers/memory"),
  fsDriver: from("fsDriver", "/drivers/fs"),
  fsLiteDriver: from("fsLiteDriver", "/drivers/fs-lite"),
  queueDriver: from("queueDriver", "/drivers/queue"),
  importElectronStore: from("{ importElectronStore }", "/import"),
  importUnstorage: from("{ importUnstorage }", "/import"),
  z: 'import { z } from "zod";',
  join: 'import { join } from "node:path";',
  app: 'import { app } from "electron";',
  storage: 'const storage = createStorage({ driver: fsDriver({ base: "./data" }) });',
  // Parts of the reader's app.
  server: [
    'import { ipcMain } from "electron";',
    'import * as storages from "electron-async-storage";',
    'import { serveStorage } from "electron-async-storage/serve";',
    "const server = serveStorage(storages.createStorage(), { ipcMain, access: [] });",
  ].join("\n"),
  order: "const order = { id: 17 };",
  reloadConfig: "const reloadConfig = () => {};",
};

/** What the examples in the declarations, and so those of the API reference, stand for besides. */
const GIVEN_IN_REFERENCE: Record<string, string> = {
  StorageError: 'import type { StorageError } from "electron-async-storage";',
  User: "interface User { name: string }",
  ann: "declare const ann: User;",
  token: "declare const token: string;",
  file: "declare const file: { write(text: string): void };",
  applyTheme: "declare const applyTheme: (theme: unknown) => void;",
  fetchRates: "declare const fetchRates: () => Promise<Record<string, number>>;",
  error: "declare const error: unknown;",
  host: "declare const host: string;",
  Redis:
    "interface Redis { exists(key: string): Promise<number>; get(key: string): Promise<string | null>; keys(pattern: string): Promise<string[]> }",
};

export interface Example {
  title: string;
  language: "js" | "ts";
  /** Its file in the app. */
  file: string;
  program: string;
  /** Where in `program` the code of the page begins, as a number of lines. */
  given: number;
  runs: boolean;
  /** The lines that it prints, if it says so. */
  prints: string[] | undefined;
}

/** A block that is no program. */
export interface OtherBlock {
  title: string;
  language: string;
  code: string;
}

/** The names that a program declares anywhere, and those that it uses. */
function namesIn(code: string): { declared: Set<string>; used: Set<string> } {
  const declared = new Set<string>();
  const used = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) {
      const { parent } = node;
      const isName = (parent as { name?: ts.Node }).name === node;
      if (isName && (ts.isPropertyAccessExpression(parent) || ts.isObjectLiteralElement(parent))) {
        // `{ storage }` is a use, `{ storage: 1 }` and `.storage` are not.
        if (ts.isShorthandPropertyAssignment(parent)) used.add(node.text);
      } else if (isName) {
        declared.add(node.text);
      } else {
        used.add(node.text);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("page.mts", code, ts.ScriptTarget.ES2022, true));
  return { declared, used };
}

/** The lines that a block needs in front of it. */
function prelude(code: string, given: Record<string, string>): string[] {
  const lines: string[] = [];
  let grown = code;
  // What is put in front may itself need something.
  for (let added = true; added; ) {
    const { declared, used } = namesIn(grown);
    const missing = Object.entries(given).filter(([name]) => used.has(name) && !declared.has(name));
    for (const [, line] of missing) {
      lines.unshift(line);
      grown = `${line}\n${grown}`;
    }
    added = missing.length > 0;
  }
  return lines.sort((a, b) => Number(b.startsWith("import")) - Number(a.startsWith("import")));
}

/** `require` in the place of `import`, for a block that is a CommonJS module. */
function asRequire(line: string): string {
  return line.replace(/^import (.+) from (".*");$/, "const $1 = require($2);");
}

/** What a block needs behind it. */
function ending(code: string, language: string, isCommonJs: boolean): string[] {
  const lines = language === "ts" ? ["export {};"] : [];
  if (/\bstorage\.watch(?:Item)?\(/.test(code) && !isCommonJs)
    lines.push("await storage.dispose();");
  return lines;
}

function printed(code: string): string[] | undefined {
  const lines = [...code.matchAll(/^\s*console\.log\(.*\/\/ → (.*)$/gm)].map(([, text]) => text);
  return lines.length > 0 ? lines : undefined;
}

/** Everything in fenced blocks, on all pages. */
export function readExamples(): { examples: Example[]; others: OtherBlock[] } {
  const examples: Example[] = [];
  const others: OtherBlock[] = [];
  for (const page of pagePaths()) {
    let before = "";
    for (const { line, language, code: own, marker } of fencedBlocks(readPage(page))) {
      const title = `${page}:${line}`;
      if (language !== "js" && language !== "ts") {
        others.push({ title, language, code: own });
        continue;
      }
      const givenHere = /^given (.*)$/.exec(marker ?? "")?.[1];
      const code =
        marker === "continues" ? `${before}\n${own}` : givenHere ? `${givenHere}\n${own}` : own;
      before = code;
      const isCommonJs =
        language === "js" && /\brequire\(|^module\.exports/m.test(code) && !/^import /m.test(code);
      // The reference is made of the declarations, whose examples show a call and not a program.
      const isReference = page.startsWith("docs/api/");
      const given = prelude(code, isReference ? { ...GIVEN, ...GIVEN_IN_REFERENCE } : GIVEN);
      const lines = isCommonJs ? given.map(asRequire) : given;
      examples.push({
        title,
        language,
        file: `${page.replace(/[/.]/g, "-")}-${line}.${language === "ts" ? "mts" : isCommonJs ? "cjs" : "mjs"}`,
        program: [...lines, code, ...ending(code, language, isCommonJs)].join("\n"),
        given: lines.length + (givenHere ? 1 : 0),
        runs: marker !== "checked only" && !isReference,
        prints: printed(code),
      });
    }
  }
  return { examples, others };
}

const ELECTRON = `
"use strict";
const { EventEmitter } = require("node:events");
const { join } = require("node:path");

// Quits once the program has nothing left to do.
const app = Object.assign(new EventEmitter(), {
  getPath: (name) => join(process.cwd(), name),
  getAppPath: () => process.cwd(),
  whenReady: async () => {},
  quit() {},
});
process.once("beforeExit", () => {
  app.emit("before-quit", { preventDefault() {} });
  app.emit("will-quit", { preventDefault() {} });
});

const handlers = new Map();
const ipcMain = Object.assign(new EventEmitter(), {
  handle: (channel, handler) => void handlers.set(channel, handler),
});
// A preload finds a main process that serves it everything.
let served;
const serve = () => {
  const { createStorage } = require("electron-async-storage");
  const { serveStorage } = require("electron-async-storage/serve");
  served = Object.assign(new EventEmitter(), { handle: (_, handler) => void (served.handler = handler) });
  const access = [{ origins: "app://main", keys: "**", can: "write", sync: true }];
  serveStorage(createStorage(), { ipcMain: served, access });
  globalThis.origin = "app://main";
};
const eventOf = () => {
  if (served === undefined) serve();
  const frame = { processId: 1, routingId: 1, origin: "app://main", url: "app://main/", parent: null, send() {} };
  return { senderFrame: frame, sender: { id: 1 }, processId: 1, frameId: 1 };
};
const CHANNEL = "electron-async-storage";
const ipcRenderer = Object.assign(new EventEmitter(), {
  invoke: async (channel, ...args) => {
    const event = eventOf();
    return channel === CHANNEL ? served.handler(event, ...args) : handlers.get(channel)?.({}, ...args);
  },
  send() {},
  sendSync(channel, ...args) {
    const event = eventOf();
    served.emit(channel, event, ...args);
    return event.returnValue;
  },
});
const session = { defaultSession: { registerPreloadScript: () => "1", unregisterPreloadScript() {} } };
class MessageChannelMain {
  port1 = Object.assign(new EventEmitter(), { postMessage() {}, start() {} });
  port2 = Object.assign(new EventEmitter(), { postMessage() {}, start() {} });
}
const utilityProcess = { fork: () => ({ postMessage() {} }) };
class BrowserWindow {
  webContents = { send() {} };
  static getAllWindows = () => [];
  async loadFile() {}
  async loadURL() {
    setTimeout(() => app.emit("will-quit"), 200);
  }
}
// As Electron does: own enumerable functions become proxies, and the rest is cloned.
const bridged = (value) => {
  if (typeof value === "function") return (...args) => value(...args);
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(bridged);
  if (Object.getPrototypeOf(value) !== Object.prototype) return structuredClone(value);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, bridged(item)]));
};
const contextBridge = {
  exposeInMainWorld: (name, api) => void (globalThis[name] = bridged(api)),
};

exports.app = app;
exports.ipcMain = ipcMain;
exports.ipcRenderer = ipcRenderer;
exports.BrowserWindow = BrowserWindow;
exports.contextBridge = contextBridge;
exports.session = session;
exports.MessageChannelMain = MessageChannelMain;
exports.utilityProcess = utilityProcess;
`;

const ELECTRON_TYPES = `
export declare const app: any;
export declare const ipcMain: any;
export declare const ipcRenderer: any;
export declare const contextBridge: any;
export declare const session: any;
export declare class BrowserWindow { constructor(options: any); [name: string]: any; static getAllWindows(): any[] }
`;

/** A folder of an app, with the package linked and a stand-in for Electron. Whoever asks removes it. */
export function makeApp(): string {
  const app = realpathSync(mkdtempSync(join(tmpdir(), "eas-docs-")));
  const modules = join(app, "node_modules");
  mkdirSync(join(modules, "electron"), { recursive: true });
  const manifest = { name: "electron", main: "index.js", types: "index.d.ts" };
  writeFileSync(join(modules, "electron", "package.json"), JSON.stringify(manifest));
  writeFileSync(join(modules, "electron", "index.js"), ELECTRON);
  writeFileSync(join(modules, "electron", "index.d.ts"), ELECTRON_TYPES);
  symlinkSync(root, join(modules, "electron-async-storage"), "junction");
  for (const name of ["unstorage", "zod"]) {
    symlinkSync(join(root, "node_modules", name), join(modules, name), "junction");
  }
  return app;
}

/** Type-checks the ts examples, whose files are in the app; gives what is wrong by the file. */
export function typeErrors(app: string, examples: Example[]): Map<string, string[]> {
  const byFile = new Map(examples.map((example) => [example.file, example]));
  const program = ts.createProgram(
    [...byFile.keys()].map((file) => join(app, file)),
    {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      types: ["node"],
      typeRoots: [join(root, "node_modules", "@types")],
    },
  );
  const errors = new Map<string, string[]>();
  for (const { file, start, messageText } of ts.getPreEmitDiagnostics(program)) {
    const name = file === undefined ? "" : basename(file.fileName);
    const example = byFile.get(name);
    const line =
      file === undefined || start === undefined
        ? 0
        : file.getLineAndCharacterOfPosition(start).line + 1 - (example?.given ?? 0);
    const text = ts.flattenDiagnosticMessageText(messageText, "\n");
    errors.set(name, [...(errors.get(name) ?? []), `line ${line} of the block: ${text}`]);
  }
  return errors;
}

/** A program without its types. */
export function withoutTypes(program: string): string {
  return ts.transpileModule(program, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  }).outputText;
}
