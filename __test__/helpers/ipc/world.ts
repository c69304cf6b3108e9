// Electron's IPC between documents and the main process, with its freedom of order drawn from a seed.

import { EventEmitter } from "node:events";
import { OldSession, Session, WebContents, type WebFrameMain } from "./frames.js";
import { Random } from "./random.js";
import { type DocumentOptions, RendererDocument } from "./renderer.js";

export class IpcMain extends EventEmitter {
  readonly handlers = new Map<string, (event: object, ...args: any[]) => unknown>();

  handle(channel: string, handler: (event: object, ...args: any[]) => unknown): void {
    if (this.handlers.has(channel)) {
      throw new Error(`Attempted to register a second handler for '${channel}'`);
    }
    this.handlers.set(channel, handler);
  }

  removeHandler(channel: string): void {
    this.handlers.delete(channel);
  }
}

/**
 * Messages of one document arrive in their order. Replies and pushes have none among each other, and a push
 * may be lost: they use another pipe, and the document of a frame may have changed by the time.
 */
export class Network {
  readonly #waiting = new Map<RendererDocument, (() => void)[]>();
  /** The share of pushes that are lost. */
  loss = 0;
  /** Whether replies and pushes change places. */
  isShuffled = true;
  sentSync = 0;
  unanswered = 0;

  constructor(
    readonly ipcMain: IpcMain,
    readonly random: Random,
  ) {}

  #later(action: () => void): void {
    const turns = this.isShuffled ? this.random.below(4) : 0;
    const step = (left: number) => setImmediate(() => (left === 0 ? action() : step(left - 1)));
    step(turns);
  }

  #queue(document: RendererDocument, action: () => void): void {
    let queue = this.#waiting.get(document);
    if (queue === undefined) {
      queue = [];
      this.#waiting.set(document, queue);
    }
    queue.push(action);
    setImmediate(() => this.#drain(document, 1));
  }

  #drain(document: RendererDocument, count = Number.POSITIVE_INFINITY): void {
    const queue = this.#waiting.get(document) ?? [];
    for (let done = 0; done < count && queue.length > 0; done++) queue.shift()?.();
  }

  /** After ipc-dispatch.ts: ids are those of the sender; the frame is what is there when it is asked for. */
  eventOf(document: RendererDocument): any {
    const { frame } = document;
    return {
      type: "frame",
      sender: frame.webContents,
      processId: document.processId,
      frameId: document.routingId,
      get senderFrame() {
        // Gone by now: null in newer versions, undefined in older ones.
        return frame.current === undefined ? null : frame;
      },
      reply: (channel: string, ...args: unknown[]) => frame.send(channel, ...args),
    };
  }

  invoke(document: RendererDocument, channel: string, args: unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#queue(document, async () => {
        const handler = this.ipcMain.handlers.get(channel);
        try {
          if (!handler) throw new Error(`No handler registered for '${channel}'`);
          const result = structuredClone(await handler(this.eventOf(document), ...args));
          this.#later(() => document.isGone || resolve(result));
        } catch (error) {
          this.#later(() => document.isGone || reject(error));
        }
      });
    });
  }

  send(document: RendererDocument, channel: string, args: unknown[]): void {
    this.#queue(document, () => this.ipcMain.emit(channel, this.eventOf(document), ...args));
  }

  /** Blocks until somebody answers. Nobody would for long: that is an error here. */
  sendSync(document: RendererDocument, channel: string, args: unknown[]): unknown {
    this.sentSync++;
    this.#drain(document);
    let answer: { value: unknown } | undefined;
    const event = this.eventOf(document);
    Object.defineProperty(event, "returnValue", {
      get: () => undefined,
      set: (value) => {
        // Only the first answer counts: reply_channel.cc.
        answer ??= { value: structuredClone(value) };
      },
    });
    this.ipcMain.emit(channel, event, ...args);
    if (answer === undefined) {
      this.unanswered++;
      return { error: "reply was never sent" };
    }
    return answer.value;
  }

  push(deliver: () => void): void {
    if (this.random.chance(this.loss)) return;
    this.#later(deliver);
  }
}

let lastProcess = 0;
let lastRouting = 0;

export interface Place {
  url?: string;
  origin?: string;
  stated?: string;
  /** Whether the new document is in the process and frame of the old one, as a reload mostly is. */
  isSameProcess?: boolean;
  contextIsolated?: boolean;
}

/** An app: its main process and its windows. */
export class World {
  readonly ipcMain = new IpcMain();
  readonly random: Random;
  readonly network: Network;

  constructor(seed = 1) {
    this.random = new Random(seed);
    this.network = new Network(this.ipcMain, this.random);
  }

  newSession(): Session {
    return new Session();
  }

  newOldSession(): OldSession {
    return new OldSession();
  }

  open(session: Session | OldSession, type = "window"): WebContents {
    return new WebContents(this, session, type);
  }

  #optionsOf(frame: WebFrameMain, place: Place): DocumentOptions {
    const { origin = "app://main", isSameProcess = false, stated, contextIsolated } = place;
    const { url = origin === "file://" ? "file:///app/index.html" : `${origin}/index.html` } =
      place;
    const old = frame.current;
    const ids =
      isSameProcess && old
        ? { processId: old.processId, routingId: old.routingId }
        : { processId: ++lastProcess, routingId: ++lastRouting };
    return { url, origin, stated, contextIsolated, ...ids };
  }

  /** A document whose preload runs before it is committed: the frame is still the old one. */
  begin(frame: WebFrameMain, place: Place = {}): RendererDocument {
    return new RendererDocument(frame, this.#optionsOf(frame, place));
  }

  commit(document: RendererDocument): void {
    const { frame } = document;
    const old = frame.current;
    if (old !== undefined && old !== document) {
      old.unload();
      old.end();
    }
    frame.commit(document);
    frame.webContents.emit("did-navigate", {}, document.url);
  }

  /** A navigation of a frame. */
  navigate(frame: WebFrameMain, place: Place = {}): RendererDocument {
    const document = this.begin(frame, place);
    this.commit(document);
    return document;
  }

  /** Runs the preloads that the session of a document has. */
  runPreloads(document: RendererDocument): void {
    for (const path of document.frame.webContents.session.preloads) document.run(path);
  }
}
