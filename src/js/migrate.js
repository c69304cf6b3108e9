// Migrations: the user's steps in order, all of them or none. The native core records and undoes.

export const VERSION_KEY = "__storage_version__";

function asError(thrown) {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
}

function failure(message, cause) {
  const error = new Error(
    `[electron-async-storage] ${message}`,
    cause === undefined ? undefined : { cause },
  );
  return Object.assign(error, { code: "EAS_MIGRATION", operation: "migrate" });
}

function checked(version) {
  if (Number.isSafeInteger(version) && version >= 0) return version;
  const given = typeof version === "string" ? JSON.stringify(version) : String(version);
  throw Object.assign(
    new Error(
      `[electron-async-storage] Invalid option \`version\`: expected a whole number from 0, got ${given}.`,
    ),
    { code: "EAS_INVALID_OPTION", operation: "migrate" },
  );
}

// The steps above `from` up to `to`, in order. Versions without a step are passed over.
function stepsBetween(migrations, from, to) {
  return Object.keys(migrations)
    .map(Number)
    .filter((version) => version > from && version <= to)
    .sort((a, b) => a - b)
    .map((version) => migrations[version]);
}

export function makeMigrations(handle, storage, options) {
  const { version, migrations, migrationHooks: hooks } = options;
  let running;

  async function storedVersion() {
    let wasThere = false;
    for (;;) {
      const stored = await storage.getItem(VERSION_KEY);
      if (typeof stored === "number") return stored;
      if (stored === null && !(await storage.hasItem(VERSION_KEY))) return 0;
      if (stored !== null || wasThere) break;
      // Another process may have stored it between the two looks.
      wasThere = true;
    }
    // As version 0 it would run steps over data that may well have been through them.
    throw failure(
      `The stored version at ${VERSION_KEY} is not a number. Write the number that the data is at, or remove the item to start from 0.`,
    );
  }

  async function runSteps(from, to) {
    await hooks?.beforeMigration?.(from, to, storage);
    for (const step of stepsBetween(migrations, from, to)) await step(storage);
    await storage.setItem(VERSION_KEY, to);
    await hooks?.afterMigration?.(from, to, storage);
  }

  // What the caller gets: the error, unless something worse has happened.
  async function undone(error) {
    try {
      await core.undoMigration(handle);
      return error;
    } catch (undoError) {
      const why = asError(undoError).message;
      return failure(
        `The migration failed (${asError(error).message}) and could not be undone (${why}). The next migrate() tries again.`,
        error,
      );
    }
  }

  // The error of the migration matters more than one of the hook that is told of it.
  async function reported(error, from, to) {
    try {
      await hooks?.onMigrationError?.(error, from, to, storage);
    } catch (hookError) {
      const message = `[electron-async-storage] The hook onMigrationError failed: ${asError(hookError).message}`;
      process.emitWarning(message, { code: "EAS_MIGRATION", type: "StorageWarning" });
    }
  }

  async function run() {
    const to = checked(version);
    // An open migration of another process, or a killed one, makes the stored version provisional.
    if ((await storedVersion()) >= to && !(await core.isMigrationOpen(handle))) return;
    let from = 0;
    try {
      await core.beginMigration(handle);
      // Another process may have done it while this one waited.
      from = await storedVersion();
      if (from < to) await runSteps(from, to);
      await core.commitMigration(handle);
    } catch (error) {
      const outcome = await undone(error);
      await reported(asError(outcome), from, to);
      throw outcome;
    }
  }

  return {
    async migrate() {
      if (version === undefined || !migrations) return;
      running ??= run().finally(() => {
        running = undefined;
      });
      await running;
    },
    async getStorageVersion() {
      return storage.getItem(VERSION_KEY);
    },
  };
}
