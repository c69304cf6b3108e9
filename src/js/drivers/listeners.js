// Those who listen to the changes of one storage or driver.

import { describe } from "../arguments.js";
import { ignore, isThenable } from "../thenables.js";

// Listeners of one handle. An error of one does not stop the others and becomes uncaught.
export function listeners(handle) {
  let list = [];
  let watching;
  const emit = (event, key) => {
    for (const { callback } of [...list]) {
      try {
        const result = callback(event, key);
        if (isThenable(result)) result.then(ignore, raise);
      } catch (error) {
        raise(error);
      }
    }
  };
  // The native side holds `emit` weakly and keeps it alive while a driver watches.
  const stop = async () => {
    const started = watching;
    watching = undefined;
    list = [];
    // A failure to start was told to those who listen, and leaves nothing to stop.
    const id = await started?.catch(ignore);
    if (id !== undefined) await core.unwatch(handle, id);
  };
  return {
    async watch(callback) {
      if (typeof callback !== "function") {
        throw Object.assign(
          new TypeError(
            `[electron-async-storage] Invalid listener: expected a function, got ${describe(callback)}`,
          ),
          { code: "EAS_INVALID_ARGUMENT", operation: "watch" },
        );
      }
      const entry = { callback };
      list = [...list, entry];
      let started;
      try {
        watching ??= Promise.resolve(core.watch(handle, emit));
        started = watching;
        await started;
      } catch (error) {
        // It may have been given up, and another one started, meanwhile.
        if (watching === started) watching = undefined;
        list = list.filter((other) => other !== entry);
        throw error;
      }
      return async () => {
        if (!list.includes(entry)) return;
        list = list.filter((other) => other !== entry);
        if (list.length === 0) await stop();
      };
    },
    stop,
  };
}

/** Has an error of a listener surface as an uncaught exception. */
export function raise(error) {
  queueMicrotask(() => {
    throw error;
  });
}
