// electron-async-storage/preload

export * from "./common.js";
export { connectStorage, exposeStorage } from "./expose.js";
