"use strict";

/** @type {import("@electron-forge/shared-types").ForgeConfig} */
module.exports = {
  packagerConfig: {
    // The system loads a binary from a file of its own, never from inside an archive.
    asar: { unpack: "**/*.node" },
    ignore: [
      /^\/(src|vendor|out|release)($|\/)/,
      /^\/(tsconfig\.json|electron-builder\.yml|forge\.config\.js)$/,
    ],
    osxUniversal: {
      // Both platform packages are in both halves of the app; each is for one kind of Mac, and the loader
      // picks the one that fits. Merging them into one file would be wrong.
      x64ArchFiles: "**/electron-async-storage-darwin-*/*.node",
    },
  },
  // The binaries are Node-API addons, the same for every version of Electron: nothing to rebuild.
  rebuildConfig: { onlyModules: [] },
  makers: [{ name: "@electron-forge/maker-zip" }],
};
