const { createStorage } = require("electron-async-storage-upstream");
const fsDriver = require("electron-async-storage-upstream/drivers/fs");

const storage = createStorage({ driver: fsDriver({ base: process.argv[2] }) });
if (storage.getItemSync("app:settings") === null) process.exitCode = 1;
