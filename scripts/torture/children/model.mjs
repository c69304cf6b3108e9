// One round is a few hundred programs of operations, each run against a storage and against the model.

import fc from "fast-check";
import { isOn, report, taskOfChild } from "../child.mjs";
import { folder } from "../folders.mjs";
import { Model } from "../model.mjs";
import { createStorage, fs, fsLite, memory, queue } from "../package.mjs";
import { randomOf } from "../random.mjs";
import { portrait } from "../same.mjs";

const task = taskOfChild();
const PROGRAMS_A_ROUND = 20;
const MOST_OPERATIONS = 40;
/** Longest time to look for a shorter program that fails. */
const SHRINKING_MS = 60_000;

const turn = () => new Promise((resolve) => setImmediate(resolve));

// --- drivers ---

function syncMethods(data) {
  return {
    hasItemSync: (key) => data.has(key),
    getItemSync: (key) => data.get(key) ?? null,
    getKeysSync: () => [...data.keys()],
    setItemSync: (key, value) => void data.set(key, value),
    removeItemSync: (key) => void data.delete(key),
  };
}

const makers = {
  memory: () => memory(),
  fs: ({ base }) => fs({ base, durability: "none" }),
  "fs-lite": ({ base }) => fsLite({ base, durability: "background" }),
  /** Values at once, and Sync methods. */
  plain: ({ data }) => ({
    name: "plain",
    hasItem: (key) => data.has(key),
    getItem: (key) => data.get(key) ?? null,
    getKeys: () => [...data.keys()],
    setItem: (key, value) => void data.set(key, value),
    removeItem: (key) => void data.delete(key),
    ...syncMethods(data),
  }),
  /** Promises that settle a turn later; no Sync method. What a call does it does when it is made. */
  promises: ({ data }) => ({
    name: "promises",
    async hasItem(key) {
      await turn();
      return data.has(key);
    },
    async getItem(key) {
      const value = data.get(key) ?? null;
      await turn();
      return value;
    },
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
  }),
};

const kind = fc.constantFrom(...Object.keys(makers));
const queueOptions = fc.record({
  batchSize: fc.integer({ min: 1, max: 4 }),
  flushInterval: fc.constantFrom(1, 3, 1000),
  maxQueueSize: fc.integer({ min: 1, max: 6 }),
  mergeUpdates: fc.boolean(),
});
const driverPlan = fc.record({ kind, queue: fc.option(queueOptions, { freq: 2 }) });
const bases = fc.constantFrom("a:", "a:b:", "b:", "c:d:");
const mountPlan = fc.record({
  root: driverPlan,
  mounts: fc.uniqueArray(fc.record({ base: bases, driver: driverPlan }), {
    selector: ({ base }) => base,
    maxLength: 3,
  }),
});

const canSync = ({ kind }) => kind !== "promises";

// --- operations ---

const segment = fc.constantFrom("a", "b", "c", "d", "é<", "con");
const key = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(":"));
const base = fc.oneof(
  fc.constant(""),
  bases,
  key.map((text) => `${text}:`),
);

const value = fc.oneof(
  fc.integer(),
  fc.constantFrom("", "text", null, true, false, 0, -0, Number.NaN),
  fc.string({ unit: "grapheme", maxLength: 20 }),
  fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }),
  fc.date(),
  fc.array(fc.oneof(fc.integer(), fc.constant(undefined), fc.date()), { maxLength: 4 }),
  fc.dictionary(fc.constantFrom("x", "y.z", "json", "meta"), fc.oneof(fc.string(), fc.date())),
  fc
    .array(fc.tuple(fc.string(), fc.integer()), { maxLength: 3 })
    .map((entries) => new Map(entries)),
  fc.array(fc.integer(), { maxLength: 3 }).map((items) => new Set(items)),
  fc.uint8Array({ maxLength: 8 }),
  fc.integer({ min: 1000, max: 60_000 }).map((size) => "large ".repeat(size / 6)),
);
const written = fc.oneof(
  { weight: 9, arbitrary: value },
  { weight: 1, arbitrary: fc.constant(undefined) },
);

const sync = fc.boolean();
const write = fc.oneof(
  { weight: 5, arbitrary: fc.record({ op: fc.constant("set"), sync, key, value: written }) },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant("remove"), sync, key, withMeta: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant("setItems"),
      sync,
      items: fc.array(fc.record({ key, value: written }), { maxLength: 5 }),
    }),
  },
);
const operation = fc.oneof(
  { weight: 8, arbitrary: write },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("get"), sync, key }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("has"), sync, key }) },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant("getItems"),
      sync,
      keys: fc.array(key, { maxLength: 5 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant("getKeys"),
      sync,
      base,
      maxDepth: fc.option(fc.nat({ max: 3 }), { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("clear"), sync, base }) },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant("setMeta"),
      sync,
      key,
      meta: fc.dictionary(fc.constantFrom("owner", "tags"), fc.string()),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("removeMeta"), sync, key }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("getMeta"), sync, key }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("flush"), sync }) },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant("unawaited"),
      writes: fc.array(write, { minLength: 2, maxLength: 8 }),
    }),
  },
);

let steps = 0;

/** One program: a storage over the mounts of a plan, and its model. */
class Run {
  constructor(plan) {
    this.plans = [{ base: "", driver: plan.root }, ...plan.mounts];
    this.model = new Model(this.plans.map((mount) => mount.base));
    // Where each mount keeps its items, whoever opens it.
    this.places = this.plans.map(({ driver }) => ({
      data: new Map(),
      base: driver.kind.startsWith("fs") ? folder() : "",
    }));
    this.open();
  }

  open() {
    const drivers = this.plans.map(({ driver: { kind, queue: options } }, index) => {
      const inner = makers[kind](this.places[index]);
      return options ? queue({ ...options, driver: inner }) : inner;
    });
    this.storage = createStorage({ driver: drivers[0] });
    for (const [index, { base }] of this.plans.entries()) {
      if (base) this.storage.mount(base, drivers[index]);
    }
  }

  /** Whether the Sync form can be had for keys, or for all the mounts that a base may touch. */
  syncFor(keys) {
    return keys.every((key) => {
      const base = this.model.baseOf(key);
      return canSync(this.plans.find((mount) => mount.base === base).driver);
    });
  }

  get allSync() {
    return this.plans.every(({ driver }) => canSync(driver));
  }

  /** Makes a write and gives its Promise, or undefined when it is done. */
  write(step) {
    const { storage, model } = this;
    switch (step.op) {
      case "set": {
        model.set(step.key, step.value);
        if (step.sync && this.syncFor([step.key])) return storage.setItemSync(step.key, step.value);
        return storage.setItem(step.key, step.value);
      }
      case "remove": {
        model.remove(step.key, step.withMeta);
        const options = { removeMeta: step.withMeta };
        if (step.sync && this.syncFor([step.key])) return storage.removeItemSync(step.key, options);
        return storage.removeItem(step.key, options);
      }
      default: {
        for (const { key, value } of step.items) model.set(key, value);
        if (step.sync && this.syncFor(step.items.map(({ key }) => key))) {
          return storage.setItemsSync(step.items);
        }
        return storage.setItems(step.items);
      }
    }
  }

  same(what, found, expected) {
    const [one, other] = [portrait(found), portrait(expected)];
    if (one !== other) throw new Error(`${what} gives ${one}, expected ${other}`);
  }

  /** The answers of a batch; each is read by itself, so that none shares anything with another. */
  sameItems(what, found, keys) {
    const expected = keys.map((key) => [key, portrait(this.model.get(key))]);
    this.same(
      what,
      found.map(({ key, value }) => [key, portrait(value)]),
      expected,
    );
  }

  async step(step) {
    const { storage, model } = this;
    steps += 1;
    switch (step.op) {
      case "get": {
        const isSync = step.sync && this.syncFor([step.key]);
        const found = isSync ? storage.getItemSync(step.key) : await storage.getItem(step.key);
        return this.same(`getItem ${step.key}`, found, model.get(step.key));
      }
      case "has": {
        const isSync = step.sync && this.syncFor([step.key]);
        const found = isSync ? storage.hasItemSync(step.key) : await storage.hasItem(step.key);
        return this.same(`hasItem ${step.key}`, found, model.has(step.key));
      }
      case "getItems": {
        const isSync = step.sync && this.syncFor(step.keys);
        const found = isSync ? storage.getItemsSync(step.keys) : await storage.getItems(step.keys);
        return this.sameItems("getItems", found, step.keys);
      }
      case "getKeys": {
        const options = { maxDepth: step.maxDepth };
        const found =
          step.sync && this.allSync
            ? storage.getKeysSync(step.base, options)
            : await storage.getKeys(step.base, options);
        return this.same(
          `getKeys ${step.base} ${step.maxDepth}`,
          found.sort(),
          model.keys(step.base, step.maxDepth),
        );
      }
      case "clear": {
        if (step.sync && this.allSync) storage.clearSync(step.base);
        else await storage.clear(step.base);
        return model.clear(step.base);
      }
      case "setMeta": {
        model.setMeta(step.key, step.meta);
        if (step.sync && this.syncFor([step.key])) return storage.setMetaSync(step.key, step.meta);
        return storage.setMeta(step.key, step.meta);
      }
      case "removeMeta": {
        model.removeMeta(step.key);
        if (step.sync && this.syncFor([step.key])) return storage.removeMetaSync(step.key);
        return storage.removeMeta(step.key);
      }
      case "getMeta": {
        const isSync = step.sync && this.syncFor([step.key]);
        const found = isSync ? storage.getMetaSync(step.key) : await storage.getMeta(step.key);
        const expected = model.meta(step.key);
        if (expected === undefined) return;
        for (const name of ["owner", "tags"]) {
          this.same(`getMeta ${step.key} ${name}`, found[name], expected[name]);
        }
        return;
      }
      case "flush": {
        if (step.sync && this.allSync) return storage.flushSync();
        return storage.flush();
      }
      case "unawaited": {
        steps += step.writes.length - 1;
        return Promise.all(step.writes.map((each) => this.write(each)));
      }
      default:
        return this.write(step);
    }
  }

  async compareAll(when) {
    const keys = this.model.keys();
    this.same(`getKeys ${when}`, (await this.storage.getKeys()).sort(), keys);
    this.sameItems(`getItems ${when}`, await this.storage.getItems(keys), keys);
  }

  async end() {
    await this.compareAll("at the end");
    await this.storage.dispose();
    if (this.plans.some(({ driver }) => driver.kind === "memory")) return;
    // Nothing of it was in the memory of the storage alone.
    this.open();
    await this.compareAll("once opened again");
    await this.storage.dispose();
  }
}

const program = fc.asyncProperty(
  mountPlan,
  fc.array(operation, { maxLength: MOST_OPERATIONS, size: "max" }),
  async (plan, operations) => {
    const run = new Run(plan);
    try {
      for (const [index, step] of operations.entries()) {
        try {
          await run.step(step);
        } catch (error) {
          throw new Error(`step ${index}, ${step.op}: ${error.stack}`, { cause: error });
        }
      }
      await run.end();
    } finally {
      await run.storage.dispose();
    }
  },
);

for (let round = task.from; isOn(task, round); round++) {
  const result = await fc.check(program, {
    seed: randomOf(task, round).below(2 ** 31),
    numRuns: PROGRAMS_A_ROUND,
    interruptAfterTimeLimit: Math.max(task.deadlineMs - Date.now(), 0) + SHRINKING_MS,
  });
  if (result.failed) {
    const program = fc.stringify(result.counterexample);
    report.loss(
      `round ${round}, made shorter ${result.numShrinks} times: ${result.errorInstance?.message}\n${program}`,
    );
  }
  report.round();
}
report.note(`${steps} steps`);
process.exit(0);
