// The changes of one item's value.

import { wrongArgument } from "../arguments.js";
import { raise } from "../drivers/listeners.js";
import { warn } from "../hooks.js";
import { normalizeKey } from "../keys.js";
import { pack } from "../lazy-codec.js";
import { ignore, isThenable } from "../thenables.js";
import { messageOf } from "../thrown.js";
import { valueIn } from "./values.js";

// A value as it was read: what a listener does to its copy must not show. What has no text is itself.
function keep(value) {
  try {
    return { text: pack(value) };
  } catch {
    return { value };
  }
}

const isSame = (one, other) => one.text === other.text && one.value === other.value;
const copyOf = ({ text, value }) => (text === undefined ? value : valueIn(text));

export const watchItemOf = (storage) =>
  async function watchItem(key, callback) {
    if (typeof callback !== "function") {
      throw wrongArgument("listener", "a function", callback, "watchItem");
    }
    const watched = normalizeKey(key);
    let isOver = false;
    let last;

    async function report(reading) {
      let value;
      try {
        value = await reading;
      } catch (error) {
        if (!isOver && error?.code !== "EAS_DISPOSED") {
          const message = `[electron-async-storage] watchItem could not read ${JSON.stringify(watched)} after a change: ${messageOf(error)}`;
          warn(error?.code ?? "EAS_WATCH", message);
        }
        return;
      }
      const found = keep(value);
      if (isOver || isSame(found, last)) return;
      const previous = copyOf(last);
      last = found;
      try {
        const result = callback(value, previous);
        if (isThenable(result)) result.then(ignore, raise);
      } catch (error) {
        raise(error);
      }
    }

    // The value of now is that of the call; reads begin with the event, and are reported in order.
    const first = storage.getItem(key).then((value) => {
      last = keep(value);
    });
    let reported = first.catch(ignore);
    const look = () => {
      const reading = storage.getItem(key);
      reading.catch(ignore);
      reported = reported.then(() => report(reading));
    };
    const end = await storage.watch((_, changed) => {
      if (changed === watched && !isOver) look();
    });
    const stop = async () => {
      isOver = true;
      await end();
    };
    try {
      await first;
    } catch (error) {
      await stop();
      throw error;
    }
    // What changed between the call and the watch had no event.
    look();
    return stop;
  };
