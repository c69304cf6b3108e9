"use strict";

/**
 * Uses every module of the package, and returns what came out. `node` has the functions of Node that are
 * needed: a bundle of ES modules cannot hold a CommonJS module that requires them.
 */
module.exports = async function exercise(modules, node) {
  const { eas, fs, fsLite, memory, queue, utils, moving } = modules;
  const { join } = node;
  const base = node.mkdtempSync(join(node.tmpdir(), "eas-entry-"));
  try {
    const storage = eas.createStorage({ driver: fs({ base }) });
    storage.mount("queue", queue({ driver: memory() }));
    storage.mount("lite", fsLite({ base: join(base, "lite") }));

    await storage.setItem("a:b", new Map([["when", new Date(0)]]));
    await storage.setItem("queue:x", 1);
    storage.setItemSync("lite:y", [true]);
    await storage.flush();

    const config = join(base, "config.json");
    node.writeFileSync(config, '{"theme":"dark"}');
    const { imported } = await moving.importElectronStore(config, storage, { base: "lite" });

    const seen = {
      when: storage.getItemSync("a:b").get("when").getTime(),
      queued: await storage.getItem("queue:x"),
      lite: eas.prefixStorage(storage, "lite").getItemSync("y"),
      key: eas.normalizeKey("/a\\b/"),
      error: utils.createError("demo", "no").message,
      imported,
    };
    await storage.dispose();
    return seen;
  } finally {
    node.rmSync(base, { recursive: true, force: true });
  }
};
