// One round is a few hundred programs of operations, each run against a storage and against the model.

import fc from "fast-check";
import { isOn, report, taskOfChild } from "../child.mjs";
import { Model } from "../model.mjs";
import { createStorage, restoreSnapshot, snapshot } from "../package.mjs";
import { BULK, mountPlan, operation } from "../programs.mjs";
import { randomOf } from "../random.mjs";
import { portrait } from "../same.mjs";
import { BEHIND, canSync, isNative, NO_ITEMS, Place } from "../stores.mjs";

const task = taskOfChild();
const PROGRAMS_A_ROUND = 20;
const MOST_OPERATIONS = 40;
/** Longest time to look for a shorter program that fails. */
const SHRINKING_MS = 60_000;

let steps = 0;

/** One program: a storage over the mounts of a plan, and its model. */
class Run {
  constructor(plan) {
    this.plans = [{ base: "", driver: plan.root }, ...plan.mounts];
    this.isWatched = plan.isWatched;
    this.model = new Model(this.plans.map(({ base, driver }) => ({ base, flag: driver.flag })));
    this.places = this.plans.map(({ driver }) => new Place(driver));
    for (const [index, { base }] of this.plans.entries()) {
      this.model.fill(base, this.places[index].items);
    }
    /** By base, the value of the file behind the link. */
    this.behind = new Map(this.plans.map(({ base }) => [base, "only"]));
    this.falseEvents = [];
    this.order = 0;
  }

  /** A storage over the places, and how it is ended. */
  opened() {
    const inner = [];
    const drivers = this.places.map((place) => place.open(inner));
    const storage = createStorage({ driver: drivers[0] });
    for (const [index, { base }] of this.plans.entries()) {
      if (base) storage.mount(base, drivers[index]);
    }
    const close = async () => {
      await storage.dispose();
      for (const each of inner) await each.dispose();
    };
    return { storage, close };
  }

  async open() {
    for (const { filled } of this.places) await filled;
    Object.assign(this, this.opened());
    if (this.isWatched) await this.storage.watch((event, key) => this.judgeEvent(event, key));
  }

  judgeEvent(event, key) {
    const isNoItem = this.plans.some(({ base }, index) => {
      return this.places[index].hasTraps && NO_ITEMS.some((name) => key === base + name);
    });
    const isNothing = event === "remove" && !this.model.wasRemoved(key) && this.model.has(key);
    if (this.model.isReadOnly(key) || isNoItem || isNothing) {
      this.falseEvents.push(`${event} ${key}`);
    }
  }

  get keepsAll() {
    return this.plans.every(({ driver }) => driver.kind !== "memory");
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
      case "clear": {
        model.clear(step.base);
        return step.sync && this.allSync ? storage.clearSync(step.base) : storage.clear(step.base);
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
      case "abandon": {
        steps += step.writes.length;
        return this.abandon(step);
      }
      case "snapshot": {
        if (this.plans.some(({ driver }) => driver.isSealed)) return;
        const found = await snapshot(storage, step.base);
        const keys = model.keys(step.base);
        const relative = (key) => key.slice(step.base.length);
        return this.same(
          `snapshot ${step.base}`,
          Object.entries(found)
            .map(([key, value]) => [key, portrait(value)])
            .sort(),
          keys.map((key) => [relative(key), portrait(model.get(key))]).sort(),
        );
      }
      case "restore": {
        for (const [key, value] of Object.entries(step.items)) model.set(step.base + key, value);
        return restoreSnapshot(storage, step.items, step.base);
      }
      case "behind":
        return this.reachBehind(step);
      default:
        return this.write(step);
    }
  }

  /** Makes writes that nobody awaits, and ends the storage or flushes it: all of them are done then. */
  async abandon({ bulk, writes, end }) {
    const { storage, model } = this;
    const many = Array.from({ length: bulk }, (_, number) => ({
      key: `${BULK}${number}`,
      value: number,
    }));
    await this.write({ op: "setItems", items: many });
    const failures = [];
    const clears = bulk > 0 ? [{ op: "clear", base: BULK }] : [];
    for (const write of [...clears, ...writes]) {
      this.write(write)?.catch((error) => failures.push(error));
    }
    if (end === "dispose") {
      await this.close();
      for (const [index, { base, driver }] of this.plans.entries()) {
        if (driver.kind === "memory") model.fill(base, this.places[index].items);
      }
      await this.open();
    } else {
      if (end === "flushSync" && this.plans.every(({ driver }) => isNative(driver))) {
        storage.flushSync();
      } else await storage.flush();
    }
    if (end !== "dispose" && this.keepsAll) {
      const other = this.opened();
      await this.compareAll(`in another storage after ${end}`, other.storage);
      await other.close();
    } else await this.compareAll(`after ${end}`);
    if (failures.length > 0) throw failures[0];
    // What is still clearing would take these away.
    if (bulk > 0) await this.write({ op: "setItems", items: many.slice(0, 10) });
  }

  /** The file behind the link to a folder is reached by its own full key, and not listed. */
  async reachBehind({ base, action }) {
    const index = this.plans.findIndex((mount) => mount.base === base);
    const { storage, places, behind } = this;
    if (!places[index]?.hasTraps) return;
    const key = base + BEHIND;
    const isReadOnly = this.plans[index].driver.flag === "readOnly";
    if (action === "get") {
      this.same(`getItem ${key}`, await storage.getItem(key), behind.get(base) ?? null);
      return;
    }
    this.order += 1;
    if (action === "set") await storage.setItem(key, this.order);
    else await storage.removeItem(key);
    // A queue lists what waits in it.
    await storage.flush();
    if (!isReadOnly) behind.set(base, action === "set" ? this.order : undefined);
  }

  async compareAll(when, storage = this.storage) {
    const keys = this.model.keys();
    this.same(`getKeys ${when}`, (await storage.getKeys()).sort(), keys);
    this.sameItems(`getItems ${when}`, await storage.getItems(keys), keys);
  }

  remove() {
    for (const place of this.places) place.remove();
  }

  checkOutside() {
    for (const [index, { base }] of this.plans.entries()) {
      this.places[index].check(this.behind.get(base) !== undefined);
    }
    if (this.falseEvents.length > 0) throw new Error(`false events: ${this.falseEvents}`);
  }

  async end() {
    await this.compareAll("at the end");
    await this.close();
    this.checkOutside();
    if (!this.keepsAll) return;
    // Nothing of it was in the memory of the storage alone.
    await this.open();
    await this.compareAll("once opened again");
    await this.close();
  }
}

const program = fc.asyncProperty(
  mountPlan,
  fc.array(operation, { maxLength: MOST_OPERATIONS, size: "max" }),
  async (plan, operations) => {
    const run = new Run(plan);
    await run.open();
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
      await run.close();
      run.remove();
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
