// Names of the built-in drivers and the modules that they are in.

export const builtinDrivers = {};

for (const name of core.driverNames) {
  const path = `electron-async-storage/drivers/${name}`;
  builtinDrivers[name] = path;
  builtinDrivers[name.replace(/-(.)/g, (_, letter) => letter.toUpperCase())] = path;
}

Object.freeze(builtinDrivers);
