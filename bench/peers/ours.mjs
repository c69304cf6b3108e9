import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** The addon is there, the driver is not: its rows are shown as missing. */
export class MissingDriver extends Error {}

export const { createStorage } = require("../../index.js");

export function driver(name, options) {
  let factory;
  try {
    factory = require(`../../drivers/${name}.js`);
  } catch (error) {
    if (error.code !== "MODULE_NOT_FOUND") throw error;
  }
  if (typeof factory !== "function") throw new MissingDriver(`no driver ${name} in this build`);
  return factory(options);
}

export const memoryStorage = () => createStorage({ driver: driver("memory") });
export const fsStorage = (base, options) =>
  createStorage({ driver: driver("fs", { ...options, base }) });
export const queueStorage = (base) =>
  createStorage({ driver: driver("queue", { driver: driver("fs", { base }) }) });
