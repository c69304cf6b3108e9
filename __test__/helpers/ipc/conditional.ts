// A storage over memory with conditional writes, as far as a server asks for them: what it passes on shows
// here, whatever the storage of the package does.

import { createHash } from "node:crypto";
import { createStorage } from "../package.js";

const conflict = (key: string) =>
  Object.assign(new Error(`conflict at ${key}`), { code: "EAS_CONFLICT", key });

export function conditionalStorage(): any {
  const storage: any = createStorage();
  const tagOf = (value: unknown) =>
    value === null ? null : createHash("sha256").update(JSON.stringify(value)).digest("hex");
  const getEntrySync = (key: string) => {
    const value = storage.getItemSync(key);
    return { key, value, etag: tagOf(value) };
  };
  const check = (key: string, opts: any) => {
    if (opts?.ifMatch !== undefined && getEntrySync(key).etag !== opts.ifMatch) throw conflict(key);
  };
  const setItemSync = (key: string, value: unknown, opts: any) => {
    check(key, opts);
    storage.setItemSync(key, value, opts);
  };
  const removeItemSync = (key: string, opts: any) => {
    check(key, opts);
    storage.removeItemSync(key, opts);
  };
  const atomic = () => {
    const checks: [string, string | null][] = [];
    const steps: (() => void)[] = [];
    const group = {
      check(key: string, etag: string | null) {
        checks.push([key, etag]);
        return group;
      },
      set(key: string, value: unknown, opts?: object) {
        steps.push(() => storage.setItemSync(key, value, opts));
        return group;
      },
      remove(key: string) {
        steps.push(() => storage.removeItemSync(key));
        return group;
      },
      commitSync() {
        const conflicts = checks
          .filter(([key, etag]) => getEntrySync(key).etag !== etag)
          .map(([key]) => key);
        if (conflicts.length > 0) return { ok: false, conflicts };
        for (const step of steps) step();
        return { ok: true };
      },
      commit: async () => group.commitSync(),
    };
    return group;
  };
  return {
    ...storage,
    getEntrySync,
    getEntry: async (key: string) => getEntrySync(key),
    setItemSync,
    setItem: async (...args: Parameters<typeof setItemSync>) => setItemSync(...args),
    removeItemSync,
    removeItem: async (...args: Parameters<typeof removeItemSync>) => removeItemSync(...args),
    atomic,
  };
}
