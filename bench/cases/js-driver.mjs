import { compareStorages } from "../lib/case.mjs";
import { COLD_KEYS, compareCold } from "../lib/cold.mjs";
import { distinctValues, keysOf, values } from "../lib/values.mjs";
import * as ours from "../peers/ours.mjs";
import * as upstream from "../peers/upstream.mjs";

// A driver of the user's that gives values, not Promises, from both forms of its methods.
function mapDriver() {
  const data = new Map();
  const hasItem = (key) => data.has(key);
  const getItem = (key) => data.get(key) ?? null;
  const getKeys = () => [...data.keys()];
  const setItem = (key, value) => {
    data.set(key, value);
  };
  const removeItem = (key) => {
    data.delete(key);
  };
  return {
    name: "map",
    hasItem,
    getItem,
    getKeys,
    setItem,
    removeItem,
    hasItemSync: hasItem,
    getItemSync: getItem,
    getKeysSync: getKeys,
    setItemSync: setItem,
    removeItemSync: removeItem,
  };
}

const fill = (storage, keys, list) => {
  for (const [index, key] of keys.entries()) storage.setItemSync(key, list[index % list.length]);
};

const coldRow = (operation, expression) => {
  const side = ({ createStorage }) => ({
    open: () => createStorage({ driver: mapDriver() }),
    fill,
    expression,
  });
  return compareCold({
    operation: `JS driver ${operation} cold, profile`,
    against: "upstream, same driver",
    goal: 1.1,
    keys: keysOf(COLD_KEYS),
    values: () => distinctValues("profile", COLD_KEYS),
    ours: side(ours),
    peer: side(upstream),
  });
};

const row = (operation, goal, expression) =>
  compareStorages({
    operation: `JS driver ${operation}, profile`,
    against: "upstream, same driver",
    goal,
    keys: keysOf(1000),
    values: values.profile,
    expression,
    fill,
    openOurs: () => ours.createStorage({ driver: mapDriver() }),
    openPeer: () => upstream.createStorage({ driver: mapDriver() }),
  });

export const quick = [
  coldRow("getItem awaited", "await subject.getItem(key)"),
  coldRow("getItemSync", "subject.getItemSync(key)"),
  row("setItem awaited", 2, "await subject.setItem(key, value)"),
  row("getItem awaited", 1.2, "await subject.getItem(key)"),
  row("setItemSync", 2, "subject.setItemSync(key, value)"),
  row("getItemSync", 1.2, "subject.getItemSync(key)"),
];

export const full = [];
