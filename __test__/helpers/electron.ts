// Stand-ins for the parts of Electron that the example app uses, and a loader that runs its main and
// preload modules with them. What crosses from one side to another is copied as Electron copies it.

import { EventEmitter } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { compileFunction } from "node:vm";
import ts from "typescript";
import { World } from "./ipc/world.js";

const require = createRequire(import.meta.url);
const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const published = require(join(root, "package.json")).exports;

/** The file that `require` loads for a name of this package, in an app that installed it. */
const fileOf = (id: string): string =>
  join(root, published[id.replace("electron-async-storage", ".")].default);

/** Runs a TypeScript module, and what it imports, in a module cache of its own, as a process would. */
function runProgram(entry: string, electron: object, global: object = globalThis): void {
  const cache = new Map<string, { exports: object }>();
  function load(path: string): object {
    const known = cache.get(path);
    if (known) return known.exports;
    const module = { exports: {} };
    cache.set(path, module);
    const { outputText } = ts.transpileModule(readFileSync(path, "utf8"), {
      fileName: path,
      compilerOptions: {
        module: ts.ModuleKind.CommonJS,
        target: ts.ScriptTarget.ES2022,
        esModuleInterop: true,
      },
    });
    const requireFrom = (id: string) => {
      if (id === "electron") return electron;
      // What a preload script uses of the package is part of its bundle.
      if (id === "electron-async-storage/preload") return load(fileOf(id));
      if (/^electron-async-storage(\/|$)/.test(id)) return require(fileOf(id));
      if (isBuiltin(id)) return require(id);
      return load(join(dirname(path), id.replace(/\.js$/, ".ts")));
    };
    const names = ["exports", "require", "module", "__dirname", "globalThis"];
    const run = compileFunction(outputText, names, { filename: path });
    run(module.exports, requireFrom, module, dirname(path), global);
    return module.exports;
  }

  load(entry);
}

/**
 * A value as it reaches the other side of the context bridge: functions become proxies, Promises are
 * passed on, objects are copied with their own enumerable properties, and the rest is cloned.
 */
function bridged(value: unknown): unknown {
  if (typeof value === "function") {
    return (...args: unknown[]) => bridged(value(...args.map(bridged)));
  }
  if (value instanceof Promise) {
    return value.then(bridged, (error) => Promise.reject(structuredClone(error)));
  }
  if (Array.isArray(value)) return value.map(bridged);
  if (value !== null && typeof value === "object" && isPlain(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, bridged(item)]));
  }
  return structuredClone(value);
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** `app`: it quits when nobody puts it off. */
class App extends EventEmitter {
  /** How often a quit was asked for and put off. */
  quitsPutOff = 0;
  readonly #userData: string;
  readonly #isGone: (code: number) => void;
  /** Settles with the exit code once the app is gone. */
  readonly gone: Promise<number>;

  constructor(userData: string) {
    super();
    this.#userData = userData;
    let isGone = (_code: number) => {};
    this.gone = new Promise((resolve) => {
      isGone = resolve;
    });
    this.#isGone = isGone;
  }

  getPath(name: string): string {
    if (name !== "userData") throw new Error(`The stand-in has no path ${name}`);
    return this.#userData;
  }

  async whenReady(): Promise<void> {}

  requestSingleInstanceLock(): boolean {
    return true;
  }

  quit(): void {
    let isPutOff = false;
    this.emit("before-quit", {
      preventDefault: () => {
        isPutOff = true;
      },
    });
    if (isPutOff) this.quitsPutOff += 1;
    else this.#isGone(0);
  }

  exit(code: number): void {
    this.#isGone(code);
  }
}

/** The options of a window that the stand-ins act upon. */
export interface WebPreferences {
  preload: string;
  sandbox: boolean;
  contextIsolation: boolean;
  nodeIntegration: boolean;
}

/** A window: the preload script runs in it, and `world` is what the page's own scripts then see. */
export class RunningWindow {
  readonly world: Record<string, unknown> = {};

  constructor(
    readonly webPreferences: WebPreferences,
    page: string,
    world: World,
    session: ReturnType<World["newSession"]>,
  ) {
    const { mainFrame } = world.open(session);
    const place = { origin: "file://", stated: "null", url: String(pathToFileURL(page)) };
    const { ipcRenderer } = world.navigate(mainFrame, place);
    const contextBridge = {
      exposeInMainWorld: (name: string, api: object) => {
        this.world[name] = bridged(api);
      },
    };
    const global = { origin: "null", document: {}, process: { contextIsolated: true } };
    const preload = webPreferences.preload.replace(/\.js$/, ".ts");
    runProgram(preload, { contextBridge, ipcRenderer }, global);
  }
}

/** An app that runs: its main process, and the windows that it has opened. */
export class RunningApp {
  readonly app: App;
  readonly #windows: RunningWindow[] = [];
  readonly #opened = new EventEmitter();

  /** @param main - the module of the main process */
  constructor(main: string, userData: string) {
    const app = new App(userData);
    this.app = app;
    const world = new World();
    const session = world.newSession();
    const open: object[] = [];
    const addWindow = (window: RunningWindow) => {
      this.#windows.push(window);
      this.#opened.emit("window");
    };

    class BrowserWindow {
      readonly #webPreferences: WebPreferences;

      constructor(options: { webPreferences: WebPreferences }) {
        this.#webPreferences = options.webPreferences;
        open.push(this);
      }

      async loadFile(page: string): Promise<void> {
        if (!existsSync(page)) throw new Error(`There is no page ${page}`);
        addWindow(new RunningWindow(this.#webPreferences, page, world, session));
      }

      static getAllWindows(): object[] {
        return [...open];
      }
    }

    this.closeWindows = () => {
      open.length = 0;
      this.app.emit("window-all-closed");
    };
    const { ipcMain } = world;
    runProgram(main, { app, BrowserWindow, ipcMain, session: { defaultSession: session } });
  }

  /** Starts the app once more, which opens another window of this one. */
  startAgain(): void {
    this.app.emit("second-instance", {});
  }

  /** Closes every window, as the user does. */
  readonly closeWindows: () => void;

  /** The window with this number, as soon as it is open; the first has the number 0. */
  async window(index: number): Promise<RunningWindow> {
    for (;;) {
      const window = this.#windows[index];
      if (window) return window;
      await new Promise((resolve) => this.#opened.once("window", resolve));
    }
  }
}
