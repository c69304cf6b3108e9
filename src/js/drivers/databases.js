// What a driver has that keeps its items in a database.

function databaseMethods(handle) {
  return {
    async verify() {
      const [ok, problems] = await core.verifyDatabase(handle);
      return { ok, problems };
    },
    async backup(file) {
      await core.backupDatabase(handle, file);
    },
    async compact() {
      await core.compactDatabase(handle);
    },
  };
}

export const databases = { sqlite: databaseMethods };
