// Drivers as users write them: over a Map, in the shapes that the guide allows.

import type { Driver, GroupOutcome, GroupStep } from "../../index.js";

/** Every method, each giving its value at once; no Sync method. */
export function plainDriver(data = new Map<string, any>()): Driver {
  return {
    name: "plain",
    getInstance: () => data,
    hasItem: (key) => data.has(key),
    getItem: (key) => data.get(key) ?? null,
    getItems: (items) => items.map(({ key }) => ({ key, value: data.get(key) ?? null })),
    getItemRaw: (key) => data.get(key) ?? null,
    getKeys: () => [...data.keys()],
    setItem(key, value) {
      data.set(key, value);
    },
    setItems(items) {
      for (const { key, value } of items) data.set(key, value);
    },
    setItemRaw(key, value) {
      data.set(key, value);
    },
    removeItem(key) {
      data.delete(key);
    },
    clear() {
      data.clear();
    },
    dispose() {
      data.clear();
    },
  };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** What a driver must have and the two writes, each giving a Promise that settles a turn later. */
export function promiseDriver(data = new Map<string, any>()): Driver {
  return {
    name: "promising",
    getInstance: () => data,
    async hasItem(key) {
      await turn();
      return data.has(key);
    },
    async getItem(key) {
      await turn();
      return data.get(key) ?? null;
    },
    // What a call does or sees is settled when it is made: the order of the calls is kept.
    async getKeys() {
      const keys = [...data.keys()];
      await turn();
      return keys;
    },
    async setItem(key, value) {
      data.set(key, value);
      await turn();
    },
    async removeItem(key) {
      data.delete(key);
      await turn();
    },
  };
}

/** Promises from the plain methods; what is synchronous is in the Sync methods alone. */
export function syncMethodsDriver(data = new Map<string, any>()): Driver {
  return {
    ...promiseDriver(data),
    name: "two-faced",
    hasItemSync: (key) => data.has(key),
    getItemSync: (key) => data.get(key) ?? null,
    getItemsSync: (items) => items.map(({ key }) => ({ key, value: data.get(key) ?? null })),
    getItemRawSync: (key) => data.get(key) ?? null,
    getItemRaw: async (key) => data.get(key) ?? null,
    getKeysSync: (base) => [...data.keys()].filter((key) => key.startsWith(base)),
    setItemSync(key, value) {
      data.set(key, value);
    },
    setItemsSync(items) {
      for (const { key, value } of items) data.set(key, value);
    },
    setItemRawSync(key, value) {
      data.set(key, value);
    },
    async setItemRaw(key, value) {
      data.set(key, value);
    },
    removeItemSync(key) {
      data.delete(key);
    },
    clearSync(base) {
      for (const key of [...data.keys()]) if (key.startsWith(base)) data.delete(key);
    },
  };
}

/** One call that a driver got. */
export interface Call {
  method: string;
  args: unknown[];
  self: unknown;
}

/** A driver that notes every call and passes it on. */
export function recorder(driver: Driver): { driver: Driver; calls: Call[] } {
  const calls: Call[] = [];
  const entries = Object.entries(driver).map(([name, value]) => {
    if (typeof value !== "function") return [name, value];
    function noted(this: unknown, ...args: unknown[]) {
      calls.push({ method: name, args, self: this });
      return value.apply(driver, args);
    }
    return [name, noted];
  });
  return { driver: Object.fromEntries(entries), calls };
}

/** Of the calls of a recorder, those of one method. */
export function callsTo(calls: Call[], method: string): Call[] {
  return calls.filter((call) => call.method === method);
}

/** As `syncMethodsDriver`, with groups. */
export function committingDriver(data = new Map<string, any>()): Driver {
  function commitSync(ops: GroupStep[]): GroupOutcome {
    const conflicts: string[] = [];
    for (const op of ops) {
      if (op.type === "check" && op.value !== (data.get(op.key) ?? null)) conflicts.push(op.key);
    }
    if (conflicts.length > 0) return { ok: false, conflicts };
    for (const op of ops) {
      if (op.type === "set") data.set(op.key, op.value);
      else if (op.type === "remove") data.delete(op.key);
    }
    return { ok: true };
  }
  return {
    ...syncMethodsDriver(data),
    name: "committing",
    commitSync,
    async commit(ops) {
      const outcome = commitSync(ops);
      await turn();
      return outcome;
    },
  };
}
