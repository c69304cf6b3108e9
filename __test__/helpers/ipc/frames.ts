// Frames of the main process as Electron has them.

import { EventEmitter } from "node:events";
import type { RendererDocument } from "./renderer.js";

const DISPOSED = "Render frame was disposed before WebFrameMain could be accessed";

/**
 * One object for a node of the frame tree, which follows its navigations: it shows the document that was
 * committed last. Every property throws once the frame is disposed. After electron_api_web_frame_main.cc.
 */
export class WebFrameMain {
  #document: RendererDocument | undefined;
  /** Unloading: the old document may still speak. */
  detached = false;
  readonly frames = new Set<WebFrameMain>();
  /** What `send` logged. It never throws: web-frame-main.ts. */
  readonly logged: unknown[] = [];

  constructor(
    readonly webContents: WebContents,
    readonly parentFrame: WebFrameMain | null,
  ) {}

  get current(): RendererDocument | undefined {
    return this.#document;
  }

  commit(document: RendererDocument | undefined): void {
    this.#document = document;
  }

  #live(): RendererDocument {
    if (this.#document === undefined) throw new Error(DISPOSED);
    return this.#document;
  }

  get processId(): number {
    return this.#live().processId;
  }
  get routingId(): number {
    return this.#live().routingId;
  }
  get origin(): string {
    return this.#live().origin;
  }
  get url(): string {
    return this.#live().url;
  }
  get parent(): WebFrameMain | null {
    this.#live();
    return this.parentFrame;
  }

  /** Delivers into the document that is there by then. */
  send(channel: string, ...args: unknown[]): void {
    try {
      this.#live();
      const { network } = this.webContents.world;
      network.push(() => this.#document?.receive(channel, structuredClone(args)));
    } catch (error) {
      this.logged.push(error);
    }
  }
}

export interface Registration {
  id: string;
  filePath: string;
}

/** A session with `registerPreloadScript` (Electron 35 and later). */
export class Session {
  readonly scripts: Registration[] = [];

  registerPreloadScript(script: { type: string; filePath: string }): string {
    const id = String(this.scripts.length + 1);
    this.scripts.push({ id, filePath: script.filePath });
    return id;
  }

  unregisterPreloadScript(id: string): void {
    const at = this.scripts.findIndex((script) => script.id === id);
    if (at === -1) throw new Error(`Cannot unregister preload script with non-existing ID '${id}'`);
    this.scripts.splice(at, 1);
  }

  get preloads(): string[] {
    return this.scripts.map(({ filePath }) => filePath);
  }
}

/** A session of older versions: `setPreloads` and nothing else. */
export class OldSession {
  preloads: string[] = [];
  getPreloads(): string[] {
    return [...this.preloads];
  }
  setPreloads(paths: string[]): void {
    this.preloads = [...paths];
  }
}

let lastId = 0;

export class WebContents extends EventEmitter {
  readonly id = ++lastId;
  readonly mainFrame: WebFrameMain;
  #isDestroyed = false;

  constructor(
    readonly world: import("./world.js").World,
    readonly session: Session | OldSession,
    readonly type: string,
  ) {
    super();
    this.mainFrame = new WebFrameMain(this, null);
  }

  getType(): string {
    return this.type;
  }

  isDestroyed(): boolean {
    return this.#isDestroyed;
  }

  addFrame(parent: WebFrameMain = this.mainFrame): WebFrameMain {
    const frame = new WebFrameMain(this, parent);
    parent.frames.add(frame);
    return frame;
  }

  #disposeFrom(frame: WebFrameMain): void {
    for (const child of frame.frames) this.#disposeFrom(child);
    frame.current?.end();
    frame.commit(undefined);
  }

  /** The renderer process ends: every frame is disposed. */
  crash(): void {
    this.#disposeFrom(this.mainFrame);
    this.emit("render-process-gone", {}, { reason: "crashed" });
  }

  removeFrame(frame: WebFrameMain): void {
    this.#disposeFrom(frame);
    frame.parentFrame?.frames.delete(frame);
  }

  destroy(): void {
    this.#disposeFrom(this.mainFrame);
    this.#isDestroyed = true;
    this.emit("destroyed");
  }
}
