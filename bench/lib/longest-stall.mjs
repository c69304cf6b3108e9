/** The longest time, in milliseconds, that `work` kept the event loop from turning. */
export async function longestStallMs(work) {
  let watching = true;
  let longest = 0;
  let last;
  const turn = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (watching) setImmediate(turn);
  };
  await new Promise(setImmediate);
  last = performance.now();
  setImmediate(turn);
  try {
    await work();
  } finally {
    watching = false;
  }
  return Math.max(longest, performance.now() - last);
}
