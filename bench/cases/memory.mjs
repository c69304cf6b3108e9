import { compare, compareStorages } from "../lib/case.mjs";
import { keysOf, values } from "../lib/values.mjs";
import * as ours from "../peers/ours.mjs";
import * as upstream from "../peers/upstream.mjs";

const keys = keysOf(1000);

const fillSync = (storage, allKeys, list) => {
  for (const [index, key] of allKeys.entries()) storage.setItemSync(key, list[index % list.length]);
};

const SET_SYNC = "subject.setItemSync(key, value)";
const GET_SYNC = "subject.getItemSync(key)";
const SET = "await subject.setItem(key, value)";
const GET = "await subject.getItem(key)";

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
      fill(map, allKeys, list) {
        for (const [index, key] of allKeys.entries()) {
          map.set(key, JSON.stringify(list[index % list.length]));
        }
      },
      expression,
    },
  });

const MAP_SET = "subject.set(key, JSON.stringify(value))";
const MAP_GET = "JSON.parse(subject.get(key))";

export const quick = [
  overUpstream("setItemSync, small", 5, SET_SYNC, "small"),
  overUpstream("setItemSync, profile", 6, SET_SYNC, "profile"),
  overUpstream("getItemSync, small", 2.5, GET_SYNC, "small"),
  overUpstream("getItemSync, profile", 1.8, GET_SYNC, "profile"),
  overUpstream("setItem awaited, small", 4, SET, "small"),
  overUpstream("getItem awaited, small", 2, GET, "small"),
  overMap("setItemSync, small", 0.65, SET_SYNC, MAP_SET, "small"),
  overMap("getItemSync, small", 0.7, GET_SYNC, MAP_GET, "small"),
  overMap("getItemSync, profile", 0.85, GET_SYNC, MAP_GET, "profile"),
  overUpstream("setItemSync, Dates + Set + Map", 4, SET_SYNC, "typed"),
  overUpstream("getItemSync, Dates + Set + Map", 2.5, GET_SYNC, "typed"),
];

export const full = [
  overUnstorage("setItem awaited, small", 1.5, SET),
  overUnstorage("getItem awaited, small", 1.5, GET),
];
