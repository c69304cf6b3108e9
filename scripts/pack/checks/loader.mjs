import assert from "node:assert/strict";
import { copyFileSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readJson } from "../stage.mjs";

export const title = "without a binary the error says what to do, and EAS_NATIVE_PATH overrides it";

const load = ["-p", 'typeof require("electron-async-storage").createStorage'];
const loadDriver = ["-p", 'typeof require("electron-async-storage/drivers/memory")'];

export function check({ app, folder, installed, platform, node }) {
  const { version } = readJson(installed, "package.json");
  const present = join(app, "node_modules", platform.name);
  const away = join(folder, "platform-taken-away");
  const binary = join(folder, "elsewhere.node");
  copyFileSync(join(present, platform.binary), binary);

  renameSync(present, away);
  try {
    for (const args of [load, loadDriver]) {
      assert.throws(
        () => node(args),
        ({ message }) => {
          const words = [
            "[electron-async-storage]",
            `platform ${process.platform}`,
            `architecture ${process.arch}`,
            `the package ${platform.name} is missing`,
            `npm install --save-optional ${platform.name}@${version}`,
          ];
          if (process.platform === "linux") words.push("C library ");
          for (const word of words) assert.ok(message.includes(word), `${word} in:\n${message}`);
          return true;
        },
      );
      assert.equal(node(args, { EAS_NATIVE_PATH: binary }).trim(), "function");
    }
  } finally {
    renameSync(away, present);
  }

  const broken = join(folder, "broken.node");
  writeFileSync(broken, "not a binary");
  assert.throws(() => node(load, { EAS_NATIVE_PATH: broken }), /EAS_NATIVE_PATH is .*broken\.node/);

  const whole = readFileSync(join(present, platform.binary));
  writeFileSync(join(present, platform.binary), "not a binary");
  try {
    assert.throws(() => node(load), /is installed but cannot be loaded: .*\n.*npm install --force/);
  } finally {
    writeFileSync(join(present, platform.binary), whole);
  }
  assert.equal(node(load).trim(), "function");
}
