// What changes are made for, by the number that the core knows it by.

const NAMES = [
  "commit",
  "commitSync",
  "setItem",
  "setItemSync",
  "removeItem",
  "removeItemSync",
  "update",
  "updateSync",
];

export const OPERATION = Object.fromEntries(NAMES.map((name, number) => [name, number]));
