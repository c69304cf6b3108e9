// A process that a test works with or against.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { root } from "../package.js";

const script = join(root, "__test__", "helpers", "fs", "party.cjs");

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
  stderr: string;
}

export interface Warning {
  code?: string;
  text: string;
}

export interface PartyOptions {
  env?: Record<string, string>;
  /** A shell command that is run first, for example a limit; it ends with the program in place. */
  before?: string;
}

export class Party {
  /** What its listener was called with, as `event key`. */
  readonly events: string[] = [];
  readonly warnings: Warning[] = [];
  readonly exit: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, (answer: [error: object | null, result: any]) => void>();
  #lastId = 0;

  constructor({ env = {}, before }: PartyOptions = {}) {
    const [command, args] =
      before === undefined
        ? [process.execPath, [script]]
        : ["bash", ["-c", `${before}; exec "$0" "$@"`, process.execPath, script]];
    const child = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      serialization: "advanced",
    });
    this.#child = child;
    let stderr = "";
    child.stderr?.on("data", (data) => {
      stderr += data;
    });
    child.on("message", ([id, first, second]: any) => {
      if (id !== 0) {
        this.#pending.get(id)?.([first, second]);
        this.#pending.delete(id);
      } else if (first === "event") this.events.push(second);
      else this.warnings.push(second);
    });
    this.exit = new Promise((resolve) => {
      // `close` does not come once the channel was let go of.
      child.on("exit", async (code, signal) => {
        if (child.stderr && !child.stderr.readableEnded) await once(child.stderr, "end");
        const gone = Object.assign(new Error(`the other party is gone: ${stderr}`), {
          code: "GONE",
        });
        for (const answer of this.#pending.values()) answer([gone, undefined]);
        this.#pending.clear();
        resolve({ code, signal, stderr });
      });
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Asks for a command of the script; rejects with what it fails with. */
  ask(name: string, ...args: unknown[]): Promise<any> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, ([error, result]) => {
        if (error === null) resolve(result);
        else if (error instanceof Error) reject(error);
        else reject(Object.assign(new Error(), error));
      });
      this.#child.send([id, name, ...args], (error) => {
        if (error) this.#pending.get(id)?.([error, undefined]);
      });
    });
  }

  /** Calls a function of `node:fs`. */
  fs(method: string, ...args: unknown[]): Promise<any> {
    return this.ask("fs", method, ...args);
  }

  /** Calls a method of its storage. */
  call(method: string, ...args: unknown[]): Promise<any> {
    return this.ask("call", method, ...args);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Lets go of the channel: the process ends when nothing else keeps it. */
  leave(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}

/** Another process, which is gone when the test is over. */
export function party(options?: PartyOptions): Party {
  const other = new Party(options);
  onTestFinished(async () => {
    other.kill("SIGKILL");
    await other.exit;
  });
  return other;
}

/** Another process with a storage of its own on a folder. */
export async function partyAt(
  base: string,
  options: object = {},
  partyOptions?: PartyOptions,
): Promise<Party> {
  const other = party(partyOptions);
  await other.ask("open", "fs", { base, ...options });
  return other;
}
