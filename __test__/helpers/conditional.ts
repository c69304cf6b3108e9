// Conditional writes, updates and groups in both forms.

import type { AtomicGroup, GroupOutcome, StorageEntry } from "../../index.js";
import type { Mode } from "./modes.js";

export interface ConditionalCalls {
  getEntry(key: string): Promise<StorageEntry>;
  setItem(key: string, value: unknown, opts?: object): Promise<void>;
  removeItem(key: string, opts?: object): Promise<void>;
  update(key: string, fn: (value: any) => unknown, opts?: object): Promise<any>;
  commit(group: AtomicGroup<any>): Promise<GroupOutcome>;
}

/** The methods of a storage in a mode, each with a Promise of its outcome. */
export function conditionalCallsOf(storage: any, mode: Mode): ConditionalCalls {
  const suffix = mode === "sync" ? "Sync" : "";
  const call =
    (name: string) =>
    async (...args: any[]) =>
      storage[name + suffix](...args);
  return {
    getEntry: call("getEntry"),
    setItem: call("setItem"),
    removeItem: call("removeItem"),
    update: call("update"),
    commit: async (group: any) => group[`commit${suffix}`](),
  };
}
