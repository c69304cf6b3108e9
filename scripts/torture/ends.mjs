// How a worker thread ends by itself.

/** Ends this thread as its task says; one that is to be terminated waits for that. */
export function endAsTold({ end, endMs }) {
  if (end === "exit") setTimeout(() => process.exit(0), endMs);
  if (end === "throw") {
    setTimeout(() => {
      throw new Error("expected by the torture");
    }, endMs);
  }
}
