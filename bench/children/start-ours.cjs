const { createStorage } = require("../../index.js");
const fsDriver = require("../../drivers/fs.js");

const storage = createStorage({ driver: fsDriver({ base: process.argv[2] }) });
if (storage.getItemSync("app:settings") === null) process.exitCode = 1;
