import { createRequire } from "node:module";
import { MissingDriver } from "../lib/missing.mjs";

const require = createRequire(import.meta.url);

const { drivers } = require("../../loader.js");

export const { createStorage } = require("../../index.js");

export function driver(name, options) {
  if (!(name in drivers)) throw new MissingDriver(`no driver ${name} in this build`);
  return require(`../../drivers/${name}.js`)(options);
}

export const memoryStorage = () => createStorage({ driver: driver("memory") });
export const fsStorage = (base, options) =>
  createStorage({ driver: driver("fs", { ...options, base }) });
export const sqliteStorage = (base, options) =>
  createStorage({ driver: driver("sqlite", { ...options, base }) });
export const queueStorage = (base, options) =>
  createStorage({ driver: driver("queue", { ...options, driver: driver("fs", { base }) }) });
