// What user code threw, which may be anything.

/** What it says of itself. */
export function messageOf(thrown) {
  try {
    return String(thrown?.message ?? thrown);
  } catch {
    return "what was thrown has no text";
  }
}
