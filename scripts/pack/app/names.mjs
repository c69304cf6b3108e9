// Prints what `import` of each module given gives: its names, and the kind of its default.

const result = {};
for (const id of process.argv.slice(2)) {
  const namespace = await import(id);
  result[id] = { names: Object.keys(namespace).sort(), kind: typeof namespace.default };
}
console.log(JSON.stringify(result));
