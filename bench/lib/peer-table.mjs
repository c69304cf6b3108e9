// All peers side by side: for each operation every peer that has it, in turn, in one process.

import { newFolder } from "./folder.mjs";
import { repeat } from "./repeat.mjs";
import { rotate } from "./rotate.mjs";
import { median } from "./stats.mjs";
import { itemsOf } from "./values.mjs";

async function openAll(peers, { keys, values, parent }) {
  const opened = [];
  for (const peer of peers) {
    try {
      const subject = await peer.open(newFolder(parent));
      await peer.fill(subject, itemsOf(keys, values));
      opened.push({ peer, subject, cells: {} });
    } catch (error) {
      // One peer whose binary was not built must not hide what the others do.
      opened.push({ peer, unavailable: error.message.split("\n")[0], cells: {} });
    }
  }
  return opened;
}

/**
 * Microseconds for each peer and column. `columns` maps the names of expressions to the number of
 * items that one evaluation handles, `parent` is where the folders of the stores are made.
 */
export async function peerTable(peers, { keys, values, columns, budget, parent }) {
  const rows = await openAll(peers, { keys, values, parent });
  for (const [column, per] of Object.entries(columns)) {
    const able = rows.filter(({ peer, subject }) => subject && peer[column]);
    const sides = able.map(({ peer, subject }) => ({
      run: repeat(peer[column], { subject, keys, values }),
    }));
    const times = await rotate(sides, budget);
    for (const [at, row] of able.entries()) row.cells[column] = median(times[at]) / per / 1000;
  }
  for (const { peer, subject } of rows) if (subject) await peer.close?.(subject);
  return rows.map(({ peer, cells, unavailable }) => ({ peer, cells, unavailable }));
}
