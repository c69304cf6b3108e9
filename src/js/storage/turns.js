// Long reads in slices, so that the event loop turns in between.

export const SLICE = 256;
export const MANY = 4096;
export const LONGEST_TURN_MS = 1;

// Tests of programs replace timers with their own, which stand still.
export const now = typeof performance === "object" ? performance.now.bind(performance) : Date.now;
const immediate = typeof setImmediate === "function" ? setImmediate : setTimeout;
export const nextTurn = () => new Promise((resolve) => void immediate(resolve));

// Works on `count` things in slices, and lets the event loop turn whenever they took long.
export async function inTurns(count, work) {
  let start = now();
  for (let at = 0; at < count; at += SLICE) {
    if (now() - start > LONGEST_TURN_MS) {
      await nextTurn();
      start = now();
    }
    work(at, Math.min(at + SLICE, count));
  }
  // What comes next has many of them to work on.
  if (count > MANY) await nextTurn();
}
