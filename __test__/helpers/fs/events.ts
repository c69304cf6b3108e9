// What a listener was told, and how a test waits for it.

import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, onTestFinished, vi } from "vitest";
import type { Storage } from "../../../index.js";
import { PATIENCE_MS } from "../waiting.js";

const PATIENCE = { timeout: PATIENCE_MS, interval: 2 };

/** Waits until a check passes; fails with its last error. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, PATIENCE);
}

/**
 * A change that a watch of the base reports later than any change made before it: a file that is kept open
 * after it was written is reported only when it has been quiet.
 */
export function mark(base: string, key: string): void {
  const path = join(base, ...key.split(":"));
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, "w");
  onTestFinished(() => closeSync(file));
  writeSync(file, "1");
}

export class Events {
  readonly list: string[] = [];
  #marks = 0;

  readonly listener = (event: string, key: string): void => {
    this.list.push(`${event} ${key}`);
  };

  /** Takes what came when as many as expected did. */
  async take(expected: readonly string[]): Promise<void> {
    await eventually(() => {
      if (this.list.length < expected.length) expect(this.list).toEqual(expected);
    });
    expect(this.list.splice(0)).toEqual(expected);
  }

  /** As `take`, where the order among keys is nobody's promise. */
  async takeUnordered(expected: readonly string[]): Promise<void> {
    await eventually(() => {
      if (this.list.length < expected.length) expect(this.list.length).toBe(expected.length);
    });
    expect(this.list.splice(0).sort()).toEqual([...expected].sort());
  }

  /** Takes exactly these: what else is on its way would come before the mark. */
  async takeOnly(base: string, expected: readonly string[]): Promise<void> {
    expect(await this.untilMark(base)).toEqual(expected);
  }

  async takeOnlyUnordered(base: string, expected: readonly string[]): Promise<void> {
    expect((await this.untilMark(base)).sort()).toEqual([...expected].sort());
  }

  /** Everything that is reported about changes made until now. */
  async untilMark(base: string, mount = ""): Promise<string[]> {
    const key = `mark-${++this.#marks}`;
    mark(base, key);
    const event = `update ${mount}${key}`;
    await eventually(() => expect(this.list).toContain(event));
    return this.list.splice(0).filter((other) => other !== event);
  }
}

/** Listens to a storage, which is disposed of with the test. */
export async function listen(storage: Storage<any>): Promise<Events> {
  const events = new Events();
  onTestFinished(() => storage.dispose());
  await storage.watch(events.listener);
  return events;
}
