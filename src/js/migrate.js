// Migrations: the user's steps in order, all of them or none. The native core records and undoes.

import { around, canTellCallers, runInside } from "./async-context.js";
import { messageOf } from "./thrown.js";

export const VERSION_KEY = "__storage_version__";

function asError(thrown) {
  return thrown instanceof Error ? thrown : new Error(messageOf(thrown), { cause: thrown });
}

function failure(message, cause, operation = "migrate") {
  const error = new Error(
    `[electron-async-storage] ${message}`,
    cause === undefined ? undefined : { cause },
  );
  return Object.assign(error, { code: "EAS_MIGRATION", operation });
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

function invalidMigrations(what) {
  return Object.assign(
    new Error(
      `[electron-async-storage] Invalid option \`migrations\`: ${what}. Each key is the version that its function brings the data to, a whole number from 1 in plain form, such as 1 or 12.`,
    ),
    { code: "EAS_INVALID_OPTION", operation: "createStorage" },
  );
}

// Numbers in another spelling would be passed over, or looked up in vain.
function checkSteps(migrations) {
  for (const [key, step] of Object.entries(migrations)) {
    const version = Number(key);
    if (!/^[1-9][0-9]*$/.test(key) || !Number.isSafeInteger(version)) {
      throw invalidMigrations(`${JSON.stringify(key)} is not such a key`);
    }
    if (typeof step !== "function" && step !== undefined) {
      throw invalidMigrations(`what it has for ${key} is not a function`);
    }
  }
}

// The steps above `from` up to `to`, in order. Versions without a step are passed over.
function stepsBetween(migrations, from, to) {
  checkSteps(migrations);
  return Object.keys(migrations)
    .map(Number)
    .filter((version) => version > from && version <= to && migrations[version] !== undefined)
    .sort((a, b) => a - b)
    .map((version) => migrations[version]);
}

// A storage with schemas is another object than the one that its steps get; its methods are the same.
const isMountedIn = (inner, outer) =>
  outer.getMounts().some(({ driver }) => driver.migrate === inner.migrate);

// By driver: the end of the last migration over it. The locks of stores keep other processes waiting too, but
// a driver of a user has none.
const ends = new WeakMap();

function inTurn(driver, run) {
  const turn = (ends.get(driver) ?? Promise.resolve()).then(run);
  ends.set(
    driver,
    turn.catch(() => {}),
  );
  return turn;
}

export function makeMigrations(handle, storage, options) {
  const { version, migrations, migrationHooks: hooks } = options;
  if (migrations) checkSteps(migrations);
  let running;

  function insideFailure(operation, instead) {
    return failure(
      `${operation}() was called inside a step or a hook of a migration of the same data, and would wait for itself. Leave the call out: ${instead}.`,
      undefined,
      operation,
    );
  }

  // Fails for a call that would wait for the migration which it is made by: that of this storage, of one
  // that is mounted in it or that it is mounted in, or of another storage of the same data.
  async function refuseInside() {
    const others = around().filter((other) => other.isRunning);
    if (others.length === 0) return;
    const isSame = others.some(
      ({ storage: other }) =>
        other === storage || isMountedIn(other, storage) || isMountedIn(storage, other),
    );
    if (isSame || (await core.isMigrationOpen(handle))) {
      throw insideFailure("migrate", "the steps run in order, each once");
    }
  }

  // A migration itself flushes the storages that are mounted in its own, which it does not hold up.
  function refuseWait(operation) {
    if (around().some((other) => other.isRunning && other.storage === storage)) {
      throw insideFailure(operation, "migrate() makes what the steps wrote durable");
    }
  }

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
    await core.beginSteps(handle);
    for (const step of stepsBetween(migrations, from, to)) await step(storage);
    await storage.setItem(VERSION_KEY, to);
    await hooks?.afterMigration?.(from, to, storage);
  }

  // What the caller gets: the error, unless something worse has happened.
  async function undone(error) {
    try {
      await core.undoSteps(handle);
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
  function warn(what, error) {
    const message = `[electron-async-storage] ${what}: ${asError(error).message}`;
    process.emitWarning(message, { code: "EAS_MIGRATION", type: "StorageWarning" });
  }

  // What the hook writes stays, unless it fails.
  async function reported(error, from, to) {
    let didFail = false;
    try {
      await hooks?.onMigrationError?.(error, from, to, storage);
    } catch (hookError) {
      didFail = true;
      // One that passes the error on has nothing to add.
      if (hookError !== error) warn("The hook onMigrationError failed", hookError);
    }
    try {
      await core.endMigration(handle, didFail);
    } catch (endError) {
      warn(
        "A migration could not be undone to its end, which the next migrate() will do",
        endError,
      );
    }
  }

  async function run() {
    const to = checked(version);
    // An open migration of another process, or a killed one, makes the stored version provisional.
    if ((await storedVersion()) >= to && !(await core.isMigrationOpen(handle))) return;
    let from = 0;
    const place = { storage, isRunning: true };
    const { driver } = storage.getMount("");
    const migrateAll = async () => {
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
      } finally {
        place.isRunning = false;
      }
    };
    await inTurn(driver, () => runInside(place, migrateAll));
  }

  // A migration that was asked for before is over, whatever became of it.
  async function settled() {
    while (running !== undefined && canTellCallers()) await running.catch(() => {});
  }

  const methods = {
    async migrate() {
      core.mountOf(handle, "");
      if (version === undefined || !migrations) return;
      // Every other call takes its place at once: a flush that comes next waits for it.
      if (around().length > 0) await refuseInside();
      running ??= run().finally(() => {
        running = undefined;
      });
      await running;
    },
    async getStorageVersion() {
      return storage.getItem(VERSION_KEY);
    },
  };
  return { methods, isRunning: () => running !== undefined, refuseWait, settled };
}
