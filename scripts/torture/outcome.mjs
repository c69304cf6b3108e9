// What an attack did and what it found.

/** Losses that are shown in full; the rest is counted. */
const MOST_SHOWN = 10;

export class Outcome {
  rounds = 0;
  faults = 0;
  losses = [];
  lossCount = 0;
  notes = [];
  /** Why the attack could not be made here; empty when it was. */
  skipped = "";

  round(count = 1) {
    this.rounds += count;
  }

  fault(count = 1) {
    this.faults += count;
  }

  loss(message) {
    this.lossCount += 1;
    if (this.losses.length < MOST_SHOWN) this.losses.push(message);
  }

  note(message) {
    this.notes.push(message);
  }
}

/** The outcomes as a table for people. */
export function table(outcomes) {
  const rows = [["attack", "rounds", "faults", "losses"]];
  for (const [name, { rounds, faults, lossCount, skipped }] of outcomes) {
    rows.push(
      skipped
        ? [name, "-", "-", `skipped: ${skipped}`]
        : [name, String(rounds), String(faults), String(lossCount)],
    );
  }
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map(([name, rounds, faults, losses]) => {
      const cells = [
        name.padEnd(widths[0]),
        rounds.padStart(widths[1]),
        faults.padStart(widths[2]),
        losses.padStart(/^\d+$|^losses$/.test(losses) ? "losses".length : 0),
      ];
      return cells.join("  ");
    })
    .join("\n");
}
