// A served storage with windows, as the specs need it.

import { createRequire } from "node:module";
import { join } from "node:path";
import { createStorage, root } from "../package.js";
import { PATIENCE_MS } from "../waiting.js";
import type { WebContents, WebFrameMain } from "./frames.js";
import type { RendererDocument } from "./renderer.js";
import { type Place, World } from "./world.js";

const require = createRequire(import.meta.url);
export const { serveStorage } = require(join(root, "serve/index.js"));

const PRELOAD = join(root, "preload/index.js");
const RENDERER = join(root, "renderer/index.cjs");

export const ORIGIN = "app://main";
export const RULES = [{ origins: [ORIGIN], keys: ["settings:**"], can: "write", sync: true }];

export interface Client {
  document: RendererDocument;
  storage: any;
  preload: any;
  errors: any[];
}

export class ServedApp {
  readonly world: World;
  readonly session;
  readonly storage: any;
  server: any;
  readonly #options: object;

  constructor({ seed = 1, storage, ...options }: any = {}) {
    this.world = new World(seed);
    this.session = this.world.newSession();
    this.storage = storage ?? createStorage();
    this.#options = options;
    this.serve();
  }

  serve(options: object = {}): void {
    this.server = serveStorage(this.storage, {
      ipcMain: this.world.ipcMain,
      session: this.session,
      access: RULES,
      ...this.#options,
      ...options,
    });
  }

  window(type?: string): WebContents {
    return this.world.open(this.session, type);
  }

  /** A document in a frame, with a preload of an app that connects. */
  connect(
    frame: WebFrameMain = this.window().mainFrame,
    place: Place = {},
    options: object = {},
  ): Client {
    const document = this.world.navigate(frame, place);
    return this.connectIn(document, options);
  }

  connectIn(document: RendererDocument, options: object = {}): Client {
    const errors: any[] = [];
    const preload = document.run(PRELOAD);
    const storage = preload.connectStorage({
      onError: (error: any) => errors.push(error),
      ...options,
    });
    return { document, storage, preload, errors };
  }

  /** A page on which the preloads of the session ran, and the module that its scripts import. */
  page(place: Place = {}, frame: WebFrameMain = this.window().mainFrame) {
    const document = this.world.navigate(frame, place);
    this.world.runPreloads(document);
    return this.pageOf(document);
  }

  pageOf(document: RendererDocument) {
    const module = document.pageModule(RENDERER);
    const { storage: bridge } = document.page as any;
    return { document, module, bridge, storage: bridge && module.storageFromBridge(bridge) };
  }

  async end(): Promise<void> {
    this.server.dispose();
    await this.storage.dispose();
  }
}

/** What an error says of itself. */
export const codeOf = async (action: () => unknown): Promise<unknown> => {
  try {
    const value = await action();
    return { value };
  } catch (error: any) {
    return error.code ?? error;
  }
};

/** Waits until something holds. */
export async function until(holds: () => unknown, what = "it"): Promise<void> {
  // A test may have a clock of its own.
  const end = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`${what} does not come to hold`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
