"use strict";

// The package's own preload in the sessions that are served.

const { join } = require("node:path");

const preloadPath = join(__dirname, "..", "preload", "register.js");

/** Registers it, and gives the function that takes it away again. */
function registerPreload(session) {
  if (typeof session.registerPreloadScript === "function") {
    const id = session.registerPreloadScript({ type: "frame", filePath: preloadPath });
    return () => session.unregisterPreloadScript(id);
  }
  session.setPreloads([...session.getPreloads(), preloadPath]);
  return () => {
    const others = session.getPreloads().filter((path) => path !== preloadPath);
    session.setPreloads(others);
  };
}

module.exports = { preloadPath, registerPreload };
