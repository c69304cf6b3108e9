// The main process of the specs in real Chromium: pages, and an `ipcMain` behind a loopback server. Who
// sends a message is what the browser says in its `Origin` header.

import { EventEmitter } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { root } from "../package.js";

const { parse, stringify } = createRequire(import.meta.url)(join(root, "renderer/index.cjs"));

interface RemoteFrame {
  processId: number;
  routingId: number;
  origin: string;
  url: string;
  parent: null;
  send(channel: string, ...args: unknown[]): void;
}

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  let body = "";
  for await (const part of request) body += part;
  return body;
};

export class LoopbackMain {
  readonly ipcMain = Object.assign(new EventEmitter(), {
    handlers: new Map<string, (event: object, ...args: unknown[]) => unknown>(),
    handle(channel: string, handler: (event: object, ...args: unknown[]) => unknown) {
      this.handlers.set(channel, handler);
    },
  });
  readonly session = { registerPreloadScript: () => "1", unregisterPreloadScript() {} };
  readonly pages = new Map<string, string>([["/", "<!doctype html><title>page</title><p>page"]]);
  readonly #documents = new Map<
    string,
    { frame: RemoteFrame; sender: object; events?: ServerResponse }
  >();
  #server: Server | undefined;
  #last = 0;

  async start(): Promise<string> {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error) =>
        response.end(stringify({ error: String(error) })),
      );
    });
    await new Promise<void>((resolve) => this.#server?.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    for (const { events } of this.#documents.values()) events?.end();
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  #documentOf(id: string, origin: string) {
    let known = this.#documents.get(id);
    if (known === undefined) {
      const number = ++this.#last;
      const send = (channel: string, ...args: unknown[]) => {
        this.#documents.get(id)?.events?.write(`data: ${stringify({ channel, args })}\n\n`);
      };
      const frame = {
        processId: number,
        routingId: 1,
        origin,
        url: `${origin}/`,
        parent: null,
        send,
      };
      const sender = { id: number, session: this.session, getType: () => "window" };
      known = { frame, sender };
      this.#documents.set(id, known);
    }
    return known;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://127.0.0.1");
    response.setHeader("access-control-allow-origin", "*");
    const page = this.pages.get(pathname);
    if (page !== undefined) {
      response.setHeader("content-type", "text/html");
      response.end(page);
      return;
    }
    const id = searchParams.get("document") ?? "";
    if (pathname === "/pushes") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(":\n\n");
      // A GET of the same origin has no `Origin` header: the messages say who this is.
      this.#pending.set(id, response);
      const known = this.#documents.get(id);
      if (known) known.events = response;
      return;
    }
    const { origin = "null" } = request.headers;
    const document = this.#documentOf(id, origin);
    document.events ??= this.#pending.get(id);
    const [channel, ...args] = parse(await bodyOf(request));
    const { frame, sender } = document;
    const event: any = {
      senderFrame: frame,
      sender,
      processId: frame.processId,
      frameId: frame.routingId,
    };
    if (pathname === "/sync") {
      this.ipcMain.emit(channel, event, ...args);
      response.end(stringify({ result: event.returnValue }));
      return;
    }
    const handler = this.ipcMain.handlers.get(channel);
    if (handler === undefined) throw new Error(`No handler registered for '${channel}'`);
    response.end(stringify({ result: await handler(event, ...args) }));
  }

  readonly #pending = new Map<string, ServerResponse>();
}

const read = (...path: string[]) => readFileSync(join(root, ...path), "utf8");
const worlds = read("__test__/helpers/chromium/worlds.js");

/** The script of the page's world: what a preload exposes comes here. */
export const pageScript = () => `(() => {
  ${worlds}
  const module = runModule(${JSON.stringify(read("renderer/index.cjs"))}, {});
  globalThis.renderer = module;
  const { functions } = connectWorlds(module, "page", "preload");
  functions.set("expose", (name, api) => { globalThis[name] = api; });
})();`;

/** The script of the isolated world: the registered preload, and one of the app. */
export const preloadScript = (server: string) => `(() => {
  ${worlds}
  const source = ${JSON.stringify(read("preload/index.js"))};
  const codec = runModule(source, {});
  const electron = makeElectron(codec, ${JSON.stringify(server)});
  electron.functions.set("expose", () => {});
  globalThis.process = { contextIsolated: true };
  runModule(${JSON.stringify(read("preload/register.js"))}, { electron });
  const preload = runModule(source, { electron });
  globalThis.errors = [];
  globalThis.storage = preload.connectStorage({ onError: (error) => errors.push(error.code) });
  try {
    globalThis.first = storage.getItemSync("settings:theme");
  } catch (error) {
    globalThis.first = error.code;
  }
})();`;
