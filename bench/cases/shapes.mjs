// What the shape of a value costs.

import { newFolder } from "../lib/folder.mjs";
import { repeat } from "../lib/repeat.mjs";
import { rotate } from "../lib/rotate.mjs";
import { median } from "../lib/stats.mjs";
import { distinctValues, itemsOf, keysOf, shapes, values } from "../lib/values.mjs";
import * as ours from "../peers/ours.mjs";
import * as upstream from "../peers/upstream.mjs";

const stores = {
  memory: { ours: ours.memoryStorage, upstream: upstream.memoryStorage },
  fs: {
    ours: () => ours.fsStorage(newFolder()),
    upstream: () => upstream.fsStorage(newFolder()),
  },
};

const SET = "subject.setItemSync(key, value)";
const GET = "subject.getItemSync(key)";

async function costs(store, list, budget) {
  // Four keys are enough of the large values.
  const keys = keysOf(list.length < 64 ? 4 : 200);
  const [oursStorage, upstreamStorage] = [stores[store].ours(), stores[store].upstream()];
  const sides = [oursStorage, upstreamStorage];
  for (const storage of sides) await storage.setItems(itemsOf(keys, list));
  const runs = (expression) =>
    sides.map((subject) => ({ run: repeat(expression, { subject, keys, values: list }) }));
  const micros = async (expression) =>
    (await rotate(runs(expression), budget)).map((times) => median(times) / 1000);
  const result = { set: await micros(SET), get: await micros(GET) };
  for (const storage of sides) await storage.dispose();
  return result;
}

/** Microseconds of set and get, ours and upstream's, for each store and shape. */
export async function shapeTable(budget) {
  const rows = [];
  for (const store of Object.keys(stores)) {
    for (const [shape, title] of Object.entries(shapes)) {
      rows.push({ store, title, ...(await costs(store, values[shape], budget)) });
    }
  }
  return rows;
}

// More than a context remembers of what it read, each with a text of its own: each read is the first one
// again.
const FIRST_READS = 40_000;

/** Microseconds of reads of values that were not read before: ours, upstream's and those of the floor. */
export async function firstReadTable(budget) {
  const keys = keysOf(FIRST_READS);
  const rows = [];
  for (const shape of ["small", "profile"]) {
    const storages = [stores.memory.ours(), stores.memory.upstream()];
    const map = new Map();
    const list = distinctValues(shape, FIRST_READS);
    for (const [index, key] of keys.entries()) {
      const value = list[index];
      for (const storage of storages) storage.setItemSync(key, value);
      map.set(key, JSON.stringify(value));
    }
    const sides = [
      ...storages.map((subject) => ({ run: repeat(GET, { subject, keys }) })),
      { run: repeat("JSON.parse(subject.get(key))", { subject: map, keys }) },
    ];
    const times = (await rotate(sides, budget)).map((each) => median(each) / 1000);
    rows.push({ title: shapes[shape], times });
    for (const storage of storages) await storage.dispose();
  }
  return rows;
}
