// `update`: the function runs here; the main process stores its result if the value is still the one that the
// function saw.

import { failure } from "./shared/protocol.js";

const MAX_RUNS = 100;
const MAX_MS = 5000;

export function makeUpdate(link, textOf, readValue) {
  const turns = new Map();

  /** Steps of one update: each yields what to ask the main process for, or the function's result. */
  function* steps(key, fn, options, start) {
    const end = Date.now() + MAX_MS;
    let text = start === undefined ? (yield ["ask", [key]]).text : start;
    for (let run = 0; run < MAX_RUNS && (run === 0 || Date.now() < end); run++) {
      const next = yield ["wait", fn(readValue(text))];
      const nextText = next === undefined ? null : textOf(next);
      const answer = yield ["ask", [key, text, nextText, options]];
      if (answer.isDone) return next;
      ({ text } = answer);
    }
    throw failure("EAS_CONFLICT", `The value of ${JSON.stringify(key)} changed each time.`, {
      key,
    });
  }

  async function run(key, fn, options) {
    const update = steps(key, fn, options);
    let step = update.next();
    while (!step.done) {
      const [kind, value] = step.value;
      step = update.next(await (kind === "ask" ? link.call("swap", value) : value));
    }
    return step.value;
  }

  return {
    /**
     * Updates of one key take turns. One that the function of another makes would wait for itself: nobody waits for
     * longer than conflicts may last.
     */
    update(key, fn, options) {
      const turn = turns.get(key);
      let timer;
      const late = turn && new Promise((resolve) => (timer = setTimeout(resolve, MAX_MS)));
      const mine = Promise.race([turn, late]).then(() => {
        clearTimeout(timer);
        return run(key, fn, options);
      });
      const settled = mine
        .catch(() => {})
        .then(() => {
          if (turns.get(key) === settled) turns.delete(key);
        });
      turns.set(key, settled);
      return mine;
    },

    updateSync(key, fn, options) {
      let start;
      try {
        start = link.readSync(key);
      } catch (error) {
        if (error.code !== "EAS_SYNC_UNSUPPORTED") throw error;
      }
      const update = steps(key, fn, options, start);
      let step = update.next();
      while (!step.done) {
        const [kind, value] = step.value;
        step = update.next(kind === "ask" ? link.callSync("swap", value) : value);
      }
      return step.value;
    },
  };
}
