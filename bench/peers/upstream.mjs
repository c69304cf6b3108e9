import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const name = "electron-async-storage-upstream";

export const { createStorage } = require(name);
export const driver = (driverName, options) => require(`${name}/drivers/${driverName}`)(options);

export const memoryStorage = () => createStorage({ driver: driver("memory") });
export const fsStorage = (base) => createStorage({ driver: driver("fs", { base }) });
export const queueStorage = (base) =>
  createStorage({ driver: driver("queue", { driver: driver("fs", { base }) }) });
