// Prints what `require` of each module given gives: its names, and whether it is a function.

const result = {};
for (const id of process.argv.slice(2)) {
  const exported = require(id);
  result[id] = { names: Object.keys(exported).sort(), kind: typeof exported };
  // A function that is its own default export works after `import x = require()` and after interop.
  if (typeof exported === "function") result[id].isItsDefault = exported.default === exported;
}
console.log(JSON.stringify(result));
