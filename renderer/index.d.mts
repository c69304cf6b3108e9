// TypeScript takes a declaration for what its name says: this one is for index.mjs.

export * from "./index.js";
