import { compare, compareStorages } from "../lib/case.mjs";
import { COLD_KEYS, compareCold } from "../lib/cold.mjs";
import { distinctValues, keysOf, values } from "../lib/values.mjs";
import * as ours from "../peers/ours.mjs";
import * as upstream from "../peers/upstream.mjs";

const keys = keysOf(1000);

const fillSync = (storage, allKeys, list) => {
  for (const [index, key] of allKeys.entries()) storage.setItemSync(key, list[index % list.length]);
};

const fillMap = (map, allKeys, list) => {
  for (const [index, key] of allKeys.entries()) {
    map.set(key, JSON.stringify(list[index % list.length]));
  }
};

const SET_SYNC = "subject.setItemSync(key, value)";
const GET_SYNC = "subject.getItemSync(key)";
const UPDATE_SYNC = "subject.updateSync(key, () => value)";
const SET = "await subject.setItem(key, value)";
const GET = "await subject.getItem(key)";
const GET_ITEMS = "await subject.getItems(keys)";
const MAP_SET = "subject.set(key, JSON.stringify(value))";
const MAP_GET = "JSON.parse(subject.get(key))";

const overUpstream = (operation, goal, expression, shape) =>
  compareStorages({
    operation: `memory ${operation}`,
    against: "upstream",
    goal,
    keys,
    values: values[shape],
    expression,
    fill: fillSync,
    openOurs: ours.memoryStorage,
    openPeer: upstream.memoryStorage,
  });

const overUnstorage = (operation, goal, expression) =>
  compare({
    operation: `memory ${operation}`,
    against: "unstorage memory",
    goal,
    keys,
    values: values.small,
    ours: { open: ours.memoryStorage, expression, fill: fillSync },
    peer: {
      async open() {
        const { createStorage } = await import("unstorage");
        return createStorage();
      },
      async fill(storage, allKeys, list) {
        for (const [index, key] of allKeys.entries()) {
          await storage.setItem(key, list[index % list.length]);
        }
      },
      expression,
    },
  });

const overMap = (operation, goal, oursExpression, expression, shape) =>
  compare({
    operation: `memory ${operation}`,
    against: "Map + JSON",
    goal,
    keys,
    values: values[shape],
    ours: { open: ours.memoryStorage, expression: oursExpression, fill: fillSync },
    peer: {
      open: () => new Map(),
      fill: fillMap,
      expression,
    },
  });

// What it costs to compare before a write: both sides are ours.
const overOwnSet = (shape) =>
  compare({
    operation: `memory updateSync, ${shape}`,
    against: "setItemSync of the same",
    goal: 0.33,
    keys,
    values: values[shape],
    ours: { open: ours.memoryStorage, expression: UPDATE_SYNC, fill: fillSync },
    peer: { open: ours.memoryStorage, expression: SET_SYNC, fill: fillSync },
  });

const coldKeys = keysOf(COLD_KEYS);

const overUpstreamCold = (operation, goal, expression, shape, { isFilled = true, ...more } = {}) =>
  compareCold({
    operation: `memory ${operation}`,
    against: "upstream",
    goal,
    keys: coldKeys,
    values: () => distinctValues(shape, COLD_KEYS),
    ours: { open: ours.memoryStorage, expression, fill: isFilled && fillSync },
    peer: { open: upstream.memoryStorage, expression, fill: isFilled && fillSync },
    ...more,
  });

const overMapCold = (operation, goal, shape) =>
  compareCold({
    operation: `memory ${operation}`,
    against: "Map + JSON",
    goal,
    keys: coldKeys,
    values: () => distinctValues(shape, COLD_KEYS),
    ours: { open: ours.memoryStorage, expression: GET_SYNC, fill: fillSync },
    peer: { open: () => new Map(), expression: MAP_GET, fill: fillMap },
  });

const overKeyvCold = (operation, goal, shape) =>
  compareCold({
    operation: `memory ${operation}`,
    against: "keyv on a Map",
    goal,
    keys: coldKeys,
    values: () => distinctValues(shape, COLD_KEYS),
    ours: { open: ours.memoryStorage, expression: GET, fill: fillSync },
    peer: {
      async open() {
        const { Keyv } = await import("keyv");
        return new Keyv();
      },
      async fill(keyv, allKeys, list) {
        for (const [index, key] of allKeys.entries()) await keyv.set(key, list[index]);
      },
      expression: "await subject.get(key)",
    },
  });

const NEW_KEYS = { isFilled: false };

export const quick = [
  overUpstreamCold("getItemSync cold, small", 2.2, GET_SYNC, "small"),
  overUpstreamCold("getItemSync cold, profile", 1.35, GET_SYNC, "profile"),
  overUpstreamCold("getItemSync cold, Dates + Set + Map", 2.2, GET_SYNC, "typed"),
  overMapCold("getItemSync cold, small", 0.7, "small"),
  overMapCold("getItemSync cold, profile", 0.85, "profile"),
  overUpstreamCold("setItemSync of new keys, small", 5, SET_SYNC, "small", NEW_KEYS),
  overUpstreamCold("setItemSync of new keys, profile", 6, SET_SYNC, "profile", NEW_KEYS),
  overUpstreamCold("setItemSync of new keys, Dates + Set + Map", 4, SET_SYNC, "typed", NEW_KEYS),
  overUpstreamCold("setItemSync of new keys, long text", 3, SET_SYNC, "text", NEW_KEYS),
  overUpstreamCold("getItem awaited cold, small", 1.8, GET, "small"),
  overUpstreamCold("getItems of 20,000 cold, small", 1.6, GET_ITEMS, "small", { isBatch: true }),
  overUpstream("setItemSync, small", 5, SET_SYNC, "small"),
  overUpstream("setItemSync, profile", 6, SET_SYNC, "profile"),
  overUpstream("getItemSync hot, small", 4, GET_SYNC, "small"),
  overUpstream("getItemSync hot, profile", 3, GET_SYNC, "profile"),
  overUpstream("setItem awaited, small", 4, SET, "small"),
  overUpstream("getItem awaited, small", 2, GET, "small"),
  overMap("setItemSync, small", 0.65, SET_SYNC, MAP_SET, "small"),
  overMap("getItemSync hot, small", 0.7, GET_SYNC, MAP_GET, "small"),
  overMap("getItemSync hot, profile", 0.85, GET_SYNC, MAP_GET, "profile"),
  overUpstream("setItemSync, Dates + Set + Map", 4, SET_SYNC, "typed"),
  overUpstream("getItemSync hot, Dates + Set + Map", 2.5, GET_SYNC, "typed"),
  overOwnSet("number"),
  overOwnSet("small"),
];

export const full = [
  overKeyvCold("getItem awaited cold, profile", 3.5, "profile"),
  overUnstorage("setItem awaited, small", 1.5, SET),
  overUnstorage("getItem awaited, small", 1.5, GET),
];
