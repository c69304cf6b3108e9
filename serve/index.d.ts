/**
 * Serves a storage of the main process to sandboxed preloads, to pages and to utility processes.
 *
 * @packageDocumentation
 */

import type { Storage } from "../index.js";

/** The part of Electron's `ipcMain` that is used. */
export interface IpcMainLike {
  handle(channel: string, listener: (event: any, ...args: any[]) => any): void;
  on(channel: string, listener: (event: any, ...args: any[]) => void): unknown;
}

/** A part of Electron's `Session`: the preload is registered there. */
export interface SessionLike {
  registerPreloadScript?(script: { type: "frame"; filePath: string; id?: string }): string;
  unregisterPreloadScript?(id: string): void;
  getPreloads?(): string[];
  setPreloads?(preloads: string[]): void;
}

/** A part of Electron's `WebFrameMain`. */
export interface FrameLike {
  readonly url: string;
  readonly origin: string;
  readonly processId: number;
  readonly routingId: number;
}

/** A part of Electron's `WebContents`. */
export interface WebContentsLike {
  readonly id: number;
}

/** One rule of the access list. What no rule allows is refused. */
export interface AccessRule {
  /**
   * Origins of the documents, as Chromium writes them: `"app://main"`, `"http://localhost:5173"`;
   * `"https://*.example.org"` for one or more labels below; `"*"` for any http or https origin; `"file://"` for
   * all files, `"file:///folder/"` for those in a folder.
   */
  origins: string | readonly string[];
  /** Keys, or patterns with `*` for one segment and `**` for one or more. */
  keys: string | readonly string[];
  /** `"write"` includes `"read"`. */
  can: "read" | "write";
  /**
   * Whether the keys are in the mirror that Sync reads are answered from.
   *
   * @defaultValue `false`
   */
  sync?: boolean | undefined;
  /**
   * Whether the rule is for guests (`<webview>`) too.
   *
   * @defaultValue `false`
   */
  guests?: boolean | undefined;
  /** Asked for every message and every push; an error counts as `false`. */
  when?(frame: FrameLike, webContents: WebContentsLike): boolean;
}

/** Limits of what one `webContents` may ask for, over its reloads and frames. */
export interface ServeLimits {
  /**
   * UTF-8 bytes of the text of one value, or bytes of a raw value.
   *
   * @defaultValue `1_048_576`
   */
  valueBytes?: number | undefined;
  /**
   * UTF-8 bytes of the keys and texts of one mirror.
   *
   * @defaultValue `4_194_304`
   */
  mirrorBytes?: number | undefined;
  /**
   * Calls a second. A batch counts as one call for each 50 items.
   *
   * @defaultValue `5000`
   */
  callsPerSecond?: number | undefined;
}

/** Options of {@link serveStorage}. */
export interface ServeStorageOptions {
  /** `ipcMain` of electron. */
  ipcMain: IpcMainLike;
  /**
   * The session, or sessions, whose windows are served. The package's preload is registered there, and
   * windows of other sessions are refused.
   *
   * @defaultValue none: no preload is registered, and windows of every session are served
   */
  session?: SessionLike | readonly SessionLike[] | undefined;
  /**
   * The IPC channel.
   *
   * @defaultValue `"electron-async-storage"`
   */
  channel?: string | undefined;
  /** Who may do what. */
  access: readonly AccessRule[];
  /**
   * Whether iframes are served; `"all"` needs `nodeIntegrationInSubFrames`.
   *
   * @defaultValue `"main"`
   */
  frames?: "main" | "all" | undefined;
  limits?: ServeLimits | undefined;
}

/** A document that is connected. */
export interface ServedClient {
  /** Random, another one for each document. */
  id: string;
  origin: string;
  webContentsId: number;
}

/** The part of a `MessagePortMain` that is used. */
export interface PortLike {
  postMessage(message: any): void;
  start?(): void;
}

/** Rights of a port. */
export interface PortAccess {
  /** Keys, or patterns with `*` and `**`. */
  keys: string | readonly string[];
  /** @defaultValue `"read"` */
  can?: "read" | "write" | undefined;
  /**
   * Whether the keys are in a mirror for Sync reads.
   *
   * @defaultValue `false`
   */
  sync?: boolean | undefined;
}

/** What {@link serveStorage} gives. */
export interface StorageServer {
  /** A preload of the package that puts the storage on the page, as `window.storage`. */
  readonly preloadPath: string;
  /** The documents that are there and may do something. */
  clients(this: void): ServedClient[];
  /**
   * Serves the other end of a port, such as a utilityProcess.
   *
   * @throws {@link StorageError} `EAS_INVALID_OPTION`, `EAS_CLOSED`
   */
  connect(this: void, port: PortLike, access: PortAccess): void;
  /** Serves nobody any more: calls are refused with `EAS_CLOSED`. The storage stays as it is. */
  dispose(this: void): void;
}

/**
 * Serves `storage`, as long as the access list allows it. Call it before the first window is made.
 *
 * @throws {@link StorageError} `EAS_INVALID_OPTION`, `EAS_REQUIRED_OPTION`
 *
 * @example
 * ```ts
 * import { ipcMain, session } from "electron";
 * import { createStorage } from "electron-async-storage";
 * import { serveStorage } from "electron-async-storage/serve";
 *
 * serveStorage(createStorage(), {
 *   ipcMain,
 *   session: session.defaultSession,
 *   access: [{ origins: "app://main", keys: "settings:**", can: "write", sync: true }],
 * });
 * ```
 */
export declare function serveStorage(
  storage: Storage<any>,
  options: ServeStorageOptions,
): StorageServer;
