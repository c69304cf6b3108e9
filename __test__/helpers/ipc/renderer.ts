// A document of a renderer: an isolated world for preloads, the page's own world, and the way to main.

import { webcrypto as crypto } from "node:crypto";
import { EventEmitter } from "node:events";
import { readFileSync } from "node:fs";
import { type Context, createContext, runInContext, Script } from "node:vm";
import { across } from "./bridge.js";
import type { WebFrameMain } from "./frames.js";

/** As they are when a document begins: tests put clocks of their own in place. */
const globals = () => ({
  console,
  crypto,
  URL,
  setTimeout,
  clearTimeout,
  queueMicrotask,
  structuredClone,
  performance,
});

const scripts = new Map<string, Script>();

/** The script of a file as Electron wraps a preload. */
function scriptOf(path: string): Script {
  let script = scripts.get(path);
  if (script === undefined) {
    const text = readFileSync(path, "utf8");
    const names = "require, module, exports, process";
    script = new Script(`(function (${names}) {${text}\n})`, { filename: path });
    scripts.set(path, script);
  }
  return script;
}

export interface DocumentOptions {
  url: string;
  /** What Chromium says; not what the URL says. */
  origin: string;
  /** `self.origin`; differs for files, and where the sender lies. */
  stated?: string;
  processId: number;
  routingId: number;
  contextIsolated?: boolean;
}

/** The world of the page's scripts, or that of preloads. */
function newWorld(extra: object): Context {
  const world = createContext({ ...globals(), ...extra });
  runInContext("globalThis.self = globalThis;", world);
  return world;
}

export class RendererDocument {
  readonly url: string;
  readonly origin: string;
  readonly processId: number;
  readonly routingId: number;
  readonly page: Context;
  readonly isolated: Context;
  readonly ipcRenderer: any;
  readonly events = new EventEmitter();
  readonly received: unknown[][] = [];
  readonly #process: object;
  #isGone = false;

  constructor(
    readonly frame: WebFrameMain,
    options: DocumentOptions,
  ) {
    const { url, origin, stated = origin, processId, routingId, contextIsolated = true } = options;
    this.url = url;
    this.origin = origin;
    this.processId = processId;
    this.routingId = routingId;
    this.#process = { contextIsolated, type: "renderer", sandboxed: true };
    const globals = {
      origin: stated,
      document: {},
      process: this.#process,
      addEventListener: (name: string, listener: () => void) => this.events.on(name, listener),
    };
    this.page = newWorld({ origin: stated });
    this.isolated = newWorld(globals);
    this.ipcRenderer = this.#makeIpcRenderer();
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  #makeIpcRenderer() {
    const emitter = new EventEmitter();
    const { network } = this.frame.webContents.world;
    // What comes from main belongs to the realm that receives it.
    const here = (value: unknown) => across(value, realmOf(this.isolated), outer);
    return Object.assign(emitter, {
      invoke: (channel: string, ...args: unknown[]) => {
        if (this.#isGone) return new Promise(() => {});
        return network.invoke(this, channel, structuredClone(args)).then(here, (error) => {
          // Of an error, Electron hands only its text on: ipc-renderer.ts.
          throw new Error(`Error invoking remote method '${channel}': ${error}`);
        });
      },
      send: (channel: string, ...args: unknown[]) => {
        network.send(this, channel, structuredClone(args));
      },
      sendSync: (channel: string, ...args: unknown[]) =>
        here(network.sendSync(this, channel, structuredClone(args))),
    });
  }

  receive(channel: string, args: unknown[]): void {
    if (this.#isGone) return;
    this.received.push([channel, ...args]);
    this.ipcRenderer.emit(channel, {}, ...args);
  }

  /** Runs a preload: it may require electron, and nothing else. */
  run(path: string): any {
    const module = { exports: {} as any };
    const contextBridge = {
      exposeInMainWorld: (name: string, api: unknown) => {
        if (!(this.#process as any).contextIsolated) {
          throw new Error("contextBridge API can only be used when contextIsolation is enabled");
        }
        if (name in this.page) {
          throw new Error(`Cannot bind an API on top of an existing property on the window object`);
        }
        (this.page as any)[name] = across(api, realmOf(this.page), realmOf(this.isolated));
      },
    };
    const require = (id: string) => {
      if (id === "electron") return { ipcRenderer: this.ipcRenderer, contextBridge };
      throw new Error(`module not found: ${id}`);
    };
    scriptOf(path).runInContext(this.isolated)(require, module, module.exports, this.#process);
    return module.exports;
  }

  /** The storage of a page, as its own scripts get it from `/renderer`. */
  pageModule(path: string): any {
    const module = { exports: {} as any };
    const require = (id: string) => {
      throw new Error(`module not found: ${id}`);
    };
    scriptOf(path).runInContext(this.page)(require, module, module.exports, undefined);
    return module.exports;
  }

  unload(): void {
    this.events.emit("pagehide");
  }

  end(): void {
    this.#isGone = true;
  }
}

const outer = { Error, Promise, Object, Array };

function realmOf(context: Context) {
  return runInContext("({ Error, Promise, Object, Array })", context);
}
